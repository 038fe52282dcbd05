"""The hook's process, as libvirt starts it: arguments in, one answer out.

Imports next to nothing: what other operations and, later, an answer of the service need stays cheap.
"""

import posix
import sys

_DECIDED = ("migrate", "restore")
_INTERNAL = 3
#: libvirt shows a refusal behind 200 characters of its own: ours begins on a line of its own.
_LINE_END = "\n"


def main() -> None:
    """Answer ``NAME OPERATION SUB-OPERATION EXTRA`` and end the process.

    Anything but an arrival is none of our business: a failing ``reconnect`` kills a running guest.
    """
    arguments = sys.argv[1:]
    if len(arguments) < 2 or arguments[1] not in _DECIDED:
        posix._exit(0)
    try:
        _inline(arguments)
    except BaseException as error:  # noqa: BLE001 - the last line of defence: a sentence, not a traceback
        _broken(arguments, error)


def _inline(arguments: "list[str]") -> None:
    sys.path.extend(package_directories())
    from libhooks import inline
    from libhooks.door import Settings
    from libhooks.event import Event, Operation

    name, operation, *rest = arguments
    inline.main(Event(name, Operation(operation), *rest[:2]), Settings(), _LINE_END)


def package_directories() -> "list[str]":
    """Where the distribution keeps lxml: this process is started without site-packages (-S).

    Computed from the interpreter that runs, so that an upgrade of Python needs no new installation.
    """
    version = "python{}.{}".format(*sys.version_info)
    candidates = [f"{sys.prefix}/lib/python3/dist-packages"]
    for lib in dict.fromkeys((sys.platlibdir, "lib64", "lib")):
        candidates.append(f"{sys.prefix}/{lib}/{version}/site-packages")
    own = __file__.rpartition("/libhooks/")[0]
    return [*candidates, f"{own}/vendor"]


def _broken(arguments: "list[str]", error: BaseException) -> None:
    if arguments[1] == "migrate":
        # Arguments come from whoever names guests: nothing that moves a cursor gets through.
        name = "".join(one if one.isprintable() else "?" for one in arguments[0])
        missing = f": {error}" if isinstance(error, ImportError) else ""
        text = (
            f"{_LINE_END}libhooks: guest '{name}' is refused: libhooks cannot run here\n"
            f"  found:  {type(error).__name__}{missing}\n"
            "  hint:   run install.sh again on this host, then libhooks check\n"
        )
        posix.write(2, text.encode("utf-8", "replace"))
        posix._exit(_INTERNAL)
    posix._exit(0)

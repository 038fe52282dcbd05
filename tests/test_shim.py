"""What libvirt runs at every step of a guest's life, the shim hooks/qemu, and its launcher, hooks/hook."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable, NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"LC_ALL": "C"}  # all that libvirt promises

# Every shell that some distribution has as /bin/sh and that this machine has.
SHELLS = [shell for shell in (("dash",), ("bash", "--posix"), ("busybox", "sh")) if shutil.which(shell[0])]

OTHERS = [
    *((operation, "begin", "-") for operation in ("prepare", "start", "started", "reconnect")),
    ("stopped", "end", "-"),
    *(("release", "end", reason) for reason in ("-", "shutdown", "migrated", "from snapshot")),
    ("invented", "", ""),
    ("migrated", "begin", "-"),
    ("Migrate", "begin", "-"),
    ("migrate restore", "begin", "-"),
    ("-", "begin", "-"),
    ("", "", ""),
]
NAMES = ["web1", "two words", "größe", "-n", "--help", "-e", "$(false)", "it's", 'a"b', "*", "%s\\n"]


class Answer(NamedTuple):
    code: int
    out: bytes
    err: str


def call(*command: object, stdin: bytes = b"", cwd: object = "/") -> Answer:
    words = list(map(str, command))
    done = subprocess.run(words, check=False, input=stdin, capture_output=True, env=ENVIRONMENT, cwd=str(cwd))
    return Answer(done.returncode, done.stdout, done.stderr.decode())


class Shim(NamedTuple):
    """The shim as install.sh renders it, but with all its paths in a directory of the test."""

    path: Path
    etc: Path
    lib: Path

    def run(self, *arguments: str, stdin: bytes = b"<domain/>", shell: tuple[str, ...] = ()) -> Answer:
        interpreter = [shutil.which(word) or word for word in shell]
        return call(*interpreter, self.path, *arguments, stdin=stdin)

    def hook(self, code: str) -> None:
        (self.lib / "current").mkdir(parents=True, exist_ok=True)
        (self.lib / "current" / "hook").write_text(code)


def render(directory: Path, python: str = "/usr/bin/python3") -> Shim:
    shim = Shim(directory / "50-libhooks", directory / "etc", directory / "lib")
    shim.etc.mkdir()
    shim.lib.mkdir()
    text = (CHECKOUT / "hooks" / "qemu").read_text()
    paths = {"@PYTHON@": python, "/etc/libhooks": str(shim.etc), "/usr/lib/libhooks": str(shim.lib)}
    for old, new in paths.items():
        assert old in text
        text = text.replace(old, new)
    shim.path.write_text(text)
    shim.path.chmod(0o755)
    return shim


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    return render(tmp_path)


@pytest.fixture
def tripwire(tmp_path: Path) -> tuple[Shim, Path]:
    """A shim whose interpreter leaves a mark when it is started."""
    mark, python = tmp_path / "mark", tmp_path / "python"
    python.write_text(f"#!/bin/sh\n: >'{mark}'\n")
    python.chmod(0o755)
    shim = render(tmp_path, str(python))
    shim.hook("irrelevant")
    return shim, mark


@pytest.mark.parametrize("operation", OTHERS, ids=" ".join)
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_other_operations(
    tripwire: tuple[Shim, Path], operation: tuple[str, ...], shell: tuple[str, ...]
) -> None:
    """Every operation but migrate and restore succeeds, prints nothing and starts no interpreter."""
    shim, mark = tripwire
    assert shim.run("web1", *operation, shell=shell) == Answer(0, b"", "")
    assert not mark.exists()


def test_tripwire(tripwire: tuple[Shim, Path]) -> None:
    """The interpreter that leaves a mark does so at migrate."""
    shim, mark = tripwire
    assert shim.run("web1", "migrate", "begin", "-") == Answer(0, b"", "")
    assert mark.exists()


@pytest.mark.parametrize("arguments", [("web1", "reconnect", "begin", "-"), ("web1", "stopped", "end", "-")])
def test_reads_nothing(shim: Shim, arguments: tuple[str, ...]) -> None:
    """The other operations leave their standard input as it is."""
    reader, writer = os.pipe()
    os.write(writer, b"<domain/>")
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        subprocess.run([shim.path, *arguments], check=True, stdin=pipe, env=ENVIRONMENT)
        assert pipe.read() == b"<domain/>"


@pytest.mark.parametrize("arguments", [(), ("web1",)], ids=["none", "name"])
def test_too_few_arguments(shim: Shim, arguments: tuple[str, ...]) -> None:
    """A call that libvirt never makes does nothing."""
    assert shim.run(*arguments) == Answer(0, b"", "")


def test_other_operations_without_anything(shim: Shim) -> None:
    """A running guest survives a restart of the daemon although nothing of libhooks is left but the shim."""
    shim.etc.rmdir()
    shim.lib.rmdir()
    assert shim.run("web1", "reconnect", "begin", "-") == Answer(0, b"", "")


@pytest.mark.parametrize("operation", ["migrate", "restore"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_arguments(shim: Shim, operation: str, name: str, shell: tuple[str, ...]) -> None:
    """Migrate and restore hand the hook all arguments as they came, and the guest on standard input."""
    shim.hook(
        "import os, sys\n"
        "out = sys.stdout.buffer\n"
        "out.write(b'|'.join(os.fsencode(word) for word in sys.argv[1:]) + sys.stdin.buffer.read())\n"
        "assert sys.flags.isolated and sys.flags.no_site\n"
    )
    answer = shim.run(name, operation, "begin", "from snapshot", stdin=b"<domain/>\n", shell=shell)
    assert answer == Answer(0, f"{name}|{operation}|begin|from snapshot<domain/>\n".encode(), "")


def test_migrate_becomes_the_hook(shim: Shim) -> None:
    """At migrate no shell waits for the hook: it is replaced by it."""
    shim.hook("import os, sys; sys.stdout.write(str(os.getpid()))")
    command = [str(shim.path), "web1", "migrate", "begin", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        out, _ = process.communicate()
        assert int(out) == process.pid


@pytest.mark.parametrize("code", [0, 1, 2, 3, 70])
def test_migrate_keeps_the_exit_code(shim: Shim, code: int) -> None:
    """At migrate the hook's exit code and words are the shim's."""
    shim.hook(f"import sys; print('why', file=sys.stderr); sys.exit({code})")
    assert shim.run("web1", "migrate", "begin", "-") == Answer(code, b"", "why\n")


@pytest.mark.parametrize("operation", ["migrate", "restore"])
def test_disabled(tripwire: tuple[Shim, Path], operation: str) -> None:
    """While /etc/libhooks/disabled exists, migrate and restore do nothing either."""
    shim, mark = tripwire
    (shim.etc / "disabled").touch()
    assert shim.run("web1", operation, "begin", "-") == Answer(0, b"", "")
    assert not mark.exists()


def damage_nothing_installed(shim: Shim) -> str:
    return f"{shim.lib}/current/hook is missing"


def damage_empty_hook(shim: Shim) -> str:
    shim.hook("")
    return f"{shim.lib}/current/hook is missing"


def damage_no_interpreter(shim: Shim) -> str:
    shim.hook("pass")
    shim.path.write_text(shim.path.read_text().replace("/usr/bin/python3", "/usr/bin/python3.99"))
    return "the interpreter /usr/bin/python3.99 is missing"


def damage_empty_interpreter(shim: Shim) -> str:
    shim.hook("pass")
    python = shim.etc / "python3"
    python.touch(0o755)
    shim.path.write_text(shim.path.read_text().replace("/usr/bin/python3", str(python)))
    return f"the interpreter {python} is missing"


DAMAGES = [damage_nothing_installed, damage_empty_hook, damage_no_interpreter, damage_empty_interpreter]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_migrate(shim: Shim, damage: Callable[[Shim], str]) -> None:
    """Without code or interpreter an arriving guest is refused, in a sentence that says what to do."""
    (shim.etc / "host").write_text("hostb\nnot this\n")
    why = f"libhooks is damaged: {damage(shim)}; run install.sh again"
    answer = shim.run("my guest", "migrate", "begin", "-")
    assert answer == Answer(1, b"", f"libhooks: hostb refuses guest 'my guest': {why}\n")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_restore(shim: Shim, damage: Callable[[Shim], str]) -> None:
    """Without code or interpreter a saved guest starts as it was saved."""
    (shim.etc / "host").write_text("hostb")  # no newline at the end
    why = f"libhooks is damaged: {damage(shim)}; run install.sh again"
    answer = shim.run("web1", "restore", "begin", "-")
    assert answer == Answer(0, b"", f"libhooks: hostb starts guest 'web1' unchanged: {why}\n")


def test_host_name_of_the_kernel(shim: Shim) -> None:
    """Where /etc/libhooks/host is missing, the message has the host's own name."""
    answer = shim.run("web1", "migrate", "begin", "-")
    assert answer.err.startswith(f"libhooks: {os.uname().nodename} refuses guest 'web1'")


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_restore_answer(shim: Shim, tmp_path: Path, shell: tuple[str, ...]) -> None:
    """At restore a rewritten domain arrives byte for byte, whatever it contains and however long it is."""
    expected = b"<domain>" + bytes(range(1, 256)) * 2000 + "größe €".encode() + b"</domain>\n\n \n"
    (tmp_path / "answer").write_bytes(expected)
    shim.hook(f"import sys; sys.stdout.buffer.write(open('{tmp_path}/answer', 'rb').read())")
    assert shim.run("web1", "restore", "begin", "-", shell=shell) == Answer(0, expected, "")


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_restore_refusal(shim: Shim, shell: tuple[str, ...]) -> None:
    """At restore a verdict refuses the guest, in the hook's words."""
    shim.hook("import sys; print('no', file=sys.stderr); sys.exit(1)")
    assert shim.run("web1", "restore", "begin", "-", shell=shell) == Answer(1, b"", "no\n")


FAILURES = {
    "exit 2": "sys.exit(2)",
    "exit 3": "sys.exit(3)",
    "exit 127": "sys.exit(127)",
    "killed": "os.kill(os.getpid(), 9)",
    "crashed": "os.abort()",
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_restore_failure(shim: Shim, failure: str, shell: tuple[str, ...]) -> None:
    """At restore any failure of the hook's own lets the guest start, and half an answer never gets out."""
    shim.hook(f"import os, sys; sys.stdout.write('<dom'); sys.stdout.flush(); {failure}")
    answer = shim.run("web1", "restore", "begin", "-", shell=shell)
    assert (answer.code, answer.out) == (0, b"")
    assert "starts guest 'web1' unchanged: libhooks is damaged: the hook failed with status" in answer.err


def test_restore_with_a_broken_interpreter(tmp_path: Path) -> None:
    """An interpreter that can't start ends with 1, as a verdict does, but is not taken for one."""
    home = tmp_path / "broken"
    (home / "bin").mkdir(parents=True)
    shutil.copy("/usr/bin/python3", home / "bin" / "python3")
    (home / "bin" / "pyvenv.cfg").write_text("home = /nonexistent\n")
    (home / "bin" / "python3._pth").write_text("nothing\n")  # no standard library to be found
    python = home / "bin" / "python3"
    if call(python, "-I", "-S", "-c", "").code != 1:
        pytest.skip("this Python finds its library from everywhere")
    shim = render(tmp_path, str(python))
    shim.hook("pass")
    answer = shim.run("web1", "restore", "begin", "-")
    assert (answer.code, answer.out) == (0, b"")
    assert answer.err.endswith(f"the interpreter {python} does not start; run install.sh again\n")


class Launcher(NamedTuple):
    lib: Path

    def version(self, name: str, client: str) -> None:
        (self.lib / name / "libhooks").mkdir(parents=True)
        (self.lib / name / "libhooks" / "__init__.py").touch()
        (self.lib / name / "libhooks" / "client.py").write_text(client)
        shutil.copy(CHECKOUT / "hooks" / "hook", self.lib / name / "hook")

    def run(self, path: str, *arguments: str, cwd: str = "/") -> Answer:
        return call("/usr/bin/python3", "-I", "-S", path, *arguments, cwd=cwd)


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    launcher = Launcher(tmp_path)
    client = "import libhooks\ndef main():\n    print(libhooks.__file__)\n    raise SystemExit(0)\n"
    launcher.version("1-a", client)
    (tmp_path / "current").symlink_to("1-a")
    return launcher


@pytest.mark.parametrize("path", ["{}/current/hook", "{}/1-a/hook"])
def test_launcher_finds_its_code(launcher: Launcher, path: str) -> None:
    """The launcher runs the code beside it, by its real path also when started through `current`."""
    expected = f"{launcher.lib}/1-a/libhooks/__init__.py\n".encode()
    assert launcher.run(path.format(launcher.lib), "web1", "migrate") == Answer(0, expected, "")


@pytest.mark.parametrize("path", ["current/hook", "./current/hook", "1-a/hook"])
def test_launcher_by_a_relative_path(launcher: Launcher, path: str) -> None:
    """The launcher finds its code from where it is started, too."""
    answer = launcher.run(path, "web1", "migrate", cwd=str(launcher.lib))
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.endswith(b"1-a/libhooks/__init__.py\n")


def test_launcher_through_an_absolute_link(launcher: Launcher) -> None:
    """The link may be absolute."""
    (launcher.lib / "current").unlink()
    (launcher.lib / "current").symlink_to(launcher.lib / "1-a")
    assert launcher.run(f"{launcher.lib}/current/hook", "web1", "migrate").code == 0


def test_launcher_survives_an_upgrade(launcher: Launcher) -> None:
    """A decision under way takes all its modules from the version that it started with."""
    launcher.version("2-b", "raise AssertionError")
    (launcher.lib / "2-b" / "libhooks" / "late.py").write_text("version = 2")
    (launcher.lib / "3-c").mkdir()
    launcher.version(
        "4-d",
        "import os\n"
        "def main():\n"
        f"    os.symlink('2-b', '{launcher.lib}/new')\n"
        f"    os.rename('{launcher.lib}/new', '{launcher.lib}/current')\n"
        "    import libhooks.late\n"
        "    print(libhooks.late.version)\n"
        "    raise SystemExit(0)\n",
    )
    (launcher.lib / "4-d" / "libhooks" / "late.py").write_text("version = 4")
    (launcher.lib / "current").unlink()
    (launcher.lib / "current").symlink_to("4-d")
    assert launcher.run(f"{launcher.lib}/current/hook", "web1", "migrate") == Answer(0, b"4\n", "")


FAULTS = {
    "missing module": ("import libhooks.nothing", "ModuleNotFoundError: No module named 'libhooks.nothing'"),
    "no main": ("", "ImportError: cannot import name 'main' from 'libhooks.client'"),
    "bad byte": ("x = '\x00'", ": "),
    "exception": ("def main():\n    raise ValueError('bad €')", "ValueError: bad €"),
}


@pytest.mark.parametrize(("client", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_launcher_with_damaged_code(launcher: Launcher, client: str, words: str) -> None:
    """Damaged code ends in one sentence, not in a traceback, and with 3, which is no verdict."""
    (launcher.lib / "1-a" / "libhooks" / "client.py").write_text(client)
    answer = launcher.run(f"{launcher.lib}/current/hook", "my guest", "migrate")
    assert (answer.code, answer.out) == (3, b"")
    host = os.uname().nodename
    assert answer.err.startswith(f"libhooks: {host} refuses guest 'my guest': libhooks is damaged: ")
    assert words in answer.err
    assert answer.err.endswith("; run install.sh again\n")
    assert answer.err.count("\n") == 1


def test_launcher_imports_next_to_nothing(launcher: Launcher) -> None:
    """The launcher itself adds no module to those that the interpreter starts with."""
    (launcher.lib / "1-a" / "libhooks" / "client.py").write_text(
        "import sys\ndef main():\n    print(*sorted(sys.modules))\n    raise SystemExit(0)\n"
    )
    bare = call("/usr/bin/python3", "-I", "-S", "-c", "import sys; print(*sorted(sys.modules))")
    loaded = launcher.run(f"{launcher.lib}/current/hook")
    assert set(loaded.out.split()) - set(bare.out.split()) <= {b"posix", b"libhooks", b"libhooks.client"}

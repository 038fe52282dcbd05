"""File systems that don't answer: a real one, spoken by /dev/fuse, that never does.

What is judged is a process of its own, in a mount namespace of its own. It gets the FUSE device as an open
file, as the mounting needs it; this process keeps that open, so that the mount stays silent for as long as
the test wants, whatever ends before.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).parent.parent
#: Seconds that a process may live beyond what it had to wait. Starting Python is most of it.
SLACK = 3.0


def refusal() -> str:
    """Why these tests can't run here; "" where they can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    tried = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return "" if tried.returncode == 0 else "mount namespaces are not allowed here"


REFUSAL = refusal()
pytestmark = pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL)

PREAMBLE = """
import ctypes, os, sys, time
sys.path[:0] = [{repository!r}]
from libhooks.facts.host import open_facts
from libhooks.facts.model import File, Unknown

def mount(kind, point, options):
    libc = ctypes.CDLL(None, use_errno=True)
    os.makedirs(point, exist_ok=True)
    if libc.mount(b"none", point.encode(), kind.encode(), 0, options.encode()):
        print("can't mount", kind, os.strerror(ctypes.get_errno()))
        sys.exit(77)

def silent(point, device):
    mount("fuse", point, f"fd={{device}},rootmode=40000,user_id=0,group_id=0")

def overlay(point):
    for name in ("lower", "upper", "work"):
        os.makedirs(f"{{point}}.{{name}}", exist_ok=True)
    open(f"{{point}}.lower/disk", "w").write("12345")
    mount("overlay", point, f"lowerdir={{point}}.lower,upperdir={{point}}.upper,workdir={{point}}.work")

def children():
    return [int(pid) for pid in open(f"/proc/self/task/{{os.getpid()}}/children").read().split()]

def timed(question, *arguments):
    began = time.monotonic()
    found = question(*arguments)
    return found, time.monotonic() - began

top, devices = {top!r}, {devices!r}
"""


class Ended(NamedTuple):
    """How a process ended: what it said until everyone had closed its output, and after how long."""

    output: str
    seconds: float


class Silence:
    """FUSE devices, and the daemon behind them: one that greets the kernel or not, and then says nothing."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._open: list[int] = []
        self._daemons: list[threading.Thread] = []
        self._over = threading.Event()

    def device(self, greets: bool) -> int:
        """An open /dev/fuse. Where the daemon greets, it takes each request from the kernel too."""
        device = os.open("/dev/fuse", os.O_RDWR)
        self._open.append(device)
        if greets:
            daemon = threading.Thread(target=listen, args=(device, self._over), daemon=True)
            self._daemons.append(daemon)
            daemon.start()
        return device

    def run(self, script: str) -> Ended:
        """Runs a script as libvirt runs a hook: until nobody has its output any more."""
        text = PREAMBLE.format(repository=str(REPOSITORY), top=str(self._top), devices=self._open) + script
        command = ["unshare", "--mount", sys.executable, "-I", "-c", text]
        began = time.monotonic()
        ended = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            pass_fds=self._open,
            text=True,
        )
        if ended.returncode == 77:
            pytest.skip(ended.stdout.strip())
        assert ended.returncode == 0, ended.stdout
        return Ended(ended.stdout, time.monotonic() - began)

    def close(self) -> None:
        """The kernel fails all requests of a device that nobody has open: what hung ends."""
        self._over.set()
        for daemon in self._daemons:
            daemon.join()
        while self._open:
            os.close(self._open.pop())


def listen(device: int, over: threading.Event) -> None:
    """Answers FUSE_INIT (opcode 26) and FUSE_GETATTR (3), and takes all other requests without a word.

    What it says of a directory is good for an hour.
    """
    os.set_blocking(device, False)
    while not over.wait(0.01):
        try:
            request = os.read(device, 1 << 17)
        except (BlockingIOError, PermissionError):  # Nothing asked yet; not mounted yet.
            continue
        except OSError:  # The mount is gone.
            return
        opcode, unique = struct.unpack_from("<IQ", request, 4)
        if opcode == 26:
            reply = struct.pack("<IIIIHHI", 7, 19, 0, 0, 0, 0, 4096)
            os.write(device, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)
        if opcode == 3:
            directory = (1, *[0] * 8, 0o40755, 2, 0, 0, 0, 4096, 0)
            reply = struct.pack("<QII6Q10I", 3600, 0, 0, *directory)
            os.write(device, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)


@pytest.fixture
def silence(tmp_path: Path) -> Iterator[Silence]:
    silence = Silence(tmp_path)
    yield silence
    silence.close()


@pytest.mark.parametrize("greets", [False, True])
def test_in_time(silence: Silence, greets: bool) -> None:
    """What never answers is unknown at the deadline; all else on the mount at once; and we end in time.

    A request that the daemon has taken makes its process unkillable: such a child is left behind.
    """
    silence.device(greets)
    ended = silence.run("""
silent(top + "/dead", devices[0])
os.symlink(top + "/dead/disk", top + "/link")
facts = open_facts(deadline=0.5)
print(*timed(facts.file, top + "/dead/disk"), sep="|")
for question in (facts.mount, facts.image, facts.block, facts.file):
    print(*timed(question, top + "/link"), sep="|")
print(*timed(facts.file, top), sep="|")
facts.close()
""")
    first, *others, last = [line.split("|") for line in ended.output.splitlines()]
    assert first[0] == "Unknown(why='no answer in 0.5 s')"
    assert 0.4 < float(first[1]) < 0.8
    assert [found for found, _ in others] == ["Unknown(why='no answer in 0.5 s')"] * 4
    assert all(float(seconds) < 0.1 for _, seconds in others)
    assert last[0].startswith("File(kind='dir'")
    assert ended.seconds < 0.5 + SLACK


def test_remembered(silence: Silence) -> None:
    """What the kernel remembers of a mount is no answer of the mount: one that is silent by now is silent."""
    silence.device(greets=True)
    ended = silence.run("""
silent(top + "/dead", devices[0])
print(*timed(os.lstat, top + "/dead")[0][:1])
facts = open_facts(deadline=0.3)
print(facts.file(top + "/dead"))
""")
    assert ended.output.splitlines() == ["16877", "Unknown(why='no answer in 0.3 s')"]


def test_other_mounts_answer(silence: Silence) -> None:
    """One silent mount makes no other one silent: a fresh child asks it, a question's time begins anew."""
    silence.device(greets=True)
    silence.device(greets=False)
    ended = silence.run("""
overlay(top + "/alive")
silent(top + "/dead", devices[0])
silent(top + "/dead2", devices[1])
import libhooks.facts.host
libhooks.facts.host.QUESTION = 0.3
facts = open_facts()
print(facts.file(top + "/alive/disk").size)
print(facts.file(top + "/dead/disk").why)
print(facts.file(top + "/alive/disk").size)
print(facts.file(top + "/dead2/disk").why)
print(facts.file(top + "/alive/none"))
print(facts.mount(top + "/alive/disk").fstype)
facts.close()
""")
    silent = "no answer in 0.3 s"
    assert ended.output.splitlines() == ["5", silent, "5", silent, "None", "overlay"]


def test_decision_ends(silence: Silence) -> None:
    """All questions of a decision share its deadline: what comes too late is not asked."""
    silence.device(greets=True)
    silence.device(greets=True)
    ended = silence.run("""
silent(top + "/dead", devices[0])
silent(top + "/dead2", devices[1])
facts = open_facts(deadline=0.4)
print(facts.file(top + "/dead/disk").why)
print(*timed(facts.file, top + "/dead2/disk"), sep="|")
print(facts.file(top).kind)
""")
    first, second, third = ended.output.splitlines()
    assert (first, second.split("|")[0], third) == (
        "no answer in 0.4 s",
        "Unknown(why='no time was left to ask')",
        "dir",
    )
    assert float(second.split("|")[1]) < 0.1


GUEST = """
from libhooks import door
from libhooks.event import Event, Operation

DISK = "<disk type='file' device='disk'><driver type='{1}'/><source file='{2}'/><target dev='vd{0}'/></disk>"

def decided(*images, format="raw"):
    policy = top + "/policy.d"
    os.mkdir(policy, 0o755)
    with open(policy + "/policy.toml", "w") as file:
        file.write('version = 1\\n[require]\\n"storage.protocol" = "off"\\n')
    disks = "".join(DISK.format("abcdefgh"[at], format, image) for at, image in enumerate(images))
    domain = f"<domain type='qemu'><name>web1</name><devices>{disks}</devices></domain>"
    event, settings = Event("web1", Operation.MIGRATE), door.Settings(policy, "hostb")
    given, seconds = timed(door.answer, event, domain.encode(), settings)
    for one in given.decision.findings if given.decision else [given.failure]:
        print(one.code, one.unmet.spot.label, one.unmet.found)
    print(seconds)
"""


@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_several_at_once(silence: Silence, format: str) -> None:
    """Disks on several silent mounts take the time of one, also behind links; all else is judged as ever."""
    for greets in (True, False, True, False):
        silence.device(greets)
    ended = silence.run(
        GUEST
        + f"""
for at, device in enumerate(devices):
    silent(top + f"/dead{{at}}", device)
os.symlink(top + "/dead3", top + "/images")
open(top + "/here", "w").write("x" * 5)
overlay(top + "/alive")
import libhooks.facts.host
libhooks.facts.host.QUESTION = 0.7
decided(top + "/alive/disk", *(top + f"/dead{{at}}/disk" for at in range(3)), top + "/images/disk",
        top + "/here", top + "/missing", format={format!r})
"""
    )
    *lines, seconds = ended.output.splitlines()
    silent = [line for line in lines if line.endswith(" unknown: no answer in 0.7 s")]
    assert {line.split(" unknown")[0] for line in silent} >= {f"storage.exists disk vd{at}" for at in "bcde"}
    found = {tuple(line.split()[:3]) for line in lines if line not in silent}
    assert ("storage.shared", "disk", "vda") in found
    assert ("storage.shared", "disk", "vdf") in found
    assert ("storage.exists", "disk", "vdg") in found
    assert not {line[2] for line in found} & {"vdb", "vdc", "vdd", "vde"}
    assert 0.6 < float(seconds) < 1.3


def test_alive_at_once(silence: Silence) -> None:
    """What answers is not waited for because something else does not."""
    silence.device(greets=True)
    ended = silence.run("""
silent(top + "/dead", devices[0])
overlay(top + "/alive")
overlay(top + "/alive2")
facts = open_facts(deadline=0.5)
facts.expect(top + "/dead/disk", top + "/alive2/disk")
for path in ("alive", "alive2", "dead"):
    print(*timed(facts.mount, f"{top}/{path}/disk"), sep="|")
facts.close()
""")
    lines = (line.split("|") for line in ended.output.splitlines())
    (alive, first), (alive2, second), (dead, third) = lines
    assert "overlay" in alive
    assert "overlay" in alive2
    assert dead == "Unknown(why='no answer in 0.5 s')"
    assert float(first) + float(second) < 0.2
    assert 0.3 < float(third) < 0.7


def test_bind_mount(silence: Silence) -> None:
    """A silent file system is silent wherever it is mounted."""
    silence.device(greets=False)
    ended = silence.run("""
silent(top + "/dead", devices[0])
os.mkdir(top + "/again")
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.mount((top + "/dead").encode(), (top + "/again").encode(), None, 4096, None)
facts = open_facts(deadline=5)
import libhooks.facts.host
libhooks.facts.host.QUESTION = 0.3
print(facts.file(top + "/dead/disk").why)
print(*timed(facts.file, top + "/again/disk"), sep="|")
""")
    first, second = ended.output.splitlines()
    assert first == second[len("Unknown(why='") :].split("'")[0] == "no answer in 0.3 s"
    assert float(second.split("|")[1]) < 0.1


def test_holds_nothing(silence: Silence) -> None:
    """The child holds two pipes and nothing of ours, and serves all questions of a decision."""
    ended = silence.run("""
overlay(top + "/alive")
facts = open_facts()
facts.file(top + "/alive/disk")
child, = children()
facts.file(top + "/alive/none")
assert children() == [child]
print([os.readlink(f"/proc/{child}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{child}/fd")])
print(os.readlink(f"/proc/{child}/cwd"))
""")
    assert ended.output.splitlines() == ["['pipe', 'pipe']", "/"]


def test_dies_with_us(silence: Silence) -> None:
    """A child ends with its parent, though nobody told it to."""
    ended = silence.run("""
overlay(top + "/alive")
facts = open_facts()
facts.file(top + "/alive/disk")
print(*children(), flush=True)
os._exit(0)
""")
    assert ends(int(ended.output))


def test_left_behind(silence: Silence) -> None:
    """A child that can't even be killed is left behind; it goes when the file system does."""
    silence.device(greets=True)
    ended = silence.run("""
silent(top + "/dead", devices[0])
facts = open_facts(deadline=0.3)
facts.file(top + "/dead/disk")
print(*children(), flush=True)
facts.close()
""")
    assert state(int(ended.output)) == "D"
    silence.close()
    assert ends(int(ended.output))


def state(pid: int) -> str:
    """The state of a process as proc(5) writes it; "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def ends(pid: int) -> bool:
    """Whether a process is gone, or as good as gone, within two seconds."""
    until = time.monotonic() + 2
    while state(pid) not in ("", "Z") and time.monotonic() < until:
        time.sleep(0.01)
    return state(pid) in ("", "Z")


def test_reaped(silence: Silence) -> None:
    """A process that lives long keeps no dead children: what was left behind is reaped when it ends."""
    silence.device(greets=False)
    ended = silence.run("""
overlay(top + "/alive")
silent(top + "/dead", devices[0])
for _ in range(3):
    with open_facts(deadline=0.1) as facts:
        facts.file(top + "/dead/disk")
time.sleep(0.2)
with open_facts() as facts:
    facts.file(top + "/alive/disk")
    print(len(children()))
""")
    assert ended.output == "1\n"


AUTOMOUNTER = """
import fcntl, struct

def automounter(point, mounts):
    # What automount(8) and systemd do: the kernel asks by a pipe, and an ioctl (AUTOFS_IOC_READY) answers.
    asked, asks = os.pipe()
    ready, tell = os.pipe()
    os.makedirs(point)
    pid = os.fork()
    if pid:
        os.read(ready, 1)
        mount("autofs", point, f"fd={asks},pgrp={pid},minproto=5,maxproto=5,direct")
        return pid
    os.close(asks)
    os.setsid()
    os.write(tell, b"1")
    packet = os.read(asked, 1000)
    directory = os.open(point, os.O_RDONLY | os.O_DIRECTORY)
    if mounts:
        overlay(point)
        fcntl.ioctl(directory, 0x9360, struct.unpack_from("<I", packet, 8)[0])
    time.sleep(5)
    os._exit(0)
"""


@pytest.mark.parametrize("path", ["/auto/disk", "/auto"])
def test_automount(silence: Silence, path: str) -> None:
    """What an automounter mounts when it is looked at is the mount, not the automounter's own."""
    ended = silence.run(
        AUTOMOUNTER
        + f"""
pid = automounter(top + "/auto", mounts=True)
facts = open_facts()
print(facts.mount(top + {path!r}).fstype, facts.file(top + "/auto/disk").size)
facts.close()
os.kill(pid, 9)
"""
    )
    assert ended.output == "overlay 5\n"


def test_automounter_hangs(silence: Silence) -> None:
    """An automounter whose server does not answer is as silent as the server."""
    ended = silence.run(
        AUTOMOUNTER
        + """
pid = automounter(top + "/auto", mounts=False)
facts = open_facts(deadline=0.3)
print(facts.mount(top + "/auto/disk").why)
facts.close()
os.kill(pid, 9)
"""
    )
    assert ended.output == "no answer in 0.3 s\n"

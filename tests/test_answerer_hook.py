"""The installed hook and an answerer on one host: who decides, and that nobody notices which of them did."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest
from answering import children, soon
from apart import Host, apart
from golden_cases import ENVIRONMENT
from installer import COMMAND, HOOK, JOURNAL, Source, current, succeeded
from test_facts_hang import REFUSAL, Silence

from libhooks import protocol

RECORDS = f"/{JOURNAL}/decisions.jsonl"
POLICY = """\
version = 1
mode = "enforce"

[storage.images]
at.hosta = "/srv/images"
at.hostb = "/mnt/vmstore"

[require]
"storage.shared" = "off"
"capacity.memory" = "off"
"""
GUEST = b"""\
<domain type="qemu">
  <name>web1</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <memory>1024</memory>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="raw" cache="none"/>
      <source file="/srv/images/web1.raw"/>
      <target dev="vda" bus="virtio"/>
    </disk>
  </devices>
</domain>
"""
REWRITTEN = GUEST.replace(b"/srv/images", b"/mnt/vmstore")
GONE = GUEST.replace(b"web1.raw", b"gone.raw")
HUNG = GUEST.replace(b"/srv/images", b"/run/silent")
#: A document that takes a while, wherever it is decided.
DISK = b"<disk type='file'><source file='/srv/images/web1.raw'/><target dev='vd%d'/></disk>"
LONG = GUEST.replace(b"  </devices>", b"\n".join(DISK % number for number in range(3000)) + b"</devices>")


class Told(NamedTuple):
    """What libvirt gets of a hook."""

    code: int
    stdout: bytes = b""
    stderr: str = ""


class Machine(NamedTuple):
    """hostb: libhooks is installed on it, and an answerer may run."""

    host: Host
    version: str

    def start(self, document: bytes = GUEST, operation: str = "migrate") -> subprocess.Popen[bytes]:
        """The hook, as libvirt starts it, with its document written and its answer still to be read."""
        pipe = subprocess.PIPE
        command = ["nsenter", f"--mount=/proc/{self.host.process}/ns/mnt", "--wd=/", f"/{HOOK}"]
        command += ["web1", operation, "begin", "-"]
        hook = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT)
        assert hook.stdin is not None
        with suppress(BrokenPipeError):  # it takes no more than a domain can have
            hook.stdin.write(document)
            hook.stdin.close()
        hook.stdin = None
        return hook

    def hook(self, document: bytes = GUEST, operation: str = "migrate") -> Told:
        return told(self.start(document, operation))

    def served(self, document: bytes = GUEST, operation: str = "migrate") -> Told:
        """What the answerer decides; a busy machine may keep it from saying in time that it does."""
        for _ in range(20):
            before = self.lines()
            given = self.hook(document, operation)
            if json.loads(self.lines()[-1])["path"] == "service":
                break
            self.host.path(RECORDS).write_text("".join(f"{line}\n" for line in before))
        return given

    def set_policy(self, text: str) -> None:
        policy = self.host.path("/etc/libhooks/policy.d/10-fleet.toml")
        policy.write_text(text)
        policy.chmod(0o644)

    @property
    def socket(self) -> Path:
        return self.host.path(f"/run/libhooks/answer-{self.version}.sock")

    def lines(self) -> list[str]:
        file = self.host.path(RECORDS)
        return file.read_text().splitlines() if file.exists() else []

    def records(self) -> list[dict[str, Any]]:
        """The records since this was last asked."""
        lines = self.lines()
        self.host.path(RECORDS).unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def paths(self) -> list[str]:
        """Who made the decisions since this was last asked."""
        return [record["path"] for record in self.records()]


def told(hook: subprocess.Popen[bytes]) -> Told:
    stdout, stderr = hook.communicate(timeout=60)
    assert b"Traceback" not in stderr
    stdout = re.sub(rb"\n *<metadata>.*?</metadata>", b"", stdout, flags=re.DOTALL)  # this host's stamp
    return Told(hook.returncode, stdout, re.sub("record [0-9A-Z]{26}", "record ID", stderr.decode()))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with apart(Source(), tmp_path_factory.mktemp("machine")) as host:
        succeeded(host.install_sh("--host", "hostb"))
        host.run("mount", "-t", "tmpfs", "mnt", "/mnt")
        host.run("mkdir", "-p", "/mnt/vmstore", "/run/libhooks", "/run/dev", "/run/silent")
        host.path("/mnt/vmstore/web1.raw").touch()
        host.run("mount", "-t", "tmpfs", "dev", "/run/dev")
        host.run("cp", "-a", *(f"/dev/{name}" for name in ("null", "zero", "urandom", "full")), "/run/dev")
        host.run("mount", "--move", "/run/dev", "/dev")
        version = current(Path(f"/proc/{host.process}/root"))
        assert len(version) == len(HERE)
        yield Machine(host, version)


@pytest.fixture
def machine(installed: Machine) -> Machine:
    """The host with POLICY, an empty journal and no answerer."""
    installed.set_policy(POLICY)
    installed.records()
    installed.socket.unlink(missing_ok=True)
    return installed


class Service(NamedTuple):
    """An answerer that runs on the host."""

    process: subprocess.Popen[bytes]

    @property
    def workers(self) -> tuple[int, ...]:
        return children(self.process.pid)

    def signal(self, number: int) -> None:
        for pid in (self.process.pid, *self.workers):
            os.kill(pid, number)


@contextmanager
def serving(machine: Machine) -> Iterator[Service]:
    inside = f"--mount=/proc/{machine.host.process}/ns/mnt"
    path = f"/run/libhooks/{machine.socket.name}"
    command = ["nsenter", inside, "--wd=/", f"/{COMMAND}", "serve", "answer", "--socket", path]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
        service = Service(process)
        try:
            soon(lambda: machine.socket.exists() and service.workers)
            yield service
        finally:
            process.kill()


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    with serving(machine) as service:
        yield service


# Who decides.


@pytest.mark.parametrize(
    ("document", "operation", "verdict"),
    [(GUEST, "migrate", "rewritten"), (REWRITTEN, "migrate", "unchanged"), (GONE, "migrate", "refused"),
     (b"<domain", "migrate", "refused"), (b"", "migrate", "refused"), (GUEST, "restore", "rewritten"),
     (b"<domain", "restore", "unchanged"), (b" " * 9_000_000, "migrate", "refused")],
    ids=["rewritten", "unchanged", "refused", "garbage", "empty", "restored", "restored garbage", "huge"],
)  # fmt: skip
def test_alike(machine: Machine, document: bytes, operation: str, verdict: str) -> None:
    """With and without the service libvirt gets the same, and the journal the same record but its path."""
    alone = machine.hook(document, operation)
    with serving(machine):
        served = machine.served(document, operation)
    assert served == alone
    records = machine.records()
    assert [record["verdict"] for record in records] == [verdict] * 2
    assert [record.pop("path") for record in records] == ["inline", "service"]
    first, second = ({key: one[key] for key in one if key not in PASSING} for one in records)
    assert first == second


PASSING = ("id", "time", "duration_ms")


def test_invalid_policy(machine: Machine) -> None:
    """The service refuses under an invalid policy as the hook itself does."""
    machine.set_policy("version = 1\nmoed = 3\n")
    alone = machine.hook()
    with serving(machine):
        assert machine.served() == machine.served() == alone
    assert alone.code == 2
    assert machine.paths() == ["inline", "service", "service"]


def test_changed_policy(machine: Machine, service: Service) -> None:
    """A policy that is changed counts from the next guest on, be the changes ever so quick."""
    for policy, expected in 5 * [(POLICY, REWRITTEN), (POLICY.replace("enforce", "audit"), b"")]:
        machine.set_policy(policy)
        assert machine.served().stdout == expected
    assert set(machine.paths()) == {"service"}


def test_changed_host(machine: Machine, service: Service) -> None:
    """The service remembers nothing of the host: a disk that comes or goes is seen at the next guest."""
    disk = machine.host.path("/mnt/vmstore/gone.raw")
    for _ in range(3):
        assert machine.served(GONE).code == 1
        disk.touch()
        assert machine.served(GONE).code == 0
        disk.unlink()
    assert machine.paths() == ["service"] * 6


def test_side_by_side(machine: Machine, service: Service) -> None:
    """64 guests at once get the right answer, and each its one record."""
    documents = [(GUEST, Told(0, REWRITTEN)), (REWRITTEN, Told(0)), (GONE, machine.hook(GONE))] * 22
    hooks = [(machine.start(document), expected) for document, expected in documents[:64]]
    assert [told(hook) for hook, _ in hooks] == [expected for _, expected in hooks]
    records = machine.records()[1:]
    assert len({record["id"] for record in records}) == 64


def test_child_that_reads(machine: Machine, service: Service) -> None:
    """What may hang is read by one and the same child from guest to guest; when that dies, by another one."""

    def readers() -> set[int]:
        assert {machine.served() for _ in range(4)} == {Told(0, REWRITTEN)}
        return {child for worker in service.workers for child in children(worker)}

    first = readers()
    assert 1 <= len(first) <= 2
    assert len(first | readers()) <= 2
    for pid in readers():
        os.kill(pid, signal.SIGKILL)
    assert readers()


@pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL)
def test_hanging_store(machine: Machine, service: Service, tmp_path: Path) -> None:
    """Guests whose store hangs get the hook's own answer when their time is over, and delay nobody else."""
    host, silence = machine.host, Silence(tmp_path)
    device = silence.device(greets=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    inside = ["nsenter", f"--mount=/proc/{host.process}/ns/mnt", "mount", "-i", "-t", "fuse"]
    subprocess.run([*inside, "-o", options, "none", "/run/silent"], pass_fds=[device], check=True)
    try:
        alone = [machine.start(HUNG) for _ in range(5)]
        for _ in range(3):
            began = time.monotonic()
            assert machine.hook() == Told(0, REWRITTEN)
            assert time.monotonic() - began < 1.5
        assert not any(hook.poll() is not None for hook in alone)
        expected = {told(hook) for hook in alone}
        service.process.kill()
        assert expected == {machine.hook(HUNG)}
    finally:
        host.run("umount", "--lazy", "/run/silent")
        silence.close()
    assert [record["domain"] for record in machine.records()] == ["web1"] * 9


# What goes wrong with the service.


def test_stopped(machine: Machine, service: Service) -> None:
    """An answerer that hangs costs 200 ms, then the hook decides."""
    machine.served()
    service.signal(signal.SIGSTOP)
    began = time.monotonic()
    assert machine.hook() == Told(0, REWRITTEN)
    assert time.monotonic() - began < 5
    service.signal(signal.SIGCONT)
    assert machine.paths() == ["service", "inline"]


def at_work(service: Service) -> list[int]:
    """The workers that are at work: the others sleep."""
    found = []
    for pid in service.workers:
        with suppress(OSError):  # it has ended meanwhile
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state != "S" else []
    return found


def begun(machine: Machine, service: Service) -> tuple[subprocess.Popen[bytes], int]:
    """A hook, and the worker that has begun to decide on its long document."""
    machine.served()
    machine.records()
    soon(lambda: not at_work(service))
    return machine.start(LONG), soon(lambda: at_work(service))[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_in_the_middle(machine: Machine, service: Service, number: int) -> None:
    """A worker that dies or hangs with a guest in its hands: the hook decides, and there is one record."""
    hook, worker = begun(machine, service)
    os.kill(worker, number)
    given = told(hook)
    assert given.stdout.count(b"/mnt/vmstore/web1.raw") == 3001
    assert machine.paths() == ["inline"]
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    soon(lambda: len(set(service.workers) - {worker}) == 2)
    assert machine.served() == Told(0, REWRITTEN)
    assert machine.paths() == ["service"]


def test_ended_in_the_middle(machine: Machine, service: Service) -> None:
    """An answerer that is asked to end answers who is in its hands; whoever comes later decides himself."""
    hook, _ = begun(machine, service)
    service.process.terminate()
    assert told(hook).code == 0
    assert service.process.wait(20) == 0
    assert machine.hook() == Told(0, REWRITTEN)
    assert machine.paths() == ["service", "inline"]


def test_killed(machine: Machine, service: Service) -> None:
    """An answerer that was killed leaves no process behind, and a socket that nobody minds."""
    workers = service.workers
    service.process.kill()
    soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert machine.socket.exists()
    assert machine.hook() == Told(0, REWRITTEN)
    assert machine.paths() == ["inline"]
    with serving(machine):
        assert machine.served() == Told(0, REWRITTEN)
    assert machine.paths() == ["service"]


#: As long as a version's name.
HERE = b"0.1.0-000000000000"
#: Half a second for the decision.
ACKNOWLEDGED = protocol.message(protocol.ACKNOWLEDGED, (500).to_bytes(4, "big") + HERE)
ANSWER = protocol.answer((0, RECORDS, b'{"id":"X"}\n', b"<domain/>", b""))
ALIVE = protocol.message(protocol.ALIVE)


@pytest.mark.parametrize(
    "said",
    [
        [],
        [b"HTTP/1.1 200 OK\r\n\r\n"],
        [b"\0" * 100_000],
        [ACKNOWLEDGED[:4]],
        [ACKNOWLEDGED],
        [ACKNOWLEDGED.replace(b"000", b"111"), ANSWER],
        [ANSWER],
        [ACKNOWLEDGED, ACKNOWLEDGED[:1] + b"\xff" * 4],
        [ACKNOWLEDGED, ALIVE, ALIVE],
        [ACKNOWLEDGED, ANSWER[:-1]],
        [ACKNOWLEDGED, ANSWER[: len(ANSWER) // 2]],
        [ACKNOWLEDGED, protocol.answer((77, RECORDS, b"{}\n", b"<domain/>", b""))],
        [ACKNOWLEDGED, protocol.answer((0, RECORDS, b"{}\n{}\n", b"<domain/>", b""))],
        [ACKNOWLEDGED, protocol.answer((0, "decisions.jsonl", b"{}\n", b"<domain/>", b""))],
        [ACKNOWLEDGED, protocol.message(protocol.ANSWER, b"\xff" * 20)],
        [ACKNOWLEDGED, protocol.message(protocol.ANSWER)],
    ],
    ids=lambda said: f"says {len(said)}",
)
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "stays"])
def test_nonsense(machine: Machine, said: list[bytes], ends: bool) -> None:
    """Whoever says nothing, half of something or nonsense at the socket is left: the hook decides."""
    with impostor(machine, said, ends):
        assert machine.hook() == Told(0, REWRITTEN)
    assert machine.paths() == ["inline"]


def test_alive_for_ever(machine: Machine) -> None:
    """Signs of life are no answer: there is one deadline for both, and then the hook decides."""
    began = time.monotonic()
    with impostor(machine, [ACKNOWLEDGED, *[ALIVE] * 100], False):
        assert machine.hook() == Told(0, REWRITTEN)
    assert 1.5 < time.monotonic() - began < 6
    assert machine.paths() == ["inline"]


@contextmanager
def impostor(machine: Machine, said: list[bytes], ends: bool, user: int = 0) -> Iterator[None]:
    """Something else at the answerer's socket, that says what it is told to whoever comes."""
    said = [part.replace(HERE, machine.version.encode()) for part in said]
    over = threading.Event()

    def speak() -> None:
        connection, _ = listening.accept()
        with closing(connection):
            connection.recv(1 << 16)
            for part in said:
                connection.sendall(part)
                over.wait(0.1 if len(said) > 20 else 0)
            if not ends:
                over.wait(30)

    def listen() -> None:
        while not over.is_set():
            with suppress(OSError):  # the hook went away, or the test is over
                speak()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(machine.socket))
        os.seteuid(user)  # whose socket it is, is decided as it begins to listen
        listening.listen()
        os.seteuid(0)
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            machine.socket.unlink()


def test_socket_of_another_user(machine: Machine) -> None:
    """An answer of anybody but root would move guests' disks: it is not heard."""
    with impostor(machine, [ACKNOWLEDGED, ANSWER], True):
        assert machine.hook().stdout == b"<domain/>"
    machine.host.path(RECORDS).unlink()
    with impostor(machine, [ACKNOWLEDGED, ANSWER], True, user=65534):
        assert machine.hook() == Told(0, REWRITTEN)
    assert machine.paths() == ["inline"]


# The journal.


def test_unwritable_journal(machine: Machine, service: Service) -> None:
    """A journal that cannot be written is met as without the service; the policy says what follows."""
    unrecorded = f"  no record of this: {RECORDS}: Is a directory\n"
    machine.host.path(RECORDS).mkdir()
    try:
        assert machine.hook() == Told(0, REWRITTEN)
        assert machine.hook(GONE).stderr.endswith(unrecorded)
        machine.set_policy(POLICY + "[journal]\nrequired = true\n")
        assert machine.hook().code == 3
    finally:
        machine.host.path(RECORDS).rmdir()
    assert machine.served() == Told(0, REWRITTEN)
    assert machine.paths() == ["service"]


def test_journal_of_the_policy(machine: Machine, service: Service) -> None:
    """The hook writes the record where the policy has the journal, readable by root alone."""
    machine.set_policy(POLICY + '[journal]\npath = "/var/guests.jsonl"\n')
    assert machine.hook() == Told(0, REWRITTEN)
    file = machine.host.path("/var/guests.jsonl")
    assert json.loads(file.read_text())["path"] == "service"
    assert file.stat().st_mode & 0o777 == 0o600
    assert machine.records() == []


@pytest.fixture
def system_log(machine: Machine) -> Iterator[Callable[[], list[str]]]:
    """The lines that were sent to the host's system log, without what differs each time."""
    path = machine.host.path("/dev/log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(path))
        log.setblocking(False)

        def lines() -> list[str]:
            found = []
            try:
                while True:
                    found.append(re.sub(r"\[\d+\]", "", log.recv(65536).decode()))
            except BlockingIOError:
                return found

        yield lines
    path.unlink()


def test_system_log(machine: Machine, system_log: Callable[[], list[str]]) -> None:
    """The system log has each record once, and why an answerer that is there did not decide."""
    machine.hook()
    with serving(machine) as service:
        machine.hook()
        service.signal(signal.SIGSTOP)
        machine.hook()
        service.signal(signal.SIGCONT)
    machine.hook()
    records = [json.dumps(record, separators=(",", ":")) for record in machine.records()]
    heads = ["<28>libhooks: guest 'web1': decided without the answerer: "] * 2
    assert system_log() == [
        f"<30>libhooks: {records[0]}",
        f"<30>libhooks: {records[1]}",
        f"{heads[0]}timed out",
        f"<30>libhooks: {records[2]}",
        f"{heads[1]}Connection refused",
        f"<30>libhooks: {records[3]}",
    ]

"""install.sh on a host itself: this machine's /etc, /usr and /var, with all changes kept apart."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest
from apart import Host, apart
from installer import (
    COMMAND,
    DOMAIN,
    HOOK,
    HOOKS,
    JOURNAL,
    LIB,
    Source,
    current,
    failed,
    succeeded,
)


@pytest.fixture
def host(source: Source, tmp_path: Path) -> Iterator[Host]:
    with apart(source, tmp_path) as host:
        yield host


def test_host_installation(host: Host) -> None:
    """On a host the installed hook and command work at once; without a policy a guest is only recorded."""
    said = succeeded(host.install_sh("--host", "hosta"))
    assert "write a policy" in said
    hook = ["env", "-i", "LC_ALL=C", f"/{HOOK}", "web1"]
    done = host.run(*hook, "migrate", "begin", "-", stdin=DOMAIN)
    assert (done.code, done.out, done.err) == (0, "", "")
    record = json.loads(host.path(f"/{JOURNAL}/decisions.jsonl").read_text())
    assert (record["domain"], record["host"], record["mode"]) == ("web1", "hosta", "audit")
    assert "nothing changed" in succeeded(host.install_sh())


def test_host_removal(host: Host) -> None:
    """On a host removal leaves no file of libhooks but its journal."""
    before = host.changed()
    succeeded(host.install_sh("--host", "hosta"))
    host.run(f"/{HOOK}", "web1", "migrate", "begin", "-", stdin=DOMAIN)
    succeeded(host.install_sh("--uninstall"))
    assert host.changed() - before == {f"/{JOURNAL}/decisions.jsonl"}


def test_host_with_a_policy(host: Host) -> None:
    """Who has a policy already is not told how to begin."""
    policy = host.path("/etc/libhooks/policy.d/10-fleet.toml")
    policy.parent.mkdir(parents=True)
    policy.write_text("version = 1\n")
    assert "There is a policy already" in succeeded(host.install_sh())


@pytest.mark.parametrize(
    "code",
    ["def main():\n    raise ValueError\n", "def main():\n    print('something')\n", "import nothing\n"],
    ids=["fails", "prints", "lacks a module"],
)
def test_trial_run(host: Host, code: str) -> None:
    """Code that fails its trial run never gets into place; what was installed goes on working."""
    succeeded(host.install_sh())
    before = {path: host.path(path).read_bytes() for path in host.changed()}
    host.source.release("1.1")
    (host.source.path / "libhooks/client.py").write_text(code)
    errors = failed(host.install_sh())
    assert "the trial run failed: " in errors
    assert "failed while trying the new code; put back what was" in errors
    assert {path: host.path(path).read_bytes() for path in host.changed()} == before


class Daemon(NamedTuple):
    """A process that notes each SIGHUP, as a program of a given name with its pid file."""

    process: subprocess.Popen[bytes]
    notes: Path

    def hangups(self, expected: int) -> int:
        """How many came, waiting for as many as are expected, and a little for one too many."""
        deadline = time.monotonic() + 10
        while self._noted() < expected and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        return self._noted()

    def _noted(self) -> int:
        return self.notes.read_text().count("hangup\n")


@contextlib.contextmanager
def daemon(host: Host, program: str, pid_file: str) -> Iterator[Daemon]:
    executable = host.path(f"/run/bin/{program}")
    executable.parent.mkdir(exist_ok=True)
    shutil.copy("/bin/sh", executable)
    notes = host.path("/run/notes")
    loop = "trap 'echo hangup >>/run/notes' HUP; echo started >/run/notes; while :; do sleep 0.05; done"
    command = ["nsenter", f"--mount=/proc/{host.process}/ns/mnt", f"/run/bin/{program}", "-c", loop]
    with subprocess.Popen(command) as process:
        while not notes.exists() or not notes.read_text():
            assert process.poll() is None
        host.path(f"/run/{pid_file}.pid").write_text(f"{process.pid}\n")
        try:
            yield Daemon(process, notes)
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["libvirtd", "virtqemud"])
def test_reload(host: Host, name: str) -> None:
    """The daemon that runs gets one SIGHUP when something changed, and none when nothing did."""
    with daemon(host, name, name) as running:
        said = succeeded(host.install_sh())
        assert f"reload {name} (process {running.process.pid})\n" in said
        assert running.hangups(1) == 1
        succeeded(host.install_sh())
        assert running.hangups(1) == 1
        succeeded(host.install_sh("--uninstall"))
        assert running.hangups(2) == 2


def test_stale_pid_file(host: Host) -> None:
    """A process that only has the daemon's old number is left alone."""
    with daemon(host, "unrelated", "libvirtd") as running:
        assert "libvirt is not running" in succeeded(host.install_sh())
        assert running.hangups(0) == 0


def test_reload_by_systemd(host: Host) -> None:
    """Where systemd runs the daemon, systemd reloads it; if that fails, everything is put back."""
    before = host.changed()
    host.path("/run/systemd/system").mkdir(parents=True)
    path = host.script("/run/bin/systemctl", 'echo "$*" >>/run/asked\n[ "$*" = "-q is-active virtqemud" ]')
    errors = failed(host.install_sh(PATH=path))
    assert "failed while making libvirt see the hook; put back what was" in errors
    assert host.path("/run/asked").read_text().splitlines()[-1] == "reload virtqemud"
    assert host.changed() == before


def test_selinux(host: Host) -> None:
    """Where SELinux is on, the files get their labels, and what confines the hook is said, not changed."""
    host.script("/run/bin/selinuxenabled", "exit 0")
    host.script("/run/bin/getsebool", 'echo "$1 --> off"')
    path = host.script("/run/bin/restorecon", 'echo "$*" >>/run/asked')
    done = host.install_sh(PATH=path)
    assert done.code == 0
    assert "if libhooks is denied something: setsebool -P virt_hooks_unconfined on" in done.err
    asked = host.path("/run/asked").read_text().split()
    assert asked[0] == "-R"
    assert {"/etc/libvirt/hooks", f"/{LIB}", f"/{COMMAND}", f"/{JOURNAL}"} <= set(asked)


def test_old_libvirt(host: Host) -> None:
    """A libvirt before 6.5 has one hook file, taken if it is free; a newer one gets the hook in qemu.d."""
    host.script("/usr/sbin/libvirtd", "echo 'libvirtd (libvirt) 6.4.0'")
    succeeded(host.install_sh())
    assert host.path(f"/{HOOKS}/qemu").exists()
    assert not host.path(f"/{HOOK}").exists()
    host.script("/usr/sbin/libvirtd", "echo 'libvirtd (libvirt) 10.10.0'")
    succeeded(host.install_sh())
    assert not host.path(f"/{HOOKS}/qemu").exists()
    assert host.path(f"/{HOOK}").exists()


def test_old_libvirt_with_a_hook(host: Host) -> None:
    """A libvirt before 6.5 whose one hook belongs to other software can't have libhooks."""
    host.script("/usr/sbin/libvirtd", "echo 'libvirtd (libvirt) 6.0.0'")
    host.script(f"/{HOOKS}/qemu", "exit 0")
    before = host.changed()
    errors = failed(host.install_sh())
    assert "libvirt 6.0.0 has room for one hook only, and /etc/libvirt/hooks/qemu is not ours" in errors
    assert host.changed() == before


def test_new_libvirt_with_a_hook(host: Host) -> None:
    """Where qemu.d exists too, the hook of other software stays, and that is said."""
    host.script(f"/{HOOKS}/qemu", "exit 0")
    assert "leave /etc/libvirt/hooks/qemu, which is not ours" in succeeded(host.install_sh())


def test_no_libvirt(host: Host) -> None:
    """Without libvirt there is nothing to install a hook for."""
    before = host.changed()
    host.path("/usr/sbin/libvirtd").unlink()
    assert "libvirt is not installed here" in failed(host.install_sh())
    assert host.changed() == before


def hide_structlog(host: Host) -> str:
    """Take structlog away; returns where its package would put it."""
    ask = "import structlog; print(structlog.__path__[0])"
    where = host.run("/usr/bin/python3", "-I", "-c", ask).out.strip()
    if not where:
        pytest.skip("structlog is not here")
    shutil.copytree(host.path(where), host.path("/run/structlog"))
    shutil.rmtree(host.path(where))
    return where


def test_packages(host: Host) -> None:
    """What is missing comes from the distribution, and nothing else is asked of it."""
    where = hide_structlog(host)
    host.script("/run/bin/apt-cache", "echo Package: $2")
    path = host.script("/run/bin/apt-get", f'echo "$*" >>/run/asked\ncp -r /run/structlog {where}')
    assert "would install the packages python3-structlog\n" in succeeded(
        host.install_sh("--dry-run", PATH=path)
    )
    assert "install the packages python3-structlog\n" in succeeded(host.install_sh(PATH=path))
    asked = host.path("/run/asked").read_text().splitlines()
    assert len(asked) == 1
    assert re.search("--no-install-recommends .*install python3-structlog$", asked[0])


def test_packages_that_fail(host: Host) -> None:
    """A package manager that fails is heard out, and nothing is installed."""
    hide_structlog(host)
    before = host.changed()
    host.script("/run/bin/apt-cache", "echo Package: $2")
    path = host.script("/run/bin/apt-get", "echo 'E: no network'; exit 100")
    errors = failed(host.install_sh(PATH=path))
    assert "E: no network\n" in errors
    assert host.changed() == before


def test_private_copy(host: Host, tmp_path: Path) -> None:
    """Where the distribution has no package, a private copy is fetched into the version's directory, once."""
    hide_structlog(host)
    if host.run("/usr/bin/python3", "-I", "-m", "pip", "--version").code != 0:
        pytest.skip("pip is not here")
    with zipfile.ZipFile(tmp_path / "structlog-25.0-py3-none-any.whl", "w") as wheel:
        for source in host.path("/run/structlog").rglob("*.py"):
            wheel.write(source, f"structlog/{source.relative_to(host.path('/run/structlog'))}")
        information = "structlog-25.0.dist-info"
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: structlog\nVersion: 25.0\n")
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
    host.script("/run/bin/apt-cache", "exit 0")  # knows nothing
    path = host.script("/run/bin/apt-get", '[ "$2" = update ]')
    before = host.changed()
    said = succeeded(host.install_sh(PATH=path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)))
    assert "fetch a private copy of structlog\n" in said
    assert host.path(f"/{LIB}/{current(host.path('/'))}/vendor/structlog/__init__.py").exists()
    assert "nothing changed" in succeeded(host.install_sh(PATH=path, PIP_NO_INDEX="1"))
    succeeded(host.install_sh("--uninstall"))
    assert host.changed() == before


def test_no_interpreter(host: Host) -> None:
    """Only an interpreter of the distribution's is taken, not one that a version manager put in front."""
    for python in host.path("/usr/bin").glob("python3*"):
        python.unlink()
    path = host.script("/run/bin/apt-get", ":")
    host.script("/run/bin/apt-cache", "echo Package: $2")
    host.script("/run/bin/python3", "exit 0")
    host.path("/usr/bin/python3").symlink_to("/run/bin/python3")
    assert "no Python of at least 3.9 in /usr/bin" in failed(host.install_sh(PATH=path))


# The demonstration


def demonstration(source: Source, packages: str) -> None:
    """A lab that only says that it was started."""
    lab = source.path / "tests" / "lab"
    lab.mkdir(parents=True)
    (lab / "__init__.py").write_text(f"PACKAGES = {packages}\n")
    (lab / "demo.py").write_text(
        "import os, sys\nprint('started', os.getcwd(), sys.executable)\nsys.exit(3)\n"
    )


def test_demo(host: Host) -> None:
    """--demo becomes the demonstration, and installs nothing on this host."""
    before = host.changed()
    demonstration(host.source, "('coreutils',)")
    done = host.install_sh("--demo")
    assert done.code == 3
    assert done.out.endswith(f"started {host.source.path}/tests /usr/bin/python3\n")
    assert host.changed() == before
    assert not list(host.source.path.rglob("tests/**/__pycache__"))


def test_demo_packages(host: Host) -> None:
    """--demo installs what the lab lacks, and Debian starts none of it on this host."""
    demonstration(host.source, "('coreutils', 'libhooks-lab-test')")
    guard = host.path("/usr/sbin/policy-rc.d")
    guard.unlink(missing_ok=True)
    host.script("/run/bin/apt-cache", "echo Package: $2")
    path = host.script("/run/bin/apt-get", 'echo "$*" >>/run/asked; cp /usr/sbin/policy-rc.d /run/guard')
    assert "start the demonstration" in host.install_sh("--demo", PATH=path).out
    assert re.fullmatch(".*install libhooks-lab-test\n", host.path("/run/asked").read_text())
    assert host.run("/run/guard", "libvirtd", "start").code == 101
    assert not guard.exists()


def test_demo_packages_that_fail(host: Host) -> None:
    """A failing package manager leaves no ban on starting daemons behind."""
    demonstration(host.source, "('libhooks-lab-test',)")
    guard = host.path("/usr/sbin/policy-rc.d")
    guard.unlink(missing_ok=True)
    host.script("/run/bin/apt-cache", "echo Package: $2")
    failed(host.install_sh("--demo", PATH=host.script("/run/bin/apt-get", "exit 100")))
    assert not guard.exists()


def test_demo_beside_guests(host: Host) -> None:
    """--demo does not run where guests run."""
    demonstration(host.source, "()")
    host.path("/run/libvirt/qemu").mkdir(parents=True)
    host.path("/run/libvirt/qemu/web1.xml").write_text("<domstatus/>\n")
    errors = failed(host.install_sh("--demo"))
    assert "the guest 'web1' runs on this machine" in errors

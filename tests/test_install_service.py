"""install.sh and the service: its units, and what systemd is told where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from apart import Host, apart
from installer import COMMAND, COMPANION, LIB, SERVICE, SOCKET, Source, current, succeeded

UNITS = ("libhooks-answer.socket", "libhooks-answer.service", "libhooks-companion.service")
#: What would give the answerer another view of the host than the hook has.
HIDING = (
    "Private", "ProtectSystem", "ProtectHome", "ProtectProc", "ProtectKernel", "ProtectControlGroups",
    "ProtectClock", "ProtectHostname", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths",
    "TemporaryFileSystem", "BindPaths", "RootDirectory", "DevicePolicy", "DeviceAllow", "DynamicUser",
    "User", "Group",
)  # fmt: skip


@pytest.fixture
def host(source: Source, tmp_path: Path) -> Iterator[Host]:
    with apart(source, tmp_path) as host:
        yield host


def settings(unit: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in unit.read_text().splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in lines}


def test_socket_of_the_version(root: Path) -> None:
    """The socket is root's alone, and its name is the code's: another version's hook finds nothing there."""
    Source().install(root)
    found = settings(root / SOCKET)
    assert found["ListenStream"] == f"/run/libhooks/answer-{current(root)}.sock"
    assert (found["DirectoryMode"], found["SocketMode"]) == ("0700", "0600")


@pytest.mark.parametrize("unit", [SERVICE, COMPANION])
def test_unit_hides_nothing(root: Path, unit: str) -> None:
    """The units bound what the service may do, and leave what it sees as the hook sees it."""
    Source().install(root)
    found = settings(root / unit)
    assert not [name for name in found if name.startswith(HIDING)]
    assert found["Type"] == "notify"
    assert int(found["WatchdogSec"]) > 0
    assert "CAP_SYS_ADMIN" not in found["CapabilityBoundingSet"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_units_are_valid(root: Path) -> None:
    """systemd understands all of the units."""
    Source().install(root)
    services = (root / SERVICE, root / COMPANION)
    for service in services:
        service.write_text(service.read_text().replace("/usr/bin/libhooks", str(root / COMMAND)))
    command = ["systemd-analyze", "verify", "--man=no", str(root / SOCKET), *map(str, services)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert not [line for line in done.stderr.splitlines() if "libhooks" in line]


def systemd(host: Host, enabled: bool = True) -> str:
    """A search path with a systemctl that notes what it is asked, on a host that systemd runs."""
    host.path("/run/systemd/system").mkdir(parents=True, exist_ok=True)
    answer = "exit 0" if enabled else '[ "$2" != is-enabled ]'
    return host.script(
        "/run/bin/systemctl", f'echo "$*" >>/run/asked\n[ "$2" != is-active ] || exit 3\n{answer}'
    )


def asked(host: Host) -> list[str]:
    """What systemctl was asked since this was last asked, but for libvirt's daemons."""
    file = host.path("/run/asked")
    lines = [line.removeprefix("-q ") for line in file.read_text().splitlines()] if file.exists() else []
    file.unlink(missing_ok=True)
    return [line for line in lines if not line.startswith("is-active")]


STOPPED_AND_STARTED = [
    "stop libhooks-companion.service libhooks-answer.service libhooks-answer.socket",
    "is-enabled libhooks-answer.socket",
    "start libhooks-answer.socket",
    "is-enabled libhooks-answer.service",
    "start libhooks-answer.service",
    "is-enabled libhooks-companion.service",
    "start libhooks-companion.service",
]


def test_first_installation(host: Host) -> None:
    """Where systemd runs the service is enabled and started; a second run finds nothing to do."""
    path = systemd(host)
    succeeded(host.install_sh(PATH=path))
    enabled = [f"enable {unit}" for unit in UNITS]
    assert asked(host) == ["daemon-reload", *enabled, *STOPPED_AND_STARTED]
    assert "nothing changed" in succeeded(host.install_sh(PATH=path))
    assert asked(host) == []


def test_upgrade(host: Host) -> None:
    """Another version's service takes over, at its own socket; the old one's is gone."""
    path = systemd(host)
    succeeded(host.install_sh(PATH=path))
    asked(host)
    sockets = host.path("/run/libhooks")
    sockets.mkdir()
    (sockets / f"answer-{version(host)}.sock").touch()
    host.source.release("1.1")
    succeeded(host.install_sh(PATH=path))
    assert asked(host) == ["daemon-reload", *STOPPED_AND_STARTED]
    assert list(sockets.iterdir()) == []
    assert f"answer-{version(host)}.sock" in host.path(f"/{SOCKET}").read_text()


def test_disabled(host: Host) -> None:
    """A service that the administrator has disabled stays disabled."""
    path = systemd(host, enabled=False)
    succeeded(host.install_sh(PATH=path))
    asked(host)
    host.source.release("1.1")
    succeeded(host.install_sh(PATH=path))
    assert not [line for line in asked(host) if re.match("enable|start", line)]


def test_removal(host: Host) -> None:
    """With libhooks its service goes, before its files do."""
    path = systemd(host)
    before = host.changed()
    succeeded(host.install_sh(PATH=path))
    asked(host)
    sockets = host.path("/run/libhooks")
    sockets.mkdir()
    (sockets / f"answer-{version(host)}.sock").touch()
    succeeded(host.install_sh("--uninstall", PATH=path))
    assert asked(host) == [f"disable --now {' '.join(UNITS)}", "daemon-reload"]
    assert host.changed() == before
    assert list(sockets.iterdir()) == []


def test_systemd_fails(host: Host) -> None:
    """A systemd that fails keeps nobody from installing: the hook works without the service."""
    host.path("/run/systemd/system").mkdir(parents=True)
    path = host.script("/run/bin/systemctl", "exit 1")
    done = host.install_sh(PATH=path)
    assert done.code == 0
    warning = "failed: without the service the hook decides itself, a little slower"
    assert f"install.sh: systemctl daemon-reload {warning}" in done.err


def test_edited_unit(host: Host) -> None:
    """An edited unit gives way to the version's own, and is kept aside."""
    succeeded(host.install_sh())
    unit = host.path(f"/{SERVICE}")
    unit.write_text("# mine; run install.sh again\n")
    succeeded(host.install_sh())
    assert "ExecStart=/usr/bin/libhooks serve answer" in unit.read_text()
    kept = host.path("/etc/libhooks/libhooks-answer.service.edited")
    assert kept.read_text() == "# mine; run install.sh again\n"


def version(host: Host) -> str:
    return current(Path(f"/proc/{host.process}/root"))


def test_without_systemd(host: Host) -> None:
    """Where systemd does not run the units are there for when it does, and nothing is asked."""
    path = host.script("/run/bin/systemctl", 'echo "$*" >>/run/asked')
    succeeded(host.install_sh(PATH=path))
    assert asked(host) == []
    assert host.path(f"/{SOCKET}").exists()
    assert host.path(f"/{LIB}").exists()

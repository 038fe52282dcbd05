"""install.sh: it finishes, or puts back what was; and what it answers to questions."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from installer import (
    CHECKOUT,
    COMMAND,
    HOOK,
    LIB,
    PATH,
    ROTATION,
    Source,
    call,
    copy_checkout,
    failed,
    stand_in,
    succeeded,
    tree,
)

# Interruptions


class Interruption(NamedTuple):
    """The search path with which some call of a command goes wrong."""

    path: str
    counter: Path

    def happened(self, number: int) -> bool:
        return int(self.counter.read_text()) >= number


FAIL = 'echo "$0: no space left on device" >&2; exit 1'
TERMINATE = '"$REAL" "$@"; kill -TERM $PPID; exit 0'
KILL = '"$REAL" "$@"; kill -KILL $PPID; exit 0'


def interrupt(directory: Path, command: str, number: int, how: str) -> Interruption:
    counter = directory / "counter"
    counter.write_text("0")
    script = (
        f"read -r calls <'{counter}'; calls=$((calls + 1)); echo $calls >'{counter}'\n"
        f'if [ $calls -eq {number} ]; then {how}; fi\nexec "$REAL" "$@"'
    )
    return Interruption(stand_in(directory / "bin", command, script), counter)


MISHAPS = {
    "mv fails": ("mv", FAIL),
    "mv is interrupted": ("mv", TERMINATE),
    "mkdir fails": ("mkdir", FAIL),
    "cp fails": ("cp", FAIL),
    "chmod fails": ("chmod", FAIL),
}
ACTIONS = {"install": (), "uninstall": ("--uninstall",)}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("mishap", MISHAPS)
def test_interrupted(source: Source, root: Path, tmp_path: Path, action: str, mishap: str) -> None:
    """Whatever step of an upgrade or a removal fails or is interrupted, the installation is what it was."""
    command, how = MISHAPS[mishap]
    source.install(root, "--host", "hosta")
    (root / HOOK).write_text((root / HOOK).read_text() + "# mine\n")
    if action == "install":
        source.release("1.1")
        with (source.path / "share/policy/00-example.toml").open("a") as example:
            example.write("# more\n")
    before = tree(root)
    for number in calls(source, root, tmp_path, action, command):
        interruption = interrupt(tmp_path, command, number, how)
        errors = failed(source.run(*ACTIONS[action], "--root", root, path=interruption.path))
        assert interruption.happened(number)
        assert tree(root) == before, f"call {number}"
        assert "put back what was" in errors or "interrupted" in errors


def calls(source: Source, root: Path, tmp_path: Path, action: str, command: str) -> range:
    """How often the action runs a command, each time a chance to go wrong. Tried on a copy."""
    copy = tmp_path / "copy"
    shutil.copytree(root, copy, symlinks=True)
    counting = interrupt(tmp_path, command, 0, FAIL)
    succeeded(source.run(*ACTIONS[action], "--root", copy, path=counting.path))
    total = int(counting.counter.read_text())
    # Removal moves each of hundreds of files: the first, some between and the last tell enough.
    return range(1, total + 1, max(1, total // 12))


def test_interrupted_first_installation(root: Path, tmp_path: Path) -> None:
    """A first installation that fails leaves nothing."""
    for number in calls_of_first_installation(tmp_path):
        interruption = interrupt(tmp_path, "mv", number, FAIL)
        failed(Source().run("--root", root, path=interruption.path))
        assert not root.exists(), f"call {number}"


def calls_of_first_installation(tmp_path: Path) -> range:
    counting = interrupt(tmp_path, "mv", 0, FAIL)
    succeeded(Source().run("--root", tmp_path / "counted", path=counting.path))
    return range(1, int(counting.counter.read_text()) + 1)


def test_killed(source: Source, root: Path, tmp_path: Path) -> None:
    """An installation that was killed is completed by the next run, and nothing is left of the first one."""
    source.install(root)
    source.release("1.1")
    expected = tmp_path / "expected"
    shutil.copytree(root, expected, symlinks=True)
    source.install(expected)
    for number in calls(source, root, tmp_path, "install", "mv"):
        victim = tmp_path / f"victim{number}"
        shutil.copytree(root, victim, symlinks=True)
        assert source.run("--root", victim, path=interrupt(tmp_path, "mv", number, KILL).path).code == -9
        source.install(victim)
        assert tree(victim) == tree(expected), f"call {number}"


def test_control_c(source: Source, root: Path, tmp_path: Path) -> None:
    """Ctrl-C, whenever it comes, leaves one version, the old or the new, and the exit code tells which."""
    source.install(root)
    source.release("1.1")
    before = tree(root)
    shutil.copytree(root, tmp_path / "after", symlinks=True)
    start = time.monotonic()
    source.install(tmp_path / "after")
    duration = time.monotonic() - start
    after = tree(tmp_path / "after")
    failures = 0
    for moment in range(20):
        victim = tmp_path / f"victim{moment}"
        shutil.copytree(root, victim, symlinks=True)
        command = ["sh", str(source.path / "install.sh"), "--root", str(victim)]
        with subprocess.Popen(
            command,
            start_new_session=True,
            env={"PATH": PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            time.sleep(duration * moment / 16)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.communicate()
        assert tree(victim) == (before if process.returncode else after), f"{moment}/16 of the time"
        failures += process.returncode == 1
    assert failures


def test_nobody_listens(root: Path) -> None:
    """Who stops reading what install.sh says gets the whole installation or nothing."""
    command = ["sh", str(CHECKOUT / "install.sh"), "--root", str(root)]
    with subprocess.Popen(
        command, env={"PATH": PATH}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == 1
    assert not root.exists()


def test_directory_in_the_way(source: Source, root: Path) -> None:
    """A directory in place of a file stops the installation and stays."""
    source.install(root)
    (root / ROTATION).unlink()
    (root / ROTATION).mkdir()
    (root / ROTATION / "kept").touch()
    (source.path / "share/logrotate.d/libhooks").write_text("changed\n")
    source.release("1.1")
    before = tree(root)
    manifest = (root / LIB / "manifest").read_text()
    (root / LIB / "manifest").write_text(re.sub(f".*{ROTATION}\n", "", manifest))
    errors = failed(source.run("--root", root))
    (root / LIB / "manifest").write_text(manifest)
    assert f"{root}/{ROTATION} is a directory; a file belongs there" in errors
    assert tree(root) == before


def test_two_at_once(root: Path) -> None:
    """A second install.sh does not work while one is at work."""
    Source().install(root)
    directory = os.open(root / LIB, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    errors = failed(Source().run("--root", root))
    os.close(directory)
    assert "another install.sh is at work" in errors


def test_no_version(source: Source, root: Path) -> None:
    """A checkout without a version is not installed."""
    (source.path / "libhooks/__init__.py").write_text("")
    assert "no __version__ in" in failed(source.run("--root", root))
    assert not root.exists()


def test_code_that_does_not_compile(source: Source, root: Path) -> None:
    """Code that is no Python is not installed."""
    source.install(root)
    before = tree(root)
    (source.path / "libhooks/client.py").write_text("def main(:\n")
    failed(source.run("--root", root))
    assert tree(root) == before


# Asking


def test_dry_run(source: Source, root: Path) -> None:
    """--dry-run says what would be done and does nothing."""
    said = source.install(root, "--dry-run")
    assert f"would install {root}/{HOOK}\n" in said
    assert not root.exists()
    source.install(root)
    before = tree(root)
    source.release("1.1")
    said = source.install(root, "--dry-run")
    assert re.search(f"^would install {re.escape(str(root))}/{LIB}/1.1-[0-9a-f]*$", said, re.MULTILINE)
    assert f"would remove {root}/{HOOK}\n" in source.uninstall(root, "--dry-run")
    assert tree(root) == before


def test_dry_run_of_what_would_fail(root: Path) -> None:
    """--dry-run also fails where the installation would, and claims nothing."""
    (root / COMMAND).parent.mkdir(parents=True)
    (root / COMMAND).write_text("somebody else's\n")
    errors = failed(Source().run("--dry-run", "--root", root))
    assert "is not ours" in errors
    assert "put back" not in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--frobnicate"], "unknown argument '--frobnicate'"),
        (["somewhere"], "unknown argument 'somewhere'"),
        (["--root"], "--root needs a value"),
        (["--root", ""], "--root needs a value"),
        (["--root="], "--root needs a value"),
        (["--root", "/"], "--root / is this host itself"),
        (["--host"], "--host needs a value"),
        (["--host", "two words"], "'two words' is no host name"),
        (["--host", "a*"], "'a*' is no host name"),
        (["--host", "-x"], "'-x' is no host name"),
        (["--host", "a\nb"], "is no host name"),
        (["--uninstall", "--demo"], "--demo and --uninstall do not go together"),
        (["--uninstall", "--host", "a"], "--host does not go with --uninstall"),
        (["--demo", "--root", "/nowhere"], "--root does not go with --demo"),
    ],
)
def test_usage_errors(arguments: list[str], words: str) -> None:
    """What is not understood is said in one line, ends with 2 and does nothing."""
    done = Source().run("--dry-run", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.endswith("see install.sh --help\n")


def test_help() -> None:
    """--help tells every option."""
    said = succeeded(Source().run("--help"))
    for option in ("--host", "--dry-run", "--root", "--uninstall", "--demo"):
        assert option in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root() -> None:
    """Who is not root is told what to do, and may stage."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        source = copy_checkout(Path(directory) / "checkout")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"]
        assert "this needs root" in failed(call(*nobody, source.path / "install.sh"))
        succeeded(call(*nobody, source.path / "install.sh", "--root", f"{directory}/root"))
        assert (Path(directory) / "root" / HOOK).exists()


def test_shell_style() -> None:
    """The scripts keep to what every /bin/sh understands."""
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not here")
    assert succeeded(call("shellcheck", "-x", "install.sh", "hooks/qemu", cwd=str(CHECKOUT))) == ""

"""install.sh: what it installs, what it leaves alone, and that it finishes or puts back what was."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
LIB = "usr/lib/libhooks"
COMMAND = "usr/bin/libhooks"
HOOKS = "etc/libvirt/hooks"
HOOK = f"{HOOKS}/qemu.d/50-libhooks"
EXAMPLE = "etc/libhooks/policy.d/00-example.toml"
ROTATION = "etc/logrotate.d/libhooks"
JOURNAL = "var/log/libhooks"

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DOMAIN = b"<domain type='qemu'><name>web1</name></domain>"


class Done(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str


def call(*command: object, stdin: bytes = b"", cwd: str = "/", **environment: str) -> Done:
    done = subprocess.run(list(map(str, command)), check=False, input=stdin, capture_output=True, cwd=cwd,
                          env={"PATH": PATH, **environment})  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Source(NamedTuple):
    """A checkout to install from, the project's own or a copy of it that a test changes."""

    path: Path = CHECKOUT

    def run(self, *arguments: object, path: str = PATH, cwd: str = "/") -> Done:
        return call("sh", self.path / "install.sh", *arguments, cwd=cwd, PATH=path)

    def install(self, root: Path, *arguments: str) -> str:
        return succeeded(self.run("--root", root, *arguments))

    def uninstall(self, root: Path, *arguments: str) -> str:
        return succeeded(self.run("--uninstall", "--root", root, *arguments))

    def release(self, version: str) -> None:
        """Make it another version of libhooks."""
        (self.path / "libhooks" / "__init__.py").write_text(f'"""libhooks."""\n\n__version__ = "{version}"\n')


def succeeded(done: Done) -> str:
    assert (done.code, done.err) == (0, "")
    return done.out


def failed(done: Done) -> str:
    assert done.code == 1, done
    return done.err


def copy_checkout(directory: Path) -> Source:
    for part in ("hooks", "share", "libhooks"):
        shutil.copytree(CHECKOUT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "install.sh", directory)
    return Source(directory)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A copy that a test may change, released as 1.0."""
    source = copy_checkout(tmp_path / "checkout")
    source.release("1.0")
    return source


def tree(directory: Path) -> dict[str, str]:
    """Everything below a directory: what it is, its mode and what it holds."""

    def describe(path: Path) -> str:
        mode = f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        if path.is_symlink():
            return f"link {os.readlink(path)}"
        return f"{mode} {'directory' if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()}"

    return {str(path.relative_to(directory)): describe(path) for path in directory.rglob("*")}


def modes(directory: Path) -> dict[str, str]:
    return {path: words.split()[0] for path, words in tree(directory).items()}


def current(root: Path) -> str:
    return os.readlink(root / LIB / "current")


def versions(root: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in (root / LIB).glob("*-*")}


def stand_in(directory: Path, name: str, script: str) -> str:
    """A search path where a command is a script of the test's; the path of the real one is in $REAL."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\nREAL='{shutil.which(name, path=PATH)}'\n{script}\n")
    (directory / name).chmod(0o755)
    return f"{directory}:{PATH}"


# What is installed


def test_install(root: Path) -> None:
    """A staging root gets code, command, hook, settings and the journal's directory, nothing else."""
    Source().install(root)
    code = f"{LIB}/{current(root)}"
    found = {path: mode for path, mode in modes(root).items() if not path.startswith(f"{code}/")}
    assert found == {
        **dict.fromkeys(("usr", "usr/bin", "usr/lib", LIB, code), "0755"),
        **dict.fromkeys(("etc", "etc/libvirt", HOOKS, f"{HOOKS}/qemu.d", "etc/logrotate.d"), "0755"),
        **dict.fromkeys(("etc/libhooks", "etc/libhooks/policy.d", "var", "var/log"), "0755"),
        JOURNAL: "0700",
        COMMAND: "0755",
        HOOK: "0755",
        EXAMPLE: "0644",
        ROTATION: "0644",
        f"{LIB}/current": "link",
        f"{LIB}/manifest": "0644",
    }
    assert stat.S_ISREG((root / HOOK).lstat().st_mode)


def test_code(root: Path) -> None:
    """The code is the checkout's, with all its byte-code, under a name of its version and contents."""
    Source().install(root)
    code = root / LIB / current(root)
    version = re.search('__version__ = "(.*)"', (CHECKOUT / "libhooks/__init__.py").read_text())
    assert version
    assert re.fullmatch(re.escape(version[1]) + "-[0-9a-f]{12}", code.name)
    modules = {path.relative_to(CHECKOUT) for path in (CHECKOUT / "libhooks").rglob("*.py")}
    assert {path.relative_to(code) for path in code.rglob("*.py")} == modules
    assert all((code / path).read_bytes() == (CHECKOUT / path).read_bytes() for path in modules)
    compiled = {path.parent.parent / (path.name.partition(".")[0] + ".py") for path in code.rglob("*.pyc")}
    assert {path.relative_to(code) for path in compiled} == modules


def test_byte_code_does_not_depend_on_times(root: Path) -> None:
    """Byte-code is taken as it is, and its tracebacks name the installed files."""
    Source().install(root)
    code = root / LIB / current(root)
    for path in code.rglob("*.pyc"):
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 0b01  # PEP 552: hash-based, unchecked
    assert f"/{LIB}/{code.name}/libhooks/client.py".encode() in next(code.rglob("client.*.pyc")).read_bytes()
    assert not any(str(root).encode() in path.read_bytes() for path in code.rglob("*.pyc"))


def test_interpreter(root: Path) -> None:
    """Hook and command name an interpreter of the distribution, of at least 3.9."""
    Source().install(root)
    named = re.search("^python=(/usr/bin/python3[.0-9]*)$", (root / HOOK).read_text(), re.MULTILINE)
    assert named
    assert (root / COMMAND).read_text().startswith(f"#!{named[1]} -I\n")
    subprocess.run([named[1], "-c", "import sys; assert sys.version_info >= (3, 9)"], check=True)


def test_staged_tree_works(root: Path, tmp_path: Path) -> None:
    """The staged command works where it lies, and an empty policy directory changes nothing of a guest."""
    Source().install(root)
    (tmp_path / "empty").mkdir()
    options = ["--policy", tmp_path / "empty", "--root", tmp_path / "empty"]
    done = call(root / COMMAND, "hook", "web1", "migrate", "begin", "-", *options, stdin=DOMAIN)
    assert done == Done(0, "", "")


def test_example_policy(root: Path, tmp_path: Path) -> None:
    """The example policy is no policy: with it libhooks still only watches."""
    Source().install(root)
    lines = (root / EXAMPLE).read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    options = ["--policy", (root / EXAMPLE).parent, "--root", tmp_path]
    done = call(root / COMMAND, "check", "--json", *options, stdin=DOMAIN)
    assert json.loads(done.out)["mode"] == "audit"


def test_example_policy_uncommented(root: Path, tmp_path: Path) -> None:
    """What the example policy says is valid once its comment signs are gone."""
    Source().install(root)
    said = r"^# ((?:version|mode|source|at|match|require|\[|\").*)$"
    policy = "\n".join(re.findall(said, (root / EXAMPLE).read_text(), re.MULTILINE))
    assert policy.count("\nat.") == 9
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "10-fleet.toml").write_text(policy)
    done = call(root / COMMAND, "policy", "check", tmp_path / "policy")
    assert (done.code, done.err) == (0, "")


def test_root_with_spaces(tmp_path: Path) -> None:
    """The root may be a relative path and contain spaces."""
    succeeded(Source().run("--root", "a root", cwd=str(tmp_path)))
    assert (tmp_path / "a root" / HOOK).exists()
    succeeded(Source().run("--uninstall", "--root=a root", cwd=str(tmp_path)))
    assert tree(tmp_path) == {"a root": "0755 directory"}


def test_same_code_same_name(source: Source, root: Path, tmp_path: Path) -> None:
    """The same code has the same name wherever it is installed, whatever modes and times the checkout has."""
    source.install(root)
    for path in source.path.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (0, 0))
    source.install(tmp_path / "other")
    assert tree(tmp_path / "other") == tree(root)


def test_changed_code_other_name(source: Source, root: Path) -> None:
    """Changed code of the same version has another name."""
    source.install(root)
    before = current(root)
    (source.path / "libhooks" / "extra.py").touch()
    source.install(root)
    assert current(root) != before


def test_editors_leave_nothing(source: Source, root: Path, tmp_path: Path) -> None:
    """What editors and test runs leave in a checkout is not installed."""
    source.install(root)
    (source.path / "libhooks" / "__pycache__").mkdir(exist_ok=True)
    for name in ("client.py~", ".client.py.swp", "__pycache__/client.cpython-38.pyc"):
        (source.path / "libhooks" / name).write_text("left over")
    source.install(tmp_path / "other")
    assert tree(tmp_path / "other") == tree(root)


# Again, and another version


def test_again(root: Path) -> None:
    """A second run changes nothing and says so."""
    Source().install(root)
    before = tree(root)
    assert "already installed, nothing changed" in Source().install(root)
    assert tree(root) == before


def test_upgrade(source: Source, root: Path) -> None:
    """Another version is installed beside the old one, which decisions under way may still use."""
    source.install(root)
    old = current(root)
    source.release("1.1")
    source.install(root)
    assert current(root).startswith("1.1-")
    assert (root / LIB / old / "libhooks" / "client.py").exists()


def test_second_upgrade(source: Source, root: Path) -> None:
    """Versions older than the one before are removed."""
    for version in ("1.0", "1.1", "1.2"):
        source.release(version)
        source.install(root)
    assert versions(root) == {"1.1", "1.2"}
    assert "1.0-" not in (root / LIB / "manifest").read_text()


def test_downgrade(source: Source, root: Path) -> None:
    """An older checkout brings its version back."""
    for version in ("1.0", "1.1", "1.0"):
        source.release(version)
        source.install(root)
    assert current(root).startswith("1.0-")
    assert versions(root) == {"1.0", "1.1"}


def test_settings_that_were_edited(source: Source, root: Path) -> None:
    """An upgrade leaves settings that were edited, and replaces those that were not."""
    source.install(root)
    (root / EXAMPLE).write_text("mode = 'audit'\n")
    with (source.path / "share/policy/00-example.toml").open("a") as example:
        example.write("# more\n")
    with (source.path / "share/logrotate.d/libhooks").open("a") as rotation:
        rotation.write("# more\n")
    for _ in range(2):
        assert f"keep {root}/{EXAMPLE}, which is yours\n" in source.install(root)
        assert (root / EXAMPLE).read_text() == "mode = 'audit'\n"
    assert (root / ROTATION).read_text().endswith("# more\n")


def test_settings_that_were_removed(source: Source, root: Path) -> None:
    """Settings that the administrator removed do not come back."""
    source.install(root)
    (root / EXAMPLE).unlink()
    source.release("1.1")
    source.install(root)
    source.install(root)
    assert not (root / EXAMPLE).exists()


def test_settings_that_were_there_before(source: Source, root: Path) -> None:
    """A file that was there before is nobody's to replace or to remove."""
    (root / ROTATION).parent.mkdir(parents=True)
    (root / ROTATION).write_text("mine\n")
    source.install(root)
    source.uninstall(root)
    assert (root / ROTATION).read_text() == "mine\n"


@pytest.mark.parametrize("program", [HOOK, COMMAND])
def test_programs_that_were_edited(source: Source, root: Path, program: str) -> None:
    """An edited hook or command gives way to the one that fits the code, and is kept, out of use."""
    source.install(root)
    before = tree(root)
    edited = (root / program).read_text() + "# mine\n"
    (root / program).write_text(edited)
    aside = f"etc/libhooks/{Path(program).name}.edited"
    assert f"keep your edited {root}/{program} as {root}/{aside}\n" in source.install(root)
    assert (root / aside).read_text() == edited
    (root / aside).unlink()
    assert tree(root) == before


def test_damage_is_repaired(source: Source, root: Path) -> None:
    """A run over a damaged installation repairs it."""
    source.install(root)
    before = tree(root)
    code = root / LIB / current(root)
    (code / "libhooks" / "client.py").write_text("")
    next(code.rglob("door.*.pyc")).unlink()
    (root / HOOK).chmod(0o644)
    (root / COMMAND).unlink()
    source.install(root)
    assert tree(root) == before


@pytest.mark.parametrize("lost", ["manifest", "current", ""])
def test_lost_parts(source: Source, root: Path, lost: str) -> None:
    """A run repairs an installation that lost its manifest, its link, or all its code."""
    source.install(root)
    before = tree(root)
    if lost:
        (root / LIB / lost).unlink()
    else:
        shutil.rmtree(root / LIB)
    source.install(root)
    assert {path: what for path, what in tree(root).items() if path != f"{LIB}/manifest"} == {
        path: what for path, what in before.items() if path != f"{LIB}/manifest"
    }


def test_host(source: Source, root: Path) -> None:
    """--host is what this host is called in the policy; later runs and versions leave it."""
    source.install(root, "--host", "rack2-a.example.org")
    source.release("1.1")
    source.install(root)
    assert (root / "etc/libhooks/host").read_text() == "rack2-a.example.org\n"
    source.install(root, "--host=hostb")
    assert (root / "etc/libhooks/host").read_text() == "hostb\n"
    source.uninstall(root)
    assert not (root / "etc").exists()


# What belongs to others


def test_foreign_hooks(root: Path) -> None:
    """Hooks of other software stay as they are, through installation and removal."""
    (root / HOOKS / "qemu.d").mkdir(parents=True)
    for name in ("qemu", "network", "qemu.d/10-other"):
        (root / HOOKS / name).write_text("#!/bin/sh\n")
        (root / HOOKS / name).chmod(0o755)
    before = tree(root)
    Source().install(root)
    assert {path: what for path, what in tree(root).items() if path in before} == before
    Source().uninstall(root)
    assert tree(root) == before


@pytest.mark.parametrize("program", [HOOK, COMMAND])
def test_foreign_program(root: Path, program: str) -> None:
    """A file of somebody else's that has the hook's or the command's name is not overwritten."""
    (root / program).parent.mkdir(parents=True)
    (root / program).write_text("#!/bin/sh\nexec something else\n")
    before = tree(root)
    errors = failed(Source().run("--root", root))
    assert f"{root}/{program} is not ours: move it away, then run this again" in errors
    assert tree(root) == before


def test_disabled_is_said(root: Path) -> None:
    """Whoever installs while the hook is switched off is told."""
    (root / "etc/libhooks").mkdir(parents=True)
    (root / "etc/libhooks/disabled").touch()
    done = Source().run("--root", root)
    assert done.code == 0
    assert "/etc/libhooks/disabled exists, so the hook does nothing" in done.err


# Removal


def test_uninstall(root: Path) -> None:
    """Removal leaves exactly what was there before."""
    root.mkdir()
    for directory in ("usr/bin", "usr/lib", "etc/logrotate.d", HOOKS):
        (root / directory).mkdir(parents=True)
    (root / ROTATION).with_name("other").write_text("other\n")
    before = tree(root)
    Source().install(root, "--host", "hosta")
    Source().uninstall(root)
    assert tree(root) == before
    assert "not installed" in Source().uninstall(root)


def test_uninstall_after_upgrades(source: Source, root: Path) -> None:
    """Removal takes all versions, and the byte-code that a newer Python made of them."""
    for version in ("1.0", "1.1"):
        source.release(version)
        source.install(root)
    for cache in list(root.rglob("__pycache__")):
        (cache / "client.cpython-399.pyc").write_text("newer")
    source.uninstall(root)
    assert tree(root) == {}


def test_uninstall_keeps(source: Source, root: Path) -> None:
    """Removal keeps the policy, the journal and all that was edited or added, and says so."""
    source.install(root, "--host", "hosta")
    code = f"{LIB}/{current(root)}"
    kept = {
        EXAMPLE: "mode = 'audit'\n",
        "etc/libhooks/policy.d/10-fleet.toml": "version = 1\n",
        "etc/libhooks/host": "hostb\n",
        f"{JOURNAL}/decisions.jsonl": "{}\n",
        f"{code}/libhooks/client.py": "mine\n",
        f"{code}/libhooks/added.py": "mine\n",
    }
    for path, text in kept.items():
        (root / path).write_text(text)
    said = source.uninstall(root)
    assert {path: (root / path).read_text() for path in tree(root) if (root / path).is_file()} == kept
    assert f"keep {root}/{EXAMPLE}, which is yours\n" in said
    assert f"keep {root}/{JOURNAL}, which is not empty\n" in said
    assert f"keep {root}/{code}, which holds files of yours\n" in said


def test_uninstall_of_an_edited_hook(source: Source, root: Path) -> None:
    """An edited hook does not stay where libvirt would run it without its code."""
    source.install(root)
    (root / HOOK).write_text("edited\n")
    source.uninstall(root)
    assert tree(root).keys() == {"etc", "etc/libhooks", "etc/libhooks/50-libhooks.edited"}


def test_install_after_uninstall(source: Source, root: Path) -> None:
    """What a removal kept is found again by the next installation."""
    source.install(root)
    (root / EXAMPLE).write_text("mode = 'audit'\n")
    source.uninstall(root)
    assert f"keep {root}/{EXAMPLE}, which is yours" in source.install(root)
    source.uninstall(root)
    assert (root / EXAMPLE).read_text() == "mode = 'audit'\n"


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


# On a host itself: this machine's /etc, /usr and /var, with all changes kept apart


class Host(NamedTuple):
    """A mount namespace in which this machine can be changed without changing it."""

    process: int
    changes: Path
    source: Source

    def run(self, *command: object, stdin: bytes = b"", **environment: str) -> Done:
        inside = f"--mount=/proc/{self.process}/ns/mnt"
        return call("nsenter", inside, "--wd=/", *command, stdin=stdin, **environment)

    def install_sh(self, *arguments: str, **environment: str) -> Done:
        return self.run("sh", self.source.path / "install.sh", *arguments, stdin=b"", **environment)

    def path(self, inside: str) -> Path:
        return Path(f"/proc/{self.process}/root") / inside.lstrip("/")

    def script(self, inside: str, text: str) -> str:
        """A program on the host; returns a search path that finds it first."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return f"{inside.rpartition('/')[0]}:{PATH}"

    def changed(self) -> set[str]:
        """The files that were made or changed here."""
        files = (path for path in self.changes.rglob("*") if stat.S_ISREG(path.lstat().st_mode))
        return {"/" + str(path.relative_to(self.changes)) for path in files}


OVERLAY = """
for directory in etc usr var; do
    mkdir -p "$1/upper/$directory" "$1/work/$directory"
    options="lowerdir=/$directory,upperdir=$1/upper/$directory,workdir=$1/work/$directory"
    mount -t overlay -o "$options" overlay "/$directory"
done
mount -t tmpfs run /run
"""
# As if nothing of libhooks had ever been on this machine.
EMPTY = """
rm -rf /etc/libhooks /usr/lib/libhooks /usr/bin/libhooks /var/log/libhooks /etc/logrotate.d/libhooks
rm -rf /etc/libvirt/hooks
mkdir /etc/libvirt/hooks
echo ready
exec cat >/dev/null
"""
UNSHARE = ("unshare", "--mount", "--propagation", "private", "sh", "-euc")


def host_missing() -> str:
    """Why there can be no such host, or nothing."""
    for command in ("unshare", "nsenter", "libvirtd"):
        if not shutil.which(command, path=PATH):
            return f"{command} is not here"
    if call(*UNSHARE, f"mount -t tmpfs changes /mnt; set -- /mnt; {OVERLAY}").code != 0:
        return "no right or support to mount an overlay"
    return ""


@pytest.fixture
def host(source: Source, tmp_path: Path) -> Iterator[Host]:
    missing = host_missing()
    if missing:
        pytest.skip(missing)
    (tmp_path / "changes").mkdir()
    script = f'mount -t tmpfs changes "$1"\n{OVERLAY}{EMPTY}'
    command = [*UNSHARE, script, "sh", str(tmp_path / "changes")]
    # It lives until its standard input ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"ready\n"
        yield Host(keeper.pid, Path(f"/proc/{keeper.pid}/root{tmp_path}/changes/upper"), source)
        assert keeper.stdin is not None
        keeper.stdin.close()


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

    def hangups(self) -> int:
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


def settle() -> None:
    time.sleep(0.2)


@pytest.mark.parametrize("name", ["libvirtd", "virtqemud"])
def test_reload(host: Host, name: str) -> None:
    """The daemon that runs gets one SIGHUP when something changed, and none when nothing did."""
    with daemon(host, name, name) as running:
        said = succeeded(host.install_sh())
        settle()
        assert f"reload {name} (process {running.process.pid})\n" in said
        assert running.hangups() == 1
        succeeded(host.install_sh())
        settle()
        assert running.hangups() == 1
        succeeded(host.install_sh("--uninstall"))
        settle()
        assert running.hangups() == 2


def test_stale_pid_file(host: Host) -> None:
    """A process that only has the daemon's old number is left alone."""
    with daemon(host, "unrelated", "libvirtd") as running:
        assert "libvirt is not running" in succeeded(host.install_sh())
        settle()
        assert running.hangups() == 0


def test_reload_by_systemd(host: Host) -> None:
    """Where systemd runs the daemon, systemd reloads it; if that fails, everything is put back."""
    before = host.changed()
    host.path("/run/systemd/system").mkdir(parents=True)
    path = host.script("/run/bin/systemctl", 'echo "$*" >>/run/asked\n[ "$*" = "-q is-active virtqemud" ]')
    errors = failed(host.install_sh(PATH=path))
    assert "failed while making libvirt see the hook; put back what was" in errors
    assert host.path("/run/asked").read_text().splitlines()[-1] == "reload virtqemud"
    assert host.changed() == before


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

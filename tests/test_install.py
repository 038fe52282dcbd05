"""install.sh: what it installs, what it leaves alone, and what it removes again."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from installer import (
    CHECKOUT,
    COMMAND,
    COMPANION,
    DOCUMENTS,
    DOMAIN,
    EXAMPLE,
    HOOK,
    HOOKS,
    JOURNAL,
    LIB,
    ROTATION,
    SERVICE,
    SOCKET,
    UNITS,
    Done,
    Source,
    call,
    current,
    failed,
    modes,
    succeeded,
    tree,
    versions,
)

# What is installed


def test_install(root: Path) -> None:
    """A staging root gets code, command, hook, settings, pages and the journal's directory, nothing else."""
    Source().install(root)
    code = f"{LIB}/{current(root)}"
    found = {path: mode for path, mode in modes(root).items() if not path.startswith(f"{code}/")}
    assert found == {
        **dict.fromkeys(("usr", "usr/bin", "usr/lib", LIB, code), "0755"),
        **dict.fromkeys(("etc", "etc/libvirt", HOOKS, f"{HOOKS}/qemu.d", "etc/logrotate.d"), "0755"),
        **dict.fromkeys(("usr/lib/systemd", UNITS), "0755"),
        **dict.fromkeys(("etc/libhooks", "etc/libhooks/policy.d", "var", "var/log"), "0755"),
        **{str(parent): "0755" for path in DOCUMENTS for parent in list(Path(path).parents)[:-1]},
        **dict.fromkeys(DOCUMENTS, "0644"),
        JOURNAL: "0700",
        COMMAND: "0755",
        HOOK: "0755",
        EXAMPLE: "0644",
        ROTATION: "0644",
        SOCKET: "0644",
        SERVICE: "0644",
        COMPANION: "0644",
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
    said = r"^# (\[.*|[\w.*\"-]+ += .*)$"
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


def test_what_is_to_be_read(source: Source, root: Path) -> None:
    """The schema, man pages and completions are share/'s, and change with the version, edited or not."""
    source.install(root)
    for installed, made in DOCUMENTS.items():
        assert (root / installed).read_bytes() == (CHECKOUT / "share" / made).read_bytes()
        (root / installed).write_text("edited\n")
        with (source.path / "share" / made).open("a") as file:
            file.write("# more\n")
    source.install(root)
    (root / LIB / "manifest").unlink()
    for made in DOCUMENTS.values():
        with (source.path / "share" / made).open("a") as file:
            file.write("# still more\n")
    source.install(root)
    for installed in DOCUMENTS:
        assert (root / installed).read_text().endswith("# more\n# still more\n")


# What belongs to others


@pytest.mark.parametrize("path", DOCUMENTS)
def test_foreign_pages(root: Path, path: str) -> None:
    """A page or a completion of somebody else's stays, through installation and removal, and that is said."""
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text("mine\n")
    before = tree(root)
    assert f"keep {root}/{path}, which is not ours\n" in Source().install(root)
    Source().uninstall(root)
    assert tree(root) == before


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


def test_uninstall_takes_the_last_good_policy(root: Path) -> None:
    """The copy that the hook keeps is of use to nobody without it; what else lies there stays."""
    Source().install(root)
    (root / "var/lib/libhooks/policy/0123456789abcdef").mkdir(parents=True)
    (root / "var/lib/libhooks/policy/0123456789abcdef/policy.toml").write_text("version = 1\n")
    before = tree(root)
    assert f"would remove {root}/var/lib/libhooks/policy\n" in Source().uninstall(root, "--dry-run")
    assert tree(root) == before
    Source().uninstall(root)
    assert set(tree(root)) == {"var", "var/lib"}


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

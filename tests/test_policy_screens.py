"""What ``policy show`` and ``policy explain`` print, screen by screen: tests/screens/NAME.txt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from golden_cases import CHECKOUT, PYTHON, TESTS

SCREENS = TESTS / "screens"
_HOSTB = "--root root --host hostb"

#: The screens, and what is typed to get them.
COMMANDS = {
    "show": "policy show policy.d",
    "show-nothing": "policy show nothing.d",
    "show-one-file": "policy show policy.d/20-site.toml",
    "show-host": "policy show policy.d --host hostb",
    "show-host-by-pattern": "policy show policy.d --host rack2-7",
    "show-host-tied": "policy show tied.d --host rack2-1",
    "show-host-unknown": "policy show tied.d --host hostq",
    "show-host-misspelt": "policy show policy.d --host rack2",
    "show-host-without-places": "policy show requirements.d --host hosta",
    "show-invalid": "policy show broken.d",
    "show-missing": "policy show missing.d",
    "check-overrides": "policy check policy.d --host hostb",
    "explain-refused": f"policy explain web1.xml --policy policy.d {_HOSTB}",
    "explain-rewritten": f"policy explain db-1.xml --policy policy.d {_HOSTB}",
    "explain-restored": f"policy explain db-1.xml --policy policy.d --operation restore {_HOSTB}",
    "explain-in-audit": f"policy explain web1.xml --policy audit.d {_HOSTB}",
    "explain-carried": f"policy explain app-1.xml --policy origin.d {_HOSTB}",
    "explain-identified": f"policy explain app-1.xml --policy identity.d {_HOSTB}",
    "explain-without-policy": f"policy explain db-1.xml --policy nothing.d {_HOSTB}",
    "explain-unknown-host": "policy explain web1.xml --policy policy.d --root root --host hast",
    "explain-tied": "policy explain web1.xml --policy tied.d --root root --host rack2-1",
    "explain-invalid-policy": f"policy explain web1.xml --policy broken.d {_HOSTB}",
    "explain-missing-policy": f"policy explain web1.xml --policy missing.d {_HOSTB}",
    "explain-missing-file": f"policy explain missing.xml --policy policy.d {_HOSTB}",
    "explain-no-xml": f"policy explain notes.txt --policy policy.d {_HOSTB}",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fleet's files and the facts of hostb, which nobody else may write."""
    directory = tmp_path_factory.mktemp("fleet") / "fleet"
    shutil.copytree(SCREENS / "fleet", directory)
    shutil.copytree(TESTS / "golden" / "hosts" / "hostb", directory / "root", symlinks=True)
    stat, header = directory / "root" / "stat.toml", '["/mnt/vmstore/web1.raw"]\n'
    stat.write_text(stat.read_text().replace(header, f"{header}inode = 4711\n"))
    (directory / "nothing.d").mkdir()
    for path in directory.iterdir():
        for one in [path, *path.glob("*.toml")]:
            one.chmod(one.stat().st_mode & ~0o022)
    return directory


def run(fleet: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command as it is typed where the fleet's files are."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
    argv = [PYTHON, "-B", "-m", "libhooks", *command.split()]
    return subprocess.run(argv, cwd=fleet, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_screen(name: str, fleet: Path, regenerate: bool) -> None:
    """Each command prints exactly its screen, and ends with the code that the screen ends with."""
    done = run(fleet, COMMANDS[name])
    screen = f"$ libhooks {COMMANDS[name]}\n{done.stdout}{done.stderr}[exit {done.returncode}]\n"
    file = SCREENS / f"{name}.txt"
    if regenerate:
        file.write_text(screen)
    assert screen == file.read_text()
    assert "Traceback" not in screen
    assert done.stdout == "" or done.stderr == ""


def test_no_screen_is_left_over() -> None:
    """Each file of a screen has its command."""
    assert {file.stem for file in SCREENS.glob("*.txt")} == set(COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("explain-")])
def test_explanations_fit_80_columns(name: str) -> None:
    """No line of an explanation is wider than a terminal; an error stands on one line."""
    _, *lines, code = (SCREENS / f"{name}.txt").read_text().splitlines()
    assert code == "[exit 2]" or [line for line in lines if len(line) > 80] == []


def test_show_as_json(fleet: Path) -> None:
    """`policy show --json` has each setting with its value, its line, and what it overrides."""
    told = json.loads(run(fleet, "policy show policy.d --json").stdout)
    settings: dict[str, Any] = {one.pop("key"): one for one in told["settings"]}
    assert (told["present"], told["files"]) == (True, ["10-fleet.toml", "20-site.toml"])
    assert settings["storage.images.at.hostb"] == {
        "path": ["storage", "images", "at", "hostb"],
        "value": "/mnt/vmstore",
        "rule": "20-site.toml:4",
        "over": ["10-fleet.toml:6"],
    }
    assert settings["hook.deadline"] == {
        "path": ["hook", "deadline"], "value": 10, "rule": "default", "over": []
    }  # fmt: skip
    assert settings['require."storage.shared"']["value"] == "refuse"


def test_show_host_as_json(fleet: Path) -> None:
    """`policy show --host --json` has each place with this host's names, preferred first, or none."""
    told = json.loads(run(fleet, "policy show policy.d --json --host rack2-7").stdout)
    places = {one.pop("place"): one for one in told["places"]}
    assert places["storage.images"] == {
        "names": ["/var/lib/libvirt/images", "/images"],
        "pattern": "rack2-*",
        "rule": "10-fleet.toml:7",
        "named_on": ["hosta", "hostb", "rack2-*"],
        "error": None,
    }
    assert (places["device.gpu0"]["names"], places["device.gpu0"]["pattern"]) == ([], None)


def test_explain_as_json(fleet: Path) -> None:
    """`policy explain --json` has all that the screen has."""
    done = run(fleet, f"policy explain web1.xml --json --policy policy.d {_HOSTB}")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], told["host"]) == (1, "refused", "hostb")
    names = {one["where"]: one for one in told["references"]}
    assert names["disk vda"]["new"] == "/mnt/vmstore/web1.qcow2"
    assert names["disk vda"]["elsewhere"] == [
        {"place": "storage.images", "host": "hosta", "name": "/srv/images", "rule": "10-fleet.toml:5"}
    ]
    assert names["disk vdb"]["nearest"]["differs"] == 'it differs at "image" ("images" there)'
    outcomes = {one["code"]: (one["outcome"], one["level"], one["rule"]) for one in told["requirements"]}
    assert outcomes["network.mtu"] == ("off", "off", "10-fleet.toml:28")
    assert outcomes["device.mapped"] == ("unmet", "refuse", "default")


def test_colours_on_demand(fleet: Path) -> None:
    """`--color always` colours, and changes nothing else."""
    for command in (COMMANDS["show"], COMMANDS["show-host"], COMMANDS["explain-refused"]):
        plain, coloured = run(fleet, command).stdout, run(fleet, f"{command} --color always").stdout
        assert coloured.count("\x1b[") > 20 or "--host" in command
        assert _without_colours(coloured) == plain != coloured


def _without_colours(text: str) -> str:
    head, *rest = text.split("\x1b[")
    return head + "".join(one.partition("m")[2] for one in rest)

"""``libhooks policy check`` as a person, an editor and a program run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli import DOMAIN, place, run

__all__ = ["place"]


@pytest.fixture
def mistaken(place: Path) -> Path:
    """A policy with an error and, were it valid, a warning."""
    file = place / "policy.d" / "20-more.toml"
    file.write_text('version = 1\n[storge.x]\nat.a = "/x"\n')
    file.chmod(0o644)
    return place


CHECK = ("policy", "check", "policy.d", "--host", "hostb")


def test_full_shows_line_caret_and_help(mistaken: Path) -> None:
    """The default: everything that helps."""
    done = run(mistaken, *CHECK)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == (
        '20-more.toml:2:2: error: unknown key "storge" [unknown-key]\n'
        "2 | [storge.x]\n"
        "  |  ^\n"
        'help: did you mean "storage"?\n'
        "\n"
        "policy.d: invalid, 1 error: guests that migrate to this host are refused\n"
    )


def test_concise_is_a_line_each(mistaken: Path) -> None:
    """For editors and logs."""
    done = run(mistaken, *CHECK, "--format", "concise")
    assert (done.returncode, done.stdout) == (
        2,
        '20-more.toml:2:2: error: unknown key "storge" [unknown-key]\n'
        "policy.d: invalid, 1 error: guests that migrate to this host are refused\n",
    )


def test_json_has_it_all(mistaken: Path) -> None:
    """For programs: one document, whatever was found."""
    done = run(mistaken, *CHECK, "--format", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == {
        "valid": False,
        "diagnostics": [
            {
                "code": "unknown-key",
                "severity": "error",
                "file": "20-more.toml",
                "line": 2,
                "column": 2,
                "message": 'unknown key "storge"',
                "help": 'did you mean "storage"?',
                "source_line": "[storge.x]",
            }
        ],
    }


def test_json_of_a_valid_policy(place: Path) -> None:
    """Nothing found is an empty list."""
    done = run(place, *CHECK, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"valid": True, "diagnostics": []})


def test_exceptions_for_guests_that_nobody_knows_are_told(place: Path) -> None:
    """Guests are known by libvirt's definitions of them, and by the journal."""
    file = place / "policy.d" / "20-guests.toml"
    tables = [f'[guest.{name}]\nmatch.name = "{name}"\nmode = "audit"\n' for name in ("web1", "db1", "gone")]
    file.write_text("version = 1\n" + "".join(tables))
    file.chmod(0o644)
    (place / "root/etc/libvirt/qemu").mkdir(parents=True)
    check = (*CHECK, "--root", "root", "--format", "concise")
    assert "unknown-guest" not in run(place, *check).stdout
    (place / "root/etc/libvirt/qemu/web1.xml").write_text("<!-- libvirt's -->\n" + DOMAIN)
    (place / "root/etc/libvirt/qemu/torn.xml").write_text("<domain")
    journal = place / "root" / str(place)[1:] / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text('{"domain": "db1", "uuid": ""}\n{"dom\n')
    told = [line for line in run(place, *check).stdout.splitlines() if "unknown-guest" in line]
    assert told == [
        '20-guests.toml:8:1: warning: guest.gone fits none of the guests known on this host: "gone"'
        " [unknown-guest]"
    ]


def test_explain_tells_what_a_diagnostic_means(place: Path) -> None:
    """The code in brackets is one that can be asked for."""
    done = run(place, "explain", "unknown-key")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "unknown-key  a diagnostic of libhooks policy check\n\nNo key or table of this name is known there.\n"
    )
    assert 'did you mean "unknown-key"?' in run(place, "explain", "unknown-keys").stderr

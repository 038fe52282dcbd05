"""An invalid policy on a host that asks for its last good one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from golden_cases import CHECKOUT
from test_hook_process import LOCAL, POLICY, REWRITTEN, Host, Told, host

from libhooks.policy import lastgood
from libhooks.policy.load import load

__all__ = ["host"]

LAST_GOOD = POLICY + '\n[policy]\non-invalid = "last-good"\n'
BROKEN = LAST_GOOD + "\n[storge.x]\n"
INVALID = 'the policy of this host is invalid: policy.toml:10: unknown key "storge"'
STATE = "var/lib/libhooks/policy"


def rewritten(told: Told) -> bool:
    """Whether the guest gets this host's name of its disk; its stamp tells of the policy as well."""
    return (told.code, told.stderr, b"/mnt/vmstore/deep/er/web1.raw" in told.stdout) == (0, "", True)


def copies(host: Host) -> list[Path]:
    """What is kept, whatever it is."""
    directory = host.root / STATE
    return sorted(directory.iterdir()) if directory.exists() else []


def broken(host: Host) -> Path:
    """The policy breaks after it was in force; what is kept of it."""
    host.set_policy(LAST_GOOD)
    assert rewritten(host.run())
    (copy,) = copies(host)
    host.set_policy(BROKEN)
    return copy


def test_the_last_good_policy_decides(host: Host) -> None:
    """Guests are rewritten and refused as before, and every record warns."""
    digest = broken(host).name
    assert rewritten(host.run())
    assert host.run(LOCAL).code == 1
    _, *records = host.records
    for record in records:
        told = re.fullmatch(r"(.*); decided by the last good one, of (\d{4}-.*Z)", record["error"])
        assert told
        assert told[1] == INVALID
        assert record["policy"] == {"digest": digest, "files": ["policy.toml"]}
    assert [record["verdict"] for record in records] == ["rewritten", "refused"]
    assert [finding["code"] for finding in records[1]["findings"]] == ["storage.shared"]


def test_at_restore_too(host: Host) -> None:
    """A saved guest is rewritten by the last good policy."""
    broken(host)
    assert rewritten(host.run(operation="restore"))
    assert host.records[-1]["error"].startswith(INVALID)


def test_commands_show_it(host: Host) -> None:
    """`check`, `log` and `policy check` say which policy decides, and why."""
    broken(host)
    host.run()
    options = ["--policy", str(host.policy), "--root", str(host.root)]

    def told(*arguments: str) -> str:
        argv = [sys.executable, "-m", "libhooks", *arguments, *options]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
        done = subprocess.run(
            argv, input=LOCAL.decode(), capture_output=True, text=True, env=environment, check=False
        )
        assert "Traceback" not in done.stderr
        return " ".join(done.stdout.split())

    assert f"refused {INVALID}" in told("check")
    assert "; decided by the last good one, of 2" in told("check")
    assert "rewritten the policy of this host is invalid, storage.images" in told("log")
    assert f"error: {INVALID}" in told("log", "show", host.records[-1]["id"])
    assert "guests that migrate to this host are judged by the last good policy, of 2" in told(
        "policy", "check", str(host.policy)
    )


def test_by_default_guests_are_refused(host: Host) -> None:
    """Nothing is kept, and an invalid policy refuses, even if it says last-good itself."""
    assert rewritten(host.run())
    assert not (host.root / "var/lib").exists()
    host.set_policy(BROKEN)
    assert host.run().code == 2
    assert host.records[-1]["verdict"] == "refused"


def test_who_no_longer_asks_for_it_gets_none(host: Host) -> None:
    """A valid policy without the key takes the copy away."""
    broken(host)
    host.set_policy(POLICY)
    host.run()
    assert copies(host) == []
    host.set_policy(BROKEN)
    assert host.run().code == 2


def test_the_newest_is_kept(host: Host) -> None:
    """The copy changes with the policy, and is written only then; what was left over goes."""
    first = broken(host)
    host.set_policy(LAST_GOOD + "\n")
    (host.root / STATE / ".new").mkdir()
    (host.root / STATE / ".new" / "half.toml").write_text("version")
    host.run()
    (second,) = copies(host)
    assert second != first
    assert (second / "policy.toml").read_text() == LAST_GOOD + "\n"
    written = second.stat().st_mtime_ns, second.stat().st_ino
    host.run()
    assert (second.stat().st_mtime_ns, second.stat().st_ino) == written


def test_nobody_else_reads_it(host: Host) -> None:
    """A policy may name secrets' UUIDs and hosts: the copy is its owner's alone."""
    copy = broken(host)
    modes = {path: path.stat().st_mode & 0o777 for path in (copy.parent, copy, copy / "policy.toml")}
    assert modes == {copy.parent: 0o700, copy: 0o700, copy / "policy.toml": 0o600}


@pytest.mark.parametrize(
    "damage",
    [
        "chmod o+w {copy}/policy.toml",
        "chmod g+w {copy}",
        "chmod o+w {copy}/..",
        "chmod o+w {copy}/../..",
        "echo >> {copy}/policy.toml",
        "echo > {copy}/20-more.toml",
        "rm {copy}/policy.toml",
        "rm -r {copy} && echo > {copy}",
        "mv {copy} {copy}0",
        pytest.param(
            "chown 65534 {copy}/policy.toml",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users"),
        ),
    ],
)
def test_a_copy_that_was_tampered_with_is_none(host: Host, damage: str) -> None:
    """Whoever could write the copy could redirect every guest's disks: such a one is as none."""
    copy = broken(host)
    subprocess.run(["sh", "-ec", damage.format(copy=copy)], check=True)
    assert host.run().code == 2
    assert host.records[-1]["error"] == INVALID


def test_a_damaged_copy_is_written_anew(host: Host) -> None:
    """As soon as the policy is valid again."""
    copy = broken(host)
    (copy / "policy.toml").write_text("damaged")
    host.set_policy(LAST_GOOD)
    host.run()
    assert (copy / "policy.toml").read_text() == LAST_GOOD


def test_where_nothing_can_be_kept_guests_still_arrive(host: Host) -> None:
    """A state directory that can't be written refuses nobody; the record says so."""
    (host.root / "var/lib").mkdir(parents=True)
    (host.root / "var/lib/libhooks").write_text("in the way")
    host.set_policy(LAST_GOOD)
    assert rewritten(host.run())
    told = f"the last good policy cannot be kept: {host.root}/{STATE}: "
    assert host.records[-1]["error"].startswith(told)
    host.set_policy(BROKEN)
    assert host.run().code == 2


def test_a_read_only_state_directory(host: Host) -> None:
    """What is kept already stays in use on a file system that can no longer be written."""
    state = host.root / STATE
    mounting = f"mount --bind {state} {state} && mount -o remount,bind,ro {state}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    broken(host)
    for text, error in ((LAST_GOOD + "\n", "cannot be kept: "), (BROKEN, "decided by the last good one")):
        host.set_policy(text)
        command = ["unshare", "--mount", "sh", "-ec", f'{mounting}; exec "$@"', "sh", *host.command()]
        done = subprocess.run(command, input=REWRITTEN, capture_output=True, check=False, cwd="/")
        assert (done.returncode, done.stderr) == (0, b"")
        assert error in host.records[-1]["error"]


def test_a_policy_edited_meanwhile_is_not_kept(host: Host) -> None:
    """What is kept is what was found valid, not what has been saved since."""
    host.set_policy(LAST_GOOD)
    policy = load(str(host.policy))
    host.set_policy(BROKEN)
    lastgood.keep(policy, str(host.policy), str(host.root / STATE))
    assert copies(host) == []


def test_a_trial_of_another_policy_knows_no_last_good_one(host: Host, tmp_path: Path) -> None:
    """A broken policy that is tried on a host's own facts is told to be broken."""
    from libhooks.door import Settings

    assert Settings(str(host.policy)).last_good == ""
    assert Settings().last_good == f"/{STATE}"
    assert Settings(str(host.policy), root=str(tmp_path)).last_good == f"{tmp_path}/{STATE}"

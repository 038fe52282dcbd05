"""Schema, man pages and completions: what is shipped says what the tables say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from libhooks.cli.main import COMMANDS
from libhooks.documents import roff
from libhooks.documents.commands import commands
from libhooks.documents.policy_page import EXAMPLE
from libhooks.documents.shipped import SHIPPED
from libhooks.policy.lint import lint
from libhooks.policy.load import load
from libhooks.policy.schema import KEYS

SHARE = Path(__file__).resolve().parents[1] / "share"
PAGES = [SHARE / name for name in SHIPPED if name.startswith("man/")]


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_current(name: str, regenerate: bool) -> None:
    """Whoever changes a key, a requirement or a command changes what is written about it."""
    if regenerate:
        (SHARE / name).write_text(SHIPPED[name]())
    assert (SHARE / name).read_text() == SHIPPED[name]()


# Man pages


def shown(page: Path) -> str:
    """A page as a terminal of 80 columns shows it."""
    if not shutil.which("groff"):
        pytest.skip("needs groff")
    argv = ["groff", "-ww", "-Tutf8", "-P-c", "-P-b", "-P-u", "-man", "-rLL=78n", str(page)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_right_and_fit(page: Path) -> None:
    """groff finds nothing wrong with a page, and no line is cut at 80 columns."""
    text = shown(page)
    assert all(len(line) <= 80 for line in text.splitlines())
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "FILES", "SEE ALSO"):
        assert f"\n{section}\n" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_right_for_mandoc_too(page: Path) -> None:
    """The other formatter warns of nothing but the date that a page made of tables does not have."""
    if not shutil.which("mandoc"):
        pytest.skip("needs mandoc")
    done = subprocess.run(["mandoc", "-Tlint", str(page)], capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_the_example_of_the_page_is_a_policy(tmp_path: Path) -> None:
    """What people copy from the page is valid, and nothing is to be said of it."""
    (tmp_path / "policy.toml").write_text(EXAMPLE)
    (tmp_path / "policy.toml").chmod(0o644)
    policy = load(str(tmp_path / "policy.toml"))
    assert len(policy.places) == 3
    assert lint(policy) == ()


def test_pages_name_every_key_and_command() -> None:
    """Nothing of the tables is lost on the way to the page."""
    policy, command = (shown(page) for page in PAGES)
    for key in KEYS:
        assert " ".join(key.help.split()) in " ".join(policy.split())
    for one in COMMANDS:
        assert f"   libhooks {one.name}" in command


def test_roff_takes_text_for_text() -> None:
    """Nothing in a text is a request, an escape, or typography."""
    assert roff.running(".so 'x' \\n -v `--all` *DIR* “…”") == (
        "\\&.so \\(aqx\\(aq \\en \\-v \\fB\\-\\-all\\fR \\fIDIR\\fR \\[u201C]\\[u2026]\\[u201D]"
    )
    assert roff.literal("'a\n\n.b") == ".PP\n.RS 4\n.nf\n\\&\\(aqa\n\n\\&.b\n.fi\n.RE"


# Completions


def completed(*words: str) -> list[str]:
    """What bash offers for the last of some words."""
    words_are = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))'
    script = f'. completions/libhooks.bash; {words_are}; _libhooks; printf "%s\\n" "${{COMPREPLY[@]}}"'
    argv = ["bash", "-uc", script, "bash", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=SHARE)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["libhooks", "pol"], ["policy"]),
        (["libhooks", "policy", "ch"], ["check"]),
        (["libhooks", "policy", "check", "--f"], ["--format"]),
        (["libhooks", "policy", "check", "--format", ""], ["full", "concise", "json"]),
        (["libhooks", "policy", "check", "--format", "=", "c"], ["concise"]),
        (["libhooks", "policy", "check", "--format", "="], ["full", "concise", "json"]),
        (["libhooks", "log", "--code", "storage.sh"], ["storage.shared"]),
        (["libhooks", "explain", "unknown-k"], ["unknown-key"]),
        (["libhooks", "explain", "storage.ex"], ["storage.exists"]),
        (["libhooks", "check", "libhooks-po"], ["libhooks-policy.schema.json"]),
        (["libhooks", "check", "--root", "complet"], ["completions"]),
        (["libhooks", "check", "--host", ""], []),
        (["libhooks", "log", "s"], ["show"]),
    ],
)
def test_bash_completes(words: list[str], offered: list[str]) -> None:
    """Commands, options and what follows them, codes, and files."""
    assert completed(*words) == offered


def test_bash_completes_every_command() -> None:
    """All commands, and the options of each."""
    assert completed("libhooks", "") == [one.words[-1] for one in commands().below]
    for one in commands().all():
        options = {name for option in one.options for name in option.names}
        assert set(completed("libhooks", *one.words, "-")) == options


@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "libhooks.bash"), ("zsh", "_libhooks"), ("fish", "libhooks.fish")]
)
def test_shells_understand_their_file(shell: str, name: str) -> None:
    """No shell finds an error in its own."""
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    subprocess.run([shell, "-n", str(SHARE / "completions" / name)], check=True)


def test_fish_completes() -> None:
    """A command of two words is not mistaken for another one that is called like its second."""
    if not shutil.which("fish"):
        pytest.skip("needs fish")
    script = f'source {SHARE}/completions/libhooks.fish; complete -C "libhooks policy check --f"'
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "--format\tdefault: full\n"

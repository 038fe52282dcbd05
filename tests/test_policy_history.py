"""The policy in force: what is told of it is the policy, and where each line of it stands."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from libhooks import requirements
from libhooks.decision import PLACES, Rule
from libhooks.policy import history, written
from libhooks.policy.load import diagnose, documents, load
from libhooks.policy.model import Action, DirectEdit, Policy
from libhooks.policy.render import render
from libhooks.secrecy import HIDDEN, may_select_secret

TESTS = Path(__file__).parent
LEVELS = [(one.code, one.default.value) for one in requirements.everything()]
#: The policies of the golden cases, and those that policy check has no error for.
FILES = [
    one
    for one in sorted(TESTS.glob("golden/*/policy.toml"))
    if one.parent.name not in ("policy-invalid", "policy-invalid-restore")
]
FILES += [
    one.parent / "policy.d"
    for one in sorted(TESTS.glob("policies/*/expect.txt"))
    if ": error: " not in one.read_text()
]


def own_copy(source: Path, scratch: Path) -> str:
    """A checkout may be writable by its group; a policy may not."""
    directory = scratch / "policy.d"
    directory.mkdir(mode=0o755)
    for file in [source] if source.is_file() else source.iterdir():
        shutil.copyfile(file, directory / file.name)
        (directory / file.name).chmod(0o644)
    return str(directory)


def write(directory: Path, **texts: str) -> str:
    """A policy directory of files, each with a version."""
    directory.mkdir(mode=0o755, exist_ok=True)
    for name, text in texts.items():
        file = directory / f"{name}.toml"
        file.write_text("version = 1\n" + dedent(text))
        file.chmod(0o644)
    return str(directory)


def shown(*paths: str) -> str:
    """The policy as it is shown, comments included."""
    told = written.lines(history.effective(documents(*paths), LEVELS))
    return "".join("".join(written.commented(one, written.column(told))) + "\n" for one in told)


def squeezed(policy: str) -> list[str]:
    """The lines of it, however they are aligned."""
    return [" ".join(line.split()) for line in shown(policy).splitlines()]


def essence(policy: Policy) -> Any:
    """A policy without the lines that it stands on. Places of different kinds never meet."""
    places = tuple(sorted(policy.places, key=lambda one: PLACES.index(one.kind)))
    hosts = [list(place.at) for place in places]
    return _bare(policy._replace(places=places, digest="", files=())), hosts


def is_hidden(edit: DirectEdit) -> bool:
    """Whether an edit's value is nobody's to read."""
    return edit.action is Action.SET and may_select_secret(edit.select)


def _bare(value: Any) -> Any:
    if isinstance(value, Rule):
        return None
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    if isinstance(value, tuple):
        bare = [_bare(one) for one in value]
        return type(value)(*bare) if hasattr(value, "_fields") else tuple(bare)
    return value


@pytest.mark.parametrize("source", FILES, ids=lambda path: f"{path.parent.name}")
def test_what_is_shown_is_the_policy(source: Path, tmp_path: Path) -> None:
    """The policy that is shown loads as the policy that it was made from, but for hidden values."""
    policy, _ = diagnose(own_copy(source, tmp_path))
    assert policy is not None
    again = write(tmp_path / "again", shown=shown(str(tmp_path / "policy.d")).partition("\n")[2])
    hidden = [one._replace(value=HIDDEN) if is_hidden(one) else one for one in policy.edits]
    assert essence(load(again)) == essence(policy._replace(edits=tuple(hidden)))


def test_what_an_edit_gives_a_password_is_hidden(tmp_path: Path) -> None:
    """Of edits of secrets the value is not shown, here or where a later file overrides it."""
    source = TESTS / "golden" / "edit-secrets" / "policy.toml"
    secrets = [line.partition('"')[2][:-1] for line in source.read_text().splitlines() if line[:5] == "value"]
    policy = own_copy(source, tmp_path)
    shutil.copyfile(source, tmp_path / "policy.d" / "z.toml")
    (tmp_path / "policy.d" / "z.toml").chmod(0o644)
    told = shown(policy) + render(history.overrides(policy))
    assert (len(secrets), told.count('value = "(hidden)"')) == (2, 2)
    assert "edit.password.value says what policy.toml:7 says" in told
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize(
    ("select", "secret"),
    [
        ("devices/graphics/@passwd", True),
        ("//@passwd", True),
        ("devices/graphics/@listen | devices/graphics/@passwd", True),
        ("devices/*/@*", True),
        ("qemu:commandline/qemu:arg[1]/@value", True),
        ("devices/disk/source/cookies/cookie", True),
        ("devices/graphics/@listen | devices/graphics/listen/@address", False),
        ("devices/disk/driver/@io", False),
    ],
)
def test_an_edit_may_give_a_password(select: str, secret: bool) -> None:
    """What an edit selects is told to be secret where it may be."""
    assert may_select_secret(select) is secret


def test_enough_policies_are_tried() -> None:
    """There are valid policies of both kinds, so the test above is about something."""
    assert sum(one.name == "policy.d" for one in FILES) >= 5
    assert len(FILES) > 200


def test_no_policy_is_shown_as_one_that_sets_nothing(tmp_path: Path) -> None:
    """Where there is no policy, all that is told are comments and a version; it loads as no policy."""
    told = shown(str(tmp_path / "missing"))
    assert '# mode = "audit"' in told
    assert load(write(tmp_path / "again", shown=told.partition("\n")[2])) == Policy()


def test_a_later_file_is_told_with_what_it_overrides(tmp_path: Path) -> None:
    """Of several definitions of a setting the last counts; all others are named, the latest first."""
    at = '[storage.images]\nat.hosta = "/{}"\n'
    policy = write(tmp_path, a=at.format("one"), b=at.format("two"), c=at.format("three"))
    assert 'at.hosta = "/three" # c.toml:3, over b.toml:3 and a.toml:3' in squeezed(policy)


def test_a_host_is_the_same_in_capitals(tmp_path: Path) -> None:
    """Host names have no case, so a later file overrides a host however it spells it."""
    policy = write(
        tmp_path, a='[storage.images]\nat.HostA = "/one"\n', b='[storage.images]\nat.hosta = "/two"\n'
    )
    (table,) = [one for one in history.effective(documents(policy)) if one.path == ("storage", "images")]
    assert [(one.path[-1], one.value, str(one.rule), len(one.over)) for one in table.settings] == [
        ("hosta", "/two", "b.toml:3", 1)
    ]


def test_wide_lists_and_tables_stand_on_several_lines(tmp_path: Path) -> None:
    """What does not fit into 80 columns beside its comment has a line for each part, with its own origin."""
    policy = write(
        tmp_path,
        a="""\
        [storage.images]
        at.hosta = [
            "/srv/a/path/that/is/rather/long",
            "/srv/another/path/that/is/rather/long",
        ]
        at.hostb = {protocol = "rbd", name = "vms", hosts = ["mon1:6789", "mon2:6789", "mon3:6789"]}
        """,
    )
    lines = squeezed(policy)
    assert lines[lines.index("[storage.images] # a.toml:2") :][:9] == [
        "[storage.images] # a.toml:2",
        "at.hosta = [ # a.toml:3",
        '"/srv/a/path/that/is/rather/long", # a.toml:4',
        '"/srv/another/path/that/is/rather/long", # a.toml:5',
        "] # a.toml:3",
        'at.hostb.protocol = "rbd" # a.toml:7',
        'at.hostb.name = "vms" # a.toml:7',
        'at.hostb.hosts = ["mon1:6789", "mon2:6789", "mon3:6789"] # a.toml:7',
        "",
    ]


def test_comments_stand_in_one_column(tmp_path: Path) -> None:
    """All comments begin in one column; only what is too long for that pushes its own away."""
    long = "/" + "x" * 90
    policy = write(tmp_path, a=f'[storage.images]\nat.hosta = "/one"\nat.hostb = "{long}"\n')
    lines = [line for line in shown(policy).splitlines() if line and long not in line]
    assert len({line.rindex("# ") for line in lines}) == 1
    assert max(map(len, lines)) <= 80
    assert f'at.hostb = "{long}"  # a.toml:4\n' in shown(policy)


def test_overrides_are_notes(tmp_path: Path) -> None:
    """A later file that sets a setting again is told with the first one's place; its version is not."""
    policy = write(
        tmp_path,
        a='mode = "audit"\n[storage.images]\nat.hosta = "/one"\n[hook]\ndeadline = 5\n',
        b='[storage.images]\nat.hosta = "/two"\n[hook]\ndeadline = 5.0\n',
    )
    assert [
        (f"{one.file}:{one.line}:{one.column}", one.severity.value, one.code, one.message, one.help)
        for one in history.overrides(policy)
    ] == [
        (
            "b.toml:3:4",
            "note",
            "override",
            "storage.images.at.hosta overrides a.toml:4",
            'it is "/one" there; the later file counts',
        ),
        (
            "b.toml:5:1",
            "note",
            "repeated",
            "hook.deadline says what a.toml:6 says",
            "one of them is enough",
        ),
    ]


_WORDS = st.text(st.sampled_from("ab-_"), min_size=1, max_size=3)
_TEXTS: st.SearchStrategy[Any] = st.text(
    st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=8
)
_PATHS: st.SearchStrategy[Any] = _TEXTS.filter(lambda text: ".." not in text).map(lambda text: f"/a{text}")
_HOSTS = st.sampled_from(["hosta", "HostA", "hosta.example.org", "rack?", "*", "[ab]c"])
_STORES: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"protocol": st.just("rbd"), "name": _WORDS},
    optional={"hosts": st.lists(st.sampled_from(["a:1", "b:2", "/s"]), min_size=1, unique=True)},
)
_PLACE: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"at": st.dictionaries(_HOSTS, st.one_of(_PATHS, _STORES), max_size=3)}, optional={"source": _PATHS}
)
_LEVELS = st.dictionaries(
    st.sampled_from(["storage.exists", "network.mtu"]), st.sampled_from(["off", "warn"])
)
_GUESTS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"match": st.fixed_dictionaries({"name": st.lists(_PATHS, min_size=1, max_size=3, unique=True)})},
    optional={"mode": st.sampled_from(["audit", "enforce"]), "require": _LEVELS},
)
_FILES: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["audit", "enforce"]),
        "storage": st.dictionaries(_WORDS, _PLACE, max_size=3),
        "file": st.dictionaries(_WORDS, st.fixed_dictionaries({"at": st.dictionaries(_HOSTS, _PATHS)})),
        "require": _LEVELS,
        "guest": st.dictionaries(_WORDS, _GUESTS, max_size=2),
        "adjust": st.fixed_dictionaries({}, optional={"numa": st.sampled_from(["keep", "fit"])}),
        "journal": st.fixed_dictionaries({}, optional={"required": st.booleans()}),
        "hook": st.fixed_dictionaries({}, optional={"deadline": st.sampled_from([1, 0.25, 600])}),
    },
)


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_FILES, min_size=1, max_size=3))
def test_whatever_files_say_is_shown(tmp_path_factory: pytest.TempPathFactory, files: list[Any]) -> None:
    """However files override each other, what is shown of them loads as the policy that they make."""
    directory = tmp_path_factory.mktemp("policy")
    texts = {f"f{number}": _text(file) for number, file in enumerate(files)}
    policy, _ = diagnose(write(directory, **texts))
    assume(policy is not None)  # one name of two places, say
    assert policy is not None
    again = write(directory / "again", shown=shown(str(directory)).partition("\n")[2])
    assert essence(load(again)) == essence(policy)


def _text(file: dict[str, Any]) -> str:
    """A file as one inline table a key: any TOML will do."""
    return "".join(f"{key} = {written.toml(value)}\n" for key, value in file.items())

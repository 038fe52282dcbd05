"""Lists in libvirt's configuration files."""

from __future__ import annotations

import random

import pytest

from libhooks.facts.reading.conf import string_list
from libhooks.facts.reading.root import Garbage


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", ()),
        ("# shared = [ '/a' ]\n", ()),
        ("shared = []", ()),
        ('shared = [ "/a" ]', ("/a",)),
        ("shared=['/a','/b']", ("/a", "/b")),
        ('shared = [\n  "/a",\n\n  "/b",\n]\n', ("/a", "/b")),
        ('shared = [ # the first\n "/a", # another\n "/b"\n] # end', ("/a", "/b")),
        ('other = "shared = [ \'/x\' ]"\nshared = [ "/a" ]', ("/a",)),
        ("other = [\n'# no comment', 'shared = 1' ]\nshared = ['/a']", ("/a",)),
        ('other = """\nshared = [ "/x" ]\n"""\nshared = [ "/a" ]', ("/a",)),
        ("other = 1; other2 = -1\r\nshared = ['/a # b', '/c]']\r\n", ("/a # b", "/c]")),
        ("shared = [ '/a' ]\nshared = [ '/b' ]", ("/a",)),
        ("sharedx = ['/a']\n", ()),
    ],
)
def test_list(text: str, paths: tuple[str, ...]) -> None:
    """A list may span lines, end in a comma and have comments; the first of two settings counts."""
    assert string_list(text, "shared") == paths


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shared = '/a'", "line 1: shared is not a list"),
        ("\nshared = [ '/a'", "line 2: ']' expected"),
        ("shared = [ '/a',", "line 1: a list without its end"),
        ("shared = [ '/a\n' ]", "line 1: a string without its end"),
        ("shared [ '/a' ]", "line 1: '=' expected"),
        ("\n\n= 3 # shared", "line 3: not a setting"),
        ("shared = ", "line 1: not a setting"),
    ],
)
def test_error(text: str, why: str) -> None:
    """A file that libvirt would not take is unknown, and the line is named."""
    with pytest.raises(Garbage) as error:
        string_list(text, "shared")
    assert str(error.value) == why


def test_garbage() -> None:
    """Whatever the text, it ends, and nothing but Garbage is raised."""
    dice = random.Random(4711)
    for _ in range(3000):
        text = "".join(dice.choices("shared=[]'\"#,; \n\\x1\u00e9", k=dice.randint(0, 60)))
        try:
            string_list(text, "shared")
        except Garbage:
            pass

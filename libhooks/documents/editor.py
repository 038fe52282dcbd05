"""The JSON Schema of a policy file, for editors that understand taplo's: VS Code's Even Better TOML."""

from __future__ import annotations

import json
from typing import Mapping

from libhooks import requirements
from libhooks.documents.shapes import Json, Shape, shape
from libhooks.documents.words import TABLES
from libhooks.policy.schema import CODES, SORTS, TREE, Key, Node

#: Where it is installed, below the root.
PATH = "usr/share/libhooks/libhooks-policy.schema.json"
#: What a table may be called where any word of a sort may stand, as far as one word tells.
_ID = "^(?!(at|source|match|mode|require|select|action|value)$)[A-Za-z0-9_-]*[A-Za-z0-9][A-Za-z0-9_-]*$"
_HOST = r"^(?![.]|.*[.]{2}|.*[.]$)[A-Za-z0-9._*?!\[\]-]+$"


def schema() -> str:
    """The schema's text: draft-07, which is what taplo reads."""
    head: Shape = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Made of libhooks' own tables by python3 -m libhooks.documents: edit those.",
        "title": "libhooks policy",
        "description": "A file of /etc/libhooks/policy.d: see libhooks-policy(5).",
        "anyOf": [{"required": ["version"]}, {"maxProperties": 0}],
    }
    return json.dumps({**head, **_table(TREE, ())}, indent=1) + "\n"


def _table(node: Mapping[str, Node], path: tuple[str, ...]) -> Shape:
    found: Shape = {"type": "object", "additionalProperties": False}
    words: Shape = {word: _node(below, (*path, word)) for word, below in node.items() if word not in SORTS}
    if "CODE" in node:
        words.update(_codes(node["CODE"]))
    if words:
        found["properties"] = words
    for sort, pattern in (("ID", _ID), ("HOST", _HOST)):
        if sort in node:
            found["patternProperties"] = {pattern: _node(node[sort], (*path, sort))}
    return found


def _node(node: Node, path: tuple[str, ...]) -> Shape:
    if isinstance(node, Key):
        return _key(node)
    told: Shape = {"description": TABLES[path]} if path in TABLES else {}
    return {**told, **_table(node, path)}


def _key(key: Key) -> Shape:
    words = f"{key.help}\n{key.form.words[0].upper()}{key.form.words[1:]}."
    default: Shape = {"default": json.loads(key.default)} if key.default else {}
    return {"description": words, **default, **shape(key.form)}


def _codes(node: Node) -> Mapping[str, Json]:
    """A key for each requirement, so that editors can complete them; those not judged yet stay bare."""
    assert isinstance(node, Key)
    known = {one.code: one for one in requirements.everything()}
    told: dict[str, Json] = {code: shape(node.form) for code in CODES}
    for code, one in known.items():
        title = f"{one.title[0].upper()}{one.title[1:]}."
        told[code] = {"description": title, "default": one.default.value, **shape(node.form)}
    return told

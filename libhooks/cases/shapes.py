"""What a case may answer to each question, read off the questions themselves (``facts.model.Facts``).

The annotations are text, and parsed as such: evaluating them takes a newer Python than the oldest that we
run on.
"""

from __future__ import annotations

import ast
from typing import Callable, Iterator, Mapping, NamedTuple, cast

from libhooks import origin
from libhooks.facts import model as facts
from libhooks.facts.machine import model as machine
from libhooks.facts.machine import words as machine_words
from libhooks.facts.surroundings import model as surroundings
from libhooks.facts.surroundings import words as surroundings_words
from libhooks.policy.diagnostic import Wrong, closest, shown


class Shape(NamedTuple):
    """A type of answer: ``words`` complete "expected ...", ``read`` raises Wrong.

    ``absent`` says whether None is one: what the host is known not to have.
    """

    words: str
    read: Callable[[object], object]
    absent: bool = False


class Question(NamedTuple):
    """A question: the names of its arguments, and what it is answered with."""

    arguments: tuple[str, ...]
    answer: Shape


def _questions() -> Iterator[tuple[str, Question]]:
    for protocol in (machine.MachineFacts, surroundings.SurroundingsFacts, facts.Facts):
        for name, function in vars(protocol).items():
            if not name.startswith("_") and function.__annotations__["return"] != "None":
                *arguments, answer = function.__annotations__.items()
                yield name, Question(tuple(key for key, _ in arguments), shape(answer[1]))


def shape(annotation: str) -> Shape:
    """The shape that an annotation stands for."""
    return _shape(ast.parse(annotation, mode="eval").body)


def _shape(node: ast.expr) -> Shape:
    if isinstance(node, ast.BinOp):
        return _either(tuple(_alternatives(node)))
    if isinstance(node, ast.Subscript):
        return _several(cast(ast.Name, node.value).id, cast(ast.Tuple, node.slice))
    name = cast(ast.Name, node).id
    return _PLAIN[name] if name in _PLAIN else _table(_WORDS[name])


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _either(nodes: tuple[ast.expr, ...]) -> Shape:
    """A value, or else what stands for None and Unknown."""
    absent = any(isinstance(node, ast.Constant) for node in nodes)
    unknown = any(isinstance(node, ast.Name) and node.id == "Unknown" for node in nodes)
    (value,) = (
        one for one in nodes if isinstance(one, (ast.Name, ast.Subscript)) and ast.unparse(one) != "Unknown"
    )
    shape = _shape(value)

    def read(given: object) -> object:
        if isinstance(given, dict) and given.keys() == {"missing"} and absent:
            _within("missing", _true, given["missing"])
            return None
        if isinstance(given, dict) and given.keys() == {"unknown"} and unknown:
            return facts.Unknown(cast(str, _within("unknown", _text, given["unknown"])))
        return shape.read(given)

    others = ["{missing = true}"] * absent + ['{unknown = "why"}'] * unknown
    return Shape(" or ".join([shape.words, *others]), read, absent)


def _true(given: object) -> object:
    if given is not True:
        raise Wrong(f"expected true, found {shown(given)}", "or say what is there")
    return given


def _several(around: str, inner: ast.expr) -> Shape:
    """``tuple[X, ...]``, ``tuple[X, Y]`` and ``frozenset[X]``: lists."""
    nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    any_number = around == "frozenset" or isinstance(nodes[-1], ast.Constant)
    shapes = [_shape(node) for node in nodes if not isinstance(node, ast.Constant)]
    make = frozenset if around == "frozenset" else tuple
    words = f"a list, each {shapes[0].words}" if any_number else f"a list of {len(shapes)}"

    def read(given: object) -> object:
        if not isinstance(given, list) or not (any_number or len(given) == len(shapes)):
            raise Wrong(f"expected {words}, found {shown(given)}")
        each = shapes * len(given) if any_number else shapes
        return make(_within(index, each[index].read, one) for index, one in enumerate(given))

    return Shape(words, read)


def _table(words: type[NamedTuple]) -> Shape:
    """A NamedTuple: a table of its fields. What has a default may be left out, and what may be None."""
    defaults = words._field_defaults
    hints = {key: getattr(hint, "__forward_arg__", hint) for key, hint in words.__annotations__.items()}
    shapes = {key: shape(hint if isinstance(hint, str) else hint.__name__) for key, hint in hints.items()}
    wanted = f"{{{', '.join(shapes)}}}"

    def read(given: object) -> object:
        if not isinstance(given, dict):
            raise Wrong(f"expected {wanted}, found {shown(given)}")
        for key in given:
            if key not in shapes:
                raise Wrong(f"unknown key {shown(key)}", closest(key, shapes) or wanted, (key,))
        for key, one in shapes.items():
            if key not in given and key not in defaults and not one.absent:
                raise Wrong(f"{key} is missing", wanted)
        told = {key: _within(key, shapes[key].read, one) for key, one in given.items()}
        return words._make({**dict.fromkeys(shapes), **defaults, **told}.values())

    return Shape(wanted, read)


def _within(key: str | int, read: Callable[[object], object], given: object) -> object:
    try:
        return read(given)
    except Wrong as wrong:
        raise Wrong(wrong.message, wrong.help, (key, *wrong.within)) from None


def _plain(words: str, type_: type) -> Shape:
    def read(given: object) -> object:
        if type(given) is not type_:
            raise Wrong(f"expected {words}, found {shown(given)}")
        return given

    return Shape(words, read)


_PLAIN = {"str": _plain("text", str), "int": _plain("a number", int), "bool": _plain("true or false", bool)}
_text = _PLAIN["str"].read
#: The words of all answers, by the names that annotations have for them.
_WORDS = {
    name: word
    for module in (facts, machine_words, surroundings_words, origin)
    for name, word in vars(module).items()
    if hasattr(word, "_fields")
}

#: All questions that a decision can ask, by name.
QUESTIONS: Mapping[str, Question] = dict(_questions())

"""The facts of a case: tables of questions and answers, each answer of its question's type."""

from __future__ import annotations

from typing import Hashable, Mapping

from libhooks.cases.answers import Told
from libhooks.cases.shapes import QUESTIONS, Question
from libhooks.policy.diagnostic import Diagnostic, Wrong, closest, dotted, shown
from libhooks.policy.document import Document
from libhooks.policy.locate import KeyPath


def facts_of(
    document: Document, table: Mapping[str, object], path: KeyPath
) -> tuple[Told, tuple[Diagnostic, ...]]:
    """The answers in a table that stands at ``path`` of a document, and all that is wrong with them."""
    reader = _Reader(document)
    for name, value in table.items():
        here = (*path, name)
        if name in QUESTIONS:
            reader.answers(name, QUESTIONS[name], value, here, ())
        else:
            help = closest(name, QUESTIONS) or f"known here: {', '.join(sorted(QUESTIONS))}"
            message = f"unknown fact {shown(name)}"
            reader.problems.append(document.at_key("unknown-key", here, message, help))
    return reader.told, tuple(reader.problems)


class _Reader:
    """The answers and the mistakes of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.told: dict[tuple[str, Hashable], object] = {}
        self.problems: list[Diagnostic] = []

    def answers(
        self, name: str, question: Question, value: object, path: KeyPath, arguments: tuple[str, ...]
    ) -> None:
        """The answer to a question, or a table of answers by what is still to be said of the question."""
        if len(arguments) == len(question.arguments):
            self._answer((name, arguments), question, value, path)
        elif isinstance(value, dict):
            for argument, inner in value.items():
                self.answers(name, question, inner, (*path, argument), (*arguments, argument))
        else:
            wanted = question.arguments[len(arguments)].upper()
            message = f"{dotted(path)} is a table, found {shown(value)}"
            help = f'write {dotted(path)}."{wanted}" = ...'
            self.problems.append(self.document.at_key("type", path, message, help))

    def _answer(
        self, key: tuple[str, tuple[str, ...]], question: Question, value: object, path: KeyPath
    ) -> None:
        try:
            self.told[key] = question.answer.read(value)
        except Wrong as wrong:
            message = f"{dotted(path)}: {wrong.message}"
            help = wrong.help or f"it is {question.answer.words}"
            found = self.document.at_value("case", (*path, *wrong.within), message, help)
            self.problems.append(found)

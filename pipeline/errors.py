"""What went wrong, where, what was expected and what to do: all problems of a run together.

A problem is about the input or the mapping, never about a person: it may name a file, a line, a column and a
code, and must never hold a name, a number of a case or any other cell of an identifying column.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One problem, in the words of the person who has to mend it.

    `where` reads `file:line column [X]`, as much of it as is known. `code` is stable (`IIU204`): what raises it, and
    a test that it is raised, is found by searching for it.
    """

    code: str
    where: str
    what: str
    expected: str = ""
    fix: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        sentences = [f"{self.code} {self.where}: {self.what}"]
        if self.expected:
            sentences.append(f"Expected {self.expected}")
        if self.fix:
            sentences.append(self.fix)
        return " ".join(s if s.endswith((".", "?")) else s + "." for s in sentences)


class AuditError(Exception):
    """The input or the mapping is wrong; carries every problem found, sorted. The command exits with 1."""

    exit_code = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda p: (p.severity != "error", p.where, p.code, p.what))
        )
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self) -> tuple[type[AuditError], tuple[tuple[Problem, ...]]]:
        """An error crosses from one process to another with its problems."""
        return type(self), (self.problems,)


class ReleaseRefused(AuditError):
    """The disclosure gate refused the release. The command exits with 3."""

    exit_code = 3


def place(*, file: str = "", line: int | None = None, column: str | None = None) -> str:
    """A place in the user's own files: `codes/race.csv:7 column [RACE]`."""
    text = file
    if line is not None:
        text += f":{line}"
    if column is not None:
        text += f"{' ' if text else ''}column [{column}]"
    return text or "(the whole export)"

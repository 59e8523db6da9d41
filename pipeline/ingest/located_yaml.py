"""YAML with the line of every value, so that a message can say `office.yml:41`."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import AuditError, Problem, place

#: A path into the document, as ("tables", "person", 0, "columns").
Path_ = tuple[str | int, ...]


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _share(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(text)  # nothing is larger than nan, so it would tolerate everything
    return number


#: The keys of the mapping language whose values are not text.
TYPED: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("optional", "public", "row", "record", "trimmed"), _truth),
    **dict.fromkeys(
        ("mapping_language", "seed", "header_row", "skip_footer_rows", "group", "two_digit_year_pivot"), int
    ),
    **dict.fromkeys(("unmapped_tolerance", "rejected_tolerance"), _share),
}


class LocatedYaml:
    """A YAML document as plain values (dates as ISO text) and `line(path)` for each of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Path_, int] = {}
        try:
            text = path.read_text(encoding="utf-8")
            if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
                raise AuditError([self._problem(None, "an alias (*name) is not allowed here", "plain values")])
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(
                [self._problem(None, f"cannot be read ({type(error).__name__})", "a UTF-8 file")]
            ) from error
        except RecursionError as error:
            raise AuditError(
                [self._problem(None, "is nested too deeply", "a mapping as those in pipeline/offices")]
            ) from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or "is not YAML"
            raise AuditError([self._problem(mark.line + 1 if mark else None, str(what), "valid YAML")]) from error
        self.problems: list[Problem] = []
        self.value: Any = self._build(node, ()) if node is not None else {}
        if self.problems:
            raise AuditError(self.problems)

    def line(self, path: Path_) -> int | None:
        """The line of a value, or of the nearest one above it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def place(self, path: Path_ = (), *, column: str | None = None) -> str:
        return place(file=self.path.name, line=self.line(path), column=column)

    def _problem(self, line: int | None, what: str, expected: str) -> Problem:
        return Problem(
            code="IIU101",
            where=place(file=self.path.name, line=line),
            what=what,
            expected=expected,
            fix=f"Correct {self.path.name}",
        )

    def _build(self, node: yaml.Node, path: Path_) -> Any:
        self._lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            built: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                if key in built:
                    self.problems.append(
                        self._problem(key_node.start_mark.line + 1, f"[{key}] stands twice", "each key once")
                    )
                built[key] = self._build(value_node, (*path, key))
                self._lines[(*path, key)] = key_node.start_mark.line + 1
            return built
        if isinstance(node, yaml.SequenceNode):
            return [self._build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: Path_) -> Any:
        """Text as the user wrote it (`NO`, `01` and `2021-04-30` stay), but for the few keys that are not text."""
        text = str(node.value)
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if path[2:4] == ("format", "columns"):
            key = "header_row"  # the places of a column are numbers, whatever the column is called
        try:
            return TYPED[key](text) if key in TYPED else text
        except ValueError:
            return text  # the schema says what was expected

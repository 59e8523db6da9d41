"""The escape hatch of the mapping language: a DuckDB scalar expression that can read one row and nothing else.

The expression is parsed by DuckDB itself and its syntax tree is walked: only the nodes and functions named here pass.
So it can hold no subquery, no table function, no file, setting or variable, whatever it is spelled like.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

#: Functions of one row's values. None reads a file, a setting, a variable, the clock or a random number.
FUNCTIONS = frozenset(
    """
    || + - * / // % ** abs ceil ceiling floor round sign greatest least coalesce nullif if ifnull
    lower upper trim ltrim rtrim length len left right substr substring strpos instr position replace translate
    reverse lpad rpad concat concat_ws split_part string_split starts_with ends_with prefix suffix contains
    regexp_matches regexp_replace regexp_extract regexp_full_match ~~ !~~ ~~* !~~* ~ !~ like_escape not_like_escape
    strptime try_strptime strftime date_part date_trunc date_diff datediff date_sub date_add year month day hour minute second
    quarter make_date make_timestamp last_day list_extract array_extract list_contains list_value
    json_extract_string json_extract json_array_length ->> ->
    """.split()
)

_NODES = frozenset(
    {"COLUMN_REF", "TYPE", "CONSTANT", "FUNCTION", "OPERATOR", "CASE", "CAST", "COMPARISON", "CONJUNCTION", "BETWEEN"}
)


class NotAllowed(ValueError):
    """The expression holds something other than this row's values; the message says what."""


def columns_of(expression: str) -> frozenset[str]:
    """The columns an expression reads, as it spells them. Raises `NotAllowed` for anything but a scalar of one row."""
    connection = duckdb.connect(config={"enable_external_access": "false"})
    try:
        # A line comment at its end must not swallow what follows.
        wrapped = f"select (\n{expression}\n)"
        row = connection.execute("select json_serialize_sql(?)", [wrapped]).fetchone()
    except duckdb.Error as error:
        raise NotAllowed(str(error).splitlines()[0]) from error
    finally:
        connection.close()
    tree = json.loads(row[0]) if row else {"error": True, "error_message": "empty"}
    if tree.get("error"):
        raise NotAllowed(str(tree.get("error_message", "is no SQL expression")).splitlines()[0])
    statements = tree["statements"]
    if len(statements) != 1:
        raise NotAllowed("more than one statement")
    node = statements[0]["node"]
    plain = (
        node["type"] == "SELECT_NODE"
        and not node["cte_map"]["map"]
        and node["from_table"]["type"] == "EMPTY"
        and node["where_clause"] is None
        and not node["modifiers"]
        and len(node["select_list"]) == 1
    )
    if not plain:
        raise NotAllowed("not a single expression")
    return frozenset(_walk(node["select_list"][0]))


def _walk(node: dict[str, Any]) -> Iterator[str]:
    kind = node["class"]
    if kind not in _NODES:
        raise NotAllowed(f"{kind.lower()} is not allowed")
    if kind == "COLUMN_REF":
        if len(node["column_names"]) > 2:
            raise NotAllowed(f"[{'.'.join(node['column_names'])}] is not a column of this row")
        yield ".".join(node["column_names"])
    if kind == "FUNCTION" and node["function_name"].lower() not in FUNCTIONS:
        raise NotAllowed(f"the function {node['function_name']} is not allowed")
    for value in node.values():
        yield from _children(value)


def _children(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "class" in value and "type" in value:
            yield from _walk(value)
        else:
            for inner in value.values():
                yield from _children(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _children(inner)

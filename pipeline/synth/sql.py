"""SQL as text: what the templates of the world and of the exports share."""

from __future__ import annotations

from collections.abc import Mapping


def literal(value: object) -> str:
    """A SQL literal of a text or a number."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def pick(salt: str, options: Mapping[object, float], id: str = "m") -> str:
    """A draw among `options` (value: share) as a SQL CASE over the row number `id`. Shares must sum to 1."""
    if abs(sum(options.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of [{salt}] sum to {sum(options.values())}")
    *most, last = options
    total = 0.0
    branches = []
    for value in most:
        total += options[value]
        branches.append(f"WHEN draw({id}, '{salt}') < {total:.9f} THEN {literal(value)}")
    return f"CASE {' '.join(branches)} ELSE {literal(last)} END"

"""The mapping language as SQL: one expression per column, and one condition under which its value cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.contract import Contract
from pipeline.ingest.office import ColumnMapping, Entry
from pipeline.ingest.read import literal, quoted

#: Days in a unit of time, where a term is turned into days. Months and years are counted as courts' computation
#: tables do, at 365/12 and 365; the term as pronounced is kept beside it.
DAYS = {"hours": "1.0/24", "days": "1", "weeks": "7", "months": "365.0/12", "years": "365"}

_EXTENSION_TYPES = {
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "integer": "bigint",
    "money": "decimal(18,2)",
    "number": "decimal(18,4)",
    "boolean": "boolean",
}


@dataclass(frozen=True, kw_only=True)
class CompiledColumn:
    """One column of an entry. `value` is its SQL; `unreadable` is true where the source holds what cannot be read."""

    mapping: ColumnMapping
    source: str
    value: str
    unreadable: str | None
    rule: str
    data_type: str
    code_table: str | None
    namespace: str | None

    @property
    def is_code(self) -> bool:
        return self.code_table is not None or (self.mapping.kind == "code" and "constant" not in self.mapping.spec)


def namespace(contract: Contract, column: ColumnMapping) -> str:
    """What an identifier identifies, so that `person_id` is the same hash in every table."""
    current = column.contract
    assert current is not None
    while current.references is not None:
        table, name = current.references
        current = contract[table].columns[name]
    return f"{current.table}.{current.name}"


def cleaned(name: str, null_markers: Sequence[str]) -> str:
    """A cell as text: outer white space off, null markers and blanks to NULL."""
    text = f"trim({name}, ' \t\r\n\u00a0')"
    markers = ", ".join(literal(marker) for marker in dict.fromkeys(("", *(m.strip() for m in null_markers))))
    return f"case when {text} in ({markers}) then null else {text} end"


class EntryCompiler:
    """Compiles one entry against the columns its file has. `override` names cells with null markers of their own."""

    def __init__(self, contract: Contract, entry: Entry, override: Callable[[str, Sequence[str]], str]) -> None:
        self._contract = contract
        self._entry = entry
        self._override = override

    def columns(self) -> tuple[CompiledColumn, ...]:
        return tuple(self._column(column) for column in self._entry.columns)

    def _column(self, column: ColumnMapping) -> CompiledColumn:
        source = self._source(column)
        kind = column.kind
        rule = ""
        value = source
        spec = column.spec
        if "duration" in spec:
            value, rule = self._duration(source, spec["duration"]), "is no length of time in a known unit"
            value = f"round({value})::bigint" if kind == "integer" else value
        elif kind == "id":
            value = f"keyed({literal(namespace(self._contract, column))}, {source})"
        elif kind in ("date", "timestamp"):
            value, rule = _date(source, spec, kind)
        elif kind == "integer":
            number = _number(source, spec.get("number", {}), "decimal(38,4)")
            value = f"case when {number} = trunc({number}) then ({number})::bigint end"
            rule = "is no whole number"
        elif kind in ("money", "number"):
            value, rule = _number(source, spec.get("number", {}), _EXTENSION_TYPES[kind]), "is no number"
        elif kind == "boolean":
            value, rule = _boolean(source, spec.get("boolean")), "is neither a listed yes nor a listed no"
        return CompiledColumn(
            mapping=column,
            source=source,
            value=value,
            unreadable=f"{source} is not null and ({value}) is null" if rule else None,
            rule=rule,
            data_type=column.contract.data_type if column.contract is not None else _EXTENSION_TYPES[kind],
            code_table=spec.get("codes"),
            namespace=namespace(self._contract, column) if kind == "id" else None,
        )

    def _source(self, column: ColumnMapping) -> str:
        spec = column.spec
        markers = spec.get("null_markers")

        def cell(name: str) -> str:
            if markers is not None:
                return self._override(name, markers)
            return cell_reference(name, self._entry)

        if "column" in spec:
            text = cell(spec["column"])
        elif "constant" in spec:
            text = literal(spec["constant"])
        elif "concat" in spec:
            parts = f" || {literal(spec.get('separator', ''))} || ".join(
                f"coalesce({cell(name)}, '')" for name in spec["concat"]
            )
            nothing = " and ".join(f"{cell(name)} is null" for name in spec["concat"])
            text = f"case when {nothing} then null else {parts} end"
        elif "coalesce" in spec:
            text = f"coalesce({', '.join(cell(name) for name in spec['coalesce'])})"
        elif "row" in spec or "record" in spec:
            text = "_batch_id || '|' || _source_file || '|' || _row" + (
                " || '|' || _item_number" if self._entry.each and "row" in spec else ""
            )
        else:
            text = f"nullif(trim(({spec['sql']})::varchar), '')"
        if "extract" in spec:
            rule = spec["extract"]
            text = f"nullif(regexp_extract({text}, {literal(rule['pattern'])}, {int(rule.get('group', 0))}), '')"
        return f"({text})"

    def _duration(self, source: str, rule: Mapping[str, Any]) -> str:
        amount = f"try_cast({source} as decimal(18,4))"
        if "unit" in rule:
            return f"{amount} * ({DAYS[rule['unit']]})"
        unit = cell_reference(rule["unit_column"], self._entry)
        cases = " ".join(
            f"when lower({literal(text)}) then {DAYS[unit_name]}" for text, unit_name in rule["units"].items()
        )
        return f"{amount} * (case lower({unit}) {cases} end)"


def cell_reference(name: str, entry: Entry) -> str:
    """A source column in SQL; `charge.OFFENSE_DATE` is a key of the items of a JSON cell."""
    if entry.each and name.startswith(entry.each["as"] + "."):
        return f"{quoted(entry.each['as'])}.{quoted(name.split('.', 1)[1])}"
    return quoted(name)


def _date(source: str, spec: Mapping[str, Any], kind: str) -> tuple[str, str]:
    formats = spec.get("date", ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"])
    formats = [formats] if isinstance(formats, str) else list(formats)
    parsed = f"try_strptime({source}, [{', '.join(literal(f) for f in formats)}])"
    pivot = spec.get("two_digit_year_pivot")
    if pivot is not None:
        # DuckDB reads 69 to 99 as 1969 to 1999; the pivot says where this office's century turns.
        parsed = f"""(case when year({parsed}) % 100 > {int(pivot)} and year({parsed}) >= 2000 then {parsed} - interval 100 year
            when year({parsed}) % 100 <= {int(pivot)} and year({parsed}) < 2000 then {parsed} + interval 100 year else {parsed} end)"""
    return f"({parsed})::{kind}", f"is no date as {' or '.join(formats)}"


def _number(source: str, rule: Mapping[str, Any], data_type: str) -> str:
    text = source
    if rule:
        for unwanted in (rule.get("currency", "$"), rule.get("thousands", ",")):
            if unwanted:
                text = f"replace({text}, {literal(unwanted)}, '')"
        if rule.get("decimal", ".") != ".":
            text = f"replace({text}, {literal(rule['decimal'])}, '.')"
        # Bookkeeping writes a negative amount in parentheses.
        text = f"regexp_replace(trim({text}), '^\\((.*)\\)$', '-\\1')"
    number = f"try_cast({text} as {data_type})"
    factor = {"cents": " / 100", "thousands": " * 1000"}.get(rule.get("unit", "usd"), "")
    return f"({number}{factor})::{data_type}" if factor else number


def _boolean(source: str, rule: Mapping[str, Sequence[str]] | None) -> str:
    rule = rule or {"true": ["true", "t", "yes", "y", "1"], "false": ["false", "f", "no", "n", "0"]}
    yes, no = (", ".join(literal(text.lower()) for text in rule[key]) or "null" for key in ("true", "false"))
    return f"case when lower({source}) in ({yes}) then true when lower({source}) in ({no}) then false end"

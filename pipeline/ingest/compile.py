"""The mapping language as SQL: one expression per column, and one condition under which its value cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.contract import Contract
from pipeline.ingest.link import MARK
from pipeline.ingest.office import ColumnMapping, Entry, date_formats
from pipeline.ingest.read import literal, quoted

#: Days in a unit of time, where a term is turned into days. Months and years are counted as courts' computation
#: tables do, at 365/12 and 365; the term as pronounced is kept beside it.
DAYS = {"hours": "1.0/24", "days": "1", "weeks": "7", "months": "365.0/12", "years": "365"}

#: What a row is known by that has no number.
_ROW = "_batch_id || '|' || _source_file || '|' || _row"
_PLAIN_NUMBER = r"[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?"

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
    """One column of an entry. `value` is its SQL; `unreadable` is true where the source holds what cannot be read.

    `other_order` is true of dates that only the other order of day and month would read.
    """

    mapping: ColumnMapping
    source: str
    value: str
    unreadable: str | None
    rule: str
    other_order: str | None
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
        unreadable = unsure = None
        value = source
        spec = column.spec
        if "duration" in spec:
            value, rule = self._duration(source, spec["duration"]), "is no length of time in a known unit"
            value = f"round({value})::bigint" if kind == "integer" else value
        elif kind == "id":
            value = f"keyed({literal(namespace(self._contract, column))}, {source})"
            unreadable, rule = damaged(source), "is what a spreadsheet made of a value, and no longer the value"
        elif kind in ("date", "timestamp"):
            value, rule, unsure = _date(source, spec, kind)
        elif kind == "integer":
            number = _number(source, spec.get("number"), "decimal(38,4)")
            value = f"case when {number} = trunc({number}) then ({number})::bigint end"
            rule = "is no whole number"
        elif kind in ("money", "number"):
            value, rule = _number(source, spec.get("number"), _EXTENSION_TYPES[kind]), "is no number"
        elif kind == "boolean":
            value, rule = _boolean(source, spec.get("boolean")), "is neither a listed yes nor a listed no"
        return CompiledColumn(
            mapping=column,
            source=source,
            value=value,
            unreadable=unreadable or (f"{source} is not null and ({value}) is null" if rule else None),
            rule=rule,
            other_order=unsure,
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
            text = _ROW + (" || '|' || _item_number" if self._entry.each and "row" in spec else "")
        elif "linked" in spec:
            text = self._identity(spec["linked"])
        else:
            text = f"nullif(trim(({spec['sql']})::varchar), '')"
        if "extract" in spec:
            rule = spec["extract"]
            text = f"nullif(regexp_extract({text}, {literal(rule['pattern'])}, {int(rule.get('group', 0))}), '')"
        return f"({text})"

    def _identity(self, spec: Mapping[str, Any]) -> str:
        """What `link` knows a person by; a row without a name or a birth is a person of its own."""
        forename, surname = (cell_reference(spec[part], self._entry) for part in ("forename", "surname"))
        born = _date(cell_reference(spec["birth"], self._entry), spec, "date")[0]
        sex = f"coalesce({cell_reference(spec['sex'], self._entry)}, '')" if "sex" in spec else "''"
        parts = f" || {literal(MARK)} || ".join((forename, surname, f"({born})::varchar", sex))
        return f"coalesce({parts}, {_ROW})"

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


#: Day 0 of Excel's two calendars. In the first, days before March 1900 are off by one and are not read.
_EXCEL_EPOCHS = {"excel-1900": ("1899-12-30", 61), "excel-1904": ("1904-01-01", 0)}
#: What Excel leaves of an identifier: an error, or a long number rounded to its first digits.
_DAMAGED = r"#(N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|SPILL!|CALC!)|[0-9]([.][0-9]+)?E[+][0-9]{2,}|#{3,}"


def damaged(text: str) -> str:
    """Whether an identifier is what a spreadsheet made of one: two people would become one."""
    return f"regexp_full_match({text}, {literal(_DAMAGED)})"


def _is_day_first(text: str) -> bool | None:
    """Whether the day stands before the month; None where the format holds no two numbers to mix up."""
    day, month = text.find("%d"), text.find("%m")
    return day < month if min(day, month) >= 0 else None


def _date(source: str, spec: Mapping[str, Any], kind: str) -> tuple[str, str, str | None]:
    formats = date_formats(spec)
    rule = f"is no date as {' or '.join(formats)}"
    days = [f for f in formats if f not in _EXCEL_EPOCHS]
    parts = [_serial_date(source, f) for f in formats if f in _EXCEL_EPOCHS]
    if {_is_day_first(f) for f in days} >= {True, False}:
        # 03/04 is a day in March and a day in April: what two formats read as two days is read as none.
        readings = ", ".join(_strptime(source, [f]) for f in days)
        found = f"list_distinct([{readings}])"
        parts.append(f"(case when len({found}) = 1 then {found}[1] end)")
        rule += ", or a different one under each"
    elif days:
        parts.append(_strptime(source, days))
    parsed = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
    pivot = spec.get("two_digit_year_pivot")
    if pivot is not None:
        # DuckDB reads 69 to 99 as 1969 to 1999; the pivot says where this office's century turns.
        parsed = f"""(case when year({parsed}) % 100 > {int(pivot)} and year({parsed}) >= 2000 then {parsed} - interval 100 year
            when year({parsed}) % 100 <= {int(pivot)} and year({parsed}) < 2000 then {parsed} + interval 100 year else {parsed} end)"""
    orders = {_is_day_first(f) for f in days} - {None}
    swapped = [
        f.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m") for f in days if _is_day_first(f) is not None
    ]
    unsure = f"{_strptime(source, swapped)} is not null" if len(orders) == 1 else None
    return f"({parsed})::{kind}", rule, unsure


def _strptime(source: str, formats: Sequence[str]) -> str:
    parsed = f"try_strptime({source}, [{', '.join(literal(f) for f in formats)}])"
    if not any("%Y" in f for f in formats):
        return parsed
    # `%Y` takes the 24 of a year written with two digits for the year 24.
    return f"(case when year({parsed}) >= 1000 then {parsed} end)"


def _serial_date(source: str, calendar: str) -> str:
    """Excel's count of days, as a spreadsheet shows a date whose cell has lost its format."""
    epoch, first = _EXCEL_EPOCHS[calendar]
    days = f"try_cast({source} as double)"
    return f"""(case when regexp_full_match({source}, '[0-9]{{1,6}}([.][0-9]+)?') and {days} >= {first}
        then timestamp '{epoch}' + to_seconds(round({days} * 86400)) end)"""


def _number(source: str, rule: Mapping[str, Any] | None, data_type: str) -> str:
    text = source
    if rule is not None:
        decimal = rule.get("decimal", ".")
        thousands = rule.get("thousands", "." if decimal == "," else ",")
        currency = rule.get("currency", "$")
        if currency:
            text = f"trim(replace({text}, {literal(currency)}, ''))"
        # Bookkeeping writes a negative amount in parentheses.
        text = f"regexp_replace({text}, '^\\(\\s*(.*?)\\s*\\)$', '-\\1')"
        if thousands:
            # Three digits between two separators: in 1,50 the comma is another country's point, and no separator.
            mark, point = (f"[{re.escape(sign)}]" for sign in (thousands, decimal))
            grouped = literal(f"[-+]?[0-9]{{1,3}}({mark}[0-9]{{3}})+({point}[0-9]*)?")
            text = f"case when regexp_full_match({text}, {grouped}) then replace({text}, {literal(thousands)}, '') else {text} end"
        if decimal != ".":
            # A point that separates no thousands is another country's: 1.50 stands beside 1,50.
            text = f"case when not contains({text}, '.') then replace({text}, {literal(decimal)}, '.') end"
    # A cast alone would take 1_000 and 0x1F for numbers.
    plain = f"regexp_full_match({text}, {literal(_PLAIN_NUMBER)})"
    if data_type == _EXTENSION_TYPES["money"]:
        # No amount has three decimals: 1.500 is another country's fifteen hundred.
        plain += f" and not regexp_full_match({text}, '[-+]?[1-9][0-9]{{0,2}}[.][0-9]{{3}}')"
    number = f"case when {plain} then try_cast({text} as {data_type}) end"
    factor = {"cents": " / 100", "thousands": " * 1000"}.get((rule or {}).get("unit", "usd"), "")
    return f"(({number}){factor})::{data_type}" if factor else f"({number})"


def _boolean(source: str, rule: Mapping[str, Sequence[str]] | None) -> str:
    rule = rule or {"true": ["true", "t", "yes", "y", "1"], "false": ["false", "f", "no", "n", "0"]}
    yes, no = (", ".join(literal(text.lower()) for text in rule[key]) or "null" for key in ("true", "false"))
    return f"case when lower({source}) in ({yes}) then true when lower({source}) in ({no}) then false end"

"""The effects planted into a county: which decision of the office moves, for whom, since when and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from rapidfuzz import process

from pipeline.contract import load_contract
from pipeline.errors import AuditError, Problem, place

Knowledge = Literal["at_random", "not_at_random"]

#: Every decision an effect can move, with the traits of a case it may depend on beside race and citizenship.
#: The size of an effect adds to the log-odds of the decision; of `release_lag`, to the logarithm of the hours.
DECISIONS: Mapping[str, frozenset[str]] = {
    "booking": frozenset({"severity"}),
    "charge_added": frozenset({"severity"}),
    "policy_declination": frozenset({"severity"}),
    "declination": frozenset({"severity"}),
    "deviation_signoff": frozenset({"severity"}),
    "wobbler_felony": frozenset(),
    "diversion_offer": frozenset({"severity"}),
    "plea_up_front": frozenset(),
    "detention_request": frozenset({"severity"}),
    "cash_request": frozenset({"severity"}),
    "immigration_argument": frozenset({"severity"}),
    "release_lag": frozenset({"detainer"}),
    "consideration": frozenset(),
    "documents_demanded": frozenset(),
    "neutral_resolution": frozenset(),
    "carceral_recommendation": frozenset(),
    "one_year_sentence": frozenset(),
    "memo_signoff": frozenset(),
    "outbound_ice_contact": frozenset(),
    "motion_opposition": frozenset({"conviction"}),
    "certification_late": frozenset(),
    "slow_acknowledgement": frozenset(),
}
#: Registers that hold no person have no race and no citizenship to depend on.
WITHOUT_PERSON = frozenset({"certification_late"})

_GROUP_VALUES: Mapping[str, tuple[str, ...]] = {
    "race": load_contract()["person_race"].columns["race_code"].values,
    "citizenship": ("citizen", "noncitizen"),
    "severity": ("felony", "misdemeanor"),
    "detainer": ("yes", "no"),
    "conviction": ("before_padilla", "after_padilla"),
}
_KEYS = {"id", "title", "measure", "decision", "group", "from", "to", "size"}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One planted effect. An empty `group` is everyone; `since` and `until` are the first and last day it holds."""

    id: str
    title: str
    measure: str
    decision: str
    group: Mapping[str, tuple[str, ...]]
    since: date | None
    until: date | None
    size: float

    def sql(self, *, day: str, traits: Mapping[str, str]) -> str:
        """Its share of the sum, as SQL over a row with `race` and `citizenship`; `traits` names the other columns."""
        columns = {"race": "race", "citizenship": "citizenship", **traits}
        conditions = []
        for trait, values in self.group.items():
            listed = ", ".join(f"'{value}'" for value in values)
            conditions.append(f"{columns[trait]} IN ({listed})")
        if self.since:
            conditions.append(f"{day} >= DATE '{self.since}'")
        if self.until:
            conditions.append(f"CAST({day} AS DATE) <= DATE '{self.until}'")
        return f"CASE WHEN {' AND '.join(conditions)} THEN {self.size} ELSE 0 END" if conditions else f"{self.size}"


@dataclass(frozen=True, kw_only=True)
class Effects:
    """A whole effects file. `knowledge` says how it becomes known who is a citizen."""

    knowledge: Knowledge
    planted: tuple[Effect, ...]

    def sql(self, decision: str, day: str, **traits: str) -> str:
        """What a decision's log-odds gain, as a SQL sum; `0.0` where nothing is planted."""
        if decision not in DECISIONS:
            raise KeyError(decision)
        here = [effect.sql(day=day, traits=traits) for effect in self.planted if effect.decision == decision]
        return f"({' + '.join(here)})" if here else "0.0"


def load_effects(path: Path) -> Effects:
    """Read an effects file. Raises `AuditError` with every problem found in it."""
    problems: list[Problem] = []
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise AuditError([_problem(path, f"cannot be read ({error})", "a YAML file of effects")]) from error
    if not isinstance(document, dict) or set(document) != {"effects_language", "knowledge", "effects"}:
        raise AuditError(
            [_problem(path, "has other keys than an effects file", "effects_language, knowledge and effects")]
        )
    if document["effects_language"] != 1:
        problems.append(_problem(path, f"effects_language is {document['effects_language']}", "1"))
    if document["knowledge"] not in ("at_random", "not_at_random"):
        problems.append(_problem(path, f"knowledge is [{document['knowledge']}]", "at_random or not_at_random"))
    planted: list[Effect] = []
    for number, entry in enumerate(document["effects"] or [], start=1):
        found = list(_problems_of(entry, number, path))
        problems += found
        if not found:
            planted.append(_effect(entry))
    for name in sorted({e.id for e in planted if sum(o.id == e.id for o in planted) > 1}):
        problems.append(_problem(path, f"the id [{name}] is used twice", "an id of its own for each effect"))
    if problems:
        raise AuditError(problems)
    return Effects(knowledge=document["knowledge"], planted=tuple(planted))


def _problem(path: Path, what: str, expected: str) -> Problem:
    return Problem(code="IIU150", where=place(file=path.name), what=what, expected=expected)


def _problems_of(entry: Any, number: int, path: Path) -> Iterator[Problem]:
    if not isinstance(entry, dict) or not {"id", "title", "measure", "decision", "size"} <= set(entry) <= _KEYS:
        yield _problem(path, f"effect {number} has other keys than an effect", ", ".join(sorted(_KEYS)))
        return
    name, decision = entry["id"], entry["decision"]
    if decision not in DECISIONS:
        near = process.extractOne(str(decision), list(DECISIONS))
        yield _problem(
            path, f"[{name}]: [{decision}] is no decision of the county; nearest [{near[0]}]", ", ".join(DECISIONS)
        )
        return
    if isinstance(entry["size"], bool) or not isinstance(entry["size"], int | float):
        yield _problem(path, f"[{name}]: size is [{entry['size']}]", "a number on the log scale")
    for key in ("from", "to"):
        if not isinstance(entry.get(key, date.min), date):
            yield _problem(path, f"[{name}]: {key} is [{entry[key]}]", "a day as 2021-01-01")
    allowed = DECISIONS[decision] | (set() if decision in WITHOUT_PERSON else {"race", "citizenship"})
    group: object = entry.get("group") or {}
    if not isinstance(group, dict):
        yield _problem(path, f"[{name}]: group is [{group}]", "traits with their values")
        return
    for trait, values in group.items():
        if trait not in allowed:
            yield _problem(
                path, f"[{name}]: [{decision}] cannot depend on [{trait}]", ", ".join(sorted(allowed)) or "no group"
            )
            continue
        for value in values if isinstance(values, list) else [values]:
            if value not in _GROUP_VALUES[trait]:
                yield _problem(path, f"[{name}]: {trait} is [{value}]", ", ".join(_GROUP_VALUES[trait]))


def _effect(entry: Mapping[str, Any]) -> Effect:
    group = entry.get("group") or {}
    return Effect(
        id=entry["id"],
        title=entry["title"],
        measure=entry["measure"],
        decision=entry["decision"],
        group={trait: tuple(values if isinstance(values, list) else [values]) for trait, values in group.items()},
        since=entry.get("from"),
        until=entry.get("to"),
        size=float(entry["size"]),
    )

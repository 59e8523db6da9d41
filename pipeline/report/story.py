"""What a page says: the sentences, pictures and tables of a mart, chosen and computed from the published tables.

Nothing here is typed from a result. Whether a gap is clear was decided by `findings.judge`; how it is said, `words` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from pipeline.disclose import load_registry
from pipeline.findings import CLEAR, NOT_JUDGED, from_either_side
from pipeline.fixed_mix import with_one_mix
from pipeline.measures import BOTH_SIDES, MINIMUM_CASES, NOT_SUPPLIED
from pipeline.report import figures, words
from pipeline.report.figures import Mark, Row, Width
from pipeline.report.language import Language
from pipeline.report.tables import ALL, SHOWN, PublicData, headline, records
from pipeline.report.words import content, undone

CITIZENSHIPS = ("citizen", "noncitizen", "unknown")
#: A trend needs this many periods with a number, a picture of gaps this many measures, one of groups this many.
FEWEST_PERIODS, FEWEST_GAPS, FEWEST_GROUPS = 4, 2, 2
MOST_GAPS = 12
#: More rows than this without a number are counted in the caption, not named.
MOST_LEFT_OUT = 3


@dataclass(frozen=True, kw_only=True)
class Check:
    """A number of a picture, the query that finds it in the published file, and what it must say."""

    table: str
    where: Mapping[str, str]
    expected: tuple[float | int | None, ...]
    columns: tuple[str, ...]

    @property
    def snippet(self) -> str:
        """Python that a reader runs beside the downloaded file. The build runs it too."""
        conditions = "\n      and ".join(f"{column} = '{value}'" for column, value in self.where.items())
        columns = ", ".join(f"round({c}, 4)" if c not in BOTH_SIDES else c for c in self.columns)
        return (
            "import duckdb\n\n"
            f'found = duckdb.execute("""\n    select {columns}\n    from \'{self.table}.parquet\'\n    where {conditions}\n""")'
            f".fetchone()\nassert found == {self.expected!r}, found"
        )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure with all that belongs to it, in one language."""

    id: str
    title: str
    lead: str
    alt: str
    notes: Sequence[str]
    header: Sequence[str]
    table: Sequence[Sequence[str]]
    figure: Callable[[Width], Mapping[str, Any]]
    rows: pd.DataFrame
    source: str
    measures: Sequence[Any]
    check: Check | None


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One line of the table of all measures: everyone, citizens, noncitizens, and the gap between them."""

    measure: Any
    everyone: str
    cases: str
    citizen: str
    noncitizen: str
    gap: str
    verdict: str
    clear: bool
    low: float | None
    high: float | None
    difference: float | None
    bound_low: float | None
    bound_high: float | None
    status: str
    reason: str

    @property
    def told(self) -> bool:
        """Whether any number of it can be shown."""
        return self.status in SHOWN or self.difference is not None


@dataclass(frozen=True, kw_only=True)
class Said:
    """A sentence of the first page, and the measure that it speaks of, where it speaks of one."""

    text: str
    measure: Any = None


class Story:
    """One audit told in one language."""

    def __init__(self, public: PublicData, say: Language) -> None:
        self.public, self.say = public, say
        self.citizenship_name = {k: say(v) for k, v in content()["citizenships"].items()}
        self.race_name = {k: say(v) for k, v in content()["races"].items()}
        races = public.measures.loc[public.measures["race"] != ALL, "race"].unique()
        self.races = sorted(
            races, key=lambda race: (list(content()["races"]).index(race) if race in self.race_name else 99, race)
        )

    # ---- words -------------------------------------------------------------------------------------------------

    def period(self) -> str:
        settings = self.public.settings
        first, last = (self.say.month(day) for day in (settings.period_from, settings.totals_to))
        return self.say("{first} to {last}", first=first, last=last)

    def mart_name(self, mart: str) -> str:
        words = content()["marts"].get(mart, {})
        return self.say(words.get("name", mart.replace("_", " ").capitalize()))

    def label(self, code: str) -> str:
        return words.label(code, self.say)

    def value(self, row: Any, *, digits: int = 0) -> str:
        """The estimate of a published row, or why there is none."""
        if row is None:
            return "–"
        if row.status in SHOWN and not pd.isna(row.estimate):
            return self.say.value(row.estimate, row.unit, digits=digits)
        if row.status == "not_estimable" and not pd.isna(row.denominator) and row.denominator > 0:
            return self.say("cannot be told")
        return self.absent(row.status)

    def absent(self, status: str) -> str:
        words = {"suppressed": "hidden", "not_estimable": "no cases", "not_computable": "not recorded"}
        return self.say(words.get(status, "–"))

    def interval(self, low: Any, high: Any, unit: str, *, signed: bool = False) -> str:
        return "–" if pd.isna(low) or pd.isna(high) else self.say.interval(low, high, unit, signed=signed)

    def clear(self, gap: Any) -> bool:
        """Whether the audit's rule calls the gap clear."""
        return gap is not None and gap.verdict == CLEAR

    def judged(self, gap: Any) -> bool:
        """Whether the audit's rule was asked at all, and a reliable number stands there."""
        return gap is not None and gap.status == "ok" and gap.verdict != NOT_JUDGED

    def told(self, measure: Any, gap: Any) -> list[str]:
        """All that is to be said of a comparison; [] where nothing is shown."""
        return [] if gap is None else words.sentences(gap, measure, self.say, family=self.public.family)

    def told_by_group(self, measure: Any) -> list[str]:
        """The same of noncitizens and citizens, or, where they cannot be compared, of the races that differ most clearly.

        In paragraphs: what was compared, how sure that is and what is missing; what is left of the gap when declared
        facts are alike; what no record shows.
        """
        stratum = headline(measure)
        gap = self.public.gap(measure.measure_id, contrast="citizenship", stratum=stratum)
        if gap is None or gap.status not in SHOWN:
            gaps = [
                self.public.gap(measure.measure_id, contrast="race", race=race, stratum=stratum) for race in self.races
            ]
            gap = max((g for g in gaps if self.clear(g)), key=lambda g: abs(g.difference), default=None)
        told = self.told(measure, gap)
        paragraphs = (" ".join(told[:-1]), " ".join(self._alike(gap)), told[-1]) if told else ()
        return [paragraph for paragraph in paragraphs if paragraph]

    def _alike(self, gap: Any) -> list[str]:
        table = self.public.adjusted
        if table.empty:
            return []
        of_gap = (
            table["measure_id"].eq(gap.measure_id) & table["contrast"].eq(gap.contrast) & table["race"].eq(gap.race)
        )
        return [sentence for row in records(table[of_gap]) for sentence in words.with_facts_alike(row, self.say)]

    # ---- a page ------------------------------------------------------------------------------------------------

    def glance(self, mart: str) -> list[Glance]:
        return [self._glance(measure) for measure in self.public.of_mart(mart) if measure.kind != "mix"]

    def _glance(self, measure: Any) -> Glance:
        stratum = headline(measure)
        everyone = self.public.cell(measure.measure_id, stratum=stratum)
        lone = everyone or self.public.cell(measure.measure_id)
        gap = self.public.gap(measure.measure_id, contrast="citizenship", stratum=stratum)
        known = gap is not None and gap.status in SHOWN
        cells = {c: self.public.cell(measure.measure_id, citizenship=c, stratum=stratum) for c in CITIZENSHIPS}
        return Glance(
            measure=measure, everyone=self.value(lone),
            cases=self.say.count(lone.denominator) if lone and lone.status in SHOWN and not pd.isna(lone.denominator) else "",
            citizen=self.value(cells["citizen"]), noncitizen=self.value(cells["noncitizen"]),
            gap=self.say.gap(gap.difference, gap.unit) if known else "–" if gap is None else self._no_gap(gap),
            verdict=words.verdict(gap, self.say), clear=self.clear(gap), status=lone.status if lone else "not_estimable", reason=lone.reason if lone else "",
            difference=gap.difference if known else None,
            low=gap.difference_low if known else None, high=gap.difference_high if known else None,
            bound_low=_number(gap.bound_low) if known else None,
            bound_high=_number(gap.bound_high) if known else None,
        )  # fmt: skip

    def sentences(self, mart: str) -> list[str]:
        """What the page found, each a sentence with its numbers."""
        say, public = self.say, self.public
        measures = public.of_mart(mart)
        told = []
        gaps = [(m, public.gap(m.measure_id, contrast="citizenship", stratum=headline(m))) for m in measures]
        shown = [(m, gap) for m, gap in gaps if gap is not None and gap.status in SHOWN]
        judged = told_once([(m, gap) for m, gap in shown if self.judged(gap)])
        clear = [(m, gap) for m, gap in judged if self.clear(gap)]
        if judged:
            told.append(f"{words.how_many_clear(len(clear), len(judged), say)}.")
        shares = [(m, gap) for m, gap in clear or judged or shown if gap.unit == "share"]
        if shares:
            m, _ = min(shares, key=lambda pair: (-abs(pair[1].difference), pair[0].measure_id))
            told += self.told_by_group(m)
        elif not shown:  # citizenship is not on file at all
            by_race = [paragraphs for m in measures if m.kind == "rate" and (paragraphs := self.told_by_group(m))]
            told += by_race[-1] if by_race else []
        told += self._citizenship_on_file(measures)
        first = next((m for m in measures if m.kind == "rate" and self._has(m)), None)
        whole = None if shown or first is None else public.cell(first.measure_id)
        if first is not None and whole is not None and whole.status in SHOWN:
            told.append(say(
                "{title}: {share} ({numerator} of {denominator}, 95% interval {interval}).",
                title=self.quoted(first), share=say.share(whole.estimate), numerator=say.count(whole.numerator),
                denominator=say.count(whole.denominator), interval=self.interval(whole.ci_low, whole.ci_high, "share"),
            ))  # fmt: skip
        # nobody's race is on file where nobody is counted, as in a list of policies
        shares = [(s, m) for m in measures if 0 < (s := self.unknown_share(m, of="race") or 0.0) < 1]
        if shares:
            share, m = max(shares, key=lambda pair: (pair[0], pair[1].measure_id))
            told.append(say("Race or ethnicity was not on file for at most {share} of those counted (in {title}).", title=self.quoted(m), share=say.share(share)))  # fmt: skip
        rows = [(m, public.cell(m.measure_id, stratum=headline(m))) for m in measures]
        told += [said for m, row in rows if row is not None and (said := words.too_young(m, row, say))]
        lost = [m for m in measures if self.missing(m)]
        if lost:
            told.append(words.cannot_be_computed(len(lost), len(measures), say))
        return told

    def _citizenship_on_file(self, measures: Sequence[Any]) -> list[str]:
        """How often it was not, in the middle one of these measures and in the one where it was most often not."""
        say = self.say
        shares = sorted((share, m.measure_id, m) for m in measures if (share := self.unknown_share(m)))
        if not shares:
            return []
        most, _, m = shares[-1]
        said = {"title": self.quoted(m), "share": say.share(most)}
        if len(shares) == 1:
            return [say("Citizenship was not on file on the day of the decision for {share} of those counted in {title}.", **said)]  # fmt: skip
        said |= {"median": say.share(median(share for share, *_ in shares)), "count": say.count(len(shares))}
        return [say("How often citizenship was not on file on the day of the decision depends on what is counted: {median} in the median of {count} measures, and {share} in {title}, where it was most often missing.", **said)]  # fmt: skip

    def unknown_share(self, measure: Any, *, of: str = "citizenship") -> float | None:
        """The share of those counted whose citizenship, or race, was not on file; None where hidden or not counted."""
        stratum = headline(measure)
        row = self.public.cell(measure.measure_id, stratum=stratum)
        if row is None or pd.isna(row.denominator) or not row.denominator:
            return None
        if of == "race":
            part = self.public.cell(measure.measure_id, stratum=stratum, race="unknown")
            unknown = None if part is None else part.denominator
        else:
            unknown = row.unknown_citizenship
        return None if pd.isna(unknown) else float(unknown / row.denominator)

    def missing(self, measure: Any) -> str:
        """The columns that this office does not supply, or its own reason; '' if the measure can be computed."""
        row = self.public.cell(measure.measure_id)
        if row is None or row.status != "not_computable":
            return ""
        reason = str(row.reason)
        if not reason.startswith(NOT_SUPPLIED):
            return self.say.english(reason)
        either = self.say("or")
        return reason.removeprefix(NOT_SUPPLIED).rstrip(".").replace(" or ", f" {either} ")

    def quoted(self, measure: Any) -> str:
        return f"“{self.say(measure.title)}”" if self.say.code == "en" else f"«{self.say(measure.title)}»"

    def pictures(self, mart: str) -> list[Picture]:
        """At most four: all gaps of the page, one measure by race and citizenship, one over time, one by kind.

        Of several measures the one is drawn of which most can be shown, a clear gap first.
        """
        measures = self.public.of_mart(mart)
        rates = [m for m in measures if m.kind == "rate" and self._has(m)]
        told = [m for m in rates if self._compared(m)] or rates
        made: list[Picture | None] = [self.gaps(mart, rates)]
        made += [next((p for m in sorted(told, key=self._least_told) if (p := self.groups(m)) is not None), None)]
        made += [next((p for m in sorted(rates, key=self._least_told) if (p := self.trend(m)) is not None), None)]
        mixes = [m for m in measures if m.kind == "mix"]
        made += [next((p for m in sorted(mixes, key=self._least_told) if (p := self.mix(m)) is not None), None)]
        if len([p for p in made if p is not None]) < 4:
            times = [m for m in measures if m.kind in ("distribution", "time_to_event") and self._has(m)]
            made += [next((p for m in sorted(times, key=self._least_told) if (p := self.groups(m)) is not None), None)]
        return [picture for picture in made if picture is not None]

    def _least_told(self, measure: Any) -> tuple[bool, bool, float]:
        """The smaller, the better a measure is for a picture: a clear gap, not all zeros, few cells that are not shown."""
        gap = self.public.gap(measure.measure_id, contrast="citizenship", stratum=headline(measure))
        cells = self.public.by_measure.get(measure.measure_id, [])
        shown = [row for row in cells if row.status in SHOWN]
        return (
            not self.clear(gap),
            not any(row.estimate for row in shown),
            1 - round(len(shown) / len(cells), 1) if cells else 1.0,
        )

    def _compared(self, measure: Any) -> bool:
        gap = self.public.gap(measure.measure_id, contrast="citizenship", stratum=headline(measure))
        return gap is not None and gap.status in SHOWN

    def _has(self, measure: Any) -> bool:
        row = self.public.cell(measure.measure_id, stratum=headline(measure))
        return row is not None and row.status in SHOWN

    # ---- pictures ----------------------------------------------------------------------------------------------

    def gaps(self, name: str, measures: Sequence[Any], *, most: int = MOST_GAPS) -> Picture | None:
        """Noncitizens less citizens, for each rate."""
        say = self.say
        found = [(m, self.public.gap(m.measure_id, contrast="citizenship")) for m in measures]
        pairs = [
            (m, gap) for m, gap in found if gap is not None and gap.status != "not_computable" and gap.unit == "share"
        ]
        shown = [(m, gap) for m, gap in pairs if gap.status in SHOWN]
        if len(shown) < FEWEST_GAPS:
            return None
        if sum(self.judged(gap) for _, gap in shown) >= FEWEST_GAPS:  # what nobody judges would stand among the clear
            pairs = [(m, gap) for m, gap in pairs if gap.status not in SHOWN or self.judged(gap)]
            shown = [(m, gap) for m, gap in pairs if gap.status in SHOWN]
        pairs = sorted(
            pairs,
            key=lambda p: (
                p[1].status not in SHOWN,
                not self.clear(p[1]),
                -round(abs(p[1].difference or 0), 9) if p[1].status in SHOWN else 0.0,
                p[0].measure_id,
            ),
        )
        drawn = alike(pairs)[:most]  # one gap under several names is drawn once
        pairs, twins = [same[0] for same in drawn], [m for same in drawn for m, _ in same[1:]]
        rows = [
            Row(label=f"{say(m.title)} ({self._both(gap)})", marks=[self._gap_mark(gap)])
            for m, gap in pairs
            if gap.status in SHOWN
        ]
        drawn_clear = sum(self.clear(gap) for _, gap in pairs)
        judged = [gap for _, gap in told_once([(m, gap) for m, gap in shown if self.judged(gap)])]
        clear = [gap for gap in judged if self.clear(gap)]
        hidden = sum(gap.status == "suppressed" for _, gap in pairs)
        first = next(((m, gap) for m, gap in pairs if gap.status in SHOWN), None)
        assert first is not None
        lower, higher = say("lower for noncitizens"), say("higher for noncitizens")
        return Picture(
            id=f"{slug(name)}-gaps",
            title=(words.how_many_clear(len(clear), len(judged), say) if judged else say("Noncitizens and citizens in {shown} measures", shown=say.count(len(shown)))),
            lead=say("Noncitizens less citizens, in percentage points, for the whole period."),
            alt=say(
                "{shown} gaps with their intervals. The widest is {title}: {gap}.", shown=say.count(len(shown)),
                title=self.quoted(first[0]), gap=say.gap(first[1].difference, "share"),
            ),
            notes=[
                self.period_note(),
                say("Mark: the gap observed. Line: its 95% interval. Pale bar: the worst-case range if all unknown citizenship were known."),
                self.rule_note() + (" " + say("In this figure these come first: {clear}.", clear=say.count(drawn_clear)) if drawn_clear else ""),
                *self.left_out([say(m.title) for m, gap in pairs if gap.status not in SHOWN]),
                *([say("Not drawn, since one that is says the same of the same people: {names}.", names="; ".join(say(m.title) for m in twins))] if twins else []),
                *([self.hidden_note(hidden, len(pairs))] if hidden else []),
                self.status_note(),
            ],
            header=[say("Measure"), say("Noncitizens"), say("Citizens"), say("Gap"), say("95% interval"), say("Worst-case range")],
            table=[
                [
                    say(m.title), self._side(gap, gap.estimate, gap.denominator), self._side(gap, gap.reference_estimate, gap.reference_denominator),
                    say.gap(gap.difference, "share") if gap.status in SHOWN else self._no_gap(gap),
                    self.interval(gap.difference_low, gap.difference_high, "share", signed=True),
                    self.interval(gap.bound_low, gap.bound_high, "share", signed=True),
                ]
                for m, gap in pairs
            ],
            figure=lambda width: figures.gaps(rows, lower=lower, higher=higher, say=say, width=width),
            rows=pd.DataFrame([gap._asdict() for _, gap in pairs]),
            source="comparisons",
            measures=[m for m, _ in pairs],
            check=Check(
                table="comparisons",
                where={"measure_id": first[0].measure_id, "period": ALL, "contrast": "citizenship", "stratum": ALL},
                columns=(*BOTH_SIDES, "difference"),
                expected=(*(int(getattr(first[1], c)) for c in BOTH_SIDES), round(first[1].difference, 4)),
            ),
        )  # fmt: skip

    def groups(self, measure: Any) -> Picture | None:
        """One measure by race and, where it is published, by citizenship within each race; None of what has no groups."""
        say, stratum = self.say, headline(measure)
        crossed = any(
            self.public.cell(measure.measure_id, race=r, citizenship="citizen", stratum=stratum) for r in self.races
        )
        by_citizenship = self.public.cell(measure.measure_id, citizenship="citizen", stratum=stratum) is not None
        rows: list[tuple[str, str, Any]] = []
        for race in (ALL, *self.races):
            for citizenship in CITIZENSHIPS if crossed or (race == ALL and by_citizenship) else (ALL,):
                row = self.public.cell(measure.measure_id, race=race, citizenship=citizenship, stratum=stratum)
                if row is not None:
                    rows.append((race, citizenship, row))
        if sum(row.status in SHOWN for _, _, row in rows) < FEWEST_GROUPS:
            return None
        told = {race for race, _, row in rows if row.status in SHOWN}
        drawn = [
            Row(label=self.race_name.get(race, race), marks=[self.mark(c, row) for r, c, row in rows if r == race])
            for race in dict.fromkeys(race for race, _, _ in rows)
            if race in told
        ]
        untold = [self.race_name.get(race, race) for race in dict.fromkeys(r for r, _, _ in rows) if race not in told]
        series = {c: self.citizenship_name[c] for c in (*CITIZENSHIPS, ALL) if any(c == seen for _, seen, _ in rows)}
        everyone = self.public.cell(measure.measure_id, stratum=stratum)
        gap = self.public.gap(measure.measure_id, contrast="citizenship", stratum=stratum)
        title = self.finding(measure, everyone, gap)
        hidden = sum(row.status == "suppressed" for _, _, row in rows)
        unit = everyone.unit if everyone is not None else measure.unit
        names = {"series": series, "unit": unit, "say": say}
        return Picture(
            id=f"{slug(measure.measure_id)}-groups", title=title, lead=self.asks(measure),
            alt=f"{title}. " + say("By race and citizenship, with 95% intervals; the table below holds every number."),
            notes=[
                self.counted_note(measure, everyone),
                say("Mark: what was observed. Line: its 95% interval. Hollow mark: few cases."),
                *self.left_out(untold),
                *([self.hidden_note(hidden, len(rows))] if hidden else []),
                *self.bounds_note(gap),
                self.status_note(),
            ],
            header=[say("Race"), say("Citizenship"), say("Cases"), say("Value"), say("95% interval"), say("Worst-case range")],
            table=[
                [
                    self.race_name.get(race, race), self.citizenship_name[citizenship], self._count(row), self.value(row, digits=1),
                    self.interval(row.ci_low, row.ci_high, row.unit), self.interval(row.bound_low, row.bound_high, row.unit),
                ]
                for race, citizenship, row in rows
            ],
            figure=lambda width: figures.dots(drawn, width=width, **names),
            rows=pd.DataFrame([row._asdict() for _, _, row in rows]),
            source=measure.mart, measures=[measure], check=self.check(measure, everyone),
        )  # fmt: skip

    def trend(self, measure: Any) -> Picture | None:
        """One measure by citizenship over time."""
        say, stratum = self.say, headline(measure)
        series = [
            c for c in CITIZENSHIPS if self.public.periods(measure.measure_id, citizenship=c, stratum=stratum)
        ] or [ALL]
        periods = self.public.periods(measure.measure_id, citizenship=series[0], stratum=stratum)
        rows = {
            c: [self.public.cell(measure.measure_id, period=p, citizenship=c, stratum=stratum) for p in periods]
            for c in series
        }
        told = rows.get("noncitizen", rows[series[0]])
        if sum(row is not None and row.status in SHOWN for row in told) < FEWEST_PERIODS:
            return None
        who = "noncitizen" if "noncitizen" in rows else series[0]
        seen = [(p, row) for p, row in zip(periods, told, strict=True) if row is not None and row.status in SHOWN]
        (first_period, first), (last_period, last) = seen[0], seen[-1]
        moved = last.ci_low > first.ci_high or last.ci_high < first.ci_low
        few = min(first.denominator, last.denominator) < MINIMUM_CASES
        words = {
            "title": say(measure.title), "first": self.value(first), "last": self.value(last),
            "from_": say.period(first_period), "to": say.period(last_period),
        }  # fmt: skip
        if few:  # of a handful nothing is said, neither that it moved nor that it did not
            title = say("{title}: {from_} to {to}", **words)
        elif who == "noncitizen":
            title = say("{title}: for noncitizens from {first} in {from_} to {last} in {to}", **words) if moved else say("{title}: no clear change for noncitizens from {from_} to {to}", **words)  # fmt: skip
        else:
            title = say("{title}: from {first} in {from_} to {last} in {to}", **words) if moved else say("{title}: no clear change from {from_} to {to}", **words)  # fmt: skip
        flat = [(c, p, row) for c in series for p, row in zip(periods, rows[c], strict=True) if row is not None]
        hidden = sum(row.status == "suppressed" for _, _, row in flat)
        panels = [
            (
                self.citizenship_name[c],
                [Mark(series=c, status="not_estimable") if row is None else self.mark(c, row) for row in rows[c]],
            )
            for c in series
        ]
        return Picture(
            id=f"{slug(measure.measure_id)}-trend", title=title, lead=self.asks(measure),
            alt=f"{title}. " + say("{count} periods by citizenship, with 95% intervals; the table below holds every number.", count=say.count(len(periods))),
            notes=[
                self.counted_note(measure, self.public.cell(measure.measure_id, stratum=stratum)),
                say("Band: 95% interval. A change in time has many causes; a change in what is known about citizenship is one of them."),
                *self.with_one_mix(measure),
                *([self.hidden_note(hidden, len(flat))] if hidden else []),
                self.status_note(),
            ],
            header=[say("Citizenship"), say("Period"), say("Cases"), say("Value"), say("95% interval")],
            table=[
                [self.citizenship_name[c], period, self._count(row), self.value(row, digits=1), self.interval(row.ci_low, row.ci_high, row.unit)]
                for c, period, row in flat
            ],
            figure=lambda width: figures.trend(panels, periods=periods, unit=first.unit, say=say, width=width),
            rows=pd.DataFrame([row._asdict() for _, _, row in flat]),
            source=measure.mart, measures=[measure], check=self.check(measure, last),
        )  # fmt: skip

    def with_one_mix(self, measure: Any) -> list[str]:
        """How a rate would have moved with the same offences in every year, by what is published alone.

        The offences that some year does not show are one stratum: everybody less those that are shown.
        """
        rows = self.public.offences_by_year.get(measure.measure_id)
        if measure.kind != "rate" or rows is None:
            return []
        k, n = (rows.pivot(index="period", columns="offence_group", values=c) for c in ("numerator", "denominator"))
        if ALL not in n:
            return []
        pooled = load_registry().pools.get("offence_group", {}).keys()  # their members stand beside them
        years = k[ALL].notna() & n[ALL].gt(0)
        k, n = (counts[years].drop(columns=pooled, errors="ignore").dropna(axis=1).astype(float) for counts in (k, n))
        apart = [name for name in n if name != ALL]
        if len(n) < FEWEST_PERIODS or not apart:
            return []
        strata = [np.column_stack([c[apart], c[ALL] - c[apart].sum(axis=1)]) for c in (k, n)]
        rates, usable = with_one_mix(*strata)
        if usable[[0, -1]].min() < 1:
            return []
        say, crude = self.say, (k[ALL] / n[ALL]).to_numpy()
        words = {"first": say.share(rates[0], digits=1), "last": say.share(rates[-1], digits=1), "from_": say.period(n.index[0]), "to": say.period(n.index[-1])}  # fmt: skip
        words |= {"first_crude": say.share(crude[0], digits=1), "last_crude": say.share(crude[-1], digits=1)}
        return [say("For everyone it is {first_crude} in {from_} and {last_crude} in {to}; with the offences of the whole period in every year it would be {first} and {last}.", **words)]  # fmt: skip

    def mix(self, measure: Any) -> Picture | None:
        """The parts of a whole, by citizenship."""
        say = self.say
        rows = self.public.measures
        whole = rows[
            (rows["measure_id"] == measure.measure_id) & (rows["period"] == ALL) & (rows["offence_group"] == ALL)
        ]
        strata = whole[(whole["race"] == ALL) & (whole["citizenship"] == ALL) & (whole["stratum"] != ALL)]
        if not strata["status"].isin(SHOWN).any():
            return None
        strata = strata.sort_values(["estimate", "stratum"], ascending=[False, True], na_position="last")
        order = sorted(
            strata["stratum"],
            key=lambda s: s in ("not_recorded", "recorded_unknown", "redacted", "unmapped", "unknown"),
        )
        cells = [
            (stratum, c, row)
            for stratum in order
            for c in CITIZENSHIPS
            if (row := self.public.cell(measure.measure_id, citizenship=c, stratum=stratum)) is not None
        ]
        if not any(row.status in SHOWN for _, _, row in cells):  # by citizenship there would be nothing to see
            cells = [(s, ALL, self.public.cell(measure.measure_id, stratum=s)) for s in order]
        drawn = [
            Row(label=_capital(self.label(s)), marks=[self.mark(c, row) for t, c, row in cells if t == s])
            for s in order
        ]
        series = {c: self.citizenship_name[c] for c in (*CITIZENSHIPS, ALL) if any(c == seen for _, seen, _ in cells)}
        top = strata.iloc[0]
        words = {"title": say(measure.title), "part": self.label(top["stratum"]), "share": say.share(top["estimate"])}
        if top["estimate"] >= 1 - strata["estimate"].sum():
            title = say("{title}: most often “{part}” ({share})", **words)
        else:  # a hidden part could be the larger one
            title = say("{title}: “{part}” {share}; a larger part may be hidden", **words)
        hidden = sum(row.status == "suppressed" for _, _, row in cells)
        everyone = self.public.cell(measure.measure_id, stratum=top["stratum"])
        return Picture(
            id=f"{slug(measure.measure_id)}-parts", title=title, lead=self.asks(measure),
            alt=f"{title}. " + say("Shares by citizenship, with 95% intervals; the table below holds every number."),
            notes=[
                self.counted_note(measure, everyone),
                *([say("Within each group of citizenship the shares add up to 100%.")] if ALL not in series else []),
                *([self.hidden_note(hidden, len(cells))] if hidden else []),
                self.status_note(),
            ],
            header=[say("Part"), say("Citizenship"), say("Cases"), say("Share"), say("95% interval")],
            table=[
                [_capital(self.label(s)), self.citizenship_name[c], self._count(row), self.value(row, digits=1), self.interval(row.ci_low, row.ci_high, row.unit)]
                for s, c, row in cells
            ],
            figure=lambda width: figures.dots(drawn, series=series, unit="share", say=say, width=width),
            rows=pd.DataFrame([row._asdict() for _, _, row in cells]),
            source=measure.mart, measures=[measure], check=self.check(measure, everyone),
        )  # fmt: skip

    def counted(self, marts: Sequence[str]) -> Picture | None:
        """How many decisions of each kind the audit rests on: the base of the first measure of each page."""
        say = self.say
        firsts = [next((m for m in self.public.of_mart(mart) if self._has(m)), None) for mart in marts]
        pairs = [(m, self.public.cell(m.measure_id, stratum=headline(m))) for m in firsts if m is not None]
        pairs = [(m, row) for m, row in pairs if row is not None and not pd.isna(row.denominator)]
        if not pairs:
            return None
        drawn = [
            (f"{self.mart_name(m.mart)}: {say(m.denominator_text)}", float(row.denominator), say.count(row.denominator))
            for m, row in pairs
        ]
        by_base = sorted(pairs, key=lambda pair: (pair[1].denominator, pair[0].measure_id))
        least, (most, row) = by_base[0][1], by_base[-1]
        ends = {"least": say.count(least.denominator), "most": say.count(row.denominator)}
        title = say("A page rests on {least} to {most} cases", **ends) if least.denominator < row.denominator else say("Each page rests on {most} cases", **ends)  # fmt: skip
        return Picture(
            id="overview-counted", title=title, lead=say("How many the first measure of each page counts. The units differ, so one bar is not a part of another."),
            alt=f"{title}. " + "; ".join(f"{label}: {text}" for label, _, text in drawn) + ".",
            notes=[self.period_note()],
            header=[say("Page"), say("Counted"), say("Cases")],
            table=[[self.mart_name(m.mart), say(m.denominator_text), say.count(row.denominator)] for m, row in pairs],
            figure=lambda width: figures.bars(drawn, width=width),
            rows=pd.DataFrame([row._asdict() for _, row in pairs]),
            source="measures", measures=[m for m, _ in pairs],
            check=self.check(most, row, table="measures"),
        )  # fmt: skip

    def overview(self, marts: Sequence[str]) -> list[Said]:
        """The first sentences of the site."""
        say = self.say
        measures = [m for mart in marts for m in self.public.of_mart(mart)]
        told: list[Said] = []
        gaps = [(m, self.public.gap(m.measure_id, contrast="citizenship", stratum=headline(m))) for m in measures]
        judged = told_once([(m, gap) for m, gap in gaps if self.judged(gap)])
        clear = [(m, gap) for m, gap in judged if self.clear(gap)]
        if judged:
            told.append(Said(text=f"{words.how_many_clear(len(clear), len(judged), say)}."))
        else:  # records without citizenship: what the pages say first
            computed = [mart for mart in marts if any(self._has(m) for m in self.public.of_mart(mart))]
            told += [Said(text=f"{self.mart_name(mart)}. {first}") for mart in computed[:3] for first in self.sentences(mart)[:1]]  # fmt: skip
        by_gap = sorted(clear, key=lambda p: (-abs(p[1].difference), p[0].measure_id))
        told += [
            Said(text=" ".join([f"{self.mart_name(measure.mart)}.", *self.told(measure, gap)[:2]]), measure=measure)
            for measure, gap in by_gap[:2]
        ]
        if on_file := self._citizenship_on_file(measures):
            turned = say("In {undone} of the {clear} clear gaps, unknown citizenship could undo the finding.", undone=say.count(sum(undone(gap) for _, gap in clear)), clear=say.count(len(clear)))  # fmt: skip
            told.append(Said(text=" ".join([*on_file, *([turned] if clear else [])])))
        lost = sum(bool(self.missing(m)) for m in measures)
        if lost:
            told.append(Said(text=words.cannot_be_computed(lost, len(measures), say)))
        return told

    def race_gaps(self, *, most: int) -> list[list[str]]:
        """The widest clear gaps of a race against the reference race, as rows of a table."""
        say, titles = (
            self.say,
            dict(zip(self.public.catalogue["measure_id"], self.public.catalogue["title"], strict=True)),
        )
        kinds = dict(zip(self.public.catalogue["measure_id"], self.public.catalogue["kind"], strict=True))
        rows = self.public.comparisons
        rows = rows[
            (rows["contrast"] == "race")
            & (rows["period"] == ALL)
            & (rows["status"] == "ok")
            & (rows["unit"] == "share")
            & (rows["stratum"] == ALL)
        ]
        rows = rows[rows["race"] != "unknown"]  # whose race nobody wrote down are no group that a decision could favour
        found = [gap for gap in records(rows) if self.clear(gap) and kinds.get(gap.measure_id) == "rate"]
        found.sort(key=lambda gap: (-abs(gap.difference), gap.measure_id, gap.race))
        return [
            [
                say(titles[gap.measure_id]), self.race_name.get(gap.race, gap.race), say.share(gap.estimate), say.share(gap.reference_estimate),
                say.gap(gap.difference, "share"), self.interval(gap.difference_low, gap.difference_high, "share", signed=True),
            ]
            for gap in found[:most]
        ]  # fmt: skip

    def one_by_one(self, measure: Any) -> tuple[list[str], list[list[str]]]:
        """The whole period by citizenship and by race, for the list of all measures: header and rows."""
        say, stratum = self.say, headline(measure)
        if measure.kind == "mix":
            rows = self.public.measures
            rows = rows[
                (rows["measure_id"] == measure.measure_id)
                & (rows["period"] == ALL)
                & (rows["offence_group"] == ALL)
                & (rows["race"] == ALL)
                & (rows["citizenship"] == ALL)
                & (rows["stratum"] != ALL)
            ]
            cells = [(_capital(self.label(row.stratum)), row) for row in records(rows)]
            whole = self.public.cell(measure.measure_id)  # what is hidden whole names no part
            cells = cells or ([(say("Everyone"), whole)] if whole is not None else [])
            first = say("Part")
        else:
            groups = [(say("Everyone"), ALL, ALL)] + [
                (self.citizenship_name[c] if c != "unknown" else say("Citizenship not recorded"), ALL, c)
                for c in CITIZENSHIPS
            ]
            groups += [(self.race_name.get(race, race), race, ALL) for race in self.races]
            cells = [
                (name, row)
                for name, race, c in groups
                if (row := self.public.cell(measure.measure_id, race=race, citizenship=c, stratum=stratum)) is not None
            ]
            first = say("Group")
        if all(row.status == "not_computable" for _, row in cells):
            return [], []
        header = [first, say("Cases"), say("Value"), say("95% interval"), say("Worst-case range")]
        return header, [
            [name, self._count(row), self.value(row, digits=1), self.interval(row.ci_low, row.ci_high, row.unit), self.interval(row.bound_low, row.bound_high, row.unit)]
            for name, row in cells
        ]  # fmt: skip

    def adjusted(self, measure: Any) -> tuple[list[str], list[str], list[list[str]]] | None:
        """The gaps of a measure with declared facts held equal: what to read first, header and rows. None without any."""
        say, table = self.say, self.public.adjusted
        rows = records(table[table["measure_id"] == measure.measure_id]) if len(table) else []
        if not rows:
            return None
        asked = list({row.estimand: row for row in rows}.values())
        alike = []
        for row in asked:
            held = ", ".join(words.fact(name, say) for name in row.held_equal.split())
            by_race = row.contrast == "race"
            alike.append(say("By race, these are alike: {facts}.", facts=held) if by_race else say("By citizenship, these are alike: {facts}.", facts=held))  # fmt: skip
        alike += [words.left_out(given, say) for given in dict.fromkeys(row.given for row in asked) if given]
        alike += words.counted_by(rows, say)
        several = len({row.contrast for row in asked}) < len(asked)
        header = [say("Group"), say("Gap as recorded"), say("Gap with these facts alike"), say("95% interval"), say("Cases with a counterpart")]  # fmt: skip
        header += [say("What is alike")] if several else []
        found = []
        for row in rows:
            name = self.citizenship_name[row.citizenship] if row.contrast == "citizenship" else self.race_name.get(row.race, row.race)  # fmt: skip
            gap, interval = self._no_gap(row), "–"
            if row.status in SHOWN and not pd.isna(row.difference):
                gap = say.gap(row.difference, "share")
                interval = self.interval(row.difference_low, row.difference_high, "share", signed=True)
            elif row.status in SHOWN and not pd.isna(row.amount_ratio):
                gap = f"× {say.number(row.amount_ratio)}"
                interval = say("{low} to {high}", low=say.number(row.amount_ratio_low), high=say.number(row.amount_ratio_high))  # fmt: skip
            found.append([
                name, "–" if pd.isna(row.crude_difference) else say.gap(row.crude_difference, "share"), gap, interval,
                "–" if pd.isna(row.usable) else say.share(row.usable),
                *([", ".join(words.fact(name, say) for name in row.held_equal.split())] if several else []),
            ])  # fmt: skip
        return alike, header, found

    # ---- parts of pictures -------------------------------------------------------------------------------------

    def finding(self, measure: Any, everyone: Any, gap: Any) -> str:
        """The title of a picture: what it found."""
        say = self.say
        said = {"title": say(measure.title), "all": self.value(everyone)}
        if gap is None or gap.status == "not_computable":
            return say("{title}: {all} overall", **said)
        if gap.status == "suppressed":
            return say("{title}: {all} overall; by citizenship hidden to protect people", **said)
        if not self.judged(gap):
            return say("{title}: {all} overall", **said)
        if not self.clear(gap):
            return say("{title}: {all} overall, no clear difference by citizenship", **said)
        said |= {
            "noncitizen": say.value(gap.estimate, gap.unit),
            "citizen": say.value(gap.reference_estimate, gap.unit),
        }
        if undone(gap):
            return say("{title}: {noncitizen} for noncitizens, {citizen} for citizens; unknown citizenship could undo this", **said)  # fmt: skip
        return say("{title}: {noncitizen} for noncitizens, {citizen} for citizens", **said)

    def asks(self, measure: Any) -> str:
        return self.say(measure.definition)

    def period_note(self) -> str:
        return self.say(
            "Decisions from {period}, by what was on file on the day of the decision.", period=self.period()
        )

    def counted_note(self, measure: Any, everyone: Any) -> str:
        say = self.say
        text = say("Counted: {population}, {period}.", population=say(measure.denominator_text), period=self.period())
        if everyone is None or everyone.status not in SHOWN or pd.isna(everyone.denominator):
            return text
        text += " " + say("n = {n}.", n=say.count(everyone.denominator))
        if pd.isna(everyone.unknown_citizenship):
            return text
        unknown = int(everyone.unknown_citizenship)
        share = say.share(unknown / everyone.denominator) if everyone.denominator else "0%"
        return (
            text
            + " "
            + say("Citizenship not on file for {unknown} ({share}).", unknown=say.count(unknown), share=share)
        )

    def left_out(self, names: Sequence[str]) -> list[str]:
        """What the picture does not draw since no number of it can be shown; the table still has its rows."""
        if len(names) > MOST_LEFT_OUT:
            return [self.say("Rows of the table that are not drawn, since no number of them can be shown: {count}.", count=self.say.count(len(names)))]  # fmt: skip
        return [self.say("Not drawn, since no number of it can be shown: {names}.", names="; ".join(names))] if names else []  # fmt: skip

    def _both(self, gap: Any) -> str:
        """The cases on both sides of a comparison, in words that no line ends between."""
        sides = gap.denominator, gap.reference_denominator
        count = "–" if any(pd.isna(side) for side in sides) else self.say.count(sum(sides))
        return self.say("n = {n}", n=count).replace(" ", "\N{NO-BREAK SPACE}")

    def hidden_note(self, hidden: int, of: int) -> str:
        return self.say("{hidden} of {all} numbers are hidden to protect people; hidden is not zero.", hidden=self.say.count(hidden), all=self.say.count(of))  # fmt: skip

    def rule_note(self) -> str:
        return words.rule(self.say, family=self.public.family)

    def bounds_note(self, gap: Any) -> list[str]:
        if gap is None or gap.status not in SHOWN or not words.could_move(gap):
            return []
        return [self.say(
            "If the citizenship of all were known, the gap between noncitizens and citizens would lie between {low} and {high}.",
            low=self.say.gap(gap.bound_low, gap.unit), high=self.say.gap(gap.bound_high, gap.unit),
        )]  # fmt: skip

    def status_note(self) -> str:
        return self.say("Citizenship is not immigration status.")

    def _no_gap(self, gap: Any) -> str:
        return self.say("cannot be told") if gap.status == "not_estimable" else self.absent(gap.status)

    def _side(self, gap: Any, estimate: float, cases: Any) -> str:
        if gap.status not in SHOWN:
            return self._no_gap(gap)
        count = self.say("n = {n}", n=self.say.count(cases))
        return f"{self.say.share(estimate, digits=1)} ({count})"

    def _count(self, row: Any) -> str:
        return self.absent(row.status) if pd.isna(row.denominator) else self.say.count(row.denominator)

    def mark(self, series: str, row: Any) -> Mark:
        if row.status not in SHOWN:
            return Mark(series=series, status=row.status, text=self.value(row))
        return Mark(
            series=series, status=row.status, estimate=float(row.estimate), low=_number(row.ci_low), high=_number(row.ci_high),
            text=self.value(row),
        )  # fmt: skip

    def _gap_mark(self, gap: Any) -> Mark:
        if gap.status not in SHOWN:
            return Mark(series="noncitizen", status=gap.status, text=self._no_gap(gap))
        return Mark(
            series="noncitizen", status=gap.status, estimate=float(gap.difference), low=_number(gap.difference_low),
            high=_number(gap.difference_high), bound_low=_number(gap.bound_low), bound_high=_number(gap.bound_high),
            text=self.say.gap(gap.difference, "share"),
        )  # fmt: skip

    def check(self, measure: Any, row: Any, *, table: str = "") -> Check | None:
        if row is None or row.status not in SHOWN:
            return None
        columns = [c for c in ("numerator", "denominator") if not pd.isna(getattr(row, c))]
        return Check(
            table=table or measure.mart, columns=(*columns, "estimate"),
            where={c: getattr(row, c) for c in ("measure_id", "period", "race", "citizenship", "offence_group", "stratum")},
            expected=(*(int(getattr(row, c)) for c in columns), round(float(row.estimate), 4)),
        )  # fmt: skip


def query(measure: Any) -> str:
    """The SQL that counts a measure in the office's own database: what the mart ran, written out."""
    groups = "quarter, race, citizenship, offence_group"
    stratum = f",\n       {measure.stratum} as stratum" if measure.stratum else ""
    population = f"({measure.denominator or 'true'})"
    if measure.kind in ("distribution", "time_to_event", "total"):
        outcome = f",\n       {measure.outcome} as outcome" if measure.outcome else ""
        return f"select {groups}{stratum},\n       {measure.value} as value{outcome},\n       count(*) as cases\nfrom marts.{measure.fact}\nwhere quarter is not null\n  and {population}\ngroup by all\norder by all"  # fmt: skip
    if measure.kind == "rate":
        answer = f"({measure.numerator})"
        return f"select {groups}{stratum},\n       count(*) filter (where {answer}) as numerator,\n       count(*) filter (where {answer} is not null) as denominator\nfrom marts.{measure.fact}\nwhere quarter is not null\n  and {population}\ngroup by all\norder by all"  # fmt: skip
    return f"select {groups}{stratum},\n       count(*) as numerator\nfrom marts.{measure.fact}\nwhere quarter is not null\n  and {population}\ngroup by all\norder by all"  # fmt: skip


def alike(pairs: Sequence[tuple[Any, Any]]) -> list[list[tuple[Any, Any]]]:
    """Measures with their gaps, those together that say the same of the same people, be it from the other side.

    What is not shown says nothing, and is alike to nothing else.
    """
    found: dict[object, list[tuple[Any, Any]]] = {}
    for measure, gap in pairs:
        shown = gap.status in SHOWN
        counts = from_either_side([int(getattr(gap, c)) for c in BOTH_SIDES]) if shown else measure.measure_id
        found.setdefault(counts, []).append((measure, gap))
    return list(found.values())


def told_once(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Of measures whose gaps say the same, the first."""
    return [same[0] for same in alike(pairs)]


def slug(name: str) -> str:
    """The name as an id of HTML."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)

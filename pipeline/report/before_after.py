"""What changed after a policy took effect: from the published quarters of the measures that it was meant to move.

A year on each side, so that no season is compared with another. No cause is ever named: other dates saw changes as
well (their share is the p-value, given from forty quarters on), other law changed nearby, and noncitizens and citizens
are compared only where they had moved alike before. So is a measure with the one that the office declared for comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipeline.measures import periods
from pipeline.report.story import Story
from pipeline.report.tables import ALL, SHOWN, records
from pipeline.stats.trends import Change, alike_before, change_at

MART = "policy"
#: Quarters on each side.
WINDOW = 4
#: Below this the two groups did not move alike before.
ALIKE = 0.05


@dataclass(frozen=True, kw_only=True)
class Series:
    """Published counts of a rate by quarter, NaN where hidden or without a case, without the quarter of the change."""

    events: np.ndarray
    cases: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        rate: np.ndarray = np.divide(
            self.events, self.cases, out=np.full(len(self.cases), np.nan), where=self.cases > 0
        )
        return rate

    def around(self, changed_at: int) -> tuple[float, float]:
        """Mean rate of the year before and of the year since."""
        rate = self.rate
        return float(rate[changed_at - WINDOW : changed_at].mean()), float(
            rate[changed_at : changed_at + WINDOW].mean()
        )


@dataclass(frozen=True, kw_only=True)
class Control:
    """A measure that the office declared the policy should not move: its change, and the target's less that."""

    measure: Any
    change: float
    less: Change | None
    alike: float

    @property
    def is_comparison(self) -> bool:
        """Both are known, and had moved alike before."""
        return self.alike >= ALIKE and not np.isnan(self.change)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One version of a policy and a measure it should move: the change among all, and between the two groups."""

    policy: Any
    measure: Any
    before: float
    since: float
    change: Change | None
    noncitizens: float
    citizens: float
    between: Change | None
    alike: float
    control: Control | None


def told(story: Story) -> dict[str, Any]:
    """What the page of policies says of changes: sentences, dates, and three tables (header and rows)."""
    found = targets(story)
    return {
        "sentences": list(sentences(story, found)),
        "timeline": timeline(story),
        "changes": changes(story, found),
        "beside": beside(story, found),
        "between": between(story, found),
    }


def targets(story: Story) -> list[Target]:
    """The policies with a year on both sides, and a rate; in the order of their dates."""
    public = story.public
    rates = {m.measure_id: m for m in records(public.catalogue) if m.kind == "rate"}
    found = []
    for policy in public.policies:
        measure = rates.get(policy["measure_id"])
        place = _place(story, date.fromisoformat(policy["effective_from"]))
        if measure is None or place is None:
            continue
        dropped, changed_at = place
        series = {c: _series(story, measure.measure_id, c, dropped) for c in (ALL, "noncitizen", "citizen")}
        one, other = series["noncitizen"], series["citizen"]
        sides = {c: s.around(changed_at) for c, s in series.items()}
        between = change_at(one.rate, changed_at=changed_at, comparison=other.rate, window=WINDOW)
        found.append(
            Target(
                policy=policy,
                measure=measure,
                before=sides[ALL][0],
                since=sides[ALL][1],
                change=change_at(series[ALL].rate, changed_at=changed_at, window=WINDOW),
                noncitizens=sides["noncitizen"][1] - sides["noncitizen"][0],
                citizens=sides["citizen"][1] - sides["citizen"][0],
                between=between,
                alike=alike_before(one.events, one.cases, other.events, other.cases, changed_at=changed_at),
                control=_control(story, rates.get(policy["comparison_measure_id"]), series[ALL], place),
            )
        )
    return found


def _control(story: Story, measure: Any, series: Series, place: tuple[int | None, int]) -> Control | None:
    if measure is None:
        return None
    dropped, changed_at = place
    other = _series(story, measure.measure_id, ALL, dropped)
    before, since = other.around(changed_at)
    return Control(
        measure=measure,
        change=since - before,
        less=change_at(series.rate, changed_at=changed_at, comparison=other.rate, window=WINDOW),
        alike=alike_before(series.events, series.cases, other.events, other.cases, changed_at=changed_at),
    )


def _place(story: Story, effective_from: date) -> tuple[int | None, int] | None:
    """The quarter that belongs to neither side, and where the first full quarter then stands; None without a year each."""
    quarters = [pd.Period(q.replace("-", ""), freq="Q") for q in periods(story.public.settings)[0]]
    quarter = pd.Period(effective_from, freq="Q")
    if quarter not in quarters:
        return None
    at = quarters.index(quarter)
    is_first_day = quarter.start_time.date() == effective_from
    dropped = None if is_first_day else at
    left = len(quarters) - (dropped is not None)
    return (dropped, at) if WINDOW <= at <= left - WINDOW else None


def _series(story: Story, measure_id: str, citizenship: str, dropped: int | None) -> Series:
    quarters = periods(story.public.settings)[0]
    rows = [story.public.cell(measure_id, period=q, citizenship=citizenship) for q in quarters]
    known = [row is not None and row.status in SHOWN and not pd.isna(row.numerator) for row in rows]
    counts = np.array(
        [[row.numerator, row.denominator] if ok else [np.nan, np.nan] for ok, row in zip(known, rows, strict=True)],
        dtype=float,
    ).reshape(-1, 2)
    if dropped is not None:
        counts = np.delete(counts, dropped, axis=0)
    return Series(events=counts[:, 0], cases=counts[:, 1])


def changes(story: Story, found: Sequence[Target]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each policy and measure, a year before and a year since."""
    say = story.say
    header = [
        say("Policy"), say("In force since"), say("Measure"), say("Year before"), say("Year since"), say("Change"),
        say("Expected"), say("Other dates with as large a change"), say("Other changes within 90 days"),
    ]  # fmt: skip
    expected = {"up": say("more"), "down": say("less")}
    return header, [
        [
            t.policy["title"], say.day(date.fromisoformat(t.policy["effective_from"])), say(t.measure.title),
            _share(story, t.before), _share(story, t.since), _gap(story, t.since - t.before),
            expected.get(t.policy["expected_direction"], "–"), _p_value(story, t.change),
            t.policy["other_changes"] or say("none on the list"),
        ]
        for t in found
    ]  # fmt: skip


def beside(story: Story, found: Sequence[Target]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the change less that of the measure the office declared for comparison, where all can be told."""
    say = story.say
    header = [
        say("Policy"), say("Measure"), say("Compared with"), say("Change"), say("Change of the comparison"),
        say("Difference"), say("Other dates with as large a change"), say("Moved alike before"),
    ]  # fmt: skip
    return header, [
        [
            t.policy["title"], say(t.measure.title), say(t.control.measure.title), _gap(story, t.since - t.before),
            _gap(story, t.control.change), _gap(story, t.since - t.before - t.control.change),
            _p_value(story, t.control.less), _alike(story, t.control.alike),
        ]
        for t in found
        if t.control is not None and not np.isnan(t.since - t.before - t.control.change)
    ]  # fmt: skip


def between(story: Story, found: Sequence[Target]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the change among noncitizens less that among citizens, where all can be told."""
    say = story.say
    header = [
        say("Policy"), say("Measure"), say("Change among noncitizens"), say("Change among citizens"), say("Difference"),
        say("Other dates with as large a change"), say("Moved alike before"),
    ]  # fmt: skip
    return header, [
        [
            t.policy["title"], say(t.measure.title), _gap(story, t.noncitizens), _gap(story, t.citizens),
            _gap(story, t.noncitizens - t.citizens), _p_value(story, t.between), _alike(story, t.alike),
        ]
        for t in found
        if not np.isnan(t.noncitizens - t.citizens)
    ]  # fmt: skip


def sentences(story: Story, found: Sequence[Target]) -> Iterator[str]:
    """What may be said: after the policy, not because of it."""
    say = story.say
    if not found:
        return
    shown = [t for t in found if not np.isnan(t.since - t.before)]
    yield say("{told} of {all} changes after a policy can be told from published quarters.", told=say.count(len(shown)), all=say.count(len(found)))  # fmt: skip
    controls = [t.control for t in shown if t.control is not None]
    if controls:
        yield say(
            "For {declared} of these the office declared a measure that the policy should not move; {alike} of those measures had moved alike before, as far as can be seen, and stand beside it.",
            declared=say.count(len(controls)), alike=say.count(sum(c.is_comparison for c in controls)),
        )  # fmt: skip
    rare = [t for t in shown if t.change is not None and t.change.p_value <= ALIKE]
    for t in sorted(rare, key=lambda t: (-abs(t.since - t.before), t.measure.measure_id))[:3]:
        yield say(
            "In the year after “{policy}” took effect: {measure}, {since}; {before} in the year before. Of all dates, {share} saw as large a change. After the policy, which is not because of it.",
            policy=t.policy["title"], measure=say(t.measure.title), since=_share(story, t.since),
            before=_share(story, t.before), share=say.share(t.change.p_value if t.change else np.nan),
        )  # fmt: skip
        if t.control is not None and t.control.is_comparison:
            yield say(
                "Beside it {measure}, which the policy should not move and which had moved alike before: {change} at the same date. The difference is {difference}, which is no proof of a cause either.",
                measure=say(t.control.measure.title), change=_gap(story, t.control.change),
                difference=_gap(story, t.since - t.before - t.control.change),
            )  # fmt: skip
        elif t.control is not None and t.control.alike < ALIKE:
            yield say("{measure}, declared for comparison, had not moved alike before it, so it is none.", measure=say(t.control.measure.title))  # fmt: skip
        if t.policy["other_changes"]:
            yield say("Within 90 days of it other law changed too: {changes}.", changes=t.policy["other_changes"])
        if t.alike < ALIKE:
            yield say("Noncitizens and citizens had not moved alike before it, so nothing is said of the gap between them.")  # fmt: skip


def timeline(story: Story) -> list[list[str]]:
    """Each version of a policy that should move a measure: title, from, to."""
    say = story.say
    seen = {(p["title"], p["effective_from"], p["effective_to"]) for p in story.public.policies}
    return [
        [title, say.day(date.fromisoformat(start)), say.day(date.fromisoformat(end)) if end else say("in force")]
        for title, start, end in sorted(seen, key=lambda row: (row[1], row[0]))
    ]


def _alike(story: Story, alike: float) -> str:
    if np.isnan(alike):
        return story.say("cannot be told")
    return story.say("yes, as far as can be seen") if alike >= ALIKE else story.say("no: no comparison")


def _share(story: Story, value: float) -> str:
    return story.say("cannot be told") if np.isnan(value) else story.say.share(value, digits=1)


def _gap(story: Story, value: float) -> str:
    return story.say("cannot be told") if np.isnan(value) else story.say.gap(round(value, 9) + 0.0, "share")


def _p_value(story: Story, change: Change | None) -> str:
    if change is None or np.isnan(change.p_value):
        return story.say("too few quarters")
    return story.say.share(change.p_value)

"""The pictures of the way from an arrest to its end: each step among those who reached it and among all arrests, and at
which step the gap between two groups arises. All from the published counts of three measures of the mart `pipeline`.

A share of a gap that arises at a step is arithmetic (`pipeline/stats/decompose.py`). It is no cause, and nobody's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report import figures
from pipeline.report.figures import Mark, Row
from pipeline.report.story import CITIZENSHIPS, Picture, Story
from pipeline.report.tables import ALL, SHOWN, records
from pipeline.stats.decompose import Steps, through_steps
from pipeline.stats.intervals import wilson

MART = "pipeline"
#: Of the races compared, so many are drawn; the table holds all.
MOST_RACES = 3


@dataclass(frozen=True, kw_only=True)
class Way:
    """Nested steps: a mix whose parts, in order, are those who went so far and no further."""

    measure_id: str
    parts: tuple[str, ...]
    steps: tuple[str, ...]


def ways(story: Story) -> tuple[Way, ...]:
    """The ways, their steps in the language of the story."""
    say = story.say
    return (
        Way(
            measure_id="PIP-04",
            parts=(
                "not_charged",
                "charged_without_conviction",
                "convicted_without_custody",
                "sentenced_to_custody",
            ),
            steps=(say("Charged"), say("Convicted"), say("Sentenced to custody")),
        ),
        Way(
            measure_id="PIP-05",
            parts=("not_charged", "charged_and_not_held", "held_to_the_end", "held_and_released"),
            steps=(say("Charged"), say("Held in jail"), say("Released before the end")),
        ),
        Way(
            measure_id="PIP-06",
            parts=("not_convicted", "convicted_otherwise", "convicted_by_plea"),
            steps=(say("Convicted"), say("Convicted by plea")),
        ),
    )


def pictures(story: Story) -> list[Picture]:
    """At most four: the steps by citizenship, and where gaps arise: to custody, to jail, and to custody by race."""
    custody, jail, _ = ways(story)
    to_jail = Way(measure_id=jail.measure_id, parts=jail.parts[:2], steps=jail.steps[:2])
    found = [
        _steps(story),
        _origin(story, custody, contrast="citizenship"),
        _origin(story, to_jail, contrast="citizenship"),
        _origin(story, custody, contrast="race"),
    ]
    return [picture for picture in found if picture is not None]


def reached(story: Story, way: Way, *, race: str = ALL, citizenship: str = ALL) -> np.ndarray | None:
    """How many arrests there are, and how many of them reached each step; None where a count is not shown."""
    rows = [story.public.cell(way.measure_id, race=race, citizenship=citizenship, stratum=part) for part in way.parts]
    first = next((row for row in rows if row is not None and row.status in SHOWN), None)
    if first is None or any(row is not None and row.status not in (*SHOWN, "not_estimable") for row in rows):
        return None
    gone = np.cumsum([0 if row is None or pd.isna(row.numerator) else int(row.numerator) for row in rows])
    counts: np.ndarray = int(first.denominator) - np.concatenate([[0], gone])[: len(way.steps) + 1]
    return counts


def _steps(story: Story) -> Picture | None:
    """Each step per arrest, by citizenship, with its share of those at the step before in the table."""
    say = story.say
    groups = (ALL, *CITIZENSHIPS)
    name = {c: story.citizenship_name[c] if c != ALL else say("Everyone") for c in groups}
    drawn: dict[str, list[Mark]] = {}
    table: list[list[str]] = []
    everyone: dict[str, str] = {}
    for way in ways(story):
        counts = {c: reached(story, way, citizenship=c) for c in groups}
        for place, step in enumerate(way.steps, start=1):
            if step in drawn:
                continue
            drawn[step] = [_share(story, c, counts[c], place) for c in CITIZENSHIPS]
            for c in groups:
                row, n = _share(story, c, counts[c], place), counts[c]
                if n is None:
                    table.append([step, name[c], row.text, "–", "–", "–", "–"])
                    continue
                low, high = wilson(n[place], n[0]).low, wilson(n[place], n[0]).high
                table.append([
                    step, name[c], say.count(n[place]), say.count(n[0]), say.share(n[place] / n[0], digits=1),
                    story.interval(float(low), float(high), "share"),
                    say.share(n[place] / n[place - 1], digits=1) if n[place - 1] else "–",
                ])  # fmt: skip
                if c == ALL:
                    everyone[step] = row.text
    contact = story.public.cell("PIP-07")
    if contact is not None and contact.status in SHOWN:
        step = say("Met by ICE, as far as recorded")
        cells = {c: story.public.cell("PIP-07", citizenship=c) for c in CITIZENSHIPS}
        drawn[step] = [
            story.mark(c, row) if row else Mark(series=c, status="not_estimable") for c, row in cells.items()
        ]
        for c in groups:
            row = story.public.cell("PIP-07", citizenship=c)
            if row is not None:
                told = row.status in SHOWN
                table.append([
                    step, name[c], say.count(row.numerator) if told else story.absent(row.status),
                    say.count(row.denominator) if told else "–", story.value(row, digits=1),
                    story.interval(row.ci_low, row.ci_high, "share"), "–",
                ])  # fmt: skip
    custody = ways(story)[0]
    whole = reached(story, custody)
    if whole is None or not whole[0]:
        return None
    title = say(
        "Of every 100 arrests, {charged} led to charges, {convicted} to a conviction and {custody} to a sentence of custody",
        **{step: say.count(100 * count / whole[0]) for step, count in zip(("charged", "convicted", "custody"), whole[1:], strict=True)},
    )  # fmt: skip
    measures = [m for m in story.public.of_mart(MART) if m.measure_id == custody.measure_id]
    lost = [story.quoted(m) for m in story.public.of_mart(MART) if m.measure_id == "PIP-01"]
    rows = _rows(story, [way.measure_id for way in ways(story)], race=False)
    return Picture(
        id="pipeline-steps",
        title=title,
        lead=say("Each step as a share of all arrests followed for two years, whatever became of those before."),
        alt=f"{title}. " + "; ".join(f"{step}: {text}" for step, text in everyone.items()) + ".",
        notes=[
            say("Arrests from {period}, by what was on file on the day of the arrest; each followed for two years.", period=story.period()),
            say("The last column of the table says how many passed of those at the step before. Multiplied along the way, these shares give the share of all arrests; the audit checks that they do."),
            *(say("Arrests that the records lose on the way are in none of these numbers; they are counted in {title}.", title=title) for title in lost),
            story.status_note(),
        ],
        header=[say("Step"), say("Citizenship"), say("Reached it"), say("Arrests"), say("Of all arrests"), say("95% interval"), say("Of those at the step before")],
        table=table,
        figure=lambda width: figures.dots(
            [Row(label=step, marks=marks) for step, marks in drawn.items()],
            series={c: name[c] for c in CITIZENSHIPS}, unit="share", say=say, width=width,
        ),
        rows=rows, source=MART, measures=measures,
        check=story.check(measures[0], story.public.cell(custody.measure_id, stratum=custody.parts[-1])),
    )  # fmt: skip


def _share(story: Story, series: str, counts: np.ndarray | None, place: int) -> Mark:
    if counts is None:
        return Mark(series=series, status="suppressed", text=story.absent("suppressed"))
    if not counts[0]:
        return Mark(series=series, status="not_estimable", text=story.absent("not_estimable"))
    limits = wilson(counts[place], counts[0])
    share = float(counts[place] / counts[0])
    return Mark(
        series=series, status="ok", estimate=share, low=float(limits.low), high=float(limits.high),
        text=story.say.share(share, digits=1),
    )  # fmt: skip


def _origin(story: Story, way: Way, *, contrast: str) -> Picture | None:
    """The gap per arrest at the last step of a way, as the sum of what each step adds."""
    say, settings = story.say, story.public.settings
    by_race = contrast == "race"
    reference = reached(story, way, **({"race": settings.reference_race} if by_race else {"citizenship": settings.reference_citizenship}))  # fmt: skip
    others = [race for race in story.races if race not in (settings.reference_race, "unknown")] if by_race else ["noncitizen"]  # fmt: skip
    found: dict[str, tuple[np.ndarray, Steps]] = {}
    for group in others:
        counts = reached(story, way, **({"race": group} if by_race else {"citizenship": group}))
        if reference is None or counts is None or not reference[-2] or not counts[-2]:
            continue
        found[group] = counts, through_steps(counts, reference)
    if reference is None or not found:
        return None
    names = story.race_name if by_race else story.citizenship_name
    widest = sorted(found, key=lambda group: (-abs(found[group][1].gap), group))[:MOST_RACES]
    drawn, table = [], []
    for group, (counts, steps) in found.items():
        parts = [(step, float(steps.parts[i]), float(steps.limits.low[i]), float(steps.limits.high[i])) for i, step in enumerate(way.steps)]  # fmt: skip
        for i, (step, part, low, high) in enumerate(parts):
            label = f"{names.get(group, group)}: {step}" if by_race else step
            if group in widest:
                drawn.append(Row(label=label, marks=[Mark(series="noncitizen", status="ok", estimate=part, low=low, high=high, text=say.gap(part, "share"))]))  # fmt: skip
            table.append([
                names.get(group, group), step, say.share(steps.passed[i], digits=1), say.share(steps.reference_passed[i], digits=1),
                say.gap(part, "share"), story.interval(low, high, "share", signed=True),
            ])  # fmt: skip
        table.append([
            names.get(group, group), say("All steps: the gap per arrest"), say.share(counts[-1] / counts[0], digits=1),
            say.share(reference[-1] / reference[0], digits=1), say.gap(steps.gap, "share"), "–",
        ])  # fmt: skip
    side = names.get(settings.reference_race, "") if by_race else say("citizens")
    title = _title(story, way, found, names, by_race=by_race)
    measures = [m for m in story.public.of_mart(MART) if m.measure_id == way.measure_id]
    first = story.public.cell(
        way.measure_id, stratum=way.parts[0],
        **({"race": settings.reference_race} if by_race else {"citizenship": settings.reference_citizenship}),
    )  # fmt: skip
    lower, higher = (
        (say("lower than in the reference group"), say("higher than in the reference group"))
        if by_race
        else (say("lower for noncitizens"), say("higher for noncitizens"))
    )
    return Picture(
        id=f"pipeline-origin-{way.measure_id.lower()}-{contrast}",
        title=title,
        lead=say("The gap in “{end}” per arrest, as the sum of what each step adds to it (Kitagawa 1955). Compared with: {reference}.", end=way.steps[-1], reference=side),
        alt=f"{title}. " + "; ".join(f"{row.label}: {row.marks[0].text}" for row in drawn) + ".",
        notes=[
            say("This is arithmetic and no cause. It says at which step the shares part, not why, and not through whom."),
            say("Each step is weighed with the mean share of both groups that reached it, and carried to the end with the mean share that passes what follows. The parts sum to the gap."),
            say("Who reaches a step may already differ. A step that adds nothing may still treat like people unlike."),
            say("Line: 95% interval, as if each arrest were of another person. People arrested more than once make it somewhat too narrow."),
            *([say("Drawn are the {count} groups with the widest gaps; the table holds all that can be shown.", count=say.count(len(widest)))] if len(widest) < len(found) else []),
            story.status_note(),
        ],
        header=[say("Group"), say("Step"), say("Of those at the step before"), say("The same in the reference group"), say("Adds to the gap"), say("95% interval")],
        table=table,
        figure=lambda width: figures.gaps(drawn, lower=lower, higher=higher, say=say, width=width),
        rows=_rows(story, [way.measure_id], race=by_race), source=MART, measures=measures,
        check=story.check(measures[0], first),
    )  # fmt: skip


def _title(
    story: Story, way: Way, found: dict[str, tuple[np.ndarray, Steps]], names: dict[str, str], *, by_race: bool
) -> str:
    """The widest of the gaps that the findings call clear, with the step that adds most to it.

    Where none is clear no group is named, only how much any step adds at most.
    """
    say, end = story.say, way.steps[-1]
    contrast = "race" if by_race else "citizenship"
    is_whole = len(way.parts) > len(way.steps)  # only then the last part of the measure is the last step
    clear = {
        group: steps
        for group, (_, steps) in found.items()
        if is_whole
        and story.clear(story.public.gap(
            way.measure_id, contrast=contrast, race=group if by_race else ALL, stratum=way.parts[-1],
        ))
    }  # fmt: skip
    if not clear:
        most_added = say.gap(max(float(np.abs(steps.parts).max()) for _, steps in found.values()), "share").lstrip("+±")
        by = say("by race") if by_race else say("by citizenship")
        return say("{end}, per arrest: no step adds more than {most} to a gap {by}", end=end, most=most_added, by=by)
    group = max(clear, key=lambda name: (abs(clear[name].gap), name))
    steps = clear[group]
    most = int(np.argmax(steps.parts * np.sign(steps.gap)))
    words = {"end": end, "gap": say.gap(steps.gap, "share"), "step": way.steps[most], "part": say.gap(float(steps.parts[most]), "share")}  # fmt: skip
    if by_race:
        return say("{end}, per arrest: gap of {gap} for {group}, of which {part} arise at “{step}”", group=names.get(group, group), **words)  # fmt: skip
    return say("{end}, per arrest: gap of {gap} for noncitizens, of which {part} arise at “{step}”", **words)


def _rows(story: Story, measures: Sequence[str], *, race: bool) -> pd.DataFrame:
    """The published rows behind a picture: the whole period, by citizenship or by race."""
    other = "citizenship" if race else "race"
    rows: Any = story.public.measures
    rows = rows[
        rows["measure_id"].isin(list(measures))
        & rows["period"].eq(ALL)
        & rows["offence_group"].eq(ALL)
        & rows[other].eq(ALL)
    ]
    return pd.DataFrame([row._asdict() for row in records(rows)])

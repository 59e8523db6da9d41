"""What is said of a gap, in one place for pages, findings and notebooks, in English and Spanish.

A gap is told in this order: what was compared and how big it is; how sure; what is missing; what it does not show. Both
rates stand before their gap, nothing is "times more likely", no cause is named, and what `findings.judge` does not call
clear is "no clear difference", with the gap that so many cases could have shown, and never "no difference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import yaml

from pipeline.findings import CLEAR, NOT_JUDGED, UNCLEAR, rules
from pipeline.measures import SATURATED
from pipeline.report.language import LANGUAGES, Language
from pipeline.report.tables import ALL, SHOWN, headline


@cache
def content() -> dict[str, Any]:
    """The hand-written words, `content.yml`."""
    text = (Path(__file__).parent / "content.yml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def told(findings: Iterable[Mapping[str, Any]], catalogue: pd.DataFrame) -> list[dict[str, Any]]:
    """The findings with their words: `title` and `text` in English, `title_es` and `text_es` in Spanish."""
    measures = {m.measure_id: m for m in catalogue.itertuples(index=False)}
    result = []
    for finding in findings:
        row = SimpleNamespace(**finding)
        words: dict[str, str] = {}
        for say in LANGUAGES:
            end = "" if say.code == "en" else f"_{say.code}"
            if finding["rule"] == "zero_tolerance":
                title = say(row.measure)
                text = say(
                    "Counted in the whole period: {count}. One is too many: each is to be reviewed.",
                    count=say.count(finding["count"]),
                )
            elif finding["rule"] == "target":
                title = say("{title}: less than expected", title=say(row.measure))
                text = off_target(row, measures[row.measure_id], say)
            else:
                group, reference = who(row, say)
                title = say("{title}: a gap between {group} and {reference}", title=say(row.measure), group=group, reference=reference)  # fmt: skip
                text = " ".join(sentences(row, measures[row.measure_id], say, family=row.family_size))
            words |= {f"title{end}": title, f"text{end}": text}
        result.append({**finding, **words})
    return result


def how_many_clear(clear: int, judged: int, say: Language) -> str:
    """In how many of the measures that were judged the gap between noncitizens and citizens is clear; no full stop."""
    if judged == 1:
        return say("Noncitizens and citizens differ clearly in the one measure that was judged") if clear else say("Noncitizens and citizens do not differ clearly in the one measure that was judged")  # fmt: skip
    if not clear:
        return say("Noncitizens and citizens differ clearly in none of {judged} measures", judged=say.count(judged))
    return say("Noncitizens and citizens differ clearly in {clear} of {judged} measures", clear=say.count(clear), judged=say.count(judged))  # fmt: skip


def cannot_be_computed(lost: int, measures: int, say: Language) -> str:
    """How many of some measures the office does not record enough for."""
    if lost == 1:
        return say("One of {all} measures cannot be computed, since the office does not record what it needs.", all=say.count(measures))  # fmt: skip
    return say("{count} of {all} measures cannot be computed, since the office does not record what they need.", count=say.count(lost), all=say.count(measures))  # fmt: skip


def off_target(row: Any, measure: Any, say: Language) -> str:
    """A share beside what a law or a promise asks for; `row` is a finding by that rule."""
    words = {
        "value": say.share(row.estimate, digits=1),
        "events": say.count(row.numerator),
        "cases": say.count(row.denominator),
        "unit": say(measure.counted_unit),
        "interval": say.interval(row.ci_low, row.ci_high, "share"),
        "least": say.share(row.at_least),
    }
    if row.period == ALL:
        return say("Over the whole period {value} ({events} of {cases} {unit}; 95% interval {interval}), where at least {least} is expected.", **words)  # fmt: skip
    return say("In {year}, {value} ({events} of {cases} {unit}; 95% interval {interval}), where at least {least} is expected.", year=row.period, **words)  # fmt: skip


def sentences(gap: Any, measure: Any, say: Language, *, family: int) -> list[str]:
    """All that is to be said of one comparison, in the order in which it must be read; [] where no number is shown.

    `gap` is a row of the judged comparisons, `measure` its row of the catalogue, `family` how many were judged with it.
    """
    if gap.status not in SHOWN or pd.isna(gap.difference):
        return []
    return [
        compared(gap, measure, say),
        *how_sure(gap, say, family=family),
        *what_is_missing(gap, say),
        say("The records cannot show why, nor what was not written down."),
    ]


def compared(gap: Any, measure: Any, say: Language) -> str:
    """What was compared, and how big it is on either side."""
    group, reference = who(gap, say)
    title = say(measure.title)
    if gap.stratum not in (ALL, headline(measure)) and gap.contrast != "part":
        title += f" ({label(gap.stratum, say)})"
    words = {"title": title, "group": group, "reference": reference, "unit": say(measure.counted_unit)}
    words |= {"cases": say.count(gap.denominator), "reference_cases": say.count(gap.reference_denominator)}
    digits = 1 if gap.unit == "share" else 0
    words["value"] = say.value(gap.estimate, gap.unit, digits=digits)
    words["reference_value"] = say.value(gap.reference_estimate, gap.unit, digits=digits)
    if gap.unit != "share" or pd.isna(gap.numerator):
        return say("{title}: {value} for {group} ({cases} {unit}) and {reference_value} for {reference} ({reference_cases} {unit}).", **words)  # fmt: skip
    words |= {"events": say.count(gap.numerator), "reference_events": say.count(gap.reference_numerator)}
    return say("{title}: {value} for {group} ({events} of {cases} {unit}) and {reference_value} for {reference} ({reference_events} of {reference_cases} {unit}).", **words)  # fmt: skip


def how_sure(gap: Any, say: Language, *, family: int) -> list[str]:
    """The gap with its interval, and what the declared rule makes of it."""
    declared = rules()["gaps"]
    words = {
        "gap": say.gap(gap.difference, gap.unit),
        "interval": say.interval(gap.difference_low, gap.difference_high, gap.unit, signed=True),
        "least": least_gap(say),
        "family": say.count(family),
    }
    if gap.status == "unreliable":
        return [say("The gap is {gap} (95% interval {interval}), from too few cases to say more.", **words)]
    words["q"] = "q < 0.001" if gap.q_value < 0.001 else f"q = {gap.q_value:.1g}"
    if gap.verdict == CLEAR:
        return [say("The gap is {gap} (95% interval {interval}): clear by the rule declared beforehand, among {family} comparisons ({q}).", **words)]  # fmt: skip
    if gap.verdict == UNCLEAR:
        if gap.q_value < declared["false_discovery_rate"]:
            return [say("The gap is {gap} (95% interval {interval}): hardly chance alone, but below the {least} declared beforehand, so it is not called clear.", **words)]  # fmt: skip
        if gap.difference_low > 0 or gap.difference_high < 0:
            return [say("The gap is {gap} (95% interval {interval}), but counting persons, and among {family} comparisons, it does not stand out from chance ({q}), so it is not called clear.", **words)]  # fmt: skip
        found = [say("There is no clear difference: the records fit a gap from {interval}.", **words)]
        if gap.detectable_gap > 0:  # neither missing nor, where all on both sides are alike, none
            least = say.gap(gap.detectable_gap, gap.unit).lstrip("+")
            found.append(
                say("In this many cases a gap of less than {least} could easily have gone unseen.", least=least)
            )
        return found
    return [say("The gap is {gap} (95% interval {interval}). It is not among the comparisons that are judged.", **words)]  # fmt: skip


def rule(say: Language, *, family: int) -> str:
    """The rule by which a gap is called clear."""
    declared = rules()["gaps"]
    return say(
        "A gap is called clear if it is at least {least} wide and, among all {family} comparisons of the audit, at most {rate} of those called clear are to be expected by chance (Benjamini and Hochberg). No clear difference is not the same as no difference.",
        least=least_gap(say), family=say.count(family),
        rate=say.share(declared["false_discovery_rate"]),
    )  # fmt: skip


def least_gap(say: Language) -> str:
    """The least width of a gap that is called clear: 5 points."""
    return f"{say.number(rules()['gaps']['least_gap'] * 100)} {say('points')}"


def what_is_missing(gap: Any, say: Language) -> list[str]:
    """What unknown citizenship could do to the gap; nothing for a gap between races."""
    if gap.contrast in ("race", "part") or not could_move(gap):
        return []
    words = {"low": say.gap(gap.bound_low, gap.unit), "high": say.gap(gap.bound_high, gap.unit)}
    found = [say("Whatever the citizenship of those without any on file, the gap would lie between {low} and {high}.", **words)]  # fmt: skip
    if undone(gap) and gap.verdict == CLEAR:
        found.append(say("So those without any on file could turn it round."))
    return found


def with_facts_alike(row: Any, say: Language) -> list[str]:
    """What an adjusted gap says: what was held equal, what is left, and what that leaves out; [] where none is shown."""
    if row.status not in SHOWN or (pd.isna(row.difference) and pd.isna(row.amount_ratio)):
        return []
    group, reference = who(row, say)
    words = {"facts": say.listed([fact(name, say) for name in row.held_equal.split()]), "group": group, "reference": reference}  # fmt: skip
    found = []
    if not pd.isna(row.difference):
        interval = say.interval(row.difference_low, row.difference_high, "share", signed=True)
        found.append(say("With {facts} alike, the gap between {group} and {reference} is {gap} (95% interval {interval}); {usable} of the cases have a counterpart.", **words, gap=say.gap(row.difference, "share"), interval=interval, usable=say.share(row.usable)))  # fmt: skip
        if row.difference_low <= 0 <= row.difference_high:
            found.append(say("That leaves open which way it goes."))
        elif not pd.isna(row.difference_if_omitted_as_strong):
            found.append(say("Had something unrecorded mattered as much as {benchmark}, it would be {gap}.", benchmark=fact(row.benchmark, say), gap=say.gap(row.difference_if_omitted_as_strong, "share")))  # fmt: skip
        if not pd.isna(row.without_one_low):
            ends = dict.fromkeys(say.gap(end, "share") for end in (row.without_one_low, row.without_one_high))
            said = say.interval(row.without_one_low, row.without_one_high, "share", signed=True) if len(ends) > 1 else next(iter(ends))  # fmt: skip
            found.append(say("Leaving out any one of the larger arresting agencies, it would be {ends}.", ends=said))
        if not pd.isna(row.against_all_others):
            others = say.gap(row.against_all_others, "share")
            found.append(say("Against everyone else on file, and not {reference} alone, it is {gap}.", **words, gap=others))  # fmt: skip
    if not pd.isna(row.amount_ratio):
        found.append(say("With {facts} alike, and where there is any, the amount for {group} is {ratio} times that for {reference} (95% interval {low} to {high}; geometric means).", **words, ratio=say.number(row.amount_ratio), low=say.number(row.amount_ratio_low), high=say.number(row.amount_ratio_high)))  # fmt: skip
    if not pd.isna(row.profile_ratio):
        profile = ", ".join(f"{fact(name, say)}: {say(level.replace('_', ' '))}" for name, level in (part.split("=") for part in row.profile.split(";")))  # fmt: skip
        found.append(say("Over everybody that is {rate} for {group} and {reference_rate} for {reference}, a ratio of {ratio}. At one profile alone ({profile}) the same model gives {profile_ratio}: a figure for such people, not for the groups.", **words, rate=say.share(row.rate, digits=1), reference_rate=say.share(row.reference_rate, digits=1), ratio=say.number(row.ratio), profile=profile, profile_ratio=say.number(row.profile_ratio)))  # fmt: skip
    if row.given:
        found.append(left_out(row.given, say))
    return found


def counted_by(rows: Iterable[Any], say: Language) -> list[str]:
    """Whose number the intervals of adjusted gaps go by; [] where cases were taken as independent."""
    found = {row.counted_by for row in rows if row.status in SHOWN}
    if found & {"person_and_unit", "person_and_prosecutor"}:
        return [say("The intervals count persons, and those who decided, not their cases.")]
    return [say("The intervals count persons, not their cases.")] if "person" in found else []


def left_out(given: str, say: Language) -> str:
    """What a gap given a later stage does not show."""
    return say("Not fixed before the decision: {given}. What went through it is left out of these gaps.", given=say(given))  # fmt: skip


def fact(name: str, say: Language) -> str:
    """What a fact that is held equal is called in a sentence."""
    return say(str(content()["facts"].get(name, name.replace("_", " "))))


def too_young(measure: Any, row: Any, say: Language) -> str:
    """What a row says of a rate that all of its youngest cases meet; '' if it says nothing of the kind."""
    pattern = re.escape(SATURATED)
    for name in ("since", "cases", "before"):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>[0-9-]+)")
    found = re.fullmatch(pattern, row.reason)
    if found is None:
        return ""
    return say(
        "{title}: since {since} every case has this outcome (about {cases} {unit}), against {before} before. If those without it were too young to be in the records, {share} is too high.",
        title=say(measure.title), since=say.month(f"{found['since']}-01"), cases=say.count(int(found["cases"])),
        unit=say(measure.counted_unit), before=say.share(int(found["before"]) / 100), share=say.share(row.estimate),
    )  # fmt: skip


def verdict(gap: Any, say: Language) -> str:
    """What a table says of a gap between noncitizens and citizens, in two or three words."""
    if gap is None or gap.status not in SHOWN:
        return ""
    if gap.status == "unreliable":
        return say("few cases")
    if gap.verdict == NOT_JUDGED:
        return say("not judged")
    if gap.verdict != CLEAR:
        return say("no clear difference")
    word = say("higher for noncitizens") if gap.difference > 0 else say("lower for noncitizens")
    return f"{word} †" if undone(gap) else word


def could_move(gap: Any) -> bool:
    """Whether the gap would be another, if more were known of citizenship."""
    return bool(gap.bound_low < gap.bound_high)  # and neither is missing


def undone(gap: Any) -> bool:
    """Whether unknown citizenship, at worst, turns the gap around."""
    return bool(gap.bound_low < 0 < gap.bound_high)


def who(row: Any, say: Language) -> tuple[str, str]:
    """Group and reference group, as they stand in the middle of a sentence."""
    if row.contrast == "race":
        return _of_race(row.race, say), _of_race(row.reference_race, say)
    if row.contrast == "part":
        return say("“{part}”", part=label(row.stratum, say)), say("“{part}”", part=label(row.reference_stratum, say))
    if row.race == ALL:
        return say("noncitizens"), say("citizens")
    if row.race == "unknown":
        return say("noncitizens whose race is not on file"), say("citizens whose race is not on file")
    race = _race(row.race, say)
    return say("noncitizens recorded as {race}", race=race), say("citizens recorded as {race}", race=race)


def _of_race(code: str, say: Language) -> str:
    if code == "unknown":
        return say("people whose race is not on file")
    return say("people recorded as {race}", race=_race(code, say))


def _race(code: str, say: Language) -> str:
    return say(str(content()["races"].get(code, code.replace("_", " "))))


def label(code: str, say: Language) -> str:
    """The code of a part as words: `pre_plea` is `pre plea`, `ror` is `release on recognizance`."""
    return say(str(content()["codes"].get(code, code.replace("_", " "))))

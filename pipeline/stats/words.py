"""A gap in words, English and Spanish: what was compared, how big, how sure, what is missing, what it does not show.

Rules that hold in both languages: the two rates stand before their ratio; nothing is "times more likely"; a gap that
cannot be told from nothing is "no clear difference" and never "no difference"; no sentence names a cause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "es"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One group: its name in the language of the sentence (`noncitizens`), events and cases."""

    name: str
    events: int
    cases: int


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What a sentence is made from. Shares between 0 and 1, differences likewise; NaN where there is none.

    `outcome` completes "the share of cases ...", in the language of the sentence ("in which charges were filed").
    `held_equal` names what was held equal, `given` the office's own decision among it.
    """

    outcome: str
    group: Side
    reference: Side
    difference: float
    low: float
    high: float
    unknown_cases: int = 0
    bound_low: float = math.nan
    bound_high: float = math.nan
    detectable: float = math.nan
    held_equal: tuple[str, ...] = ()
    given: str = ""


_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "rates": "The share of cases {outcome}: {group_rate} for {group} ({group_events} of {group_cases}), "
        "{reference_rate} for {reference} ({reference_events} of {reference_cases}).",
        "equal": "With {facts} alike",
        "given": " and given {given}",
        "gap": "{lead} the share is {points} points {direction} for {group} (95% interval {low} to {high}).",
        "crude": "Overall,",
        "higher": "higher",
        "lower": "lower",
        "unclear": "{lead} there is no clear difference: the data fit a gap between {low} and {high} points.",
        "few": "There are too few cases to say more.",
        "detectable": "A table of this size could hardly show a gap smaller than {points} points.",
        "unknown": "For {cases} further cases citizenship is not known; whatever it were, the gap would lie between {low} "
        "and {high} points.",
        "undone": "So the unknown cases alone could turn the gap round.",
        "survivors": "What went through {given} is left out of this gap.",
        "limits": "The records cannot show why, and not what was not written down.",
        "and": " and ",
    },
    "es": {
        "rates": "Proporción de casos {outcome}: {group_rate} de {group} ({group_events} de {group_cases}), "
        "{reference_rate} de {reference} ({reference_events} de {reference_cases}).",
        "equal": "Con {facts} iguales",
        "given": " y dado {given}",
        "gap": "{lead} la proporción es {points} puntos {direction} para {group} (intervalo del 95 %: de {low} a {high}).",
        "crude": "En conjunto,",
        "higher": "mayor",
        "lower": "menor",
        "unclear": "{lead} no hay una diferencia clara: los datos son compatibles con una brecha de entre {low} y {high} "
        "puntos.",
        "few": "Hay muy pocos casos para decir más.",
        "detectable": "Una tabla de este tamaño difícilmente mostraría una brecha menor de {points} puntos.",
        "unknown": "En {cases} casos más no consta la ciudadanía; fuera cual fuera, la brecha estaría entre {low} y {high} "
        "puntos.",
        "undone": "Es decir, los casos sin dato bastan para invertir la brecha.",
        "survivors": "Lo que pasó por {given} queda fuera de esta brecha.",
        "limits": "Los registros no pueden mostrar el porqué, ni lo que no se anotó.",
        "and": " y ",
    },
}


def sentences(gap: Gap, *, language: Language = "en") -> tuple[str, ...]:
    """The sentences of one gap, in the order in which they must be read."""
    words = _WORDS[language]

    def points(value: float, *, signed: bool = True) -> str:
        text = f"{100 * value:{'+' if signed else ''}.1f}"
        text = text.replace("-", "\N{MINUS SIGN}")
        return text if language == "en" else text.replace(".", ",")

    def share(side: Side) -> str:
        if not side.cases:
            return "\N{EN DASH}"
        text = f"{100 * side.events / side.cases:.1f}"
        return f"{text}%" if language == "en" else f"{text.replace('.', ',')} %"

    def count(number: int) -> str:
        return f"{number:,}" if language == "en" else f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")

    told = [
        words["rates"].format(
            outcome=gap.outcome,
            group=gap.group.name,
            reference=gap.reference.name,
            group_rate=share(gap.group),
            reference_rate=share(gap.reference),
            group_events=count(gap.group.events),
            group_cases=count(gap.group.cases),
            reference_events=count(gap.reference.events),
            reference_cases=count(gap.reference.cases),
        )
    ]
    lead = words["crude"]
    if gap.held_equal:
        facts = words["and"].join(filter(None, [", ".join(gap.held_equal[:-1]), gap.held_equal[-1]]))
        lead = words["equal"].format(facts=facts) + (words["given"].format(given=gap.given) if gap.given else "") + ","
    if any(math.isnan(value) for value in (gap.difference, gap.low, gap.high)):
        told.append(words["few"])
    elif gap.low <= 0 <= gap.high:
        told.append(words["unclear"].format(lead=lead, low=points(gap.low), high=points(gap.high)))
        if not math.isnan(gap.detectable):
            told.append(words["detectable"].format(points=points(gap.detectable, signed=False)))
    else:
        told.append(
            words["gap"].format(
                lead=lead,
                points=points(abs(gap.difference), signed=False),
                direction=words["higher" if gap.difference > 0 else "lower"],
                group=gap.group.name,
                low=points(gap.low),
                high=points(gap.high),
            )
        )
    if gap.unknown_cases and not math.isnan(gap.bound_low) and not math.isnan(gap.bound_high):
        told.append(
            words["unknown"].format(
                cases=count(gap.unknown_cases), low=points(gap.bound_low), high=points(gap.bound_high)
            )
        )
        if gap.bound_low < 0 < gap.bound_high and not gap.low <= 0 <= gap.high:
            told.append(words["undone"])
    if gap.given:
        told.append(words["survivors"].format(given=gap.given))
    return (*told, words["limits"])

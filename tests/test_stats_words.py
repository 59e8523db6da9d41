"""A gap in words: every part is there, and what must never be said is not."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

import pytest

from pipeline.stats.words import Gap, Language, Side, sentences

CLEAR = Gap(
    outcome="in which charges were filed",
    group=Side(name="noncitizens", events=640, cases=1000),
    reference=Side(name="citizens", events=2700, cases=5000),
    difference=0.10,
    low=0.067,
    high=0.132,
    unknown_cases=1200,
    bound_low=-0.02,
    bound_high=0.21,
    detectable=0.05,
)
LANGUAGES: tuple[Language, ...] = ("en", "es")
NEVER = {
    "en": r"times (more|as) likely|no disparity|no difference|because|caused|due to|odds|discriminat",
    "es": r"veces más probable|sin disparidad|ninguna diferencia|porque|causad|debido a|momios|discrimin",
}


def test_a_clear_gap_in_english_is_told_in_order() -> None:
    assert sentences(CLEAR) == (
        (
            "The share of cases in which charges were filed: 64.0% for noncitizens (640 of 1,000), 54.0% for citizens "
            "(2,700 of 5,000)."
        ),
        "Overall, the share is 10.0 points higher for noncitizens (95% interval +6.7 to +13.2).",
        (
            "For 1,200 further cases citizenship is not known; whatever it were, the gap would lie between \u22122.0 and +21.0 "
            "points."
        ),
        "So the unknown cases alone could turn the gap round.",
        "The records cannot show why, and not what was not written down.",
    )


def test_a_clear_gap_in_spanish_has_spanish_numbers() -> None:
    told = sentences(replace(CLEAR, outcome="con cargos presentados"), language="es")
    assert told[0].startswith("Proporción de casos con cargos presentados: 64,0 % de noncitizens (640 de 1\u00a0000)")
    assert (
        told[1]
        == "En conjunto, la proporción es 10,0 puntos mayor para noncitizens (intervalo del 95 %: de +6,7 a +13,2)."
    )
    assert told[-1] == "Los registros no pueden mostrar el porqué, ni lo que no se anotó."


def test_an_interval_that_holds_zero_is_no_clear_difference_with_what_could_have_been_seen() -> None:
    told = sentences(replace(CLEAR, low=-0.01, high=0.08, unknown_cases=0))
    assert told[1] == "Overall, there is no clear difference: the data fit a gap between \u22121.0 and +8.0 points."
    assert told[2] == "A table of this size could hardly show a gap smaller than 5.0 points."


def test_an_adjusted_gap_names_what_was_held_equal_and_what_was_given() -> None:
    told = sentences(
        replace(CLEAR, held_equal=("quarter", "race", "offence"), given="the offence charged", unknown_cases=0)
    )
    assert told[1].startswith(
        "With quarter, race and offence alike and given the offence charged, the share is 10.0 points"
    )
    assert told[2] == "What went through the offence charged is left out of this gap."


def test_too_few_cases_say_nothing_of_a_gap() -> None:
    told = sentences(replace(CLEAR, difference=math.nan, low=math.nan, high=math.nan, unknown_cases=0))
    assert told[1] == "There are too few cases to say more."


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_claims_a_cause_a_likelihood_or_the_absence_of_disparity(language: Language) -> None:
    for low, high, given, unknown in itertools.product((-0.05, 0.02), (0.04, 0.3), ("", "X"), (0, 50)):
        gap = replace(CLEAR, low=low, high=high, given=given, held_equal=("a",) if given else (), unknown_cases=unknown)
        text = " ".join(sentences(gap, language=language)).lower()
        assert not re.search(NEVER[language], text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_tell_the_same_number_of_things(language: Language) -> None:
    assert len(sentences(CLEAR, language=language)) == 5

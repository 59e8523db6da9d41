"""What is said of a gap: the judgement is the declared rule's, and the words claim no more than the numbers."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipeline.findings import CLEAR, NOT_JUDGED, UNCLEAR, judge, rules
from pipeline.report import words
from pipeline.report.language import ENGLISH, LANGUAGES, SPANISH, Language
from pipeline.report.story import told_once

MEASURE = SimpleNamespace(measure_id="CHG-01", title="Filing rate", counted_unit="cases", kind="rate", unit="share")
GAP: dict[str, Any] = {
    "measure_id": "CHG-01", "mart": "charging", "period": "all", "contrast": "citizenship", "race": "all",
    "reference_race": "all", "stratum": "all", "unit": "share", "status": "ok", "difference_method": "newcombe",
    "numerator": 640, "denominator": 1000, "reference_numerator": 2700, "reference_denominator": 5000,
    "estimate": 0.64, "reference_estimate": 0.54, "difference": 0.1, "difference_low": 0.067, "difference_high": 0.132,
    "p_value": 1e-8, "q_value": 1e-8, "bound_low": -0.02, "bound_high": 0.21, "detectable_gap": 0.05, "verdict": CLEAR,
}  # fmt: skip
ADJUSTED: dict[str, Any] = {
    "held_equal": "year race offence_charged", "given": "the offence charged", "usable": 0.97, "benchmark": "offence_charged",
    "difference_if_omitted_as_strong": 0.06, "amount_ratio": float("nan"), "profile_ratio": float("nan"),
    "without_one_low": 0.072, "without_one_high": 0.118, "against_all_others": 0.085, "counted_by": "person",
}  # fmt: skip
NEVER = {
    "en": r"times (more|as) likely|no disparity|is no difference|because|caused|due to|odds|discriminat",
    "es": r"veces más probable|sin disparidad|ninguna diferencia|porque|causad|debido a|momios|discrimin",
}


def told(say: Language = ENGLISH, **change: Any) -> list[str]:
    return words.sentences(SimpleNamespace(**(GAP | change)), MEASURE, say, family=60)


def test_a_clear_gap_is_told_in_order() -> None:
    assert told() == [
        "Filing rate: 64.0% for noncitizens (640 of 1,000 cases) and 54.0% for citizens (2,700 of 5,000 cases).",
        "The gap is +10 points (95% interval +6.7 to +13 points): clear by the rule declared beforehand, among 60 comparisons (q < 0.001).",
        "Whatever the citizenship of those without any on file, the gap would lie between −2.0 points and +21 points.",
        "So those without any on file could turn it round.",
        "The records cannot show why, nor what was not written down.",
    ]


def test_what_the_rule_does_not_call_clear_is_no_clear_difference_with_what_could_have_been_seen() -> None:
    unclear = told(verdict=UNCLEAR, q_value=0.2, difference=0.03, difference_low=-0.01, difference_high=0.08)
    assert unclear[1:3] == [
        "There is no clear difference: the records fit a gap from −1.0 to +8.0 points.",
        "In this many cases a gap of less than 5.0 points could easily have gone unseen.",
    ]


def test_an_interval_without_zero_that_the_rule_does_not_call_clear_says_why() -> None:
    wide = told(verdict=UNCLEAR, q_value=0.2, difference=-0.07, difference_low=-0.13, difference_high=-0.02)
    assert wide[1] == (
        "The gap is −7.0 points (95% interval −13 to −2.0 points), but counting persons, and among 60 comparisons, it does "
        "not stand out from chance (q = 0.2), so it is not called clear."
    )
    assert "easily have gone unseen" not in " ".join(wide), "it was seen"


def test_one_measure_that_cannot_be_computed_is_one() -> None:
    assert words.cannot_be_computed(1, 27, ENGLISH).startswith("One of 27 measures cannot be computed")
    assert words.cannot_be_computed(1, 27, SPANISH).startswith("Una de 27 medidas no puede calcularse")
    assert words.cannot_be_computed(2, 27, ENGLISH).startswith("2 of 27 measures cannot")


def test_measures_that_say_the_same_of_the_same_people_are_counted_once_be_it_from_the_other_side() -> None:
    sides = {"numerator": 229, "denominator": 879, "reference_numerator": 90, "reference_denominator": 400}
    other = sides | {"numerator": 650, "reference_numerator": 310}
    third = sides | {"numerator": 230}
    gaps = [
        (name, SimpleNamespace(status="ok", **counts)) for name, counts in (("a", sides), ("b", other), ("c", third))
    ]
    assert [name for name, _ in told_once(gaps)] == ["a", "c"]


def test_a_sure_gap_below_the_least_width_is_said_to_be_below_it() -> None:
    small = told(verdict=UNCLEAR, difference=0.03, difference_low=0.02, difference_high=0.04)
    assert small[1].endswith("below the 5 points declared beforehand, so it is not called clear.")


def test_an_interval_beside_zero_is_not_called_clear_where_nothing_was_judged() -> None:
    assert told(verdict=NOT_JUDGED)[1].endswith("It is not among the comparisons that are judged.")
    assert told(status="unreliable")[1].endswith("from too few cases to say more.")


@pytest.mark.parametrize("change", [{"status": "suppressed"}, {"difference": float("nan")}])
def test_nothing_is_said_of_a_gap_that_is_not_shown(change: dict[str, Any]) -> None:
    assert told(**change) == []


def test_a_gap_between_races_says_who_is_compared_and_nothing_of_citizenship() -> None:
    found = told(contrast="race", race="black", reference_race="white")
    assert "for people recorded as Black (640 of 1,000 cases)" in found[0]
    unknown = told(contrast="race", race="unknown", reference_race="white")
    assert "for people whose race is not on file (640 of 1,000 cases)" in unknown[0]
    assert not any("citizenship" in sentence for sentence in found)


@pytest.mark.parametrize("say", LANGUAGES, ids=lambda say: say.code)
def test_no_sentence_claims_a_cause_a_likelihood_or_the_absence_of_disparity(say: Language) -> None:
    ways = itertools.product((CLEAR, UNCLEAR, NOT_JUDGED), (0.001, 0.2), (-0.05, 0.02), ("ok", "unreliable"))
    for verdict, q, low, status in ways:
        text = " ".join(told(say, verdict=verdict, q_value=q, difference_low=low, status=status)).lower()
        assert text
        assert not re.search(NEVER[say.code], text), text


def test_both_languages_say_the_same_number_of_things() -> None:
    assert {len(told(say)) for say in LANGUAGES} == {5}
    assert told(Language("es"))[1].startswith(
        "La brecha es de +10 puntos (intervalo del 95%: de +6.7 a +13 puntos): clara"
    )


def test_an_adjusted_gap_names_what_was_alike_and_what_the_office_decided_itself() -> None:
    row = SimpleNamespace(**(GAP | ADJUSTED))
    assert words.with_facts_alike(row, ENGLISH) == [
        "With the year, race and the offence as charged alike, the gap between noncitizens and citizens is +10 points (95% interval +6.7 to +13 points); 97% of the cases have a counterpart.",
        "Had something unrecorded mattered as much as the offence as charged, it would be +6.0 points.",
        "Leaving out any one of the larger arresting agencies, it would be +7.2 to +12 points.",
        "Against everyone else on file, and not citizens alone, it is +8.5 points.",
        "Not fixed before the decision: the offence charged. What went through it is left out of these gaps.",
    ]
    row.difference_low = -0.01
    assert words.with_facts_alike(row, ENGLISH)[1] == "That leaves open which way it goes."
    row.without_one_low = row.against_all_others = float("nan")
    assert len(words.with_facts_alike(row, ENGLISH)) == 3


def test_whose_number_the_intervals_go_by_is_said_of_those_that_are_shown() -> None:
    rows = [SimpleNamespace(status=status, counted_by=by) for status, by in [("ok", "person"), ("suppressed", "person_and_unit")]]  # fmt: skip
    assert words.counted_by(rows, ENGLISH) == ["The intervals count persons, not their cases."]
    rows[1].status = "ok"
    assert words.counted_by(rows, ENGLISH) == ["The intervals count persons, and those who decided, not their cases."]
    assert words.counted_by([SimpleNamespace(status="ok", counted_by="case")], ENGLISH) == []


def test_amounts_are_compared_as_a_ratio_where_there_are_any() -> None:
    none, amounts = float("nan"), {"amount_ratio": 1.5, "amount_ratio_low": 1.2, "amount_ratio_high": 1.9}
    row = SimpleNamespace(**(GAP | ADJUSTED | amounts | {"difference": none, "given": ""}))
    assert words.with_facts_alike(row, ENGLISH) == [
        "With the year, race and the offence as charged alike, and where there is any, the amount for noncitizens is 1.5 times that for citizens (95% interval 1.2 to 1.9; geometric means)."
    ]


def test_the_ratio_of_a_profile_never_stands_without_that_of_the_groups_and_their_rates() -> None:
    row = SimpleNamespace(**(GAP | ADJUSTED | {"profile": "sex=male;priors=0", "profile_ratio": 1.45, "ratio": 1.2, "rate": 0.497, "reference_rate": 0.414}))  # fmt: skip
    assert (
        "Over everybody that is 49.7% for noncitizens and 41.4% for citizens, a ratio of 1.2. At one profile alone (sex: male, the number of earlier convictions: 0) the same model gives 1.45: a figure for such people, not for the groups."
        in words.with_facts_alike(row, ENGLISH)
    )


# ---- the rule --------------------------------------------------------------------------------------------------


def judged(*changes: dict[str, Any]) -> pd.DataFrame:
    return judge(pd.DataFrame([{k: v for k, v in GAP.items() if k != "verdict"} | change for change in changes]))


def test_the_interval_alone_makes_nothing_clear() -> None:
    """One gap with p = .04 among twenty without any: its interval excludes zero, and it is no finding."""
    found = judged({"p_value": 0.04}, *[{"p_value": 0.5}] * 20)
    assert found["verdict"].tolist() == [UNCLEAR] * 21


def test_a_sure_gap_must_also_be_wide() -> None:
    least = rules()["gaps"]["least_gap"]
    found = judged({"difference": least}, {"difference": least - 1e-6}, {"difference": -least})
    assert found["verdict"].tolist() == [CLEAR, UNCLEAR, CLEAR]


@pytest.mark.parametrize(
    "change",
    [
        {"difference_method": "mover"},
        {"period": "2024"},
        {"p_value": float("nan")},
        {"mart": "ice_contact"},
        {"measure_id": "BAIL-07", "stratum": "transfer_ice"},
    ],
)
def test_what_was_not_declared_is_not_judged_and_does_not_count(change: dict[str, Any]) -> None:
    found = judged(change, {"p_value": 0.04})
    assert found["verdict"].tolist() == [NOT_JUDGED, CLEAR]
    assert found["q_value"].tolist()[1] == 0.04, "a family of one"


def test_hidden_and_unreliable_rows_have_no_verdict() -> None:
    assert judged({"status": "suppressed"}, {"status": "unreliable"})["verdict"].tolist() == ["", ""]


def test_judging_twice_changes_nothing() -> None:
    once = judged({}, {"p_value": 0.04}, {"difference_method": "mover"})
    pd.testing.assert_frame_equal(judge(once), once)


@pytest.mark.parametrize(
    ("clear", "judged", "said"),
    [
        (2, 14, "differ clearly in 2 of 14 measures"),
        (0, 14, "differ clearly in none of 14 measures"),
        (0, 1, "do not differ clearly in the one measure that was judged"),
        (1, 1, "differ clearly in the one measure that was judged"),
    ],
)
def test_how_many_gaps_are_clear_is_said_as_people_count(clear: int, judged: int, said: str) -> None:
    assert words.how_many_clear(clear, judged, ENGLISH) == f"Noncitizens and citizens {said}"
    assert words.how_many_clear(clear, judged, SPANISH) != words.how_many_clear(clear, judged, ENGLISH)


@pytest.mark.parametrize(
    ("number", "unit", "english", "spanish"),
    [
        (1, "days", "1 day", "1 día"),
        (1.004, "days", "1 day", "1 día"),
        (1.5, "days", "1.5 days", "1.5 días"),
        (1, "people", "1 person", "1 persona"),
        (1, "inquiries", "1 inquiry", "1 averiguación"),
        (1, "cases opened", "1 case opened", "1 caso abierto"),
    ],
)
def test_one_of_a_unit_is_no_plural(number: float, unit: str, english: str, spanish: str) -> None:
    assert [say.value(number, unit) for say in (ENGLISH, SPANISH)] == [english, spanish]
    assert ENGLISH.gap(-number, unit) == f"−{english}"


def test_a_gap_is_rounded_once() -> None:
    assert [ENGLISH.gap(gap, "share") for gap in (-0.1654, 0.0996, 0.1046)] == ["−17 points", "+10.0 points", "+10 points"]  # fmt: skip


def test_a_gap_that_rounds_to_nothing_has_no_sign() -> None:
    assert [ENGLISH.gap(gap, "share") for gap in (-0.0004, 0.0004, 0.0006, 0.0)] == ["±0 points", "±0 points", "+0.1 points", "±0 points"]  # fmt: skip

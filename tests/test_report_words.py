"""Every word of the pages is there in Spanish, with the same blanks to fill in, and no word too many."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from pipeline.contract import ROOT, UNKNOWNS, load_contract
from pipeline.estimands import load_estimands
from pipeline.findings import rules
from pipeline.report.language import LOCALE_FOLDER
from pipeline.report.words import content

REPORT = ROOT / "pipeline" / "report"
#: Where offices declare measures of their own.
OWN = sorted((ROOT / "pipeline" / "offices").glob("*/measures.yml"))
CATALOGUE_TEXTS = ("title", "definition", "numerator_text", "denominator_text", "counted_unit")
#: Words that are shown as they are, in every language.
SAME = {"", "–", "share", "usd", "count"}


def words_in_code() -> set[str]:
    methods = [("**/notebook/**", "ignore"), ("**.py", "python"), ("**.html.j2", "jinja2.ext:babel_extract")]
    found = extract_from_dir(REPORT, methods, keywords={"say": None, "_": None, "self": None})
    return {text for file, _, text, _, _ in found if isinstance(text, str) and "notebook" not in file}


def words_in_content() -> set[str]:
    words = content()
    texts = {text for mart in words["marts"].values() for text in mart.values()}
    texts |= {text for proposal in words["proposals"].values() for text in proposal.values()}
    texts |= {text for part in ("glossary", "legal_terms") for term in words[part] for text in term.values()}
    for name in ("races", "citizenships", "offence_groups", "columns", "codes", "facts"):
        texts |= set(words[name].values())
    for estimand in (*load_estimands(), *(e for path in OWN for e in load_estimands(path))):
        texts |= {estimand.risk_set, estimand.given, *(fact.reason for fact in estimand.hold_equal)}
    return texts | set(rules()["zero_tolerance"].values()) | set(rules()["owners"].values())


def words_in_catalogue() -> set[str]:
    path = ROOT / "data" / "reference" / "measures.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = [measure for path in OWN for measure in yaml.safe_load(path.read_text(encoding="utf-8"))["measures"].values()]
    texts = {" ".join(row[column].split()) for row in (*rows, *own) for column in CATALOGUE_TEXTS}
    return texts | {row["unit"] for row in (*rows, *own)}


@cache
def spanish() -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted((LOCALE_FOLDER / "es").glob("**/*.po")):
        with path.open("rb") as file:
            texts |= {str(entry.id): str(entry.string) for entry in read_po(file, locale="es") if entry.id}
    return texts


def test_every_word_of_the_pages_is_there_in_spanish() -> None:
    needed = (words_in_code() | words_in_content()) - SAME
    assert sorted(text for text in needed if not spanish().get(text)) == []


def test_every_measure_is_there_in_spanish() -> None:
    assert sorted(text for text in words_in_catalogue() - SAME if not spanish().get(text)) == []


def test_spanish_fills_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert [text for text, translated in spanish().items() if translated and blanks(text) != blanks(translated)] == []


def test_no_translation_is_left_over() -> None:
    codes = {
        value for table in load_contract().values() for c in table.columns.values() for value in (*c.values, *UNKNOWNS)
    }
    known = words_in_code() | words_in_content() | words_in_catalogue() | {code.replace("_", " ") for code in codes}
    assert sorted(text for text in spanish() if text not in known and not strata(text)) == []


def strata(text: str) -> bool:
    """A part of a measure that the models name themselves."""
    return any(
        re.search(rf"\b{re.escape(text.replace(' ', '_'))}\b", path.read_text(encoding="utf-8"))
        for path in model_files()
    )


@cache
def model_files() -> tuple[Path, ...]:
    return tuple(sorted([*(ROOT / "models").glob("**/*.sql"), *(ROOT / "pipeline" / "dbt" / "macros").glob("*.sql")]))


@pytest.mark.parametrize("word", ["bail", "diversion", "charge"])
def test_legal_words_are_not_left_in_english(word: str) -> None:
    assert [translated for translated in spanish().values() if re.search(rf"\b{word}\b(?!-)", translated.lower())] == []

"""Every word of the pages is there in Spanish, with the same blanks to fill in, and no word too many."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po

from pipeline.contract import ROOT, UNKNOWNS, load_contract
from pipeline.errors import AuditError
from pipeline.estimands import load_estimands
from pipeline.report import gate, language, site
from pipeline.report.language import LOCALE_FOLDER
from tests.report_example import every_kind_of_page

#: Where offices say what their records cannot answer, and where they declare measures of their own.
OFFICES = sorted((ROOT / "pipeline" / "offices").glob("*/office.yml"))
OWN = sorted((ROOT / "pipeline" / "offices").glob("*/measures.yml"))


def words_of_offices() -> set[str]:
    measures = [
        measure for path in OWN for measure in yaml.safe_load(path.read_text(encoding="utf-8"))["measures"].values()
    ]
    texts = {" ".join(measure[column].split()) for measure in measures for column in gate.CATALOGUE_TEXTS}
    for estimand in (e for path in OWN for e in load_estimands(path)):
        texts |= {estimand.risk_set, estimand.given, *(fact.reason for fact in estimand.hold_equal)}
    for path in OFFICES:
        texts |= set(yaml.safe_load(path.read_text(encoding="utf-8")).get("cannot_answer", {}).values())
    return texts


@cache
def spanish() -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted((LOCALE_FOLDER / "es").glob("**/*.po")):
        with path.open("rb") as file:
            texts |= {str(entry.id): str(entry.string) for entry in read_po(file, locale="es") if entry.id}
    return texts


def test_every_word_of_the_pages_and_every_measure_is_there_in_spanish() -> None:
    gate.check_words()
    assert sorted(text for text in words_of_offices() - gate.SAME if not spanish().get(text)) == []


@pytest.mark.parametrize(
    "word",
    [
        "Skip to the content",  # in a template
        "{low} to {high}",  # in code
        "Policies that are written down",  # in the catalogue
        "Smaller groups together",  # written by hand
    ],
)
def test_a_word_without_translation_stops_the_build(word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = {text: said for text, said in language.catalogue("es").items() if text != word}
    monkeypatch.setattr(language, "catalogue", lambda _: left)
    with pytest.raises(AuditError, match=re.escape(f"IIU662 locale/es: no translation of [{word}]")):
        site.build_site(out=tmp_path / "site", public=every_kind_of_page())
    assert not (tmp_path / "site").exists()


def test_spanish_fills_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert [text for text, translated in spanish().items() if translated and blanks(text) != blanks(translated)] == []


def test_no_translation_is_left_over() -> None:
    codes = {
        value for table in load_contract().values() for c in table.columns.values() for value in (*c.values, *UNKNOWNS)
    }
    known = (
        gate.words_in_code()
        | gate.words_in_content()
        | gate.words_in_catalogue()
        | words_of_offices()
        | {code.replace("_", " ") for code in codes}
    )
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

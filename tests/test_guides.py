"""The guides: every command is one, every path is there, and both languages say the same."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import _parser
from pipeline.contract import ROOT
from pipeline.report.guides import FOLDER, guides
from pipeline.report.language import ENGLISH, Language

GUIDES = {f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.md"))}
PUBLIC = ("read_this_report", "check_a_number")
SPANISH = Language("es")


def code(text: str, kind: str = "") -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for language, block in blocks if language == kind]


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for block in code(text) for line in block.splitlines()]


def test_what_the_public_needs_is_in_both_languages() -> None:
    assert {f"{language}/{name}" for language in ("en", "es") for name in PUBLIC} <= set(GUIDES)


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_of_a_guide_is_a_command(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for program, *arguments in commands(GUIDES[name]):
        assert program in ("iiu", "make", "sha256sum"), program
        if program == "iiu":
            _parser().parse_args(arguments)  # a wrong one ends in SystemExit
        if program == "make":
            assert set(arguments) <= targets


def test_every_command_of_the_readme_is_one_with_its_options() -> None:
    told = re.findall(r"^\| `iiu (.*?)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert told
    for command in told:
        _parser().parse_args(shlex.split(command))


@pytest.mark.parametrize("name", GUIDES)
def test_every_path_that_a_guide_names_is_there(name: str) -> None:
    paths = re.findall(r"`((?:pipeline|models|tests|data/reference|expectations|notebooks)[\w/.]*)`", GUIDES[name])
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_a_guide_says_the_same_in_spanish(name: str) -> None:
    english, spanish = GUIDES[f"en/{name}"], GUIDES[f"es/{name}"]
    for shape in (r"^#+ ", r"^- ", r"^\d\. ", r"\*\*", r"\]\(\w+\.md\)"):
        both = [len(re.findall(shape, text, flags=re.MULTILINE)) for text in (english, spanish)]
        assert both[0] == both[1], shape
    assert code(english, "python") == code(spanish, "python")
    assert commands(english) == commands(spanish)


@pytest.mark.parametrize(
    "word", ["hidden", "no cases", "few cases", "cannot be told", "not recorded", "no clear difference"]
)
@pytest.mark.parametrize("say", [ENGLISH, SPANISH], ids=lambda say: say.code)
def test_a_word_that_stands_for_a_number_is_explained_as_the_pages_write_it(word: str, say: Language) -> None:
    assert f"**{say(word).capitalize()}**" in GUIDES[f"{say.code}/read_this_report"]


def test_a_guide_in_another_language_says_which() -> None:
    languages = {guide.page: guide.language for guide in guides(SPANISH)}
    assert languages["read-this-report.html"] == "es"
    assert languages["contributing.html"] == "en"


def test_code_of_a_guide_scrolls_in_a_box_that_the_keyboard_reaches() -> None:
    body = next(guide.body for guide in guides(ENGLISH) if guide.page == "check-a-number.html")
    assert body.count("<pre>") == body.count('<div class="scroll" tabindex="0"') == 4
    assert "'measures.parquet'" in body.replace("&#x27;", "'")


@pytest.mark.slow
def test_the_way_from_an_export_to_a_release_can_be_gone(tmp_path: Path) -> None:
    """Every command of the guide, in its order, in an empty folder; of a smaller county, which takes minutes as it is."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in commands(GUIDES["en/from_export_to_release"]):
        small = ["300" if word == "2500" else word for word in command]
        done = subprocess.run(small, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
    assert {path.name for path in (tmp_path / "audit").iterdir()} >= {
        "run.json",
        "site",
        "public",
        "restricted",
        "release",
    }


@pytest.mark.parametrize("say", [ENGLISH, SPANISH], ids=["en", "es"])
def test_no_mark_of_markdown_reaches_a_reader_and_every_table_scrolls_in_its_box(say: Language) -> None:
    tables = 0
    for guide in guides(say):
        words = re.sub(r"<code>.*?</code>", "", guide.body, flags=re.DOTALL)
        assert re.findall(r"^.*(?:\||\*\*|\]\(|^#+ ).*$", words, flags=re.MULTILINE) == [], guide.page
        tables += guide.body.count("<table>")
        assert guide.body.count("<table>") == len(
            re.findall(r'<div class="scroll" tabindex="0"[^>]*><table>', guide.body)
        )
    assert tables

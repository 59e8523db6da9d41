"""The last look at the pages before they stand: what is broken here is our bug, and the build stops and says what it is."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
from babel.messages.extract import extract_from_dir

from pipeline.contract import ROOT
from pipeline.errors import AuditError, Problem
from pipeline.estimands import load_estimands
from pipeline.findings import rules
from pipeline.report.language import LANGUAGES, one
from pipeline.report.words import content

CATALOGUE_TEXTS = ("title", "definition", "numerator_text", "denominator_text", "counted_unit", "unit")
#: Words that are shown as they are, in every language.
SAME = {"", "–", "share", "usd", "count"}
REPORT_IT = "Please report it: it is a defect of the program, and no page was published"


def check_words() -> None:
    """Every word that the program itself puts on a page is there in every language. Raises AuditError with all that are not.

    What an office calls its own measures and codes is shown as the office wrote it, and marked as English.
    """
    words = sorted((words_in_code() | words_in_content() | words_in_catalogue()) - SAME)
    missing = [(say.code, text) for say in LANGUAGES for text in words if not say.speaks(text)]
    if missing:
        raise AuditError(
            Problem(code="IIU662", where=f"locale/{code}", what=f"no translation of [{text}]", fix=REPORT_IT)
            for code, text in missing
        )


@cache
def words_in_code() -> frozenset[str]:
    """The texts that templates and code give to a language."""
    methods = [("**/notebook/**", "ignore"), ("**.py", "python"), ("**.html.j2", "jinja2.ext:babel_extract")]
    found = extract_from_dir(Path(__file__).parent, methods, keywords={"say": None, "_": None, "self": None})
    return frozenset(text for file, _, text, _, _ in found if isinstance(text, str) and "notebook" not in file)


def words_in_content() -> set[str]:
    """The hand-written words of `content.yml`, of the declared comparisons and of the rules for findings."""
    words = content()
    texts = {text for mart in words["marts"].values() for text in mart.values()}
    texts |= {text for proposal in words["proposals"].values() for text in proposal.values()}
    texts |= {text for part in ("glossary", "legal_terms") for term in words[part] for text in term.values()}
    for name in ("races", "citizenships", "offence_groups", "columns", "codes", "facts"):
        texts |= set(words[name].values())
    for estimand in load_estimands():
        texts |= {estimand.risk_set, estimand.given, *(fact.reason for fact in estimand.hold_equal)}
    return texts | set(rules()["zero_tolerance"].values()) | set(rules()["owners"].values())


def words_in_catalogue() -> set[str]:
    """What the catalogue says of the measures."""
    rows = pd.read_csv(ROOT / "data" / "reference" / "measures.csv", dtype=str, keep_default_na=False)
    units = {one(unit) for unit in rows["unit"] if unit not in SAME}
    return units | {" ".join(text.split()) for column in CATALOGUE_TEXTS for text in rows[column]}


def check_pages(site: Path) -> None:
    """Every link leads somewhere; every figure has an alternative text, a table, a caption and its own address.

    Raises AuditError with all that is wrong.
    """
    pages = {path.resolve(): _Page(path) for path in sorted(site.glob("**/*.html"))}
    wrong = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve()).as_posix()
        wrong += [(name, what) for what in page.wrong]
        for target in page.targets:
            file, _, anchor = target.partition("#")
            to = (path.parent / file).resolve() if file else path
            if not to.exists():
                # the notebooks lie beside the site and not in it
                wrong += [(name, f"no file {target}")]
            elif anchor and to in pages and anchor not in pages[to].ids:
                wrong += [(name, f"no place {target}")]
    if wrong:
        raise AuditError(Problem(code="IIU661", where=name, what=what, fix=REPORT_IT) for name, what in wrong)


class _Page(HTMLParser):
    """What a page points at, what it can be pointed at, and which of its figures lack something."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.wrong: list[str] = []
        self._figure: dict[str, bool] | None = None
        self._id = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.targets += [v for n, v in given.items() if n in ("href", "src", "srcset") and not v.startswith("data:")]
        if "id" in given:
            if given["id"] in self.ids:
                self.wrong.append(f"two places #{given['id']}")
            self.ids.add(given["id"])
        if tag == "img" and not given.get("alt"):
            self.wrong.append(f"a picture without alternative text: {given.get('src')}")
        if tag == "figure":
            self._id = given.get("id", "")
            self._figure = dict.fromkeys(("img", "table", "figcaption"), False)
            if not self._id:
                self.wrong.append("a figure without an address")
        elif self._figure is not None and tag in self._figure:
            self._figure[tag] = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure" and self._figure is not None:
            self.wrong += [f"figure #{self._id} has no {part}" for part, there in self._figure.items() if not there]
            self._figure = None

"""The pages in a browser: nothing asked of another place, light, no sideways scroll, no barrier, no letters over letters.

Needs a Chrome; axe-core also the package that carries it. What runs by default takes a minute; every page in every
state is marked slow.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import pdf, site
from pipeline.report.pdf import find_chrome
from pipeline.report.tables import PublicData
from tests.report_example import SETTINGS, example

playwright = pytest.importorskip("playwright.sync_api")
AXE = find_spec("axe_playwright_python")
pytestmark = pytest.mark.skipif(find_chrome() is None, reason="needs a Chrome")
needs_axe = pytest.mark.skipif(AXE is None, reason="needs axe-playwright-python")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = (
    "index",
    "handout",
    "findings",
    "proposals",
    "charging",
    "ice-contact",
    "methods",
    "data-quality",
    "downloads",
    "glossary",
    "check-a-number",
    "contributing",
    "dictionary",
    "measures",
)
#: Which texts of a picture run into each other or over its edge, in one font.
COLLISIONS = """font => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    svg.style.fontFamily = font;
    const edge = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([text, a], at) => {
      if (a.left < edge.left - 1 || a.right > edge.right + 1) found.push([svg.id, text, "over the edge"]);
      for (const [other, b] of boxes.slice(at + 1))
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
          found.push([svg.id, text, other]);
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = example()
    public = PublicData(
        measures=made.measures, comparisons=made.comparisons, catalogue=made.catalogue, settings=made.settings,
        run=made.run, synthetic=True,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("browser") / "site"
    assert site.build_site(out=out, public=public).notices == []
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=find_chrome(), args=FLAGS)
        yield opened
        opened.close()


def axe() -> str:
    assert AXE is not None
    assert AXE.origin is not None
    return (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def barriers(page: Any, pages: Path, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    """What axe-core finds on these pages in both languages, with everything folded and unfolded."""
    found: list[tuple[object, ...]] = []
    for language, name in ((language, name) for language in ("en", "es") for name in names):
        page.goto((pages / language / f"{name}.html").as_uri())
        page.add_script_tag(content=axe())
        for opened in (False, True):
            page.evaluate("open => document.querySelectorAll('details').forEach(d => (d.open = open))", opened)
            result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            found += [(language, name, opened, v["id"], v["nodes"][0]["html"][:90]) for v in result["violations"]]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [(language, name, opened, "sideways scroll", str(wide))] if wide > 0 else []
    return found


@needs_axe
def test_axe_finds_no_barrier_on_a_page_of_each_kind_on_a_dark_phone(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 900}, color_scheme="dark")
    assert barriers(page, pages, ("handout", "charging")) == []
    page.close()


@pytest.mark.slow
@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_barrier_with_everything_folded_or_unfolded(
    pages: Path, browser: Any, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = barriers(page, pages, PAGES)
    page.close()
    assert found == []


def test_each_page_is_light_keeps_to_its_folder_and_fits_a_phone(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700})
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    wide, heavy, elsewhere = [], [], []
    for path in sorted(pages.glob("*/*.html")):
        asked.clear()
        page.goto(path.as_uri())
        files = {url.partition("#")[0] for url in asked if not url.startswith("data:")}
        elsewhere += [url for url in files if not url.startswith(pages.as_uri())]
        weight = sum(len(gzip.compress(Path(url.removeprefix("file://")).read_bytes())) for url in files)
        heavy += [(path.name, weight)] if weight > 60_000 else []
        page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        wide += [(path.name, over)] if over > 0 else []
    page.close()
    assert (elsewhere, heavy, wide, errors) == ([], [], [], [])


@pytest.mark.parametrize("font", ["DejaVu Sans", "DejaVu Serif"])
def test_no_text_of_a_picture_runs_into_another(pages: Path, browser: Any, font: str) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 900})
    drawn = [
        path.read_text(encoding="utf-8").replace("<svg ", f'<svg id="{path.stem}" ', 1)
        for path in sorted((pages / "figures").glob("*.svg"))
    ]
    assert len(drawn) >= 80
    page.set_content("\n".join(drawn))
    found = page.evaluate(COLLISIONS, font)
    page.close()
    assert found == []


def test_letters_that_run_into_each_other_are_seen(browser: Any) -> None:
    page = browser.new_page()
    page.set_content('<svg id="s" width="90" height="40"><text x="2" y="20">Acusadas</text><text x="30" y="20">Fianza</text><text x="80" y="35">Desvío</text></svg>')  # fmt: skip
    found = page.evaluate(COLLISIONS, "DejaVu Sans")
    page.close()
    assert ["s", "Acusadas", "Fianza"] in found
    assert ["s", "Desvío", "over the edge"] in found


def test_an_interactive_view_shows_on_request_what_the_picture_shows(pages: Path, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / "en" / "charging.html").as_uri())
    assert not [url for url in asked if "plotly" in url]
    figure = page.locator("figure").nth(1)
    picture = figure.locator("img").get_attribute("src")
    figure.locator(".draw").click()
    page.wait_for_selector(".plot .main-svg")
    where = """box => Object.fromEntries([...box.querySelectorAll("text")].filter(t => t.textContent).map(t => {
      const a = t.getBoundingClientRect(), b = box.getBoundingClientRect();
      return [t.textContent, [a.left - b.left, a.top + a.height / 2 - b.top]];
    }))"""
    by_plotly = figure.locator(".plot .svg-container").evaluate(where)
    page.set_content((pages / "en" / picture).read_text(encoding="utf-8"))
    by_us = page.locator("svg").evaluate(where)
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert by_us.keys() == by_plotly.keys()
    assert len(by_us) > 20
    assert [t for t in by_us if max(abs(a - b) for a, b in zip(by_us[t], by_plotly[t], strict=True)) > 3] == []


def test_without_javascript_the_pictures_and_tables_are_there(pages: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "es" / "charging.html").as_uri())
    assert page.locator("figure img").count() >= 3
    assert page.locator("figure table").count() >= 3
    assert not page.locator(".draw").first.is_visible()
    context.close()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_hand_out_is_one_tagged_page_and_names_no_folder(pages: Path, language: str) -> None:
    printed = (pages / language / "handout.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    assert b"/Marked true" in printed
    assert f"/Lang ({language})".encode() in printed
    assert b"file:" not in printed
    report = (pages / language / "report.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", report)) >= 10
    assert b"/Marked true" in report
    assert b"file:" not in report


def test_two_prints_of_a_page_have_the_same_bytes(pages: Path, tmp_path: Path) -> None:
    page = pages / "es" / "handout.html"
    first, second = tmp_path / "1.pdf", tmp_path / "2.pdf"
    assert pdf.print_pages({page: first}, day=SETTINGS.as_of_date) is None
    assert pdf.print_pages({page: second}, day=SETTINGS.as_of_date) is None
    assert first.read_bytes() == second.read_bytes()

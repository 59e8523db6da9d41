"""The pages in a browser: no barrier that axe-core finds, no sideways scroll, no request to any other place.

Needs a Chrome and the package that carries axe-core; skipped where either is absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import site
from pipeline.report.pdf import find_chrome
from pipeline.report.tables import PublicData
from tests.report_example import example

playwright = pytest.importorskip("playwright.sync_api")
AXE = find_spec("axe_playwright_python")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chrome() is None or AXE is None, reason="needs a Chrome and axe-playwright-python"),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = (
    "index",
    "findings",
    "proposals",
    "charging",
    "ice-contact",
    "methods",
    "data-quality",
    "downloads",
    "glossary",
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = example()
    public = PublicData(
        measures=made.measures, comparisons=made.comparisons, catalogue=made.catalogue, settings=made.settings,
        run=made.run, synthetic=True,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("browser") / "site"
    site.build_site(out=out, public=public)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_barrier_with_everything_folded_or_unfolded(
    pages: Path, browser: Any, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = []
    for language, name in ((language, name) for language in ("en", "es") for name in PAGES):
        page.goto((pages / language / f"{name}.html").as_uri())
        page.add_script_tag(content=axe())
        for opened in (False, True):
            page.evaluate("open => document.querySelectorAll('details').forEach(d => (d.open = open))", opened)
            result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            found += [(language, name, opened, v["id"], v["nodes"][0]["html"][:90]) for v in result["violations"]]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [(language, name, opened, "sideways scroll", str(wide))] if wide > 0 else []
    page.close()
    assert found == []


def test_an_interactive_view_is_drawn_on_request_and_nothing_is_asked_of_the_network(pages: Path, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / "en" / "charging.html").as_uri())
    assert not [url for url in asked if "plotly" in url]
    page.locator(".draw").first.click()
    page.wait_for_selector(".plot .main-svg")
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_without_javascript_the_pictures_and_tables_are_there(pages: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "es" / "charging.html").as_uri())
    assert page.locator("figure img").count() >= 3
    assert page.locator("figure table").count() >= 3
    assert not page.locator(".draw").first.is_visible()
    context.close()

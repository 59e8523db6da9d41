"""What axe-core finds on an open page, its details open and closed, in the light and in the dark."""

from __future__ import annotations

import itertools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

AXE = find_spec("axe_playwright_python")
needs_axe = pytest.mark.skipif(AXE is None, reason="needs axe-playwright-python")
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
RUN = "only => axe.run(document, {runOnly: only, resultTypes: ['violations']}).then(result => result.violations)"


def start(page: Any) -> None:
    """Bring axe-core into the page, also where the page's own policy lets no other script in."""
    assert AXE is not None
    assert AXE.origin is not None
    page.evaluate((Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8"))


def violated(page: Any, only: dict[str, Any] = RULES) -> list[tuple[str, str]]:
    """The rules broken by the page as it stands now, each with the element that breaks it first."""
    return [(broken["id"], broken["nodes"][0]["html"][:90]) for broken in page.evaluate(RUN, only)]


def barriers(page: Any) -> list[tuple[object, ...]]:
    """Every rule in the light; of what the dark changes, colours alone, the one rule about them."""
    start(page)
    found: list[tuple[object, ...]] = []
    for opened, scheme in itertools.product((False, True), ("light", "dark")):
        page.evaluate("open => document.querySelectorAll('details').forEach(d => (d.open = open))", opened)
        page.emulate_media(color_scheme=scheme)
        found += [(opened, scheme, *broken) for broken in violated(page, RULES if scheme == "light" else COLOURS)]
    return found

"""The last look at the pages before they stand: what is broken here is our bug, and the build stops."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


def check_pages(site: Path) -> None:
    """Every link leads somewhere; every figure has an alternative text, a table, a caption and its own address.

    Raises AssertionError with all that is wrong.
    """
    pages = {path.resolve(): _Page(path) for path in sorted(site.glob("**/*.html"))}
    wrong = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve()).as_posix()
        wrong += [f"{name}: {what}" for what in page.wrong]
        for target in page.targets:
            file, _, anchor = target.partition("#")
            to = (path.parent / file).resolve() if file else path
            if not to.exists():
                # the notebooks lie beside the site and not in it
                wrong += [f"{name}: no file {target}"]
            elif anchor and to in pages and anchor not in pages[to].ids:
                wrong += [f"{name}: no place {target}"]
    assert not wrong, "\n".join(["The pages are not whole:", *wrong])


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

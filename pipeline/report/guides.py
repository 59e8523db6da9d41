"""The guides for each kind of reader, as Markdown in `guides/`, and the two that are made from the contract and the catalogue.

Public guides exist in both languages. Those for people who work with the program are in English, and say so on a Spanish page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from pipeline.report.language import Language

FOLDER = Path(__file__).resolve().parent / "guides"
SOURCE_LANGUAGE = "en"


@dataclass(frozen=True, kw_only=True)
class Guide:
    """One guide: its page, its name in the menu, and in the language in which it is written its title and the rest as HTML."""

    page: str
    name: str
    title: str
    body: str
    language: str


def guides(say: Language) -> Iterator[Guide]:
    """Every guide in the order of the menu, in the reader's language where it is written in it."""
    names = {
        "read_this_report": say("Read this report"),
        "check_a_number": say("Check a number"),
        "from_export_to_release": say("From an export to a release"),
        "add_your_office": say("Add your office"),
        "privacy_and_threats": say("Privacy and threats"),
        "more_than_one_machine": say("When one machine is not enough"),
        "contributing": say("Contributing"),
    }
    for file, name in names.items():
        written = FOLDER / say.code / f"{file}.md"
        path = written if written.is_file() else FOLDER / SOURCE_LANGUAGE / f"{file}.md"
        heading, _, rest = path.read_text(encoding="utf-8").partition("\n")
        title = heading.removeprefix("# ")
        language = path.parent.name
        yield Guide(page=page_of(file), name=name, title=title, body=_html(rest, title), language=language)


def page_of(name: str) -> str:
    """The file name of a guide's page."""
    return f"{name.replace('_', '-')}.html"


def _html(markdown: str, title: str) -> str:
    """Markdown as HTML. Code and tables scroll in a box that the keyboard reaches; links between guides lead to their pages."""
    box = f'<div class="scroll" tabindex="0" role="group" aria-label="{escapeHtml(title)}">'

    def fence(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
        code = escapeHtml(tokens[index].content.rstrip("\n"))
        return f"{box}<pre><code>{code}</code></pre></div>\n"

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("fence", fence)
    reader.add_render_rule("table_open", lambda *_: f"{box}<table>\n")
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return re.sub(r'href="(\w+)\.md"', lambda link: f'href="{page_of(link[1])}"', str(reader.render(markdown)))

"""The public pages: static, in English and Spanish, and the same bytes each time. They ask nothing of any network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import jinja2
from markupsafe import Markup, escape

from pipeline.contract import load_contract
from pipeline.errors import AuditError, Problem
from pipeline.estimands import load_estimands
from pipeline.report import before_after, figures, pathway, pdf
from pipeline.report.figures import PIXELS, Width
from pipeline.report.gate import REPORT_IT, check_pages, check_words
from pipeline.report.guides import guides
from pipeline.report.language import LANGUAGES, NAMES, SPANISH, Language
from pipeline.report.story import Glance, Picture, Story, query, slug
from pipeline.report.tables import PublicData, copy_tables, headline, sha256, write_rows, write_tables
from pipeline.report.words import content, fact

HERE = Path(__file__).resolve().parent
DATA_QUALITY = "data_quality"
HANDOUT_GAPS = 6
#: A share or a gap, or "3 of 4"; but not the 95% of an interval.
WEIGHTY = r"(?<![\d.,])[+−]?(?!95%)\d+(?:[.,]\d+)*%|\b\d+(?:,\d+)* (?:of|de) (?:\w+ )?\d+(?:,\d+)*"


@dataclass(frozen=True, kw_only=True)
class BuiltSite:
    """What was written: the page to open, how many pages and pictures, and what the reader of the run should know."""

    index: Path
    pages: int
    pictures: int
    notices: Sequence[str]


def build_site(*, out: Path, public: PublicData, written: Mapping[str, Sequence[Path]] | None = None) -> BuiltSite:
    """Write all pages below `out`, which is emptied first. `written`: what `write_tables` wrote of `public` elsewhere.

    Every number shown under "Reproduce this number" is looked up in the written files; one that is not found there
    is our bug and raises AuditError, as does a word without translation and a page that is not whole (`gate`).
    """
    check_words()
    if out.exists():
        shutil.rmtree(out)
    for folder in ("static", "figures", "data/figures", *(say.code for say in LANGUAGES)):
        (out / folder).mkdir(parents=True)
    for file in sorted((HERE / "static").iterdir()):
        shutil.copyfile(file, out / "static" / file.name)
    shutil.copyfile(figures.PLOTLY_JS, out / "static" / "plotly.min.js")
    data = out / "data"
    tables = copy_tables(written, data) if written else write_tables(out=data, public=public)
    sums = {path.name: sha256(path) for paths in tables.values() for path in paths}
    (data / "SHA256SUMS").write_text("".join(f"{sums[n]}  {n}\n" for n in sorted(sums)), encoding="utf-8")

    editions = [Edition(public, say, tables, sums) for say in LANGUAGES]
    for picture in editions[0].pictures:
        write_rows(data / "figures", picture.id, picture.rows, public.settings)
    _reproduce(editions[0].pictures, data)
    for edition in editions:
        edition.draw(out / "figures")
    notice = _print(editions, out)
    pages = 0
    for edition in editions:
        for name, html in edition.pages(printed=notice is None):
            (out / edition.say.code / name).write_text(html, encoding="utf-8")
            pages += 1
    index = out / "index.html"
    index.write_text(_door(), encoding="utf-8")
    check_pages(out)
    pictures = len(list((out / "figures").glob("*.svg")))
    return BuiltSite(index=index, pages=pages, pictures=pictures, notices=[notice] if notice else [])


def _print(editions: Sequence[Edition], out: Path) -> str | None:
    """The hand-out and the report of each language, as PDF. Returns why they could not be printed, or None."""
    prints = {}
    for edition in editions:
        folder = out / edition.say.code
        for page, html in edition.prints():
            source = folder / f"print-{page}"
            source.write_text(_without_ways_out(html), encoding="utf-8")
            prints[source] = (folder / page).with_suffix(".pdf")
    notice = pdf.print_pages(prints, day=editions[0].public.settings.as_of_date)
    for source, printed in prints.items():
        source.unlink()
        if notice:
            printed.unlink(missing_ok=True)
    return notice


def _without_ways_out(html: str) -> str:
    """A print keeps the words of its links; their addresses would name folders of this machine."""
    return re.sub(r'<a\b[^>]*href="(?!#)[^"]*"[^>]*>(.*?)</a>', r"\1", html, flags=re.DOTALL)


def _reproduce(pictures: Sequence[Picture], data: Path) -> None:
    """Run every program that the pages offer, against the files that the pages offer. Raises AuditError if one fails."""
    wrong = []
    duckdb.execute(f"set file_search_path = '{data}'")
    try:
        for picture in pictures:
            if picture.check is not None:
                try:
                    exec(compile(picture.check.snippet, picture.id, "exec"), {})  # noqa: S102
                except AssertionError as error:
                    what = f"the program under the figure finds another number: {error}"
                    wrong.append(Problem(code="IIU663", where=f"figure {picture.id}", what=what, fix=REPORT_IT))
    finally:
        duckdb.execute("reset file_search_path")
    if wrong:
        raise AuditError(wrong)


class _Made(dict[str, Any]):
    """What is made when it is first asked for."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name)
        return self[name]


class Edition:
    """The pages of one language; of the restricted tables, those that the workbench shows."""

    def __init__(
        self, public: PublicData, say: Language, tables: Mapping[str, Sequence[Path]], sums: Mapping[str, str]
    ) -> None:
        self.public, self.say, self.tables, self.sums = public, say, tables, sums
        self.story = Story(public, say)
        self.marts = [mart for mart in public.marts if mart != DATA_QUALITY]
        counted = set(public.measures.loc[~public.measures["status"].isin(["not_computable", "not_estimable"]), "mart"])
        self.told = [mart for mart in self.marts if mart in counted]
        self.untold = [mart for mart in self.marts if mart not in counted]
        self.drawings: dict[str, Mapping[Width, Mapping[str, Any]]] = {}
        self.of_mart = _Made(self._pictures)
        self.glances = _Made(self.story.glance)
        self.guides = list(guides(say))

    @cached_property
    def pictures(self) -> list[Picture]:
        """Every picture of the pages."""
        of_marts = [picture for mart in self.public.marts for picture in self.of_mart[mart]]
        return [*self.overview, *([self.handout] if self.handout else []), *of_marts]

    @cached_property
    def overview(self) -> list[Picture]:
        """The pictures of the first page."""
        return self._drawn([self.story.gaps("overview", self._rates()), self.story.counted(self.marts)])

    @cached_property
    def handout(self) -> Picture | None:
        """The picture of the page to hand out."""
        return next(iter(self._drawn([self.story.gaps("handout", self._rates(), most=HANDOUT_GAPS)])), None)

    def _rates(self) -> list[Any]:
        return [m for mart in self.marts for m in self.public.of_mart(mart) if m.kind == "rate"]

    def _pictures(self, mart: str) -> list[Picture]:
        return self._drawn(pathway.pictures(self.story) if mart == pathway.MART else self.story.pictures(mart))

    def _drawn(self, pictures: Sequence[Picture | None]) -> list[Picture]:
        made = [picture for picture in pictures if picture is not None]
        self.drawings |= {p.id: {width: p.figure(width) for width in PIXELS} for p in made}
        return made

    def draw(self, out: Path) -> None:
        """Each figure twice as a picture, and once as what plotly.js reads."""
        for picture in self.pictures:
            name, drawn = f"{picture.id}.{self.say.code}", self.drawings[picture.id]
            script = f'auditFigures["{name}"]={figures.as_json(drawn)};\n'
            (out / f"{name}.js").write_text(script, encoding="utf-8")
            for width, figure in drawn.items():
                text = figures.picture(figure, title=picture.alt)
                (out / f"{name}.{width}.svg").write_text(text, encoding="utf-8")

    def pages(self, *, printed: bool) -> Iterator[tuple[str, str]]:
        """File name and HTML of each page. `printed`: whether the PDF files are there to be linked."""
        for page, template, words in self._contents(self.links()):
            yield page, self.render(page, template, words | {"printed": printed})

    def prints(self) -> Iterator[tuple[str, str]]:
        """File name and HTML of what is printed: the hand-out of one page, and the whole report."""
        yield "handout.html", self.render("handout.html", "handout", self._handout())
        yield "report.html", self.render("report.html", "report", self._report())

    def links(self) -> dict[str, str]:
        """The page of each mart."""
        return {mart: _file_name(mart) for mart in self.marts} | {DATA_QUALITY: "data-quality.html"}

    def render(self, page: str, template: str, words: Mapping[str, Any]) -> str:
        """A page as HTML. `words` are what its template needs, and whatever of the common words is another here."""
        say, public, links = self.say, self.public, self.links()
        checks = dict.fromkeys(("passed", "failed", "not_applicable", "error"), 0) | dict(public.run.get("checks", {}))
        checks["run"] = checks["passed"] + checks["failed"] + checks["error"]
        common = {
            "_": say, "say": say, "public": public, "settings": public.settings, "story": self.story, "names": NAMES,
            "languages": LANGUAGES, "checks": checks, "checksums": self.sums, "navigation": self._navigation(links),
            "sizes": {id_: _sizes(drawn) for id_, drawn in self.drawings.items()}, "link": links.__getitem__, "untold": self.untold,
            "slug": slug, "query": query, "scaled": _scaled, "mini_reach": _mini_reach, "plotly_size": _size(figures.PLOTLY_JS.stat().st_size, say),
            "absent": [say("cannot be told"), *(self.story.absent(s) for s in ("suppressed", "not_estimable", "not_computable"))],
            "missing": [], "pictures": [], "before_after": None, "printed": False, "restricted": False, "style": _style(), "page": page, "description": words["title"],
        }  # fmt: skip
        return _environment().get_template(f"{template}.html.j2").render(common | dict(words))

    def _navigation(self, links: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
        say = self.say
        return [
            (say("The audit"), [(say("Overview"), "index.html"), (say("Findings"), "findings.html"), (say("Twelve proposals"), "proposals.html"), (say("On one page"), "handout.html")]),
            (say("Decisions"), [
                *((self.story.mart_name(mart), links[mart]) for mart in self.told),
                *([(say("What the office does not record"), "findings.html#missing")] if self.untold else []),
            ]),
            (say("Guides"), [
                *((guide.name, guide.page) for guide in self.guides),
                (say("All measures"), "measures.html"), (say("Data dictionary"), "dictionary.html"),
            ]),
            (say("Behind the numbers"), [
                (say("Methods"), "methods.html"), (say("Data quality"), "data-quality.html"), (say("Downloads"), "downloads.html"),
                (say("Corrections"), "corrections.html"), (say("Glossary"), "glossary.html"),
            ]),
        ]  # fmt: skip

    def _contents(self, links: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        say = self.say
        yield "index.html", "overview", self._overview()
        yield "handout.html", "handout", self._handout()
        yield "findings.html", "findings", self._findings()
        yield (
            "proposals.html",
            "proposals",
            {"title": say("Twelve proposals, and what was measured"), "proposals": self._proposals()},
        )
        for mart in self.marts:
            yield links[mart], "mart", self.mart_page(mart)
        yield "methods.html", "methods", self._methods()
        yield "data-quality.html", "quality", self.mart_page(DATA_QUALITY) | self._quality()
        yield "downloads.html", "downloads", self._downloads()
        yield "corrections.html", "corrections", {"title": say("Corrections"), "corrections": [
            [str(c.get(k, "")) for k in ("date", "what", "before", "after", "reason")] for c in self.public.corrections
        ]}  # fmt: skip
        for guide in self.guides:
            shown = replace(guide, body=Markup(guide.body))  # noqa: S704 made from our own files, with HTML turned off
            yield guide.page, "guide", {"title": guide.title, "guide": shown}
        yield "measures.html", "catalogue", self._catalogue()
        yield "dictionary.html", "dictionary", {"title": say("Data dictionary"), "tables": load_contract().values()}
        yield "glossary.html", "glossary", {
            "title": say("Glossary"), "terms": self._terms(),
            "legal_terms": [[term, SPANISH(term), say(choice)] for term, choice in (entry.values() for entry in content()["legal_terms"])],
        }  # fmt: skip

    def _overview(self) -> dict[str, Any]:
        say, story = self.say, self.story
        marts = []
        for mart in self.told:
            glances, words = self.glances[mart], content()["marts"].get(mart, {})
            line = say(
                "Measures shown: {shown}. Clear gaps by citizenship: {clear}.",
                shown=say.count(sum(g.told for g in glances)),
                clear=say.count(sum(g.clear for g in glances)),
            )
            marts.append((mart, say(words.get("ask", "")), line))
        return {
            "title": say("What this office's decisions expose people to"),
            "sentences": story.overview(self.marts), "pictures": self.overview, "marts": marts,
        }  # fmt: skip

    def _window(self) -> dict[str, str]:
        first, last = self.public.settings.window.split("/")
        return {"from_": self.say.period(first), "to": self.say.period(last)}

    def _handout(self) -> dict[str, Any]:
        say = self.say
        return {
            "title": say("The audit on one page: {from_} to {to}", **self._window()),
            "sentences": self.story.overview(self.marts), "picture": self.handout, "rule": self.story.rule_note(),
        }  # fmt: skip

    def _report(self) -> dict[str, Any]:
        say, words = self.say, content()["marts"]
        return {
            "title": say("The whole report: {from_} to {to}", **self._window()),
            "sentences": self.story.overview(self.marts), "overview": self.overview, "terms": self._terms(),
            "chapters": [
                (mart, words.get(mart, {}), self.story.sentences(mart), [g for g in self.glances[mart] if g.told], self.of_mart[mart])
                for mart in self.public.marts if mart not in self.untold
            ],
        }  # fmt: skip

    def _terms(self) -> list[tuple[str, str, str]]:
        say = self.say
        return [
            (slug(term), say(term), say(text)) for term, text in (entry.values() for entry in content()["glossary"])
        ]

    def _findings(self) -> dict[str, Any]:
        say, story = self.say, self.story
        clear = [g for mart in self.public.marts for g in self.glances[mart] if g.clear]
        clear.sort(key=lambda g: (-abs(g.difference or 0), g.measure.measure_id))
        end = "" if say.code == "en" else f"_{say.code}"
        noted, other_names = [], dict[str, list[str]]()
        for finding in self.public.findings:
            if finding["same_as"]:
                measure = finding["measure"]
                other_names.setdefault(finding["same_as"], []).append(say(measure))
            else:
                noted.append((finding["id"], finding[f"title{end}"], finding[f"text{end}"], finding))
        return {
            "title": say("Findings"), "noted": noted, "other_names": other_names, "clear": clear, "rule": story.rule_note(), "races": story.race_gaps(most=10),
            "missing": [
                [say.english(m.title), story.mart_name(m.mart), story.missing(m)]
                for mart in self.public.marts for m in self.public.of_mart(mart) if story.missing(m)
            ],
        }  # fmt: skip

    def _proposals(self) -> list[dict[str, Any]]:
        glances = [g for mart in self.public.marts for g in self.glances[mart]]
        listed = []
        for number, words in content()["proposals"].items():
            of = [g for g in glances if str(number) in str(g.measure.proposal).split()]
            missing = [(g.measure, self.story.missing(g.measure)) for g in of if g.status == "not_computable"]
            measured = [g for g in of if g.status != "not_computable"]
            clear = [g for g in measured if g.clear]
            listed.append({"number": number, **words, "measured": measured, "missing": missing, "gaps": clear})
        return listed

    def mart_page(self, mart: str) -> dict[str, Any]:
        """The words of the page of a mart, for the template `mart`."""
        say, story = self.say, self.story
        words = content()["marts"].get(mart, {})
        measures = self.public.of_mart(mart)
        return {
            "mart": mart, "words": words, "title": say(words.get("title", story.mart_name(mart))),
            "description": say(words.get("ask", "")), "sentences": story.sentences(mart) if measures else [],
            "glance": [g for g in self.glances[mart] if g.status != "not_computable"],
            "pictures": self.of_mart[mart],
            "before_after": before_after.told(story) if mart == before_after.MART and self.public.policies else None,
            "missing": [[say.english(m.title), story.missing(m)] for m in measures if story.missing(m)],
            "measures": [(m, *story.one_by_one(m), story.adjusted(m), story.told_by_group(m)) for m in measures],
        }  # fmt: skip

    def _quality(self) -> dict[str, Any]:
        say, story, run = self.say, self.story, self.public.run
        shares = [
            (mart, m, share)
            for mart in self.marts for m in self.public.of_mart(mart) if (share := story.unknown_share(m)) is not None
        ]  # fmt: skip
        of_mart = [(mart, sorted(s for of, _, s in shares if of == mart)) for mart in self.marts]
        spread = [
            [story.mart_name(mart), say.count(len(s)), *(say.share(x) for x in (s[0], median(s), s[-1]))]
            for mart, s in of_mart if s
        ]  # fmt: skip
        unknown = [
            [story.mart_name(mart), say(m.title), say.share(share, digits=1), say.count(self._denominator(m))]
            for mart, m, share in shares
        ]
        names = {
            "ok": say("Shown"), "unreliable": say("Shown, few cases"), "suppressed": say("Hidden to protect people"),
            "not_estimable": say("No cases"), "not_computable": say("Not recorded by the office"),
        }  # fmt: skip
        counts = self.public.measures["status"].value_counts()
        return {
            "unknown": unknown, "spread": spread,
            "files": [[f["path"], *(say.count(f[k]) for k in ("read", "landed", "rejected", "filtered"))] for f in run.get("files", [])],
            "totals": [
                [t["label"], str(t["published"]), str(t["ours"]), say("yes") if t["match"] else say("no")] for t in run.get("control_totals", [])
            ],
            "statuses": [[name, say.count(counts.get(status, 0))] for status, name in names.items()],
        }  # fmt: skip

    def _catalogue(self) -> dict[str, Any]:
        groups = [(self.story.mart_name(mart), self.public.of_mart(mart)) for mart in self.public.marts]
        return {
            "title": self.say("All measures"), "groups": groups, "count": sum(len(measures) for _, measures in groups),
        }  # fmt: skip

    def _denominator(self, measure: Any) -> int:
        row = self.public.cell(measure.measure_id, stratum=headline(measure))
        return int(row.denominator) if row is not None else 0

    def _methods(self) -> dict[str, Any]:
        say = self.say
        kinds = {
            "standardised_gap": say("Gap with facts alike"),
            "gap_given_later_stage": say("Gap given a later stage"),
        }
        contrasts = {"race": say("By race"), "citizenship": say("By citizenship")}
        estimands = (*load_estimands(), *self.public.estimands) if len(self.public.adjusted) else ()
        held = {of.name: of for estimand in estimands for of in estimand.hold_equal}
        return {
            "title": say("Methods"), "rule": self.story.rule_note(),
            "estimands": [
                [kinds[e.kind], contrasts[e.contrast], say(e.risk_set), ", ".join(fact(f.name, say) for f in e.hold_equal), say(e.given)]
                for e in estimands
            ],
            "facts": [(fact(name, say), say(of.reason)) for name, of in held.items()],
        }  # fmt: skip

    def _downloads(self) -> dict[str, Any]:
        say, settings = self.say, self.public.settings
        names = {
            "measures": say("All measures"),
            "comparisons": say("All comparisons"),
            "adjusted": say("All adjusted gaps"),
        }
        source = {
            "publisher": say("Publisher"), "address": say("Address"), "retrieved": say("Retrieved"),
            "licence": say("Licence"), "note": say("Note"),
        }  # fmt: skip
        return {
            "title": say("Downloads"),
            "tables": [
                (names.get(table) or self.story.mart_name(table), [(p.name, _size(p.stat().st_size, say), self.sums[p.name]) for p in paths])
                for table, paths in self.tables.items()
            ],
            "notebooks": [(path.stem.replace("_", " "), f"../../{path.parent.name}/{path.name}") for path in self.public.notebooks],
            "columns": [(column, say(text)) for column, text in content()["columns"].items()],
            "citation": say(
                "{office}, Immigration Integrity Audit, decisions from {period}, records as of {day}. Program version {version}.",
                office=settings.title, period=self.story.period(), day=say.day(settings.as_of_date), version=self.public.run.get("version", ""),
            ),
            "source": [(name, str(self.public.source[key])) for key, name in source.items() if self.public.source.get(key)],
        }  # fmt: skip


@cache
def _style() -> Markup:
    """The style sheet as it stands in each page: a phone on a slow line need not ask for it before it paints anything."""
    text = (HERE / "static" / "site.css").read_text(encoding="utf-8")
    return Markup(text.replace("url(", "url(../static/"))  # noqa: S704 our own file


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["weigh"] = _weigh
    return environment


def _door() -> str:
    """The first page, which leads to the language of the reader's browser; without a script to English, past both names."""
    links = "".join(
        f'<p><a href="{s.code}/index.html" lang="{s.code}" hreflang="{s.code}">{NAMES[s.code]}</a></p>'
        for s in LANGUAGES
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>Immigration Integrity Audit</title><link rel="stylesheet" href="static/site.css"><link rel="icon" href="data:,">'
        '<script>location.replace((navigator.language.startsWith("es") ? "es" : "en") + "/index.html")</script>'
        '<noscript><meta http-equiv="refresh" content="0; url=en/index.html"></noscript></head>\n'
        f'<body><main style="padding:3rem 1.5rem"><h1>Immigration Integrity Audit</h1>{links}</main></body>\n</html>\n'
    )


def _sizes(drawn: Mapping[Width, Mapping[str, Any]]) -> dict[Width, tuple[int, int]]:
    return {width: (figure["layout"]["width"], figure["layout"]["height"]) for width, figure in drawn.items()}


def _mini_reach(glances: Sequence[Glance]) -> float:
    """How far the strips of a table reach to both sides: all that is drawn fits, in steps of ten points."""
    ends = [
        end
        for g in glances
        if g.measure.unit == "share"
        for end in (g.low, g.high, g.bound_low, g.bound_high)
        if end is not None
    ]
    return min(max(ceil(max(map(abs, ends), default=0.1) * 10 - 1e-9), 1), 10) / 10


def _scaled(difference: float, reach: float) -> str:
    """A difference on the strip, which runs from -100 to 100."""
    return f"{max(min(difference / reach, 1.0), -1.0) * 100:.1f}"


def _weigh(sentence: str) -> Markup:
    """Shares and gaps in bold, for a reader who skims."""
    text = str(escape(sentence))
    return Markup(re.sub(WEIGHTY, r"<strong>\g<0></strong>", text))  # noqa: S704 escaped one line above


def _size(size: int, say: Language) -> str:
    return f"{say.number(size / 1e6)} MB" if size >= 1e6 else f"{say.count(max(size / 1e3, 1))} KB"


def _file_name(mart: str) -> str:
    return f"{mart.replace('_', '-')}.html"

"""Notebooks over the public tables: what they call, and how an audit executes them and writes them as pages.

A notebook loads the published files, calls functions and shows figures; it cleans nothing and holds no typed number.
"""

from __future__ import annotations

import base64
import html
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contract import ROOT
from pipeline.measures import BOTH_SIDES
from pipeline.report import figures
from pipeline.report.language import ENGLISH
from pipeline.report.story import Story
from pipeline.report.tables import SHOWN, PublicData, read_tables
from pipeline.report.words import content
from pipeline.stats.intervals import newcombe

NOTEBOOKS = ROOT / "notebooks"
#: Those that an audit runs. `reproduce_*` read public records that it does not have.
THEMES = "[0-9]*.ipynb"
HERE = Path(__file__).resolve().parent
#: A notebook that empties the kernel.
EMPTY = {
    "cells": [{"cell_type": "code", "id": "empty", "metadata": {}, "outputs": [], "source": "%reset -f", "execution_count": None}],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "language_info": {"name": "python"}},
    "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip
PLOTLY_MIME = "application/vnd.plotly.v1+json"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Something a notebook shows: Jupyter reads `data` (MIME type -> content), a terminal its text."""

    data: Mapping[str, Any]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        return self.data


def text(markdown: str) -> Shown:
    """Words, as Markdown."""
    return Shown(data={"text/markdown": markdown, "text/plain": markdown})


def drawn(figure: Mapping[str, Any], alt: str) -> Shown:
    """A figure, with what it says in words."""
    return Shown(data={PLOTLY_MIME: json.loads(json.dumps(figure)), "text/plain": alt})


def table(frame: pd.DataFrame, caption: str) -> Shown:
    """A frame as a table: shares as percentages, a missing number as a dash, never as zero."""
    if frame.empty:
        return text(f"*{caption}: no rows can be shown.*")
    shown = frame.copy()
    for column in shown:
        if pd.api.types.is_float_dtype(shown[column]):
            is_share = bool(shown[column].abs().max() <= 1)
            shown[column] = [_number(value, share=is_share) for value in shown[column]]
        elif pd.api.types.is_integer_dtype(shown[column]):
            shown[column] = ["–" if pd.isna(value) else ENGLISH.count(value) for value in frame[column]]
    words = [not pd.api.types.is_numeric_dtype(frame[column]) for column in frame]
    made = _table(caption, [str(column).replace("_", " ") for column in shown], shown.to_numpy().tolist(), words)
    return Shown(data={"text/html": made, "text/plain": shown.to_string(index=False)})


@dataclass(frozen=True, kw_only=True)
class OpenAudit:
    """One published audit, as a notebook sees it."""

    public: PublicData

    @cached_property
    def story(self) -> Story:
        return Story(self.public, ENGLISH)

    @property
    def measures(self) -> pd.DataFrame:
        return self.public.measures

    @property
    def comparisons(self) -> pd.DataFrame:
        return self.public.comparisons

    def about(self) -> Shown:
        """What these records are, in one line."""
        settings = self.public.settings
        what = f"**{settings.title}.** Decisions from {self.story.period()}, as known on {ENGLISH.day(settings.as_of_date)}."
        return text(what + (" Synthetic records: nobody in them exists." if self.public.synthetic else ""))

    def page(self, mart: str) -> Iterator[Shown]:
        """All of one page in the order in which to read it, or one sentence where the office's records hold none of it."""
        ask = content()["marts"].get(mart, {}).get("ask", "")
        yield text(f"## {self.story.mart_name(mart)}\n\n{ask}")
        rows = self.measures[self.measures["mart"] == mart]
        if not rows["status"].isin(SHOWN).any():
            if rows.empty:
                why = "no measure is declared for it"
            elif rows["status"].eq("not_computable").all():
                why = "the records lack the columns that it needs"
            else:
                why = "every number is hidden or counts nobody"
            yield text(f"*Nothing can be shown of this office: {why}.*")
            return
        yield text("\n".join(f"- {sentence}" for sentence in self.story.sentences(mart)))
        for picture in self.story.pictures(mart):
            yield text(f"**{picture.title}**")
            yield drawn(picture.figure("wide"), picture.alt)
        yield self._glance(mart)
        yield self._gaps_again(mart)
        yield self._within_race(mart)

    def measure(self, measure_id: str) -> Iterator[Shown]:
        """One measure: what is counted, what is to be said of it, and its figure; or why there is none."""
        measure = next(m for m in self.public.catalogue.itertuples(index=False) if m.measure_id == measure_id)
        told = "".join(f"\n- {sentence}" for sentence in self.story.told_by_group(measure))
        yield text(f"### {measure.title}\n\n{measure.definition}\n{told}")
        rows = self.measures[self.measures["measure_id"] == measure_id]
        if not rows["status"].isin(SHOWN).any():
            yield text(f"*Nothing can be shown of it. {rows['reason'].max() if len(rows) else ''}*")
            return
        picture = self.story.mix(measure) if measure.kind == "mix" else self.story.groups(measure)
        if picture is not None:
            yield drawn(picture.figure("wide"), picture.alt)

    def _glance(self, mart: str) -> Shown:
        rows = [
            (g.measure.measure_id, g.measure.title, g.everyone, g.noncitizen, g.citizen, g.gap, g.verdict)
            for g in self.story.glance(mart)
            if g.status != "not_computable"
        ]
        columns = ["id", "measure", "everyone", "noncitizens", "citizens", "gap", "verdict"]
        return table(pd.DataFrame(rows, columns=columns), "Every measure, whole period")

    def _gaps_again(self, mart: str) -> Shown:
        """Newcombe's interval of each gap, from the published counts alone. AssertionError if one is not the published."""
        gaps = self.comparisons.query(
            "mart == @mart and contrast == 'citizenship' and period == 'all' and difference_method == 'newcombe'"
        )
        shown = gaps.dropna(subset=[*BOTH_SIDES, "difference"])
        again = newcombe(*(shown[side].astype(float) for side in BOTH_SIDES))
        ours = shown[["measure_id", "stratum", "difference", "difference_low", "difference_high"]].assign(
            low_again=again.low, high_again=again.high
        )
        differing = ours[~np.isclose(ours["difference_low"], again.low, atol=1e-6, rtol=0) | ~np.isclose(ours["difference_high"], again.high, atol=1e-6, rtol=0)]  # fmt: skip
        assert differing.empty, differing
        return self.table(
            self._told(ours),
            "Gaps between noncitizens and citizens, published, and computed again from the published counts",
        )

    def _within_race(self, mart: str) -> Shown:
        within = self.comparisons.query(
            "mart == @mart and contrast == 'citizenship_within_race' and period == 'all' and stratum == 'all' and status == 'ok'"
        )
        sides = ["race", "estimate", "reference_estimate", "difference", "difference_low", "difference_high"]
        return self.table(self._told(within[["measure_id", *sides]]), "Noncitizens and citizens of the same race")

    def _told(self, gaps: pd.DataFrame) -> pd.DataFrame:
        """Gaps in points, and races and parts by the names that the pages give them."""
        told = gaps.copy()
        for column in told.filter(regex="^difference|_again$").columns:
            told[column] = [ENGLISH.gap(gap, "share") for gap in gaps[column]]
        for column, name in (("race", self.story.race_name.get), ("stratum", self.story.label)):
            if column in told:
                told[column] = [name(code) for code in gaps[column]]
        return told

    def table(self, frame: pd.DataFrame, caption: str) -> Shown:
        """A frame as a table, with the title of each measure beside its identifier."""
        if "measure_id" in frame:
            frame = frame.copy()
            titles = self.public.catalogue.set_index("measure_id")["title"]
            frame.insert(list(frame).index("measure_id") + 1, "measure", frame["measure_id"].map(titles))
        return table(frame, caption)

    def missing(self) -> pd.DataFrame:
        """The measures that this office's records do not allow, with the columns they need."""
        rows = [
            (m.measure_id, self.story.missing(m)) for m in self.public.catalogue.itertuples() if self.story.missing(m)
        ]
        return pd.DataFrame(rows, columns=["measure_id", "columns that are missing"])


def open_audit(data: str | Path) -> OpenAudit:
    """Read the published tables of an audit from its folder `public`, or from `site/data`."""
    return OpenAudit(public=read_tables(Path(data)))


@dataclass(frozen=True, kw_only=True)
class RunNotebooks:
    """The pages written, and what the reader of the run should know."""

    pages: Sequence[Path]
    notices: Sequence[str]


def run_notebooks(*, out: Path, data: Path) -> RunNotebooks:
    """Execute the notebooks of the themes on the published tables in `data` and write it as one HTML page, which asks for no network.

    Same tables, same bytes. A cell that fails raises papermill's PapermillExecutionError: it is our bug. Without
    Jupyter (the extra `notebooks`) nothing is written and a notice says how to get it.
    """
    try:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401
    except ImportError:
        return RunNotebooks(
            pages=[],
            notices=[
                "Jupyter is not installed, so the notebooks were not run. Install the extra: pip install '.[notebooks]'."
            ],
        )
    out.mkdir(parents=True, exist_ok=True)
    sources = sorted(NOTEBOOKS.glob(THEMES))
    with tempfile.TemporaryDirectory(prefix="iiu-notebooks-") as folder:
        executed = execute([(source, {"data": str(data.resolve())}) for source in sources], Path(folder))
    pages = []
    for source, notebook in zip(sources, executed, strict=True):
        pages.append(out / f"{source.stem}.html")
        pages[-1].write_text(_page(notebook, source.stem), encoding="utf-8")
    return RunNotebooks(pages=pages, notices=[])


def execute(sources: Sequence[tuple[Path, Mapping[str, str]]], work: Path) -> list[Any]:
    """Run the notebooks, each with its parameters, one after another in one kernel, emptied in between: to start a kernel costs more than to run.

    The kernel is spoken to through files of this machine below `work`, or by loopback where their paths would be too long.
    """
    import papermill
    from jupyter_client.manager import KernelManager

    socket = str(work / "k")
    # the path of a socket has at most 104 bytes on some systems, a number at its end among them
    way = ("ipc", socket) if len(os.fsencode(socket)) < 100 else ("tcp", "127.0.0.1")
    manager = KernelManager(transport=way[0], ip=way[1], connection_file=str(work / "k.json"), kernel_name="python3")
    empty = work / "empty.ipynb"
    empty.write_text(json.dumps(EMPTY), encoding="utf-8")
    options: dict[str, Any] = {"kernel_name": "python3", "progress_bar": False, "log_output": False, "km": manager}
    executed = []
    try:
        for source, parameters in sources:
            papermill.execute_notebook(empty, None, **options)
            executed.append(
                papermill.execute_notebook(source, None, parameters=parameters, cwd=str(source.parent), **options)
            )
    finally:
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
    return executed


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def _page(notebook: Any, name: str) -> str:
    """The executed notebook as HTML: code folded away, figures as pictures inside the page."""
    from nbconvert import HTMLExporter

    for output in _outputs(notebook):
        if PLOTLY_MIME in output.get("data", {}):
            output.data = {"text/html": _picture(output.data[PLOTLY_MIME], output.data["text/plain"])}
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    exporter = HTMLExporter(template_name="notebook", extra_template_basedirs=[str(HERE / "templates")])
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}, "style": _style()})
    return str(body)


def _picture(figure: Mapping[str, Any], alt: str) -> str:
    picture = base64.b64encode(figures.picture(figure, title=alt).encode()).decode("ascii")
    return f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{picture}">'


def _style() -> str:
    return (HERE / "static" / "site.css").read_text(encoding="utf-8").partition("*/")[2].partition("}")[2]


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[object]], words: Sequence[bool]) -> str:
    def row(cells: Sequence[object], tag: str) -> str:
        left = [' class="text"' if word else "" for word in words]
        return "".join(
            f"<{tag}{c}>{html.escape(str(cell))}</{tag.split()[0]}>" for cell, c in zip(cells, left, strict=True)
        )

    body = "\n".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    head = row(header, 'th scope="col"')
    return f"<table><caption>{html.escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _number(value: Any, *, share: bool) -> str:
    if pd.isna(value):
        return "–"
    return (ENGLISH.share(value, digits=1) if share else ENGLISH.number(value)).replace("-", "−")

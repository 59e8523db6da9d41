"""The pictures of the pages, as plotly figures: the only module that imports plotly.

A figure is made twice, wide and narrow, since a phone would shrink its letters. Every mark stands at a fixed place
and every label has room to spare, so that another machine's fonts move nothing. Races are told apart by place and
label; citizenship by place, shape and label; colour only repeats them.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any, Literal

import plotly
import plotly.graph_objects as go

from pipeline.report.language import Language
from pipeline.report.svg import svg

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FONT = "Noto Sans, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"
Width = Literal["wide", "narrow"]
PIXELS: Mapping[Width, int] = {"wide": 680, "narrow": 340}

#: The room that a letter is given: more than most fonts take, since nobody knows which one a reader has.
LETTER = 8.4

INK, MUTED, GRID = "rgb(27, 39, 51)", "rgb(87, 98, 110)", "rgb(222, 226, 231)"
BLUE, RUST, GREY = "rgb(31, 78, 140)", "rgb(185, 60, 11)", "rgb(96, 104, 118)"
#: On a dark page each colour is exchanged by the style sheet inside the picture.
DARK = {
    INK: "rgb(232, 235, 239)",
    MUTED: "rgb(171, 180, 191)",
    GRID: "rgb(62, 70, 80)",
    BLUE: "rgb(136, 181, 243)",
    RUST: "rgb(246, 155, 112)",
    GREY: "rgb(170, 177, 188)",
}
SYMBOL = {"citizen": "circle", "noncitizen": "diamond", "unknown": "square", "all": "circle"}
COLOUR = {"citizen": BLUE, "noncitizen": RUST, "unknown": GREY, "all": INK}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One estimate to be drawn. Without an estimate it is drawn as what its status says, never as zero."""

    series: str
    status: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a figure: its label, and a mark for each series."""

    label: str
    marks: Sequence[Mark]


def dots(rows: Sequence[Row], *, series: Mapping[str, str], unit: str, say: Language, width: Width) -> dict[str, Any]:
    """Estimates with intervals, a line for each row and series. `series`: key -> its name in the legend."""
    step, legend = 19, _legend(series, PIXELS[width]) if len(series) > 1 else {}
    head = 34 + 19 * max((line for line, _ in legend.values()), default=0) if legend else 4
    labels = [textwrap.wrap(row.label, 22 if width == "wide" else 14, break_long_words=False) for row in rows]
    alike = [row.marks[0].status if all(m.estimate is None and m.status == row.marks[0].status for m in row.marks) else "" for row in rows]  # fmt: skip
    heights = [
        max(step * (1 if same else len(row.marks)) + 15, 16 * len(lines) + 8)
        for row, lines, same in zip(rows, labels, alike, strict=True)
    ]
    figure = _Sheet(width, height=sum(heights) + head + 28)
    start, end = _ends([mark for row in rows for mark in row.marks], unit=unit)
    left = 9 + LETTER * max([12, *(len(line) for lines in labels for line in lines)])
    right = 14 + LETTER * max([3, *(len(mark.text) for row in rows for mark in row.marks if mark.estimate is not None)])
    pixel = (end - start) / (figure.inner - left - right)
    first, last = start - left * pixel, end + right * pixel
    at = 0.0
    for row, lines, same, height in zip(rows, labels, alike, heights, strict=True):
        middle = at + height / 2
        for number, line in enumerate(lines):
            _text(figure, start - 9 * pixel, middle + 16 * (number - (len(lines) - 1) / 2), line, anchor="left")
        for position, mark in enumerate(() if same else row.marks):
            y = middle + step * (position - (len(row.marks) - 1) / 2)
            if mark.estimate is not None:
                _estimate(figure, mark, y=y, nudge=8 * pixel)
            else:
                _absent(figure, mark, x=start, y=y, pixel=pixel, say=say, short=True)
        if same:
            _absent(figure, row.marks[0], x=start, y=middle, pixel=pixel, say=say, short=width == "narrow")
        at += height
        _rule(figure, [first, last], [at, at])
    _grid(figure, _steps(start, end, most=4 if width == "narrow" else 6), unit=unit, say=say, y=(0, at))
    for key, (row_of, along) in legend.items():
        x, y = first + pixel * along, 20 + 19 * row_of - head
        marker = {"size": 9, "color": COLOUR[key], "symbol": SYMBOL[key]}
        figure.add_scatter(x=[x + 6 * pixel], y=[y], mode="markers", hoverinfo="skip", marker=marker)
        _text(figure, x + 17 * pixel, y, series[key])
    return figure.finished(x=(first, last), y=(at + 28, -head))


def _legend(series: Mapping[str, str], width: int) -> dict[str, tuple[int, float]]:
    """Line and pixel of each name: a name that does not fit begins a new line."""
    placed, line, along = {}, 0, 0.0
    for key, name in series.items():
        needed = 17 + LETTER * len(name)
        if along and along + needed > width - 8:
            line, along = line + 1, 0.0
        placed[key] = (line, along)
        along += needed + 16
    return placed


def gaps(rows: Sequence[Row], *, lower: str, higher: str, say: Language, width: Width) -> dict[str, Any]:
    """Differences in percentage points around zero, each under its own label; worst-case bounds as a pale bar."""
    labels = [textwrap.wrap(row.label, 88 if width == "wide" else 44) for row in rows]
    heights = [17 * len(lines) + 30 for lines in labels]
    foot = 16 if width == "wide" else 34
    figure = _Sheet(width, height=sum(heights) + 36 + foot)
    marks = [mark for row in rows for mark in row.marks if mark.estimate is not None]
    limit = max([0.05, *(abs(v) for m in marks for v in (m.low, m.high, m.bound_low, m.bound_high) if v is not None)])
    limit = min(limit, 1.0) * 1.02
    room = 6 + LETTER * max(
        [0, *(len(mark.text) for mark in marks)]
    )  # for the numbers, to the right of all that is drawn
    span = 2 * limit * figure.inner / (figure.inner - room)
    pixel = span / figure.inner
    values = _steps(-limit, limit, most=4 if width == "narrow" else 8)
    at = 0.0
    for row, lines, height in zip(rows, labels, heights, strict=True):
        for number, line in enumerate(lines):
            _text(figure, -limit, at + 14 + 17 * number, line)
        y = at + height - 14
        for mark in row.marks:
            if mark.estimate is None:
                _absent(figure, mark, x=-limit, y=y, pixel=pixel, say=say, short=False)
                continue
            if mark.bound_low is not None and mark.bound_high is not None:
                bounds = [max(mark.bound_low, -limit), min(mark.bound_high, limit)]
                _line(figure, bounds, [y, y], colour=GREY, width=9, opacity=0.28)
            _estimate(figure, mark, y=y)
            _text(figure, span - limit, y, mark.text, anchor="left")
        for value in values if any(mark.estimate is not None for mark in row.marks) else ():
            _rule(figure, [value, value], [y - 11, y + 11], colour=GRID if value else INK)
        at += height
    for value in values:
        text = _tick(value, values, unit="points", say=say)
        first = (LETTER * len(text) / 2 - 4) * pixel - limit  # further left its letters would leave the sheet
        _text(figure, max(value, first), at + 10, text, anchor="center", size=12)
    _text(figure, -limit, at + 34, f"← {lower}", size=12, colour=MUTED)
    _text(figure, limit, at + 18 + foot, f"{higher} →", anchor="left", size=12, colour=MUTED)
    return figure.finished(x=(-limit, span - limit), y=(at + 36 + foot, 0))


def trend(
    panels: Sequence[tuple[str, Sequence[Mark]]], *, periods: Sequence[str], unit: str, say: Language, width: Width
) -> dict[str, Any]:
    """One panel a series; a mark for each period, its interval as a band. Hidden periods are marked on the base line."""
    wide = width == "wide"
    figure = _Sheet(width, height=236 if wide else 168 * len(panels), left=44)
    _, end = _ends([mark for _, marks in panels for mark in marks], unit=unit, zero=True)
    plot = 180 if wide else 112
    pixel = end / plot
    for number, (title, marks) in enumerate(panels):
        suffix = "" if number == 0 else str(number + 1)
        on: dict[str, Any] = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        share = 1 / len(panels)
        across = [number * share + (0.014 if number else 0), (number + 1) * share] if wide else [0.0, 1.0]
        down = [0.0, 1.0] if wide else [1 - (number + 1) * share, 1 - number * share]
        down_axis = _axis(domain=down, anchor=f"x{suffix}", range=[-26 * pixel, end + 30 * pixel])
        figure.layout[f"xaxis{suffix}"] = _axis(domain=across, anchor=f"y{suffix}", range=[-0.8, len(periods) - 0.2])
        figure.layout[f"yaxis{suffix}"] = down_axis
        colour = COLOUR[marks[0].series] if marks else INK
        _text(figure, -0.6, end + 17 * pixel, f"<b>{title}</b>", colour=colour, **on)
        values = _steps(0, end, most=5)
        for value in values:
            _rule(figure, [-0.8, len(periods) - 0.2], [value, value], colour=GRID if value else MUTED, **on)
        if not wide or number == 0:
            down_axis |= {
                "visible": True, "tickmode": "array", "tickvals": values, "ticklabelstandoff": 6,
                "ticktext": [_tick(value, values, unit=unit, say=say) for value in values],
            }  # fmt: skip
        years = [at for at, period in enumerate(periods) if "-Q" not in period or period.endswith("Q1")]
        room = (len(periods) - 0.2) - 32 * len(periods) / (figure.inner * share if wide else figure.inner)
        years = [at for at in years if at < room]  # a year at the edge would run into the next panel's first
        for at in years[:: -(-len(years) // (4 if wide else 6))]:
            _text(figure, at, -14 * pixel, periods[at][:4], anchor="center", size=12, **on)
        for stretch in _stretches(marks):
            seen = [marks[at] for at in stretch]
            _band(figure, stretch, seen, colour=colour, on=on)
            _line(figure, stretch, [m.estimate for m in seen], colour=colour, width=1.6, **on)
        drawn = [at for at, mark in enumerate(marks) if mark.estimate is not None]
        for at in drawn:
            symbol = SYMBOL[marks[at].series] + ("-open" if marks[at].status == "unreliable" else "")
            figure.add_scatter(
                x=[at], y=[marks[at].estimate], mode="markers", hoverinfo="text",
                hovertext=[f"{periods[at]}: {marks[at].text}"], marker={"size": 6, "color": colour, "symbol": symbol}, **on,
            )  # fmt: skip
        hidden = [at for at, mark in enumerate(marks) if mark.status == "suppressed"]
        _strokes(figure, hidden, [7 * pixel] * len(hidden), **on)
        if hidden and not drawn:
            _text(figure, len(periods) / 2, end / 2, say("hidden"), anchor="center", size=12, colour=MUTED, **on)
    return figure.finished()


def bars(rows: Sequence[tuple[str, float, str]], *, width: Width) -> dict[str, Any]:
    """Counts as bars, each under its label: (label, number, number as text)."""
    wrap = 70 if width == "wide" else 38
    labels = [textwrap.wrap(label, wrap) for label, _, _ in rows]
    heights = [17 * len(lines) + 32 for lines in labels]
    figure = _Sheet(width, height=sum(heights))
    most = max((number for _, number, _ in rows), default=1) or 1
    at = 0.0
    for (_, number, text), lines, height in zip(rows, labels, heights, strict=True):
        for line_number, line in enumerate(lines):
            _text(figure, 0, at + 14 + 17 * line_number, line)
        y = at + height - 18
        figure.add_shape(type="rect", x0=0, x1=number, y0=y - 6, y1=y + 6, fillcolor=BLUE, line={"width": 0})
        _text(figure, number + most * 0.01, y, f"<b>{text}</b>")
        at += height
    return figure.finished(x=(0, most * (1.2 if width == "wide" else 1.3)), y=(at, 0))


def picture(figure: Mapping[str, Any], *, title: str) -> str:
    """The figure as SVG, the same bytes each time; on a dark page its colours change."""
    return svg(figure, title=title, dark=DARK)


def as_json(figure: Mapping[Any, Any]) -> str:
    """The figure for plotly.js, safe inside a script."""
    return json.dumps(figure, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")


class _Sheet:
    """A figure being drawn. Down the page one unit of y is one pixel; grids and labels are drawn by us.

    Plotly's own `add_trace` and `add_shape` check everything anew at each call; here it is checked once, at the end.
    """

    def __init__(self, width: Width, *, height: float, left: int = 4) -> None:
        self.traces: dict[str, dict[str, Any]] = {}
        self.shapes: list[dict[str, Any]] = []
        self.inner = float(PIXELS[width] - left - 4)
        self.layout: dict[str, Any] = {
            "width": PIXELS[width], "height": round(height), "margin": {"l": left, "r": 4, "t": 0, "b": 0, "pad": 0},
            "autosize": False, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False,
            "hovermode": "closest", "font": {"family": FONT, "size": 13, "color": INK}, "dragmode": False,
            "xaxis": _axis(), "yaxis": _axis(),
        }  # fmt: skip

    def add_scatter(self, *, x: Sequence[Any], y: Sequence[Any], **style: Any) -> None:
        """Points, a line or texts. What looks alike becomes one trace, a line breaking off where the next begins."""
        along = {"x": list(x), "y": list(y)} | {k: list(style.pop(k)) for k in ("text", "hovertext") if k in style}
        before = self.traces.setdefault(json.dumps(style, sort_keys=True), {"type": "scatter", **style})
        breaks = before.get("x") and style["mode"] == "lines"
        for key, values in along.items():
            before[key] = [*before.get(key, []), *([None] if breaks else []), *values]

    def add_shape(self, **shape: Any) -> None:
        self.shapes.append(shape)

    def finished(self, *, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> dict[str, Any]:
        """The figure as plotly.js reads it. Raises ValueError for what plotly does not know."""
        self.layout["xaxis"] |= {"range": x} if x else {}
        self.layout["yaxis"] |= {"range": y} if y else {}
        figure = go.Figure(
            data=list(self.traces.values()), layout=self.layout | {"shapes": self.shapes, "template": {}}
        )
        made: dict[str, Any] = json.loads(figure.to_json())
        return made


def _axis(**more: Any) -> dict[str, Any]:
    return {
        "visible": False, "showgrid": False, "zeroline": False, "automargin": False, "fixedrange": True, "ticks": "",
        "tickfont": {"size": 12.5, "color": INK},
    } | more  # fmt: skip


def _estimate(figure: _Sheet, mark: Mark, *, y: float, nudge: float = 0.0) -> None:
    """A dot with its interval; with `nudge` (in units of the axis) its number to the right of both."""
    colour, unsure = COLOUR[mark.series], mark.status == "unreliable"
    if mark.low is not None and mark.high is not None:
        dash = "dot" if unsure else None
        _line(figure, [mark.low, mark.high], [y, y], colour=colour, width=1.5 if unsure else 2.5, dash=dash)
    figure.add_scatter(
        x=[mark.estimate], y=[y], mode="markers", hovertext=[mark.text], hoverinfo="text",
        marker={
            "size": 9, "color": colour, "symbol": SYMBOL[mark.series] + ("-open" if unsure else ""),
            "line": {"width": 1.5 if unsure else 0, "color": colour},
        },
    )  # fmt: skip
    if nudge:
        _text(figure, max(mark.high or 0.0, mark.estimate or 0.0) + nudge, y, mark.text, size=12)


def _absent(figure: _Sheet, mark: Mark, *, x: float, y: float, pixel: float, say: Language, short: bool) -> None:
    """Three strokes and a word where a number is hidden; a word alone where there is none."""
    if mark.status == "suppressed":
        _strokes(figure, [x + pixel * k for k in (5, 10, 15)], [y] * 3)
        _text(
            figure,
            x + pixel * 22,
            y,
            say("hidden") if short else say("hidden to protect people"),
            size=12,
            colour=MUTED,
        )
    else:
        text = mark.text or say("no cases")
        _text(figure, x + pixel * 5, y, text, size=12, colour=MUTED)


def _strokes(figure: _Sheet, x: Sequence[float], y: Sequence[float], **on: Any) -> None:
    marker = {"symbol": "line-ne-open", "size": 8, "color": MUTED, "line": {"width": 1.5, "color": MUTED}}
    figure.add_scatter(x=list(x), y=list(y), mode="markers", hoverinfo="skip", marker=marker, **on)


def _grid(figure: _Sheet, values: Sequence[float], *, unit: str, say: Language, y: tuple[float, float]) -> None:
    for value in values:
        _rule(figure, [value, value], list(y))
        _text(figure, value, y[1] + 14, _tick(value, values, unit=unit, say=say), anchor="center", size=12)


def _rule(figure: _Sheet, x: Sequence[float], y: Sequence[float], *, colour: str = GRID, **on: Any) -> None:
    place = {"xref": on.get("xaxis", "x"), "yref": on.get("yaxis", "y")}
    line = {"color": colour, "width": 1}
    figure.add_shape(type="line", x0=x[0], x1=x[1], y0=y[0], y1=y[1], line=line, layer="below", **place)


def _text(
    figure: _Sheet, x: float, y: float, text: str, *, anchor: str = "right", size: float = 13, colour: str = INK,
    **on: Any,
) -> None:  # fmt: skip
    """Text to the `right`, to the `left` or on the `center` of a point, anchored there whatever the font."""
    figure.add_scatter(
        x=[x], y=[y], mode="text", text=[text], textposition=f"middle {anchor}", hoverinfo="skip", cliponaxis=False,
        textfont={"size": size, "color": colour}, **on,
    )  # fmt: skip


def _line(figure: _Sheet, x: Sequence[Any], y: Sequence[Any], *, colour: str, width: float, dash: str | None = None, opacity: float = 1, **on: Any) -> None:  # fmt: skip
    line = {"color": colour, "width": width} | ({"dash": dash} if dash else {})
    figure.add_scatter(x=list(x), y=list(y), mode="lines", line=line, opacity=opacity, hoverinfo="skip", **on)


def _band(figure: _Sheet, stretch: Sequence[int], marks: Sequence[Mark], *, colour: str, on: Mapping[str, Any]) -> None:
    lows = [m.low if m.low is not None else m.estimate for m in marks]
    highs = [m.high if m.high is not None else m.estimate for m in marks]
    if len(stretch) == 1:
        _line(figure, [stretch[0]] * 2, [lows[0], highs[0]], colour=colour, width=2, opacity=0.4, **on)
        return
    figure.add_scatter(
        x=[*stretch, *reversed(stretch)], y=[*highs, *reversed(lows)], mode="lines", line={"width": 0}, fill="toself",
        fillcolor=colour.replace("rgb(", "rgba(").replace(")", ", 0.18)"), hoverinfo="skip", **on,
    )  # fmt: skip


def _stretches(marks: Sequence[Mark]) -> Iterable[list[int]]:
    """Runs of periods with an estimate: a line never crosses a hidden one."""
    run: list[int] = []
    for at, mark in enumerate(marks):
        if mark.estimate is not None:
            run.append(at)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _ends(marks: Iterable[Mark], *, unit: str, zero: bool = False) -> tuple[float, float]:
    """Where an axis starts and ends: all intervals fit, a share ends at 100% at the latest.

    It starts at 0, unless all there is to see lies in the upper half.
    """
    seen = [mark for mark in marks if mark.estimate is not None]
    values = [v for m in seen for v in (m.estimate, m.low, m.high) if v is not None] or [1.0]
    most, least = max(values) or 1.0, min(values)
    step = _step(most, most=10)
    end = ceil(most / step) * step
    start = floor(least / step) * step
    if zero or least < most / 2 or start == end:  # all at one value: an axis needs a length
        start = 0.0
    return start, min(end, 1.0) if unit == "share" else end


def _step(span: float, *, most: int) -> float:
    """The smallest of 1, 2, 5 x 10^k that cuts `span` into at most `most` parts."""
    steps = (m * 10.0**k for k in range(-4, 9) for m in (1, 2, 5))
    return next(step for step in steps if span / step <= most)


def _steps(start: float, end: float, *, most: int) -> list[float]:
    """Round values from `start` to `end`."""
    step = _step(end - start, most=most)
    return [round(k * step, 6) for k in range(ceil(start / step - 1e-9), floor(end / step + 1e-9) + 1)]


def _tick(value: float, values: Sequence[float], *, unit: str, say: Language) -> str:
    if unit == "points":
        return f"{'+' if value > 0 else '−' if value < 0 else ''}{abs(value) * 100:g}"
    if unit == "share":
        return say.share(value, digits=0 if all(round(v * 100, 6) % 1 == 0 for v in values) else 1)
    return say.value(value, unit if unit == "usd" else "")

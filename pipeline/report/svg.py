"""A plotly figure as a static picture, written out as SVG.

It knows what `figures` draws with (points, lines, bands, texts, and shapes at fixed places) and raises ValueError for
anything else. So the pages need no browser to be built, a picture has the same bytes on any machine, and a hundred
take a second. The interactive view is the same figure, drawn by plotly.js.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

Place = Callable[[float, float], tuple[float, float]]


def svg(figure: Mapping[str, Any], *, title: str, dark: Mapping[str, str]) -> str:
    """The picture; `title` says what it shows. `dark` names, for each colour, its counterpart on a dark page."""
    layout = figure["layout"]
    shapes = [(shape, _shape(shape, _place(layout, shape.get("xref", "x"), shape.get("yref", "y")))) for shape in layout.get("shapes", ())]  # fmt: skip
    traces = [_trace(trace, _place(layout, trace.get("xaxis", "x"), trace.get("yaxis", "y"))) for trace in figure["data"]]  # fmt: skip
    drawn = "\n".join(
        [
            *(text for shape, text in shapes if shape.get("layer") == "below"),
            *traces,
            *(text for shape, text in shapes if shape.get("layer") != "below"),
            *_ticks(layout),
        ]
    )
    rules = "".join(
        f'[{kind}="{_colour(light)}"]{{{kind}:{_colour(other)}}}'
        for light, other in dark.items()
        for kind in ("fill", "stroke")
        if f'{kind}="{_colour(light)}"' in drawn
    )
    width, height, font = layout["width"], layout["height"], layout["font"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="{escape(font["family"])}" font-size="{font["size"]}" fill="none">\n<title>{escape(title)}</title>\n'
        f"<style>@media(prefers-color-scheme:dark){{{rules}}}</style>\n{drawn}\n</svg>\n"
    )


def _place(layout: Mapping[str, Any], x: str, y: str) -> Place:
    """From the units of two axes (`x2`, `y`) to pixels from the upper left corner."""
    margin = layout["margin"]
    inner = layout["width"] - margin["l"] - margin["r"], layout["height"] - margin["t"] - margin["b"]

    def along(axis: str, value: float) -> float:
        found = layout[f"{axis[0]}axis{axis[1:]}"]
        (start, end), (low, high) = found["range"], found.get("domain", (0, 1))
        return float(low + (high - low) * (value - start) / (end - start))

    return lambda at_x, at_y: (
        margin["l"] + inner[0] * along(x, at_x),
        margin["t"] + inner[1] * (1 - along(y, at_y)),
    )


def _trace(trace: Mapping[str, Any], place: Place) -> str:
    points = [None if x is None or y is None else place(x, y) for x, y in zip(trace["x"], trace["y"], strict=True)]
    seen = [point for point in points if point is not None]
    match trace["mode"]:
        case "text":
            font, anchor = trace["textfont"], trace["textposition"].partition(" ")[2]
            side = {"right": "start", "left": "end", "center": "middle"}[anchor]
            return (
                f'<g fill="{_colour(font["color"])}" font-size="{font["size"]}" text-anchor="{side}">'
                + "".join(_text(at, text) for at, text in zip(seen, trace["text"], strict=True))
                + "</g>"
            )
        case "lines" if trace.get("fill") == "toself":
            return f'<path d="{_path(points)}z"{_paint("fill", trace["fillcolor"])}/>'
        case "lines":
            line = trace["line"]
            dash = ' stroke-dasharray="2 3"' if line.get("dash") == "dot" else ""
            faint = f' opacity="{trace["opacity"]}"' if trace.get("opacity", 1) != 1 else ""
            return f'<path d="{_path(points)}"{_paint("stroke", line["color"])} stroke-width="{line["width"]}"{dash}{faint}/>'  # fmt: skip
        case "markers":
            return _markers(seen, trace["marker"])
        case mode:
            raise ValueError(f"a picture has no mode {mode!r}")


def _markers(points: Sequence[tuple[float, float]], marker: Mapping[str, Any]) -> str:
    kind, hollow, _ = marker["symbol"].partition("-open")
    r = marker["size"] / 2
    outlines = {
        "circle": f"m{_n(-r)} 0a{_n(r)} {_n(r)} 0 1 1 {_n(2 * r)} 0a{_n(r)} {_n(r)} 0 1 1 {_n(-2 * r)} 0z",
        "square": f"m{_n(-r)} {_n(-r)}h{_n(2 * r)}v{_n(2 * r)}h{_n(-2 * r)}z",
        "diamond": f"m0 {_n(-1.3 * r)}l{_n(1.3 * r)} {_n(1.3 * r)}l{_n(-1.3 * r)} {_n(1.3 * r)}l{_n(-1.3 * r)} {_n(-1.3 * r)}z",
        "line-ne": f"m{_n(-r)} {_n(r)}l{_n(2 * r)} {_n(-2 * r)}",
    }
    if kind not in outlines:
        raise ValueError(f"a picture has no symbol {marker['symbol']!r}")
    drawn = "".join(f"M{_n(x)} {_n(y)}{outlines[kind]}" for x, y in points)
    paint = f'{_paint("stroke", marker["color"])} stroke-width="1.5"' if hollow else _paint("fill", marker["color"])
    return f'<path d="{drawn}"{paint}/>'


def _shape(shape: Mapping[str, Any], place: Place) -> str:
    line = shape.get("line", {})
    stroke = f'{_paint("stroke", line["color"])} stroke-width="{line["width"]}"' if line.get("width") else ""
    dash = ' stroke-dasharray="2 3"' if line.get("dash") == "dot" else ""
    fill = _paint("fill", shape["fillcolor"]) if "fillcolor" in shape else ""
    faint = f' opacity="{shape["opacity"]}"' if "opacity" in shape else ""
    if shape["type"] == "path":
        moved = re.sub(r"(-?[\d.]+(?:e-?\d+)?)[ ,](-?[\d.]+(?:e-?\d+)?)", lambda pair: _pair(place(float(pair[1]), float(pair[2]))), shape["path"])  # fmt: skip
        return f'<path d="{moved}"{fill}{stroke}{dash}{faint}/>'
    (left, up), (right, down) = place(shape["x0"], shape["y0"]), place(shape["x1"], shape["y1"])
    if shape["type"] == "line":
        return f'<path d="M{_n(left)} {_n(up)}L{_n(right)} {_n(down)}"{stroke}{dash}{faint}/>'
    if shape["type"] == "rect":
        return f'<path d="M{_n(left)} {_n(up)}H{_n(right)}V{_n(down)}H{_n(left)}z"{fill}{stroke}{dash}{faint}/>'
    raise ValueError(f"a picture has no shape {shape['type']!r}")


def _ticks(layout: Mapping[str, Any]) -> Iterable[str]:
    """The labels of the upright axes that show any."""
    for key in sorted(key for key in layout if key.startswith("yaxis") and layout[key].get("visible")):
        axis = layout[key]
        at_x = layout["margin"]["l"] - axis["ticklabelstandoff"]
        to = _place(layout, "x", key.replace("axis", ""))
        x_start = layout["xaxis"]["range"][0]
        ticks = zip(axis["tickvals"], axis["ticktext"], strict=True)
        font = axis["tickfont"]
        yield (
            f'<g fill="{_colour(font["color"])}" font-size="{font["size"]}" text-anchor="end">'
            + "".join(_text((at_x, to(x_start, value)[1]), text) for value, text in ticks)
            + "</g>"
        )


def _text(at: tuple[float, float], text: str) -> str:
    """One line of text, the middle of its letters at the point."""
    plain = text.removeprefix("<b>").removesuffix("</b>")
    bold = ' font-weight="bold"' if plain != text else ""
    return f'<text x="{_n(at[0])}" y="{_n(at[1])}" dy=".35em"{bold}>{escape(plain, quote=False)}</text>'


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """A line through the points, which breaks off at None."""
    steps, pen = [], "M"
    for point in points:
        if point is not None:
            steps.append(f"{pen}{_pair(point)}")
        pen = "M" if point is None else "L"
    return "".join(steps)


def _pair(point: tuple[float, float]) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(number: float) -> str:
    """Tenths of a pixel, without a tail of zeros."""
    return f"{round(number, 1) + 0:g}"


def _paint(kind: str, colour: str) -> str:
    opacity = re.fullmatch(r"rgba\(.*, ([\d.]+)\)", colour)
    return f' {kind}="{_colour(colour)}"' + (f' {kind}-opacity="{opacity[1]}"' if opacity else "")


def _colour(colour: str) -> str:
    """`rgb(27, 39, 51)` as #1b2733, which every program that opens SVG understands."""
    parts = re.findall(r"\d+", colour)[:3]
    return "#" + "".join(f"{int(part):02x}" for part in parts)

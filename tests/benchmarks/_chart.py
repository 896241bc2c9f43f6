"""Draw measurements as a picture in SVG, with logarithmic axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH, HEIGHT = 760, 460
LEFT, TOP, RIGHT, BOTTOM = 90, 50, 190, 60
INK = "#241f31"
COLORS = ("#1a5fb4", "#26a269", "#c64600", "#813d9c", "#a51d2d", "#5e5c64")


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis from a power of ten to another one, and where they are in pixels."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> _Axis:
        first = math.floor(math.log10(min(values)) + 1e-9)
        return cls(first, max(first + 1, math.ceil(math.log10(max(values)) - 1e-9)), start, end)

    def place(self, value: float) -> float:
        return self.start + (self.end - self.start) * (math.log10(value) - self.first) / (self.last - self.first)

    def powers(self) -> list[float]:
        return [10.0**power for power in range(self.first, self.last + 1)]


def draw_chart(
    path: Path, title: str, across: str, upwards: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    """Write a chart with a line for each series; a gray line shows the slope of what grows linearly.

    Args:
        path: The SVG file.
        title: The title.
        across: The title of the horizontal axis.
        upwards: The title of the vertical axis.
        series: The points of each line by its name; all numbers are positive.
    """
    points = [point for line in series.values() for point in line]
    x_axis = _Axis.around([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y_axis = _Axis.around([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 28, title, size=16),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, across, anchor="middle"),
        _text(LEFT, TOP - 8, upwards, size=12),
    ]
    for value in x_axis.powers():
        x = x_axis.place(value)
        parts += [_line((x, TOP), (x, HEIGHT - BOTTOM)), _text(x, HEIGHT - BOTTOM + 20, f"{value:,g}", anchor="middle")]
    for value in y_axis.powers():
        y = y_axis.place(value)
        parts += [_line((LEFT, y), (WIDTH - RIGHT, y)), _text(LEFT - 8, y + 4, f"{value:,g}", anchor="end")]
    parts.append(_linear(x_axis, y_axis))
    ends: list[float] = []
    for color, (name, line) in zip(COLORS, sorted(series.items(), key=lambda one: one[1][-1][1]), strict=False):
        places = [(x_axis.place(x), y_axis.place(y)) for x, y in line]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in places]
        ends.append(min([places[-1][1], *(end - 17 for end in ends[-1:])]))  # so that names do not overlap
        parts.append(_text(WIDTH - RIGHT + 10, ends[-1] + 4, name, color=color))
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _linear(x_axis: _Axis, y_axis: _Axis) -> str:
    decades = min(x_axis.last - x_axis.first, y_axis.last - y_axis.first)
    begin = (x_axis.place(10.0**x_axis.first), y_axis.place(10.0**y_axis.first))
    end = (x_axis.place(10.0 ** (x_axis.first + decades)), y_axis.place(10.0 ** (y_axis.first + decades)))
    return _line(begin, end, style='stroke="#9a9996" stroke-dasharray="6 5"')


def _line(begin: tuple[float, float], end: tuple[float, float], style: str = 'stroke="#deddda"') -> str:
    return f'<line x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" {style}/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, color: str = INK) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" fill="{color}">{escape(text)}</text>'

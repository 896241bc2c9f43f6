"""Where a graph's lines stand and what is written at them. Knows no widget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale

from desktop_app.gui.feedback.history import Span
from desktop_app.gui.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_LINES = 4
_WHOLE_FROM = 100
_MARKS = {
    # Every so many seconds there is a mark.
    Span.MINUTE: 15,
    Span.MINUTES_5: 60,
    Span.HOUR: 900,
    Span.HOURS_6: 3_600,
    Span.DAY: 14_400,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis, 0…1 from its beginning, and what is written there."""

    at: float
    text: str


def nice_top(highest: float, least: float = 1.0) -> float:
    """The end of an axis that holds a value: a number that people like, and a step that they like, in it.

    Args:
        highest: The greatest value.
        least: It is never below this.
    """
    return _step(max(highest, least)) * _LINES


def _step(highest: float) -> float:
    rough = highest / _LINES
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))


def value_marks(top: float, say: Callable[[float], str]) -> list[Mark]:
    """The lines across, from the bottom up, the bottom left out."""
    return [Mark(number / _LINES, say(top * number / _LINES)) for number in range(1, _LINES + 1)]


def time_marks(span: Span, end_s: int) -> list[Mark]:
    """The marks along the time: how long ago for minutes, the time of day for hours."""
    every = _MARKS[span]
    if span.seconds < _MARKS[Span.HOURS_6]:
        ages = range(0, span.seconds + 1, every)
        return [Mark(1 - age / span.seconds, _age(age)) for age in ages]
    return [
        Mark(1 - (end_s - moment) / span.seconds, _clock(moment))
        for moment in range(_first_mark(end_s - span.seconds, every), end_s + 1, every)
    ]


def _first_mark(start_s: int, every: int) -> int:
    """The first round time of this place's day."""
    offset = QDateTime.fromSecsSinceEpoch(start_s).offsetFromUtc()
    return -((-(start_s + offset)) // every) * every - offset


def _age(seconds: int) -> str:
    if not seconds:
        return tr("now", "the right end of a graph's time")
    if seconds < 2 * _MARKS[Span.MINUTES_5]:
        return tr("-%Ln s", "so many seconds ago, under a graph", seconds)
    return tr("-%Ln min", "so many minutes ago, under a graph", seconds // 60)


def _clock(moment_s: int) -> str:
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(moment_s).time(), QLocale.FormatType.ShortFormat)


def graph_number(value: float) -> str:
    """A number of things by the second, to three digits: `0.025`, `9.1`, `1,250`."""
    if value >= _WHOLE_FROM:
        return QLocale().toString(round(value))
    return QLocale().toString(float(value), "g", 3)


def span_name(span: Span) -> str:
    """What a span is called on its button."""
    return {
        Span.MINUTE: tr("1 min"),
        Span.MINUTES_5: tr("5 min"),
        Span.HOUR: tr("1 h"),
        Span.HOURS_6: tr("6 h"),
        Span.DAY: tr("24 h"),
    }[span]


def span_sentence(span: Span) -> str:
    """The same, spoken."""
    return {
        Span.MINUTE: tr("last minute"),
        Span.MINUTES_5: tr("last 5 minutes"),
        Span.HOUR: tr("last hour"),
        Span.HOURS_6: tr("last 6 hours"),
        Span.DAY: tr("last 24 hours"),
    }[span]

"""The throughput of the last 24 hours in a fixed amount of memory. Does not import Qt."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop_app.domain.job import Ended


class Span(Enum):
    """The time spans of the graphs: the length and the step, in seconds."""

    MINUTE = (60, 1)
    MINUTES_5 = (300, 5)
    HOUR = (3_600, 30)
    HOURS_6 = (21_600, 180)
    DAY = (86_400, 720)

    @property
    def seconds(self) -> int:
        """Return the length."""
        return self.value[0]

    @property
    def step(self) -> int:
        """Return the length of a step in seconds."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Series:
    """The rates per second in the steps of a span, oldest first.

    Attributes:
        span: The span.
        end_s: The end of the last complete step, in seconds since 1970.
        files, bytes: A rate for each step.
    """

    span: Span
    end_s: int
    files: tuple[float, ...]
    bytes: tuple[float, ...]


class _Ring:
    """A ring buffer of the steps of a span."""

    def __init__(self, span: Span) -> None:
        self.step = span.step
        # One more than is shown: the current, incomplete step.
        self.places = span.seconds // span.step + 1
        self.files = array("d", bytes(8 * self.places))
        self.bytes = array("d", bytes(8 * self.places))
        self.newest = 0

    def reach(self, number: int) -> bool:
        """Advance to a step; return False if the step is already past."""
        if number - self.newest >= self.places:
            self.files = array("d", bytes(8 * self.places))
            self.bytes = array("d", bytes(8 * self.places))
            self.newest = number
        while self.newest < number:
            self.newest += 1
            self.files[self.newest % self.places] = self.bytes[self.newest % self.places] = 0.0
        return number > self.newest - self.places

    def add(self, second: float, files: float, size: float) -> None:
        number = int(second // self.step)
        if self.reach(number):
            self.files[number % self.places] += files
            self.bytes[number % self.places] += size

    def series(self, span: Span, now_s: float) -> Series:
        last = int(now_s // self.step) - 1
        self.reach(last + 1)
        numbers = range(last - self.places + 2, last + 1)
        return Series(
            span,
            (last + 1) * self.step,
            tuple(self.files[number % self.places] / self.step for number in numbers),
            tuple(self.bytes[number % self.places] / self.step for number in numbers),
        )


class History:
    """Records throughput and returns it as `Series`."""

    def __init__(self) -> None:
        self._rings = {span: _Ring(span) for span in Span}

    def add(self, from_s: float, to_s: float, files: float, size: float) -> None:
        """Add files and bytes processed between two times, in seconds since 1970, spread evenly over that time."""
        if files <= 0 and size <= 0:
            return
        for ring in self._rings.values():
            parts = max(1, min(ring.places, round((to_s - from_s) / ring.step)))
            for part in range(parts):
                moment = to_s - (to_s - from_s) * part / parts
                ring.add(moment, max(0.0, files) / parts, max(0.0, size) / parts)

    def fill(self, span: Span, done: Iterable[Ended], before_s: float) -> None:
        """Add what the database has about the time before a moment, for one span."""
        ring = self._rings[span]
        ring.reach(int(before_s // ring.step))
        for one in done:
            ring.add(one.start_ms / 1000, one.files, one.bytes)

    def series(self, span: Span, now_s: float) -> Series:
        """Return the steps of a span up to a moment, without the incomplete one, which would always look low."""
        return self._rings[span].series(span, now_s)

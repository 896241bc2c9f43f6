"""The texts about the run: progress, throughput, time left and result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from desktop_app.gui.i18n import tr, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.domain.fields import ResultField
    from desktop_app.domain.query import SelectionSums
    from desktop_app.gui.progress.run import Progress, RunEnd
    from desktop_app.gui.progress.run_watch import Pace
    from desktop_app.gui.wording import Wording


MINUTE, HOUR, DAY = 60, 3600, 86_400

_ROUGH_FROM = 15 * MINUTE

_ROUGH_STEP = 5 * MINUTE

_HOURS_STEP = 10 * MINUTE

_STICKY = 0.75

_WHOLE_FROM = 9.95

_LEAST_FILES_PER_SECOND = 0.1

_SHORT_MS = 1_000
"""The duration of a run is not mentioned if it is shorter than this."""


def files_of(part: int, total: int, wording: Wording) -> str:
    """Return a part of a number of files, such as `1,044 of 1,248 files`."""
    return tr("{part} of %Ln file(s)", "", total).format(part=wording.number(part))


def measure_of(progress: Progress, wording: Wording) -> str:
    """Return the progress in the unit of the run, such as `1,044 of 1,248 files` or `1.2 of 8.0 GB`."""
    if not progress.by_bytes:
        return files_of(progress.files_done, progress.files_total, wording)
    done, total = wording.size(progress.bytes_done), wording.size(progress.bytes_total)
    number, space, unit = done.rpartition(" ")
    if space and total.endswith(f" {unit}"):
        done = number
    return tr("{done} of {total}", "1.2 of 8.0 GB").format(done=done, total=total)


def files_and_bytes_of(progress: Progress, wording: Wording) -> str:
    """Return the progress in files and bytes, for the tool tip and screen readers."""
    return tr("{files}, {done} of {total}", "1,044 of 1,248 files, 3.1 GB of 3.4 GB").format(
        files=files_of(progress.files_done, progress.files_total, wording),
        done=wording.size(progress.bytes_done),
        total=wording.size(progress.bytes_total),
    )


def rounded(seconds: float, before: int | None = None) -> int:
    """Round a time to a precision that suits its length.

    Args:
        seconds: The time left.
        before: The previous result. It is returned again while it is close enough, to keep the text from flickering.

    Returns:
        The time in seconds: 0 for less than a minute, 24 hours for 24 hours or more, and otherwise a multiple of
        10 minutes from one hour up, of 5 minutes from 15 minutes up, or of 1 minute.
    """
    if seconds >= DAY:
        return DAY
    if seconds < MINUTE and (before in {None, 0} or seconds < _STICKY * MINUTE):
        return 0
    step = MINUTE if seconds < _ROUGH_FROM else _ROUGH_STEP if seconds < HOUR else _HOURS_STEP
    if before and before % step == 0 and abs(seconds - before) <= _STICKY * step:
        return before
    return max(MINUTE, round(seconds / step) * step)


def time_left(seconds: int) -> str:
    """Return the time left as text, such as `~2 min`.

    Args:
        seconds: The result of `rounded`.
    """
    if seconds >= DAY:
        return tr("more than a day", "how long it still takes")
    if seconds < MINUTE:
        return tr("less than a minute", "how long it still takes")
    if seconds < HOUR:
        return tr("~%Ln min", "how long it still takes", seconds // MINUTE)
    hours, rest = divmod(seconds, HOUR)
    if not rest:
        return tr("~%Ln h", "how long it still takes", hours)
    return tr("~{hours} h {minutes} min", "how long it still takes").format(hours=hours, minutes=rest // MINUTE)


class TimeLeft:
    """Formats a changing time left so that the text does not flicker."""

    def __init__(self) -> None:
        self._before: int | None = None

    def text(self, seconds: float | None) -> str:
        """Return the time left as text; empty if there is no estimate."""
        self._before = None if seconds is None else rounded(seconds, self._before)
        return "" if self._before is None else time_left(self._before)


def rate(value: float) -> str:
    """Return a rate as a short number, such as `9.1` or `120`."""
    return QLocale().toString(value, "f", 0 if value >= _WHOLE_FROM else 1)


def pace_text(pace: Pace, wording: Wording) -> str:
    """Return the throughput in the unit of the run, such as `9.1/s`, `12.3 MB/s` or `4/min`; empty if there is none."""
    if not pace.by_bytes and pace.files >= _LEAST_FILES_PER_SECOND:
        return tr("{number}/s", "files by the second").format(number=rate(pace.files))
    if pace.bytes >= 1:
        return tr("{size}/s", "12.3 MB by the second").format(size=wording.size(int(pace.bytes)))
    if pace.files > 0:
        return tr("{number}/min", "files by the minute").format(number=rate(pace.files * 60))
    return ""


def pace_sentence(pace: Pace, wording: Wording) -> str:
    """Return the throughput in files and bytes, for the tool tip and screen readers."""
    return tr("{files} files and {size} per second").format(files=rate(pace.files), size=wording.size(int(pace.bytes)))


def end_text(end: RunEnd, wording: Wording) -> str:
    """Return the result of a run, such as `245 files processed in 2 min 10 s, 3 failed.`."""
    if end.failed >= end.files:
        return tr("%Ln file(s) failed.", "a run is over", end.files)
    is_long = end.took_ms >= _SHORT_MS
    if end.failed and is_long:
        text = tr("%Ln file(s) processed in {time}, {failed} failed.", "a run is over", end.files - end.failed)
    elif end.failed:
        text = tr("%Ln file(s) processed, {failed} failed.", "a run is over", end.files - end.failed)
    elif is_long:
        text = tr("%Ln file(s) processed in {time}.", "a run is over", end.files)
    else:
        text = tr("%Ln file(s) processed.", "a run is over", end.files)
    return text.format(time=wording.span(end.took_ms), failed=wording.number(end.failed))


def selection_text(count: int, sums: SelectionSums | None, wording: Wording, fields: Sequence[ResultField] = ()) -> str:
    """Return a text about the selection, such as `12 selected · 3.4 MB · 2 failed · Pages: 1,248`.

    Args:
        count: The number of selected files.
        sums: The totals of these files; None while they are being calculated.
        wording: The formatter for numbers and sizes.
        fields: The fields of results whose totals are shown.
    """
    parts = [tr("%Ln selected", "files", count)]
    if sums is not None:
        parts.append(wording.size(sums.size))
        if sums.counts.failed:
            parts.append(tr("%Ln failed", "files", sums.counts.failed))
        results = dict(sums.results)
        parts += [
            f"{translated(field.title)}: {_total(field, results[field.name], wording)}"
            for field in fields
            if field.name in results
        ]
    return " · ".join(parts)


def _total(field: ResultField, total: float, wording: Wording) -> str:
    units = {unit for _, unit in field.units}
    unit = units.pop() if len(units) == 1 else ""
    return wording.value(total if field.kind is float else round(total), unit)

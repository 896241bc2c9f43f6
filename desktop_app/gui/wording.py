"""Formats numbers, sizes, times and statuses in the user's locale."""

from __future__ import annotations

import html
import re
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

from desktop_app.config.settings import LOCAL_QUEUE
from desktop_app.domain.job import Job, Status
from desktop_app.domain.queue_key import queue_label
from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.i18n import reason_text, tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from desktop_app.domain.fields import Value
    from desktop_app.gui.ports import ProcessorInfo

DASH = " \N{EN DASH} "
_SECOND_MS = 1000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_WHOLE_SECONDS_FROM_MS = 10 * _SECOND_MS
_LONGEST_TIP = 120
# The units that the system's file manager uses.
_KILO, _SIZE_FORMAT = (
    (1024, QLocale.DataSizeFormat.DataSizeTraditionalFormat)
    if sys.platform == "win32"
    else (1000, QLocale.DataSizeFormat.DataSizeSIFormat)
)
_YEAR = re.compile(r"[^dM]*y+[^dM]*")
_STATUS_WORDS = {
    Status.PENDING: mark("Pending"),
    Status.PROCESSING: mark("Processing"),
    Status.PROCESSED: mark("Processed"),
    Status.FAILED: mark("Failed"),
}

_STATUS_WORDS_IN_TEXT = {
    Status.PENDING: mark("pending"),
    Status.PROCESSING: mark("processing"),
    Status.PROCESSED: mark("processed"),
    Status.FAILED: mark("failed"),
}


_DIGITS = 6
"""The number of significant digits of a fraction."""
_MANY = 1_000_000
"""A number with the plural form of all higher ones; Qt can't choose the form for more than 32 bits."""


def status_word(status: Status) -> str:
    """Return the name of a status."""
    return translated(_STATUS_WORDS[status])


def status_word_in_text(status: Status) -> str:
    """Return the name of a status as it is written after a number, such as `3 processing`."""
    return translated(_STATUS_WORDS_IN_TEXT[status])


def tool_tip(text: str) -> str:
    """Escape plain text for a tool tip, so that Qt does not interpret a file name that looks like HTML.

    Only lines longer than `_LONGEST_TIP` characters are wrapped: Qt would break a short path at each slash.
    """
    wraps = any(len(line) > _LONGEST_TIP for line in text.splitlines())
    lines = html.escape(text).replace("\n", "<br>")
    return f'<div style="white-space: {"normal" if wraps else "pre"}">{lines}</div>' if text else ""


class Wording:
    """Formats values and jobs as text. Times are in milliseconds since 1970, sizes in bytes.

    Attributes:
        queue: The key of the current queue; empty until it is set. The status of a job that is waiting for another
            queue names that queue.

    Args:
        locale: The locale for numbers and dates.
    """

    def __init__(self, locale: QLocale, processors: Callable[[], Iterable[ProcessorInfo]] = tuple) -> None:
        self._locale = locale
        self._read_processors = processors
        self._processors: dict[str, str] = {}  # their titles by name
        # The words are translated only once, because the table needs one for every row.
        self._words = {status: status_word(status) for status in Status}
        self.queue = ""
        date, time = (form(QLocale.FormatType.ShortFormat) for form in (locale.dateFormat, locale.timeFormat))
        without_year = _YEAR.sub("", date)
        # A date with dots ends with one: "27.11.", but "11/27".
        self._day_format = without_year + ("." if re.search(r"[dM]\.[dM]", without_year) else "")
        self._date_format, self._clock_format = date, time
        self._stamp_format = time if "ss" in time else time.replace("mm", "mm:ss")

    def number(self, value: int) -> str:
        """Return a whole number with thousands separators."""
        return self._locale.toString(value)

    def files(self, count: int) -> str:
        """Return a number of files, such as `1 file` or `1,248 files`."""
        return tr("%Ln file(s)", "", count)

    def size(self, size: int) -> str:
        """Return a size with a suitable unit, such as `3.4 MB` or `1 byte`."""
        if size < _KILO:
            return self.bytes(size)
        unit = _KILO
        while size >= unit * _KILO:
            unit *= _KILO
        if round(size / unit, 1) >= _KILO:
            size = unit * _KILO  # `1.0 MB` instead of `1,000.0 kB`
        return self._locale.formattedDataSize(size, 1, _SIZE_FORMAT)

    def bytes(self, size: int) -> str:
        """Return a size in bytes, such as `12,345 bytes`."""
        return tr("{size} byte(s)", "", min(size, _MANY)).format(size=self.number(size))

    def processor(self, name: str) -> str:
        """Return the title of a processor; its name if this computer does not have it."""
        if name not in self._processors:  # such as a command that was set up since
            titles = {processor.name: translated(processor.title) for processor in self._read_processors()}
            self._processors = {known: display_text(known) for known in (*self._processors, name)} | titles
        return self._processors[name]

    def value(self, value: Value, unit: str = "") -> str:
        """Return the value of a field of a result, such as `1,248`, `0.25`, `Yes` or `3.4 MB`.

        Args:
            value: The value.
            unit: The unit of the field; a number of `bytes` is shown as a size.
        """
        match value:
            case bool():
                return tr("Yes") if value else tr("No")
            case int() if unit == "bytes":
                return self.size(value)
            case int():
                text = self.number(value)
            case float():
                text = self._locale.toString(value, "g", _DIGITS)
            case _:
                return display_text(value)
        return _unit(f"{{number}} {translated(unit)}", text) if unit else text

    def percent(self, fraction: float) -> str:
        """Return a fraction as a whole percentage, rounded down."""
        return tr("{number}%").format(number=self.number(int(fraction * 100)))

    # One rule for all points in time: today the time of day, this year the day and the time, and else with the year.

    def moment(self, milliseconds: int) -> str:
        """Return the time of day, preceded by the date unless it is today; the date has no year if it is this one."""
        return self._dated(milliseconds, self._clock_format)

    def stamp(self, milliseconds: int) -> str:
        """Return the same as `moment`, to the second."""
        return self._dated(milliseconds, self._stamp_format)

    def _dated(self, milliseconds: int, clock: str) -> str:
        moment, today = QDateTime.fromMSecsSinceEpoch(milliseconds), QDate.currentDate()
        day, time = moment.date(), self._locale.toString(moment.time(), clock)
        if day == today:
            return time
        date = self._day_format if day.year() == today.year() else self._date_format
        return f"{self._locale.toString(day, date)} {time}"

    def day_and_time(self, milliseconds: int) -> str:
        """Return a time as `Today 14:01`, `Yesterday 9:30`, or a date and time."""
        day = QDateTime.fromMSecsSinceEpoch(milliseconds).date()
        match day.daysTo(QDate.currentDate()):
            case 0:
                return tr("Today {time}").format(time=self.clock(milliseconds))
            case 1:
                return tr("Yesterday {time}").format(time=self.clock(milliseconds))
            case _:
                return self.moment(milliseconds)

    def recent_moment(self, milliseconds: int) -> str:
        """Return a time shortly: the time of day if it is today, `Yesterday`, or a date."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        match moment.date().daysTo(QDate.currentDate()):
            case 0:
                return self.clock(milliseconds)
            case 1:
                return tr("Yesterday")
            case _:
                return self._locale.toString(moment.date(), QLocale.FormatType.ShortFormat)

    def clock(self, milliseconds: int) -> str:
        """Return the time of day."""
        return self._locale.toString(QDateTime.fromMSecsSinceEpoch(milliseconds).time(), self._clock_format)

    def widest_clock(self) -> str:
        """Return a time of day whose text is as wide as any."""
        return self._locale.toString(QTime(22, 58), self._clock_format)

    def full_moment(self, milliseconds: int) -> str:
        """Return the date in long format and the time to the second, where the exact moment matters."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        day = self._locale.toString(moment.date(), QLocale.FormatType.LongFormat)
        return f"{day} {self._locale.toString(moment.time(), self._stamp_format)}"

    def span(self, milliseconds: int) -> str:
        """Return a duration in milliseconds as text, such as `0.8 s`, `42 s`, `2 min 10 s` or `3 h 5 min`."""
        if milliseconds < _WHOLE_SECONDS_FROM_MS:
            # Durations below 0.1 s are shown as 0.1 s, because 0.0 s would look like an error.
            return _unit(tr("{number} s"), self._locale.toString(max(0.1, milliseconds / _SECOND_MS), "f", 1))
        if milliseconds < _MINUTE_MS:
            return _unit(tr("{number} s"), str(milliseconds // _SECOND_MS))
        if milliseconds < _HOUR_MS:
            minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
            return _unit(tr("{number} min"), str(minutes)) + " " + _unit(tr("{number} s"), str(rest))
        hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
        return _unit(tr("{number} h"), str(hours)) + " " + _unit(tr("{number} min"), str(rest))

    def word(self, status: Status) -> str:
        """Return the name of a status."""
        return self._words[status]

    def status(self, job: Job) -> str:
        """Return the status of a job, followed by all that is known about it, such as `Pending – In queue`."""
        word, details = self._words[job.status], self.reason(job) or self._usual_details(job)
        return f"{word}{DASH}{details}" if details else word

    def reason(self, job: Job) -> str:
        """Return what is exceptional about a job: why it failed, or what it waits for other than its turn."""
        return self._waiting_reason(job) if job.status is Status.PENDING else reason_text(job.reason)

    def has_reason(self, job: Job) -> bool:
        """Return whether `reason` has something to say about a job. Fast."""
        return job.reason is not None or job.next_try_at is not None or self.waits_for_another_queue(job)

    def waits_for_another_queue(self, job: Job) -> bool:
        """Return whether a job is pending and its queue is not the current one."""
        return job.status is Status.PENDING and bool(self.queue) and job.queue != self.queue

    def _waiting_reason(self, job: Job) -> str:
        if self.waits_for_another_queue(job):
            return tr("Waiting for the queue {queue}").format(queue=translated(queue_label(job.queue)))
        if job.next_try_at is None:
            return reason_text(job.reason)
        time = self.moment(job.next_try_at)
        if job.reason is None:
            return tr("Next attempt at {time}").format(time=time)
        arguments = job.reason.arguments
        if "next" in arguments:
            return tr("Attempt {next} of {most} at {time}: {reason}").format(
                next=arguments["next"], most=arguments["most"], time=time, reason=reason_text(job.reason.cause)
            )
        return tr("Next attempt at {time}: {reason}").format(time=time, reason=reason_text(job.reason))

    def _usual_details(self, job: Job) -> str:
        """Return the details of a job's status that are as expected: its place on the way, or its progress."""
        if job.status is Status.PENDING:
            return tr("Waiting to be sent") if job.sent_at is None else tr("In queue")
        done = progress_of(job)
        if not done:
            return ""
        return tr("Finishing") if done >= 1 else tr("Reading {percent}").format(percent=self.percent(done))

    def row(self, job: Job) -> str:
        """Return a job's name, status, progress and result as one text for screen readers."""
        done, reason = progress_of(job), self.reason(job)
        parts = [job.name, self._words[job.status]]
        if reason:
            parts.append(reason)
        if done is not None:
            parts.append(self.percent(done))
        if job.lines_count is not None:
            parts.append(tr("%Ln line(s)", "", job.lines_count))
        if job.file_size is not None:
            parts.append(self.size(job.file_size))
        return ", ".join(parts)


def _unit(text: str, number: str) -> str:
    """Return a number and its unit, joined by a no-break space."""
    return text.format(number=number).replace(" ", "\N{NO-BREAK SPACE}")


def queue_text(job: Job) -> str:
    """Return the description of a job's queue, which can be told from all others."""
    return tr("Local queue") if job.queue == LOCAL_QUEUE else translated(queue_label(job.queue))


def progress_of(job: Job) -> float | None:
    """Return the fraction of a job's file that has been read, or None if it is not being read or has no known size."""
    if job.status is not Status.PROCESSING or not job.file_size:
        return None
    return min(1.0, job.bytes_done / job.file_size)

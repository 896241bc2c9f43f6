"""Formats numbers, sizes, times and statuses in the user's locale."""

from __future__ import annotations

import html
import sys

from PySide6.QtCore import QDate, QDateTime, QLocale

from desktop_app.domain.job import Job, Status
from desktop_app.domain.sentences import mark
from desktop_app.gui.i18n import reason_text, tr, translated

DASH = " \N{EN DASH} "
_SECOND_MS = 1000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_ROUGH_FROM_MS = 10 * _SECOND_MS
_SIZE_FORMAT = (
    # The same units as the system's file manager.
    QLocale.DataSizeFormat.DataSizeTraditionalFormat
    if sys.platform == "win32"
    else QLocale.DataSizeFormat.DataSizeSIFormat
)
_STATUS_WORDS = {
    Status.PENDING: mark("Pending"),
    Status.PROCESSING: mark("Processing"),
    Status.PROCESSED: mark("Processed"),
    Status.FAILED: mark("Failed"),
}


def user_locale(language: str = "") -> QLocale:
    """Return the system's locale; English for "C", which formats numbers for programs rather than people.

    Args:
        language: The user's choice, a code such as `de` or `de_AT`; unknown codes are ignored.
    """
    locale = QLocale(language) if language else QLocale.system()
    if language and locale.language() == QLocale.Language.C:
        locale = QLocale.system()
    return QLocale(QLocale.Language.English) if locale.language() == QLocale.Language.C else locale


def status_word(status: Status) -> str:
    """Return a status in one word."""
    return translated(_STATUS_WORDS[status])


def tool_tip(text: str) -> str:
    """Return a plain text as a tool tip in HTML: Qt would otherwise interpret file names that look like HTML."""
    return f"<qt>{html.escape(text)}</qt>" if text else ""


class Wording:
    """Formats texts for the table and the status bar.

    Args:
        locale: The locale for numbers and dates.
    """

    def __init__(self, locale: QLocale) -> None:
        self._locale = locale
        # Looked up once: a table needs thousands of them.
        self._words = {status: status_word(status) for status in Status}
        self.queue = ""

    def number(self, value: int) -> str:
        """Return a whole number with the locale's thousands separators."""
        return self._locale.toString(value)

    def files(self, count: int) -> str:
        """Return `1 file`, `1,248 files`."""
        return tr("%Ln file(s)", "", count)

    def size(self, size: int) -> str:
        """Return a size in a suitable unit, as the system's file manager does."""
        return self._locale.formattedDataSize(size, 1, _SIZE_FORMAT)

    def bytes(self, size: int) -> str:
        """Return a size in bytes, `12,345 bytes`."""
        return tr("%Ln byte(s)", "", size)

    def percent(self, fraction: float) -> str:
        """Return a fraction in whole percent; 100 % only when everything is done."""
        return f"{self.number(int(fraction * 100))}\N{NO-BREAK SPACE}%"

    def moment(self, milliseconds: int) -> str:
        """Return a time of today, or a date with a time; from milliseconds since 1970."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        if moment.date() == QDate.currentDate():
            return self.clock(milliseconds)
        return self._locale.toString(moment, QLocale.FormatType.ShortFormat)

    def day_and_time(self, milliseconds: int) -> str:
        """Return `Today 14:01`, `Yesterday 9:30`, or a date with a time; from milliseconds since 1970."""
        day = QDateTime.fromMSecsSinceEpoch(milliseconds).date()
        match day.daysTo(QDate.currentDate()):
            case 0:
                return tr("Today {time}").format(time=self.clock(milliseconds))
            case 1:
                return tr("Yesterday {time}").format(time=self.clock(milliseconds))
            case _:
                return self.moment(milliseconds)

    def clock(self, milliseconds: int) -> str:
        """Return the time of day, without the date; from milliseconds since 1970."""
        return self._locale.toString(QDateTime.fromMSecsSinceEpoch(milliseconds).time(), QLocale.FormatType.ShortFormat)

    def full_moment(self, milliseconds: int) -> str:
        """Return a date and time to the second; from milliseconds since 1970."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        day = self._locale.toString(moment.date(), QLocale.FormatType.LongFormat)
        return f"{day} {moment.toString('HH:mm:ss')}"

    def stamp(self, milliseconds: int) -> str:
        """Return a time of today, or a short date with a time, to the second; from milliseconds since 1970."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        clock = moment.toString("HH:mm:ss")
        if moment.date() == QDate.currentDate():
            return clock
        return f"{self._locale.toString(moment.date(), QLocale.FormatType.ShortFormat)} {clock}"

    def span(self, milliseconds: int) -> str:
        """Return a duration: `0.8 s`, `42 s`, `2 min 10 s`, `3 h 5 min`."""
        if milliseconds < _ROUGH_FROM_MS:
            # Below a tenth of a second the digits are of no use, but 0.0 s would be wrong.
            return _unit(tr("{number} s"), self._locale.toString(max(0.1, milliseconds / _SECOND_MS), "f", 1))
        if milliseconds < _MINUTE_MS:
            return _unit(tr("{number} s"), str(milliseconds // _SECOND_MS))
        if milliseconds < _HOUR_MS:
            minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
            return _unit(tr("{number} min"), str(minutes)) + " " + _unit(tr("{number} s"), str(rest))
        hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
        return _unit(tr("{number} h"), str(hours)) + " " + _unit(tr("{number} min"), str(rest))

    def word(self, status: Status) -> str:
        """Return a status in one word."""
        return self._words[status]

    def status(self, job: Job) -> str:
        """Return a job's status and, after a dash, further details."""
        word, reason = self._words[job.status], self.reason(job)
        return f"{word}{DASH}{reason}" if reason else word

    def reason(self, job: Job) -> str:
        """Return the details of a status: the reason, the progress, or when it continues."""
        match job.status:
            case Status.PENDING:
                return self._waits_for(job)
            case Status.PROCESSING:
                return self._reading(job)
            case _:
                return reason_text(job.reason)

    def _waits_for(self, job: Job) -> str:
        if self.queue and job.queue != self.queue:
            return tr("Waiting for the queue {queue}").format(queue=job.queue)
        if job.next_try_at is None:
            if job.reason:
                return reason_text(job.reason)
            return tr("Waiting to be sent") if job.sent_at is None else tr("In queue")
        time = self.clock(job.next_try_at)
        if job.reason is None:
            return tr("Next attempt at {time}").format(time=time)
        counted = job.reason.arguments
        if "next" in counted:
            return tr("Attempt {next} of {most} at {time}: {reason}").format(
                next=counted["next"], most=counted["most"], time=time, reason=reason_text(job.reason.cause)
            )
        return tr("Next attempt at {time}: {reason}").format(time=time, reason=reason_text(job.reason))

    def _reading(self, job: Job) -> str:
        done = progress_of(job)
        if not done:
            return reason_text(job.reason)
        return tr("Finishing") if done >= 1 else tr("Reading {percent}").format(percent=self.percent(done))

    def row(self, job: Job) -> str:
        """Return a whole job in one sentence, for screen readers."""
        done = progress_of(job)
        # While the file is read, the percentage is enough.
        reason = "" if job.status is Status.PROCESSING and done is not None else self.reason(job)
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
    """Return a number with its unit, joined by a no-break space."""
    return text.format(number=number).replace(" ", "\N{NO-BREAK SPACE}")


def progress_of(job: Job) -> float | None:
    """Return the fraction of a file that was read, 0…1; None where it is meaningless."""
    if job.status is not Status.PROCESSING or not job.file_size:
        return None
    return min(1.0, job.bytes_done / job.file_size)

"""Numbers, sizes, times and statuses as a person reads them, in the user's locale."""

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
    # As the systems' own file managers count.
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
    """Return the system's locale; English where that is "C", which writes numbers for programs rather than for people.

    Args:
        language: A person's own choice, a code such as `de` or `de_AT`; one that is no language counts for nothing.
    """
    locale = QLocale(language) if language else QLocale.system()
    if language and locale.language() == QLocale.Language.C:
        locale = QLocale.system()
    return QLocale(QLocale.Language.English) if locale.language() == QLocale.Language.C else locale


def status_word(status: Status) -> str:
    """Return a status in one word."""
    return translated(_STATUS_WORDS[status])


def tool_tip(text: str) -> str:
    """Any text as a tool tip. Qt takes what looks like HTML for HTML; a file may have such a name, so it always is."""
    return f"<qt>{html.escape(text)}</qt>" if text else ""


class Wording:
    """Texts for the table and the status bar.

    Args:
        locale: Decides separators, the order of dates and the decimal sign.
    """

    def __init__(self, locale: QLocale) -> None:
        self._locale = locale
        # Looked up once: a table asks for thousands of them.
        self._words = {status: status_word(status) for status in Status}
        self.queue = ""

    def number(self, value: int) -> str:
        """Return a whole number with the locale's thousands separators."""
        return self._locale.toString(value)

    def files(self, count: int) -> str:
        """Return `1 file`, `1,248 files`."""
        return tr("%Ln file(s)", "", count)

    def size(self, size: int) -> str:
        """Return bytes in the unit that fits, as the system's file manager writes them."""
        return self._locale.formattedDataSize(size, 1, _SIZE_FORMAT)

    def bytes(self, size: int) -> str:
        """Return a size to the byte, `12,345 bytes`."""
        return tr("%Ln byte(s)", "", size)

    def percent(self, fraction: float) -> str:
        """Return a fraction as whole percent; 100 % only when all is done."""
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
        """Return how long something took: `0.8 s`, `42 s`, `2 min 10 s`, `3 h 5 min`."""
        if milliseconds < _ROUGH_FROM_MS:
            # Below a tenth of a second the digits say nothing to a person, but 0.0 s would be a lie.
            return _unit(tr("{number} s"), self._locale.toString(max(0.1, milliseconds / _SECOND_MS), "f", 1))
        if milliseconds < _MINUTE_MS:
            return _unit(tr("{number} s"), str(milliseconds // _SECOND_MS))
        if milliseconds < _HOUR_MS:
            minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
            return f"{_unit(tr('{number} min'), str(minutes))} {_unit(tr('{number} s'), str(rest))}"
        hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
        return f"{_unit(tr('{number} h'), str(hours))} {_unit(tr('{number} min'), str(rest))}"

    def word(self, status: Status) -> str:
        """Return a status in one word."""
        return self._words[status]

    def status(self, job: Job) -> str:
        """Return a job's status in a word, and behind a dash what more there is to say."""
        word, reason = self._words[job.status], self.reason(job)
        return f"{word}{DASH}{reason}" if reason else word

    def reason(self, job: Job) -> str:
        """Return what more there is to say than the status: why it is so, how far it is, or when it goes on."""
        match job.status:
            case Status.PENDING:
                return self._waits_for(job)
            case Status.PROCESSING:
                return self._reading(job)
            case _:
                return reason_text(job.reason)

    def _waits_for(self, job: Job) -> str:
        if self.queue and job.queue != self.queue:
            return tr("Waits for the queue {queue}").format(queue=job.queue)
        if job.next_try_at is None:
            if job.reason:
                return reason_text(job.reason)
            return tr("Waiting to be sent") if job.sent_at is None else tr("In queue")
        time = self.clock(job.next_try_at)
        if job.reason is None:
            return tr("Retry at {time}").format(time=time)
        counted = job.reason.arguments
        if "next" in counted:
            return tr("Retry {next} of {most} at {time}: {reason}").format(
                next=counted["next"], most=counted["most"], time=time, reason=reason_text(job.reason.cause)
            )
        return tr("Retry at {time}: {reason}").format(time=time, reason=reason_text(job.reason))

    def _reading(self, job: Job) -> str:
        done = progress_of(job)
        if not done:
            return reason_text(job.reason)
        return tr("Finishing") if done >= 1 else tr("Reading {percent}").format(percent=self.percent(done))

    def row(self, job: Job) -> str:
        """Return a whole job in one sentence for a screen reader."""
        done = progress_of(job)
        # While it is read, the percentage says it all.
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
    """Return a number with its unit, never on two lines."""
    return text.format(number=number).replace(" ", "\N{NO-BREAK SPACE}")


def progress_of(job: Job) -> float | None:
    """Return how much of a file is read, 0…1; None where that says nothing."""
    if job.status is not Status.PROCESSING or not job.file_size:
        return None
    return min(1.0, job.bytes_done / job.file_size)

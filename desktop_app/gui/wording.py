"""Numbers, sizes, times and statuses as a person reads them, in the user's locale."""

from __future__ import annotations

import html
import sys

from PySide6.QtCore import QDate, QDateTime, QLocale

from desktop_app.gui.texts import tr, translated
from desktop_app.jobs import Job, Status, display_text

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
    Status.PENDING: "Pending",
    Status.PROCESSING: "Processing",
    Status.PROCESSED: "Processed",
    Status.FAILED: "Failed",
}


def user_locale(language: str = "") -> QLocale:
    """The system's locale; English where that is "C", which writes numbers for programs rather than for people.

    Args:
        language: A person's own choice, a code such as `de` or `de_AT`; one that is no language counts for nothing.
    """
    locale = QLocale(language) if language else QLocale.system()
    if language and locale.language() == QLocale.Language.C:
        locale = QLocale.system()
    return QLocale(QLocale.Language.English) if locale.language() == QLocale.Language.C else locale


def status_word(status: Status) -> str:
    """A status in one word."""
    return _STATUS_WORDS[status]


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

    def number(self, value: int) -> str:
        """A whole number with the locale's thousands separators."""
        return self._locale.toString(value)

    def counted(self, count: int, one: str) -> str:
        """A number with its noun, of which the singular is given: `1 row`, `1,248 rows`."""
        return f"{self.number(count)} {one if count == 1 else f'{one}s'}"

    def files(self, count: int) -> str:
        """`1 file`, `1,248 files`."""
        return tr("%Ln file(s)", "", count)

    def size(self, size: int) -> str:
        """Bytes in the unit that fits, as the system's file manager writes them."""
        return self._locale.formattedDataSize(size, 1, _SIZE_FORMAT)

    def bytes(self, size: int) -> str:
        """A size to the byte, `12,345 bytes`."""
        return self.counted(size, "byte")

    def percent(self, fraction: float) -> str:
        """A fraction as whole percent; 100 % only when all is done."""
        return f"{self.number(int(fraction * 100))}\N{NO-BREAK SPACE}%"

    def moment(self, milliseconds: int) -> str:
        """A time of today, or a date with a time; from milliseconds since 1970."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        if moment.date() == QDate.currentDate():
            return self.clock(milliseconds)
        return self._locale.toString(moment, QLocale.FormatType.ShortFormat)

    def day_and_time(self, milliseconds: int) -> str:
        """`Today 14:01`, `Yesterday 9:30`, or a date with a time; from milliseconds since 1970."""
        day = QDateTime.fromMSecsSinceEpoch(milliseconds).date()
        word = {0: "Today", 1: "Yesterday"}.get(day.daysTo(QDate.currentDate()))
        return f"{word} {self.clock(milliseconds)}" if word else self.moment(milliseconds)

    def clock(self, milliseconds: int) -> str:
        """The time of day, without the date; from milliseconds since 1970."""
        return self._locale.toString(QDateTime.fromMSecsSinceEpoch(milliseconds).time(), QLocale.FormatType.ShortFormat)

    def full_moment(self, milliseconds: int) -> str:
        """A date and time to the second; from milliseconds since 1970."""
        moment = QDateTime.fromMSecsSinceEpoch(milliseconds)
        day = self._locale.toString(moment.date(), QLocale.FormatType.LongFormat)
        return f"{day} {moment.toString('HH:mm:ss')}"

    def span(self, milliseconds: int) -> str:
        """How long something took: `0.8 s`, `42 s`, `2 min 10 s`, `3 h 5 min`."""
        if milliseconds < _ROUGH_FROM_MS:
            # Below a tenth of a second the digits say nothing to a person, but 0.0 s would be a lie.
            return f"{self._locale.toString(max(0.1, milliseconds / _SECOND_MS), 'f', 1)}\N{NO-BREAK SPACE}s"
        if milliseconds < _MINUTE_MS:
            return f"{milliseconds // _SECOND_MS}\N{NO-BREAK SPACE}s"
        if milliseconds < _HOUR_MS:
            minutes, rest = divmod(milliseconds // _SECOND_MS, 60)
            return f"{minutes}\N{NO-BREAK SPACE}min {rest}\N{NO-BREAK SPACE}s"
        hours, rest = divmod(milliseconds // _MINUTE_MS, 60)
        return f"{hours}\N{NO-BREAK SPACE}h {rest}\N{NO-BREAK SPACE}min"

    def status(self, job: Job) -> str:
        """A job's status in a word, and behind a dash what more there is to say."""
        word = _STATUS_WORDS[job.status]
        reason = self._reason(job)
        return f"{word}{DASH}{reason}" if reason else word

    def _reason(self, job: Job) -> str:
        reason = translated(display_text(job.reason))
        if job.status is not Status.PENDING:
            return reason
        if job.next_try_at is not None:
            again = f"Retry at {self.clock(job.next_try_at)}"
            return f"{again}: {reason}" if reason else again
        return reason or ("Waiting to be sent" if job.sent_at is None else "In queue")

    def row(self, job: Job) -> str:
        """A whole job in one sentence for a screen reader."""
        reason = self._reason(job)
        parts = [job.name, _STATUS_WORDS[job.status]]
        if reason:
            parts.append(reason)
        done = progress_of(job)
        if done is not None:
            parts.append(self.percent(done))
        if job.lines_count is not None:
            parts.append(self.counted(job.lines_count, "line"))
        if job.file_size is not None:
            parts.append(self.size(job.file_size))
        return ", ".join(parts)


def progress_of(job: Job) -> float | None:
    """How much of a file is read, 0…1; None where that says nothing."""
    if job.status is not Status.PROCESSING or not job.file_size:
        return None
    return min(1.0, job.bytes_done / job.file_size)

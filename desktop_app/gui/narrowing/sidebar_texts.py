"""What the sidebar's entries say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.gui.narrowing.sidebar_entry import EntryFacts
from desktop_app.gui.table.delegates import STATUS_ICONS
from desktop_app.gui.texts import mark, tr, translated
from desktop_app.gui.wording import status_word
from desktop_app.jobs import Batch, Problem, Status, StatusCounts, display_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop_app.gui.wording import Wording

_NO_REASON = mark("No reason was given")


class SidebarTexts:
    """Makes the entries, by the key of what they stand for."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def statuses(self, counts: StatusCounts) -> dict[Status | None, EntryFacts]:
        """All files, and each status."""
        found: dict[Status | None, EntryFacts] = {
            None: self._facts(tr("All", "files of every status"), counts.total, icon="all-files", colour="muted")
        }
        for status in Status:
            word = status_word(status)
            colour = status.name.lower() if counts.of(status) else "muted"
            found[status] = self._facts(word, counts.of(status), icon=STATUS_ICONS[status], colour=colour)
        return found

    def problems(self, problems: Sequence[Problem]) -> dict[str, EntryFacts]:
        """What files have failed for."""
        return {problem.code: self._problem(problem) for problem in problems}

    def _problem(self, problem: Problem) -> EntryFacts:
        text = translated(display_text(problem.text)).rstrip(".") or translated(_NO_REASON)
        others = problem.texts - 1
        note = tr("and %Ln similar reason(s)", "", others) if others else ""
        return self._facts(text, problem.count, note=note, action=tr("Retry all with this reason"))

    def batches(self, batches: Sequence[Batch]) -> dict[int, EntryFacts]:
        """What was added together."""
        return {batch.id: self._batch(batch) for batch in batches}

    def _batch(self, batch: Batch) -> EntryFacts:
        when, name = self._wording.day_and_time(batch.created_at), display_text(batch.name)
        hint = tr("Added {moment}").format(moment=self._wording.full_moment(batch.created_at))
        return self._facts(name or when, batch.count, note=when if name else "", hint=hint)

    def retry(self, reasons: int) -> str:
        """The words of the button below the problems."""
        return tr("&Retry All With This Reason") if reasons <= 1 else tr("&Retry All With These Reasons")

    def retry_shortly(self) -> str:
        """The same where that is too wide for the sidebar."""
        return tr("&Retry All These")

    def retry_these(self, count: int) -> str:
        """The same in a context menu, which knows how many it is about."""
        return tr("&Retry %Ln File(s) With This Reason", "", count)

    def _facts(
        self,
        text: str,
        count: int,
        *,
        note: str = "",
        icon: str = "",
        colour: str = "text",
        hint: str = "",
        action: str = "",
    ) -> EntryFacts:
        parts = [part for part in (text, note, self._wording.files(count)) if part]
        return EntryFacts(text, self._wording.number(count), ", ".join(parts), note, icon, colour, hint, action)

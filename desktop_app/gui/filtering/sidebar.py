"""The sidebar, which filters the list by status, problem and batch, and shows the number of files with each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from desktop_app.domain.job import Batch, Status, StatusCounts
from desktop_app.domain.query import Filter, Problem
from desktop_app.domain.reasons import FileProblem
from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.filtering.sidebar_entry import EntryFacts, SidebarEntry
from desktop_app.gui.i18n import reason_text, tr, translated
from desktop_app.gui.table.job_feed import Groups
from desktop_app.gui.widgets.dialogs import leading, spaced
from desktop_app.gui.wording import Wording, status_word

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from PySide6.QtGui import QFontMetrics, QResizeEvent, QShowEvent

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window_memory import WindowMemory


Key = TypeVar("Key")

_MARGIN = 8
"""The margin on each side; the scroll bar is as wide as the right one, so it does not move anything."""

_EDGE = 1

_WIDEST_COUNT = 999_999

_PREFERRED = 31
"""The preferred width, as a number of average characters."""

_MOST = 420

_SHARE = 0.27
"""The maximum preferred width of the sidebar as a fraction of the window's width."""

_NO_REASON = mark("No reason given")

_DIFFERENT = {
    FileProblem.BAD_CONTENT: mark("The content is not valid"),
    FileProblem.MISMATCH: mark("The content could not be verified"),
    FileProblem.LIMIT: mark("A limit was exceeded"),
    FileProblem.NOT_AVAILABLE: mark("It can't be processed this way here"),
    FileProblem.COMMAND: mark("The command failed"),
    FileProblem.PLUGIN: mark("The plug-in failed"),
}
"""The titles of groups of files whose reasons, which name a place in each file, are different."""


class Section(QWidget, Generic[Key]):
    """A group of entries with a title; hidden while there are no entries.

    Signals:
        picked(Key, bool): An entry was clicked; True if Ctrl was held.
        action_clicked(Key): The button in an entry was clicked.
        menu_requested(Key, QPoint): The context menu of an entry was requested.
        moved(SidebarEntry, int): A key that moves the focus to another entry was pressed in this one.
        focused(Key, bool): An entry has got or lost the focus.
        renamed(Key, str): The user has typed a new name for an entry.

    Attributes:
        entries: The entries in order, by key.
        column: The layout of the entries, to which other widgets can be added.
    """

    picked = Signal(object, bool)
    action_clicked = Signal(object)
    menu_requested = Signal(object, object)
    moved = Signal(object, int)
    focused = Signal(object, bool)
    renamed = Signal(object, str)

    def __init__(self, title: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.entries: dict[Key, SidebarEntry] = {}
        self._width = 1
        self._title = QLabel(title.upper(), self)
        self._title.setObjectName("sectionTitle")
        self._title.setAccessibleName(title)
        self._title.setAlignment(leading(self._title))
        self.column = spaced(QVBoxLayout(self), 1)
        self.column.addWidget(self._title)
        self.hide()

    def show_entries(self, facts: dict[Key, EntryFacts], chosen: Collection[Key]) -> None:
        """Show an entry for each key, in this order. Existing entries are reused, so that they keep the focus."""
        for key in self.entries.keys() - facts.keys():
            entry = self.entries.pop(key)
            self.column.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        ordered: dict[Key, SidebarEntry] = {}
        for at, (key, fact) in enumerate(facts.items()):
            ordered[key] = entry = self.entries.get(key) or self._new_entry(key)
            if self.column.indexOf(entry) != at + 1:
                self.column.removeWidget(entry)
                self.column.insertWidget(at + 1, entry)
            entry.show_facts(fact, chosen=key in chosen)
            entry.show()
        self.entries = ordered
        self.setVisible(bool(facts))

    def set_width(self, width: int) -> None:
        """Set the width of the entries in pixels."""
        self._width = width
        for entry in self.entries.values():
            entry.set_width(width)

    def _new_entry(self, key: Key) -> SidebarEntry:
        entry = SidebarEntry(self._theme, self)
        entry.set_width(self._width)
        entry.picked.connect(lambda add: self.picked.emit(key, add))
        entry.action_clicked.connect(lambda: self.action_clicked.emit(key))
        entry.menu_requested.connect(lambda place: self.menu_requested.emit(key, place))
        entry.moved.connect(lambda pressed: self.moved.emit(entry, pressed))
        entry.focused.connect(lambda has_focus: self.focused.emit(key, has_focus))
        entry.renamed.connect(lambda text: self.renamed.emit(key, text))
        return entry

    def title_width(self) -> int:
        """Return the width in pixels of the title."""
        return self._title.sizeHint().width()


class SidebarTexts:
    """Creates the content of the entries. Each method returns the entries of one section, by key."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def statuses(self, counts: StatusCounts | None) -> dict[Status | None, EntryFacts]:
        """Return an entry for each status, and one with the key None for all files; without numbers if unknown."""
        total = None if counts is None else counts.total
        found: dict[Status | None, EntryFacts] = {
            None: self._facts(tr("All", "files of every status"), total, icon="all-files", colour="muted")
        }
        for status in Status:
            count = None if counts is None else counts.of(status)
            name = status.name.lower()
            colour = name if count else "muted"
            found[status] = self._facts(status_word(status), count, icon=f"status-{name}", colour=colour)
        return found

    def problems(self, problems: Sequence[Problem], chosen: Collection[str] = ()) -> dict[str, EntryFacts]:
        """Return an entry for each problem, with its code as the key. Its button is for all chosen problems."""
        these = len(chosen) > 1
        action = tr("Retry all with these reasons") if these else tr("Retry all with this reason")
        return {problem.code: self._problem(problem, action) for problem in problems}

    def _problem(self, problem: Problem, action: str) -> EntryFacts:
        text = reason_text(problem.reason).rstrip(".") or translated(_NO_REASON)
        others, hint = problem.reasons - 1, ""
        if others and problem.code in _DIFFERENT:
            text = translated(_DIFFERENT[FileProblem(problem.code)])
            hint = tr("%Ln different reason(s)", "", problem.reasons)
        elif others:
            hint = tr("and %Ln similar reason(s)", "", others)
        return self._facts(text, problem.count, hint, hint=hint, action=action, wraps=True)

    def batches(self, batches: Sequence[Batch]) -> dict[int, EntryFacts]:
        """Return an entry for each batch, with its id as the key."""
        return {batch.id: self._batch(batch) for batch in batches}

    def _batch(self, batch: Batch) -> EntryFacts:
        counts, number = batch.counts, self._wording.number
        finished = counts.total - counts.unfinished
        name = display_text(batch.name) or self._wording.day_and_time(batch.created_at)
        note = self._wording.recent_moment(batch.created_at)
        if counts.unfinished:
            note = tr("{done} done", "files of a batch").format(done=number(finished))
        if batch.held is not None and counts.pending:
            note = tr("Paused", "a batch")
        alert = tr("{failed} failed").format(failed=number(counts.failed)) if counts.failed else ""
        return self._facts(
            name,
            counts.total,
            note,
            alert,
            note=note,
            alert=alert,
            hint=tr("Added {moment}").format(moment=self._wording.full_moment(batch.created_at)),
            done=finished / counts.total if counts.unfinished else None,
        )

    def _facts(self, text: str, count: int | None, *details: str, **others: Any) -> EntryFacts:  # noqa: ANN401
        """Return the content of an entry.

        Args:
            text: The text.
            count: The number of files; None if it is unknown.
            *details: Further texts for screen readers; may be empty.
            **others: Further attributes of `EntryFacts`.
        """
        number, files = ("", "") if count is None else (self._wording.number(count), self._wording.files(count))
        return EntryFacts(text, number, ", ".join(filter(None, (text, *details, files))), **others)

    def status_width(self, metrics: QFontMetrics) -> int:
        """Return the width in pixels that the entry with the longest status needs for a number of six digits."""
        words = [tr("All", "files of every status"), *map(status_word, Status)]
        count = self._wording.number(_WIDEST_COUNT)
        return max(SidebarEntry.width_for(word, count, metrics) for word in words)


def with_status(choice: Filter, status: Status | None, *, add: bool) -> Filter:
    """Return the choice after a click on a status. A click on “All” clears the choice.

    Args:
        choice: The current choice.
        status: The clicked status; None for “All”.
        add: Whether the click toggles this status and keeps the others.
    """
    if status is None:
        return Filter()
    statuses = choice.statuses ^ {status} if add else frozenset({status})
    # Only failed jobs have a problem. Together with another status, a problem would leave the list empty.
    problems = choice.problems if Status.FAILED in statuses or not statuses else frozenset[str]()
    return replace(choice, statuses=statuses, problems=problems)


def with_problem(choice: Filter, code: str, *, add: bool) -> Filter:
    """Return the choice after a click on a problem; see `with_status`. A second click on it clears the choice."""
    statuses = choice.statuses if Status.FAILED in choice.statuses else frozenset[Status]()
    return replace(choice, statuses=statuses, problems=_clicked(choice.problems, code, add=add))


def with_batch(choice: Filter, batch: int, *, add: bool) -> Filter:
    """Return the choice after a click on a batch; see `with_problem`."""
    return replace(choice, batches=_clicked(choice.batches, batch, add=add))


def _clicked(keys: frozenset[Key], key: Key, *, add: bool) -> frozenset[Key]:
    if add:
        return keys ^ {key}
    return frozenset() if keys == {key} else frozenset({key})


@dataclass(frozen=True, slots=True)
class Group:
    """The files of an entry of the sidebar.

    Attributes:
        where: The filter that the files match.
        counts: The number of files by status.
        title: The text of the entry; empty for all files.
        batch: The batch, if the entry is one.
    """

    where: Filter
    counts: StatusCounts
    title: str = ""
    batch: Batch | None = None


class Sidebar(QScrollArea):
    """The sidebar, with sections for statuses, problems and batches.

    Signals:
        chosen(): `choice` has changed.
        retry_requested(frozenset[str]): The user wants to retry all files that failed with these reason codes.
        menu_requested(Group, QPoint): The context menu of an entry was requested at a screen position.
        rename_target_changed(): `rename_target` may have changed.
        renamed(Batch, str): The user has typed a new name for a batch.
        older_requested(): The user wants to see older batches.
        shown(): The sidebar has become visible.

    Attributes:
        choice: The chosen filter, without a search.
        statuses, problems, batches: The sections.
        older: The button below the batches, which shows older ones.
    """

    chosen = Signal()
    retry_requested = Signal(object)
    menu_requested = Signal(object, object)
    rename_target_changed = Signal()
    renamed = Signal(object, str)
    older_requested = Signal()
    shown = Signal()

    def __init__(self, wording: Wording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = SidebarTexts(wording)
        self._counts: StatusCounts | None = None
        self._groups = Groups()
        self._tab_order: list[QWidget] = []
        self._focused_batch = 0
        self.choice = Filter()
        self.setObjectName("sidebar")
        self.setAccessibleName(tr("Sidebar"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self._inside = inside = QWidget(self)
        inside.setObjectName("sidebarInside")
        self.statuses: Section[Status | None] = Section(tr("Status"), theme, inside)
        self.problems: Section[str] = Section(tr("Problems"), theme, inside)
        self.batches: Section[int] = Section(tr("Batches"), theme, inside)
        self.older = QPushButton(tr("Show &Older Batches"), inside)
        self.older.setObjectName("link")
        self.older.clicked.connect(self.older_requested)
        self.batches.column.addWidget(self.older)
        column = spaced(QVBoxLayout(inside), 10, (_MARGIN, 4, 0, _MARGIN))  # the scroll bar is on the other side
        for section in self._sections():
            column.addWidget(section)
            section.moved.connect(self._move)
        column.addStretch(1)
        self.setWidget(inside)
        self.statuses.picked.connect(lambda key, add: self.choose(with_status(self.choice, key, add=add)))
        self.problems.picked.connect(lambda key, add: self.choose(with_problem(self.choice, key, add=add)))
        self.batches.picked.connect(lambda key, add: self.choose(with_batch(self.choice, key, add=add)))
        self.problems.action_clicked.connect(lambda _key: self.retry_requested.emit(self.choice.problems))
        self.statuses.menu_requested.connect(lambda key, place: self.menu_requested.emit(self._status(key), place))
        self.problems.menu_requested.connect(lambda key, place: self.menu_requested.emit(self._problem(key), place))
        self.batches.menu_requested.connect(lambda key, place: self.menu_requested.emit(self._batch(key), place))
        self.batches.focused.connect(self._note_focus)
        self.batches.renamed.connect(self._rename)
        theme.changed.connect(self.fit)  # the font may change with the style sheet
        self._show()

    def _sections(self) -> tuple[Section[Status | None], Section[str], Section[int]]:
        return self.statuses, self.problems, self.batches

    # --- what is shown

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """Show the number of jobs with each status."""
        self._counts = counts
        self._show()

    @Slot(object)
    def show_groups(self, groups: Groups) -> None:
        """Show the problems and batches. Remove those that no longer exist from the choice."""
        before, self._groups = self._groups, groups
        problems = self.choice.problems & {problem.code for problem in groups.problems}
        # A chosen batch that was never shown has only just been added.
        gone = {batch.id for batch in before.batches} - {batch.id for batch in groups.batches}
        batches = self.choice.batches - gone
        self.choose(replace(self.choice, problems=problems, batches=batches))

    def choose(self, choice: Filter) -> None:
        """Change the choice."""
        changed, self.choice = choice != self.choice, choice
        self._show()
        if changed:
            self.chosen.emit()
        self.rename_target_changed.emit()

    def choose_status(self, status: Status | None) -> None:
        """Choose a single status, or None for all files."""
        self.choose(with_status(self.choice, status, add=False))

    @Slot()
    def _show(self) -> None:
        choice, texts = self.choice, self._texts
        statuses: frozenset[Status | None] = frozenset({None}) if choice.is_empty else frozenset(choice.statuses)
        self.statuses.show_entries(texts.statuses(self._counts), statuses)
        self.problems.show_entries(texts.problems(self._groups.problems, choice.problems), choice.problems)
        self.batches.show_entries(texts.batches(self._groups.batches), choice.batches)
        self.older.setVisible(self._groups.has_older)
        self._keep_one_tab_stop()
        self._order_tabs()

    # --- layout

    def preferred_width(self, window_width: int) -> int:
        """Return the width in pixels with which the sidebar opens at first.

        It depends on the font and the language, but not on the numbers and names in the sidebar.

        Args:
            window_width: The width of the window in pixels.
        """
        wanted = _PREFERRED * self.fontMetrics().averageCharWidth()
        return max(self.minimumWidth(), min(wanted, int(window_width * _SHARE)))

    @Slot()
    def fit(self) -> None:
        """Limit the width of the sidebar to what the statuses need, and adapt the entries to the width."""
        titles = max(section.title_width() for section in self._sections())
        least = max(titles, self._texts.status_width(self.fontMetrics())) + 2 * _MARGIN + _EDGE
        self.setMinimumWidth(least)
        self.setMaximumWidth(max(least, _MOST))
        room = max(1, self.width() - 2 * _MARGIN - _EDGE)
        for section in self._sections():
            section.set_width(room)
        self.older.setMaximumWidth(room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt the entries to the new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the width again, because the font may have changed while the sidebar was hidden."""
        super().showEvent(event)
        self.fit()
        self.shown.emit()

    # --- keyboard

    def entries(self) -> list[SidebarEntry]:
        """Return all entries from top to bottom."""
        return [entry for section in self._sections() for entry in section.entries.values()]

    def _keep_one_tab_stop(self, wanted: SidebarEntry | None = None) -> None:
        """Let Tab reach only one entry: `wanted` if it is given, otherwise the focused, a chosen or the first entry."""
        entries = self.entries()
        stop = wanted or next((entry for entry in entries if entry.hasFocus()), None)
        stop = stop or next((entry for entry in entries if entry.isChecked()), entries[0])
        for entry in entries:
            entry.setFocusPolicy(Qt.FocusPolicy.StrongFocus if entry is stop else Qt.FocusPolicy.ClickFocus)

    def _order_tabs(self) -> None:
        """Set the tab order from top to bottom. By default, new entries would come last, after the list."""
        wanted: list[QWidget] = []
        for section in self._sections():
            for entry in section.entries.values():
                wanted += [entry, entry.inline]
        wanted.append(self.older)
        if wanted != self._tab_order:
            self._tab_order = wanted
            for one, other in pairwise(wanted):
                QWidget.setTabOrder(one, other)

    @Slot(object, int)
    def _move(self, entry: SidebarEntry, key: int) -> None:
        entries = self.entries()
        at = entries.index(entry)
        last = len(entries) - 1
        goal = {
            int(Qt.Key.Key_Up): max(0, at - 1),
            int(Qt.Key.Key_Down): min(last, at + 1),
            int(Qt.Key.Key_Home): 0,
            int(Qt.Key.Key_End): last,
        }[key]
        self._keep_one_tab_stop(entries[goal])
        entries[goal].setFocus(Qt.FocusReason.OtherFocusReason)
        self.ensureWidgetVisible(entries[goal])

    # --- groups

    def _status(self, status: Status | None) -> Group:
        known = self._counts or StatusCounts()
        if status is None:
            return Group(Filter(), known)
        counts = StatusCounts(*(known.of(each) if each is status else 0 for each in Status))
        return Group(Filter(statuses=frozenset({status})), counts, status_word(status))

    def _problem(self, code: str) -> Group:
        count = next((problem.count for problem in self._groups.problems if problem.code == code), 0)
        title = self.problems.entries[code].facts.text
        return Group(Filter(problems=frozenset({code})), StatusCounts(failed=count), title)

    def _batch(self, key: int) -> Group:
        batch = self._batch_of(key)
        counts = StatusCounts() if batch is None else batch.counts
        return Group(Filter(batches=frozenset({key})), counts, self.batches.entries[key].facts.text, batch)

    def _batch_of(self, key: int) -> Batch | None:
        return next((batch for batch in self._groups.batches if batch.id == key), None)

    # --- renaming

    @property
    def rename_target(self) -> Batch | None:
        """Return the batch whose entry has the focus, or else the only chosen batch."""
        keys = frozenset({self._focused_batch}) if self._focused_batch else self.choice.batches
        return self._batch_of(next(iter(keys))) if len(keys) == 1 else None

    def edit_name(self, batch: Batch) -> None:
        """Let the user edit the name of a batch in its entry."""
        entry = self.batches.entries.get(batch.id)
        if entry is not None:
            self.ensureWidgetVisible(entry)
            entry.edit(display_text(batch.name) or entry.facts.text)

    @Slot(object, bool)
    def _note_focus(self, key: int, has_focus: bool) -> None:  # noqa: FBT001 - a slot
        self._focused_batch = key if has_focus else 0
        self.rename_target_changed.emit()

    @Slot(object, str)
    def _rename(self, key: int, name: str) -> None:
        batch = self._batch_of(key)
        if batch is not None and name != batch.name:
            self.renamed.emit(batch, name)


class SidebarSplit(QSplitter):
    """The splitter between the sidebar and the rest of the window. Only the user changes the sidebar's width."""

    def __init__(self, sidebar: Sidebar, rest: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent, childrenCollapsible=False, handleWidth=1)
        self._sidebar = sidebar
        self._wanted = 0
        self.setAccessibleName(tr("Sidebar and files"))
        self.addWidget(sidebar)
        self.addWidget(rest)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._note_width)
        sidebar.shown.connect(self._apply_width)

    @Slot()
    def _note_width(self) -> None:
        self._wanted = self._sidebar.width()

    @Slot()
    def _apply_width(self) -> None:
        """Give the sidebar the width that the user has chosen, or else the width that its words need."""
        whole = self.window().width()
        width = self._wanted or self._sidebar.preferred_width(whole)
        self.setSizes([width, max(1, whole - width)])

    def restore(self, memory: WindowMemory) -> None:
        """Restore the width that the user has chosen."""
        self._wanted = memory.sidebar_width
        self._apply_width()

    def remember(self, memory: WindowMemory) -> None:
        """Store the width if the user has chosen one."""
        memory.sidebar_width = self._wanted

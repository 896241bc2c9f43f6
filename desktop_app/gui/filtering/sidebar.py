"""The sidebar, which filters the list by status, problem and batch, and shows the number of files with each."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop_app.domain.job import Batch, Status, StatusCounts
from desktop_app.domain.query import Filter, Problem
from desktop_app.domain.sentences import display_text, mark
from desktop_app.gui.filtering.sidebar_entry import EntryFacts, SidebarEntry
from desktop_app.gui.i18n import reason_text, tr, translated
from desktop_app.gui.table.cells import STATUS_ICONS
from desktop_app.gui.table.job_feed import Groups
from desktop_app.gui.widgets.dialogs import spaced
from desktop_app.gui.wording import Wording, status_word

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from PySide6.QtGui import QResizeEvent, QShowEvent

    from desktop_app.gui.theme.theme import Theme


Key = TypeVar("Key")

_GAP = 4

_MARGIN = 8

_EDGE = 1

_LEAST = 164

_MOST = 244

_SHARE = 0.27
"""The maximum width of the sidebar as a fraction of the window's width; `_MOST` limits it as well."""

_NO_REASON = mark("No reason given")


class Section(QWidget, Generic[Key]):
    """A group of entries with a title; hidden while there are no entries.

    Signals:
        picked(Key, bool): An entry was clicked; True if Ctrl was held.
        action_clicked(Key): The button in an entry was clicked.
        menu_requested(Key, QPoint): The context menu of an entry was requested.
        moved(SidebarEntry, int): A key that moves the focus to another entry was pressed in this one.

    Attributes:
        entries: The entries in order, by key.
        column: The layout of the entries, to which other widgets can be added.
    """

    picked = Signal(object, bool)
    action_clicked = Signal(object)
    menu_requested = Signal(object, object)
    moved = Signal(object, int)

    def __init__(self, title: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.entries: dict[Key, SidebarEntry] = {}
        self._title = QLabel(title.upper(), self)
        self._title.setObjectName("sectionTitle")
        self._title.setAccessibleName(title)
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

    def _new_entry(self, key: Key) -> SidebarEntry:
        entry = SidebarEntry(self._theme, self)
        entry.picked.connect(lambda add: self.picked.emit(key, add))
        entry.action_clicked.connect(lambda: self.action_clicked.emit(key))
        entry.menu_requested.connect(lambda place: self.menu_requested.emit(key, place))
        entry.moved.connect(lambda pressed: self.moved.emit(entry, pressed))
        return entry

    def natural_width(self) -> int:
        """Return the width in pixels at which no text wraps."""
        widths = [entry.natural_width() for entry in self.entries.values()]
        return max([self._title.sizeHint().width(), *widths])


class SidebarTexts:
    """Creates the content of the entries. Each method returns the entries of one section, by key."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def statuses(self, counts: StatusCounts) -> dict[Status | None, EntryFacts]:
        """Return an entry for each status, and one with the key None for all files."""
        found: dict[Status | None, EntryFacts] = {
            None: self._facts(tr("All", "files of every status"), counts.total, icon="all-files", colour="muted")
        }
        for status in Status:
            word = status_word(status)
            colour = status.name.lower() if counts.of(status) else "muted"
            found[status] = self._facts(word, counts.of(status), icon=STATUS_ICONS[status], colour=colour)
        return found

    def problems(self, problems: Sequence[Problem]) -> dict[str, EntryFacts]:
        """Return an entry for each problem, with its code as the key."""
        return {problem.code: self._problem(problem) for problem in problems}

    def _problem(self, problem: Problem) -> EntryFacts:
        text = reason_text(problem.reason).rstrip(".") or translated(_NO_REASON)
        others = problem.reasons - 1
        note = tr("and %Ln similar reason(s)", "", others) if others else ""
        return self._facts(text, problem.count, note=note, action=tr("Retry all with this reason"))

    def batches(self, batches: Sequence[Batch]) -> dict[int, EntryFacts]:
        """Return an entry for each batch, with its id as the key."""
        return {batch.id: self._batch(batch) for batch in batches}

    def _batch(self, batch: Batch) -> EntryFacts:
        when, name = self._wording.day_and_time(batch.created_at), display_text(batch.name)
        hint = tr("Added {moment}").format(moment=self._wording.full_moment(batch.created_at))
        return self._facts(name or when, batch.count, note=when if name else "", hint=hint)

    def _facts(self, text: str, count: int, *, note: str = "", **others: str) -> EntryFacts:
        """Return the content of an entry; `others` are further attributes of `EntryFacts`."""
        spoken = ", ".join(filter(None, (text, note, self._wording.files(count))))
        return EntryFacts(text, self._wording.number(count), spoken, note, **others)


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


class Sidebar(QScrollArea):
    """The sidebar, with sections for statuses, problems and batches.

    Signals:
        chosen(): `choice` has changed.
        retry_requested(frozenset[str]): The user wants to retry all files that failed with these reason codes.

    Attributes:
        choice: The chosen filter, without a search.
        statuses, problems, batches: The sections.
        retry: The button below the problems, which retries all files with the chosen problems.
    """

    chosen = Signal()
    retry_requested = Signal(object)

    def __init__(self, wording: Wording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = SidebarTexts(wording)
        self._counts = StatusCounts()
        self._groups = Groups()
        self._tab_order: list[QWidget] = []
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
        self.retry = QPushButton(inside)
        self.retry.clicked.connect(lambda: self.retry_requested.emit(self.choice.problems))
        self.problems.column.addSpacing(_GAP)
        self.problems.column.addWidget(self.retry)
        column = spaced(QVBoxLayout(inside), 10, (_MARGIN, 4, _MARGIN, _MARGIN))
        for section in self._sections():
            column.addWidget(section)
            section.moved.connect(self._move)
        column.addStretch(1)
        self.setWidget(inside)
        self.statuses.picked.connect(lambda key, add: self.choose(with_status(self.choice, key, add=add)))
        self.problems.picked.connect(lambda key, add: self.choose(with_problem(self.choice, key, add=add)))
        self.batches.picked.connect(lambda key, add: self.choose(with_batch(self.choice, key, add=add)))
        self.problems.action_clicked.connect(lambda key: self.retry_requested.emit(frozenset({key})))
        self.problems.menu_requested.connect(self._show_menu)
        # Combines several changes, because each call to `fit` measures all entries.
        self._fit_soon = QTimer(self, singleShot=True)
        self._fit_soon.timeout.connect(self.fit)
        theme.changed.connect(self._show)  # the font may change with the style sheet
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

    def choose_status(self, status: Status | None) -> None:
        """Choose a single status, or None for all files."""
        self.choose(with_status(self.choice, status, add=False))

    @Slot()
    def _show(self) -> None:
        choice, texts = self.choice, self._texts
        statuses: frozenset[Status | None] = frozenset({None}) if choice.is_empty else frozenset(choice.statuses)
        self.statuses.show_entries(texts.statuses(self._counts), statuses)
        self.problems.show_entries(texts.problems(self._groups.problems), choice.problems)
        self.batches.show_entries(texts.batches(self._groups.batches), choice.batches)
        self.retry.setVisible(bool(choice.problems))
        self.retry.setText(self._retry_text())
        self._keep_one_tab_stop()
        self._order_tabs()
        self._fit_soon.start(0)

    # --- layout

    @Slot()
    def fit(self) -> None:
        """Make the sidebar as wide as its longest text, within limits."""
        room = _MOST if self.isWindow() else int(self.window().width() * _SHARE)
        most = max(_LEAST, min(_MOST, room))
        widest = max(section.natural_width() for section in self._sections())
        button = self._fit_button(most) if self.choice.problems else 0
        width = max(_LEAST, min(most, widest), button)
        for entry in self.entries():
            entry.set_width(width)
        is_long = self._inside.sizeHint().height() > self.height()
        bar = self.verticalScrollBar().sizeHint().width() if is_long else 0
        self.setFixedWidth(width + 2 * _MARGIN + bar + _EDGE)

    def _retry_text(self) -> str:
        one = len(self.choice.problems) <= 1
        return tr("&Retry All With This Reason") if one else tr("&Retry All With These Reasons")

    def _fit_button(self, most: int) -> int:
        """Shorten the retry button's text if the button would be wider than `most`. Return its width in pixels."""
        text = self._retry_text()
        self.retry.setText(text)
        self.retry.setToolTip("")
        if self.retry.sizeHint().width() > most:
            self.retry.setText(tr("&Retry All"))
            self.retry.setToolTip(text.replace("&", ""))
        return self.retry.sizeHint().width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the width again, because the scroll bar may have appeared or disappeared."""
        super().resizeEvent(event)
        self._fit_soon.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the width again, because the font may have changed while the sidebar was hidden."""
        super().showEvent(event)
        self.fit()

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
            wanted += [self.retry] if section is self.problems else []
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

    # --- context menu

    @Slot(object, object)
    def _show_menu(self, code: str, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        count = next((problem.count for problem in self._groups.problems if problem.code == code), 0)
        chosen = frozenset({code})
        menu.addAction(tr("&Retry %Ln File(s) With This Reason", "", count), lambda: self.retry_requested.emit(chosen))
        menu.addAction(tr("&Show Only These Files"), lambda: self.choose(Filter(problems=chosen)))
        menu.popup(place)

"""The sidebar: statuses, problems and batches with their numbers; choosing one narrows the list."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop_app.gui.narrowing.choice import with_batch, with_problem, with_status
from desktop_app.gui.narrowing.sidebar_section import Section
from desktop_app.gui.narrowing.sidebar_texts import SidebarTexts
from desktop_app.gui.texts import tr
from desktop_app.gui.totals import Groups
from desktop_app.jobs import ListQuery, Status, StatusCounts

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent, QShowEvent

    from desktop_app.gui.look.look import Look
    from desktop_app.gui.narrowing.sidebar_entry import SidebarEntry
    from desktop_app.gui.wording import Wording

_MARGIN = 8
_EDGE = 1
_LEAST = 164
_MOST = 244
_SHARE = 0.27
"""Where a text is longer than `_MOST`, in pixels, or than this part of the window, it wraps."""


class Sidebar(QScrollArea):
    """Shows what others count; says what was chosen.

    Signals:
        chosen(): `choice` is another.
        retry_wanted(object): Process everything again that has failed for these reasons, a set of codes.

    Attributes:
        choice: What is chosen; its order and its search mean nothing.
        statuses, problems, batches: The sections.
        retry: The button below the problems.
    """

    chosen = Signal()
    retry_wanted = Signal(object)

    def __init__(self, wording: Wording, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = SidebarTexts(wording)
        self._counts = StatusCounts()
        self._groups = Groups()
        self._tab_order: list[QWidget] = []
        self.choice = ListQuery()
        self.setObjectName("sidebar")
        self.setAccessibleName(tr("Sidebar"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self._inside = inside = QWidget(self)
        inside.setObjectName("sidebarInside")
        self.statuses: Section[Status | None] = Section(tr("Status"), look, inside)
        self.problems: Section[str] = Section(tr("Problems"), look, inside)
        self.batches: Section[int] = Section(tr("Batches"), look, inside)
        self.retry = QPushButton(inside)
        self.retry.clicked.connect(self._retry_chosen)
        self.problems.add_below(self.retry)
        column = QVBoxLayout(inside)
        column.setContentsMargins(_MARGIN, 4, _MARGIN, _MARGIN)
        column.setSpacing(10)
        for section in self._sections():
            column.addWidget(section)
            section.moved.connect(self._move)
        column.addStretch(1)
        self.setWidget(inside)
        self.statuses.picked.connect(lambda key, add: self.choose(with_status(self.choice, key, add=add)))
        self.problems.picked.connect(lambda key, add: self.choose(with_problem(self.choice, key, add=add)))
        self.batches.picked.connect(lambda key, add: self.choose(with_batch(self.choice, key, add=add)))
        self.problems.acted.connect(lambda key: self.retry_wanted.emit(frozenset({key})))
        self.problems.menu_wanted.connect(self._show_menu)
        # Once for many changes: every entry is measured.
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.timeout.connect(self.fit)
        look.changed.connect(self._show)  # another font comes with another style sheet
        self._show()

    def _sections(self) -> tuple[Section[Status | None], Section[str], Section[int]]:
        return self.statuses, self.problems, self.batches

    # --- what is shown

    @Slot(object)
    def show_counts(self, counts: StatusCounts) -> None:
        """How many jobs have each status."""
        self._counts = counts
        self._show()

    @Slot(object)
    def show_groups(self, groups: Groups) -> None:
        """Which problems and batches there are. What was chosen and is gone is chosen no more."""
        self._groups = groups
        problems = self.choice.problems & {problem.code for problem in groups.problems}
        batches = self.choice.batches & {batch.id for batch in groups.batches}
        self.choose(replace(self.choice, problems=problems, batches=batches))

    def choose(self, choice: ListQuery) -> None:
        """Choose this."""
        is_another = choice != self.choice
        self.choice = choice
        self._show()
        if is_another:
            self.chosen.emit()

    def choose_status(self, status: Status | None) -> None:
        """Choose one status; None for all files."""
        self.choose(with_status(self.choice, status, add=False))

    @Slot()
    def _show(self) -> None:
        choice, texts = self.choice, self._texts
        statuses: frozenset[Status | None] = frozenset({None}) if choice == ListQuery() else frozenset(choice.statuses)
        self.statuses.show_entries(texts.statuses(self._counts), statuses)
        self.problems.show_entries(texts.problems(self._groups.problems), choice.problems)
        self.batches.show_entries(texts.batches(self._groups.batches), choice.batches)
        self.retry.setVisible(bool(choice.problems))
        self.retry.setText(texts.retry(len(choice.problems)))
        self._keep_one_tab_stop()
        self._order_tabs()
        self._fit_soon.start(0)

    # --- room

    @Slot()
    def fit(self) -> None:
        """Be as wide as the texts, within reason."""
        room = _MOST if self.isWindow() else int(self.window().width() * _SHARE)
        most = max(_LEAST, min(_MOST, room))
        widest = max(section.natural_width() for section in self._sections())
        button = self._fit_button(most) if self.choice.problems else 0
        width = max(_LEAST, min(most, widest), button)
        for section in self._sections():
            section.take_width(width)
        is_long = self._inside.sizeHint().height() > self.height()
        bar = self.verticalScrollBar().sizeHint().width() if is_long else 0
        self.setFixedWidth(width + 2 * _MARGIN + bar + _EDGE)

    def _fit_button(self, most: int) -> int:
        """Let the button say what fits; gives the width that it needs, in pixels."""
        words = self._texts.retry(len(self.choice.problems))
        self.retry.setText(words)
        if self.retry.sizeHint().width() > most:
            self.retry.setText(self._texts.retry_shortly())
        self.retry.setToolTip("" if self.retry.text() == words else words.replace("&", ""))
        return self.retry.sizeHint().width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The scroll bar may come or go."""
        super().resizeEvent(event)
        self._fit_soon.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        """The font may have changed."""
        super().showEvent(event)
        self.fit()

    # --- keyboard

    def entries(self) -> list[SidebarEntry]:
        """Every entry from top to bottom."""
        return [entry for section in self._sections() for entry in section.entries.values()]

    def _keep_one_tab_stop(self, wanted: SidebarEntry | None = None) -> None:
        """Tab comes to one entry and leaves from there; arrows go to the others."""
        entries = self.entries()
        stop = wanted or next((entry for entry in entries if entry.hasFocus()), None)
        stop = stop or next((entry for entry in entries if entry.isChecked()), entries[0])
        for entry in entries:
            entry.setFocusPolicy(Qt.FocusPolicy.StrongFocus if entry is stop else Qt.FocusPolicy.ClickFocus)

    def _order_tabs(self) -> None:
        """From top to bottom, whenever the entries were made: Qt puts the newest last, behind the list."""
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

    # --- acting on a problem

    @Slot()
    def _retry_chosen(self) -> None:
        self.retry_wanted.emit(self.choice.problems)

    @Slot(object, object)
    def _show_menu(self, code: str, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        count = next((problem.count for problem in self._groups.problems if problem.code == code), 0)
        menu.addAction(self._texts.retry_these(count), lambda: self.retry_wanted.emit(frozenset({code})))
        only = ListQuery(problems=frozenset({code}))
        menu.addAction(tr("&Show Only These Files"), lambda: self.choose(only))
        menu.popup(place)

"""The sheet for reviewing files before they are added: what was found, what to include, and what can't be added."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop_app.domain.job import display_text
from desktop_app.gui.adding import review_texts
from desktop_app.gui.i18n import isolated_in, reason_text, tr
from desktop_app.gui.widgets.dialogs import PairsDialog
from desktop_app.gui.widgets.notice import Announcer
from desktop_app.gui.wording import tool_tip
from desktop_app.services.adding.review import SelectionResult, SelectionRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.adding.adder import Proposal
    from desktop_app.gui.tasks import Tasks
    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.review import Review
    from desktop_app.sources.scan import Refusal


_ICON = 18


class ReviewLine(QFrame):
    """A symbol and a sentence followed by controls; hidden while it is empty."""

    def __init__(self, icon: str, controls: tuple[QWidget, ...], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("kind", "warning")
        self._icon = icon
        self._theme = theme
        self._symbol = QLabel(self)
        self._symbol.setFixedSize(_ICON, _ICON)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 10, 7)
        row.setSpacing(12)
        row.addWidget(self._symbol)
        row.addWidget(self._text, 1)
        for control in controls:
            row.addWidget(control)
        theme.changed.connect(self._draw)
        self._draw()
        self.hide()

    @property
    def text(self) -> str:
        """Return the text that is shown."""
        return self._text.text()

    def say(self, text: str) -> None:
        """Show a text; hide the line if it is empty."""
        self._text.setText(text)
        self.setVisible(bool(text))
        self.updateGeometry()  # now: the sheet computes its size next

    @Slot()
    def _draw(self) -> None:
        icon = self._theme.icon(self._icon)
        self._symbol.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))


_REST_MS = 120
"""Milliseconds without a keystroke before counting starts; until then the numbers would be outdated at once."""


class ReviewCount(QObject):
    """Keeps the count of selected files up to date; only the newest rules count.

    Signals:
        counted(SelectionResult): The files that the newest rules select.

    Args:
        review: The files to choose from.
        tasks: The pool on which files are counted.
        parent: The parent.
    """

    counted = Signal(object)

    def __init__(self, review: Review, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._review = review
        self._tasks = tasks
        self._rules: SelectionRules | None = None
        self._picked: SelectionResult | None = None
        self._stale = threading.Event()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.count_now)

    @property
    def picked(self) -> SelectionResult | None:
        """Return the files that the newest rules select; None while they are being counted."""
        return self._picked

    def count_soon(self, rules: SelectionRules) -> None:
        """Count after a short pause in typing."""
        self.stop()
        self._rules = rules
        self._rest.start()

    @Slot()
    def count_now(self) -> None:
        """Count at once, without waiting for a pause in typing."""
        if self._rules is None or self._picked is not None:
            return
        self.stop()
        stale = self._stale = threading.Event()
        self._tasks.run(partial(self._review.pick, self._rules, stale.is_set), partial(self._take, stale))

    def stop(self) -> None:
        """Cancel the count."""
        self._rest.stop()
        self._stale.set()
        self._picked = None

    def _take(self, stale: threading.Event, picked: SelectionResult | None) -> None:
        # Checked here and not in the result, which may have been made before it became outdated.
        if picked is not None and not stale.is_set():
            self._picked = picked
            self.counted.emit(picked)


class ElidedLabel(QLabel):
    """Shows a path elided to fit; the tool tip and screen readers get all of it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tool_tip(text))
        self.setAccessibleName(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return a width of 0: the text is elided as needed."""
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Return a width of 0: the other widgets decide."""
        return QSize(0, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide the text again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = self.contentsRect().width()
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, width)
        self.setText(isolated_in(text, self.layoutDirection()))


_WIDTH = 620

_MOST_TYPED = 1_000

_COUNTS_FOR_MS = 200
"""Counts that take less time are not announced."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's decision about a proposal.

    Attributes:
        proposal: The proposal decided about.
        picked: The selected files.
        again: Whether files that are already in the list are added again.
        name: The name of the batch.
    """

    proposal: Proposal
    picked: SelectionResult
    again: bool
    name: str


class ReviewSheet(QDialog):
    """Shows the files found and updates the count while the user types. Opens by itself once everything is counted.

    Signals:
        decided(Decision): Add was pressed.

    Attributes:
        subfolders, only, leave_out, skip, again, show_refused, name, add: The controls.
        chosen: Shows the number of selected files.
        listed, refused: Show the files already in the list and the items that can't be added.

    Args:
        proposal: The files found.
        tasks: The pool on which files are counted.
        theme, wording: Colours, icons and texts.
        parent: The window.
    """

    decided = Signal(object)

    def __init__(self, proposal: Proposal, tasks: Tasks, theme: Theme, wording: Wording, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Add Files"))
        self._proposal = proposal
        self._theme = theme
        self._wording = wording
        self._waits_to_add = False
        self._has_begun = False
        self._count = ReviewCount(proposal.review, tasks, self)
        self._count.counted.connect(self._show_count)
        self._announcer = Announcer(self)
        self._make_controls()
        self._arrange()
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_COUNTS_FOR_MS)
        self._late.timeout.connect(self._say_counting)
        self.resize(_WIDTH, 1)
        self._count_again()
        self._count.count_now()

    # --- building

    def _make_controls(self) -> None:
        review = self._proposal.review
        self.subfolders = QCheckBox(tr("Include &subfolders"), self)
        self.subfolders.setChecked(True)
        if not review.has_subfolders:
            self.subfolders.setText(tr("Include &subfolders (there are none)"))
            self.subfolders.setChecked(False)
            self.subfolders.setEnabled(False)
        self.subfolders.setVisible(bool(review.result.folders))
        self.only = self._patterns(
            tr("*.csv; *.txt"),
            tr("Include files that match"),
            tr(
                "Only files whose names match one of these patterns are added. Use * for any characters; for "
                "example, *.csv; *.txt"
            ),
        )
        self.leave_out = self._patterns(
            tr("~*; .git"),
            tr("Exclude files that match"),
            tr(
                "Files and folders whose names match one of these patterns are excluded; for example, ~*; "
                ".git; old/*.csv"
            ),
        )
        self.chosen = QLabel(self)
        self.chosen.setTextFormat(Qt.TextFormat.PlainText)
        self.chosen.setWordWrap(True)
        self._make_questions()
        self.name = QLineEdit(self._proposal.name, self)
        self.name.setAccessibleName(tr("Batch name"))
        self.name.setMaxLength(_MOST_TYPED)
        self.add = QPushButton(self)
        self.add.setObjectName("primary")
        self.add.setDefault(True)
        self.add.clicked.connect(self.accept)
        self.subfolders.toggled.connect(self._count_again)
        for box in (self.only, self.leave_out):
            box.textChanged.connect(self._count_again)

    def _make_questions(self) -> None:
        self.skip = QRadioButton(tr("S&kip"), self)
        self.skip.setAccessibleName(tr("Skip files that are already in the list"))
        self.skip.setChecked(True)
        self.again = QRadioButton(tr("Add a&gain"), self)
        self.again.setAccessibleName(tr("Add files that are already in the list again"))
        self.show_refused = QPushButton(tr("Sho&w…"), self)
        self.show_refused.setAccessibleName(tr("Show the items that can't be added"))
        self.show_refused.setAutoDefault(False)
        self.show_refused.clicked.connect(self._list_refused)
        choice = QButtonGroup(self)
        choice.addButton(self.skip)
        choice.addButton(self.again)
        choice.buttonToggled.connect(self._offer)
        self.listed = ReviewLine("info", (self.skip, self.again), self._theme, self)
        self.refused = ReviewLine("warning", (self.show_refused,), self._theme, self)

    def _patterns(self, example: str, name: str, tip: str) -> QLineEdit:
        box = QLineEdit(self)
        box.setPlaceholderText(example)
        box.setAccessibleName(name)
        box.setAccessibleDescription(tip)
        box.setToolTip(tip)
        box.setMaxLength(_MOST_TYPED)
        box.setClearButtonEnabled(True)
        return box

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 16)
        column.setSpacing(10)
        title = QLabel(review_texts.title(self._proposal, self._wording), self)
        title.setObjectName("sheetTitle")
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setWordWrap(True)
        column.addWidget(title)
        place = review_texts.place(self._proposal)
        if place:
            path = ElidedLabel(place, self)
            path.setObjectName("sheetText")
            column.addWidget(path)
            column.addSpacing(4)
        column.addWidget(self.subfolders)
        column.addLayout(self._boxes())
        column.addWidget(self.chosen)
        column.addWidget(self.listed)
        column.addWidget(self.refused)
        named = QHBoxLayout()
        named.addWidget(_caption(tr("&Batch name:"), self.name))
        named.addWidget(self.name, 1)
        column.addLayout(named)
        column.addStretch(1)
        buttons = QDialogButtonBox(self)
        buttons.addButton(self.add, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.rejected.connect(self.reject)
        column.addSpacing(6)
        column.addWidget(buttons)

    def _boxes(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(_caption(tr("&Include:"), self.only))
        row.addWidget(self.only, 1)
        row.addSpacing(8)
        row.addWidget(_caption(tr("&Exclude:"), self.leave_out))
        row.addWidget(self.leave_out, 1)
        return row

    def _begin(self) -> None:
        """Open, with the keyboard focus on the control most likely to be used."""
        self._has_begun = True
        self.open()
        if not self._proposal.review.result.folders:
            (self.skip if self._proposal.review.has_listed else self.add).setFocus()
        else:
            self.only.setFocus()

    # --- counting

    @Slot()
    def _count_again(self) -> None:
        self._waits_to_add = False
        rules = SelectionRules(self.subfolders.isChecked(), self.only.text(), self.leave_out.text())
        self._count.count_soon(rules)
        self._late.start()
        self._offer()

    @Slot()
    def _say_counting(self) -> None:
        self.chosen.setText(tr("Counting…"))

    @Slot(object)
    def _show_count(self, picked: SelectionResult) -> None:
        self._late.stop()
        total = len(self._proposal.review.result.files)
        text = review_texts.chosen(picked, total, self._wording)
        if text != self.chosen.text():
            self.chosen.setText(text)
            self._announcer.announce(text)
        self.listed.say(
            tr("%Ln file(s) (is|are) already in the list and unchanged", "", picked.listed) if picked.listed else ""
        )
        self.refused.say(review_texts.refused(picked.refused) if picked.refused else "")
        self.show_refused.setVisible(len(picked.refused) > 1)
        self._offer()
        if not self._has_begun:
            self._begin()
        # The texts may need more lines now; the sheet grows but never shrinks while it is in use.
        self.resize(self.width(), max(self.height(), self.heightForWidth(self.width())))
        if self._waits_to_add:
            self.accept()

    @Slot()
    def _offer(self) -> None:
        """Show on the button what it would do; it can also be pressed while counting."""
        picked = self._count.picked
        if picked is None:
            self.add.setText(tr("&Add Files"))
            self.add.setEnabled(True)
            return
        count = picked.count(again=self.again.isChecked())
        self.add.setText(tr("&Add %Ln File(s)", "", count))
        self.add.setEnabled(count > 0)

    @Slot()
    def _list_refused(self) -> None:
        if self._count.picked is not None:
            show_refused(self._count.picked.refused, self)

    # --- closing

    def accept(self) -> None:
        """Add the selected files as soon as they are counted."""
        picked, again = self._count.picked, self.again.isChecked()
        if picked is None:
            self._waits_to_add = True
            self._count.count_now()
        elif picked.count(again=again):
            self.decided.emit(Decision(self._proposal, picked, again, self.name.text().strip()))
            super().accept()

    def done(self, result: int) -> None:
        """Stop counting, however the sheet is closed."""
        self._late.stop()
        self._count.stop()
        super().done(result)


def _caption(text: str, box: QLineEdit) -> QLabel:
    caption = QLabel(text, box.parentWidget())
    caption.setBuddy(box)
    return caption


_SHOWN_AT_MOST = 5_000


def show_refused(refused: Sequence[Refusal], parent: QWidget) -> PairsDialog:
    """Show what could not be added, and why."""
    pairs = [(display_text(refusal.path), reason_text(refusal.reason)) for refusal in refused[:_SHOWN_AT_MOST]]
    text = tr("%Ln item(s) can't be processed and (was|were) not added.", "", len(refused))
    if len(refused) > _SHOWN_AT_MOST:
        text = tr("{text} The first %Ln are shown.", "", _SHOWN_AT_MOST).format(text=text)
    dialog = PairsDialog(
        tr("Not Added"),
        text,
        (tr("What"), tr("Why")),
        pairs,
        parent,
    )
    dialog.show()
    return dialog

"""The sheet that asks before files are added: what was found, which of it is meant, and what can't be added."""

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
    """A symbol, a sentence, and controls behind it; hidden while there is nothing to say."""

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
        """Say something; nothing if it is empty."""
        self._text.setText(text)
        self.setVisible(bool(text))
        self.updateGeometry()  # at once: the sheet asks next how much room is needed

    @Slot()
    def _draw(self) -> None:
        icon = self._theme.icon(self._icon)
        self._symbol.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))


_REST_MS = 120
"""Between two keystrokes nothing is counted; a person who types quickly would only see numbers that are wrong."""


class ReviewCount(QObject):
    """Keeps the count of what is meant up to date; only the newest rules count.

    Signals:
        counted(SelectionResult): What the newest rules select.

    Args:
        review: What there is to choose from.
        tasks: The pool on which files are counted.
        parent: Qt's owner.
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
        """Return what the newest rules select; None while it is not known."""
        return self._picked

    def count_soon(self, rules: SelectionRules) -> None:
        """Count this as soon as nothing new is typed for a moment."""
        self.stop()
        self._rules = rules
        self._rest.start()

    @Slot()
    def count_now(self) -> None:
        """Do not wait for more to be typed."""
        if self._rules is None or self._picked is not None:
            return
        self.stop()
        stale = self._stale = threading.Event()
        self._tasks.run(partial(self._review.pick, self._rules, stale.is_set), partial(self._take, stale))

    def stop(self) -> None:
        """Forget what is being counted."""
        self._rest.stop()
        self._stale.set()
        self._picked = None

    def _take(self, stale: threading.Event, picked: SelectionResult | None) -> None:
        # Asked here and not of the result: it may have been made before it became stale.
        if picked is not None and not stale.is_set():
            self._picked = picked
            self.counted.emit(picked)


class ElidedLabel(QLabel):
    """Shows a path; the tool tip, and a screen reader, have all of it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tool_tip(text))
        self.setAccessibleName(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return a width of 0: the text is elided as far as need be."""
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Return a width of 0: the other widgets decide."""
        return QSize(0, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = self.contentsRect().width()
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, width)
        self.setText(isolated_in(text, self.layoutDirection()))


_WIDTH = 620

_MOST_TYPED = 1_000

_COUNTS_FOR_MS = 200
"""What is counted sooner is not said to be counted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person has decided.

    Attributes:
        proposal: About what.
        picked: The files that are meant.
        again: Whether those that are on the list already are added once more.
        name: What the batch is called.
    """

    proposal: Proposal
    picked: SelectionResult
    again: bool
    name: str


class ReviewSheet(QDialog):
    """Shows what was found, and counts as one types. Opens by itself, over its window, once all is counted.

    Signals:
        decided(Decision): Add was pressed.

    Attributes:
        subfolders, only, leave_out, skip, again, show_refused, name, add: The controls.
        chosen: How many files are meant.
        listed, refused: What there is to know about them.

    Args:
        proposal: What was found.
        tasks: The pool on which files are counted.
        theme, wording: Its colours and icons, and its texts.
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

    # --- making

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
            tr("Only files that match"),
            tr("Only files whose name matches one of these are added. * stands for anything; for example *.csv; *.txt"),
        )
        self.leave_out = self._patterns(
            tr("~*; .git"),
            tr("Leave out files that match"),
            tr("Files and folders whose name matches one of these are left out; for example ~*; .git; old/*.csv"),
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
        self.skip.setAccessibleName(tr("Skip what is in the list already"))
        self.skip.setChecked(True)
        self.again = QRadioButton(tr("Add a&gain"), self)
        self.again.setAccessibleName(tr("Add again what is in the list already"))
        self.show_refused = QPushButton(tr("Sho&w…"), self)
        self.show_refused.setAccessibleName(tr("Show what can't be added"))
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
        row.addWidget(_caption(tr("&Only:"), self.only))
        row.addWidget(self.only, 1)
        row.addSpacing(8)
        row.addWidget(_caption(tr("&Not:"), self.leave_out))
        row.addWidget(self.leave_out, 1)
        return row

    def _begin(self) -> None:
        """Open, with the keyboard where something is most likely to be said."""
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
            self._announcer.say(text)
        self.listed.say(
            tr("%Ln file(s) (is|are) in the list already, unchanged", "", picked.listed) if picked.listed else ""
        )
        self.refused.say(review_texts.refused(picked.refused) if picked.refused else "")
        self.show_refused.setVisible(len(picked.refused) > 1)
        self._offer()
        if not self._has_begun:
            self._begin()
        # What is said may take more lines now; nothing gets smaller under a person's hands.
        self.resize(self.width(), max(self.height(), self.heightForWidth(self.width())))
        if self._waits_to_add:
            self.accept()

    @Slot()
    def _offer(self) -> None:
        """Say on the button what it would do; while that is being counted it can be pressed too."""
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

    # --- the end

    def accept(self) -> None:
        """Add what is meant, as soon as it is known what that is."""
        picked, again = self._count.picked, self.again.isChecked()
        if picked is None:
            self._waits_to_add = True
            self._count.count_now()
        elif picked.count(again=again):
            self.decided.emit(Decision(self._proposal, picked, again, self.name.text().strip()))
            super().accept()

    def done(self, result: int) -> None:
        """Stop counting, however the sheet ends."""
        self._late.stop()
        self._count.stop()
        super().done(result)


def _caption(text: str, box: QLineEdit) -> QLabel:
    caption = QLabel(text, box.parentWidget())
    caption.setBuddy(box)
    return caption


_SHOWN_AT_MOST = 5_000


def show_refused(refused: Sequence[Refusal], parent: QWidget) -> PairsDialog:
    """List what could not be added, and why."""
    pairs = [(display_text(refusal.path), reason_text(refusal.reason)) for refusal in refused[:_SHOWN_AT_MOST]]
    text = tr("%Ln thing(s) can't be processed, so (it was|they were) not added.", "", len(refused))
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

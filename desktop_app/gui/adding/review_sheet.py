"""Asks about many or odd files before they are added: which of them, and what they are called together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.gui import dialogs
from desktop_app.gui.adding import review_texts
from desktop_app.gui.adding.review_count import ReviewCount
from desktop_app.gui.adding.review_line import ReviewLine
from desktop_app.gui.feedback.announcer import Announcer
from desktop_app.gui.texts import tr
from desktop_app.gui.widgets.elided_label import ElidedLabel
from desktop_app.services.review import Picked, Wish

if TYPE_CHECKING:
    from desktop_app.gui.adding.adder import Proposal
    from desktop_app.gui.look.look import Look
    from desktop_app.gui.ports import Background
    from desktop_app.gui.wording import Wording

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
    picked: Picked
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
        run: Runs work beside the main thread.
        look, wording: How it looks and speaks.
        parent: The window.
    """

    decided = Signal(object)

    def __init__(self, proposal: Proposal, run: Background, look: Look, wording: Wording, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Add Files"))
        self._proposal = proposal
        self._look = look
        self._wording = wording
        self._waits_to_add = False
        self._has_begun = False
        self._count = ReviewCount(proposal.review, run, self)
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
        self.again = QRadioButton(tr("&Process again"), self)
        self.again.setAccessibleName(tr("Process again what is in the list already"))
        self.show_refused = QPushButton(tr("Sho&w…"), self)
        self.show_refused.setAccessibleName(tr("Show what can't be added"))
        self.show_refused.setAutoDefault(False)
        self.show_refused.clicked.connect(self._list_refused)
        choice = QButtonGroup(self)
        choice.addButton(self.skip)
        choice.addButton(self.again)
        choice.buttonToggled.connect(self._offer)
        self.listed = ReviewLine("info", (self.skip, self.again), self._look, self)
        self.refused = ReviewLine("warning", (self.show_refused,), self._look, self)

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
        wish = Wish(self.subfolders.isChecked(), self.only.text(), self.leave_out.text())
        self._count.wish_for(wish)
        self._late.start()
        self._offer()

    @Slot()
    def _say_counting(self) -> None:
        self.chosen.setText(tr("Counting…"))

    @Slot(object)
    def _show_count(self, picked: Picked) -> None:
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
            dialogs.show_refused(self._count.picked.refused, self)

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
        """However it ends: nothing is counted any more."""
        self._late.stop()
        self._count.stop()
        super().done(result)


def _caption(text: str, box: QLineEdit) -> QLabel:
    caption = QLabel(text, box.parentWidget())
    caption.setBuddy(box)
    return caption

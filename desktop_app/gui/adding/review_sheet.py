"""The sheet in which the user reviews and selects files before they are added."""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt, QTimer, Signal, Slot
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

from desktop_app.domain.sentences import display_text
from desktop_app.gui.adding.adder import Proposal, common_folder
from desktop_app.gui.i18n import isolated_in, reason_text, tr, translated
from desktop_app.gui.processors.dialog import ProcessorField
from desktop_app.gui.widgets.dialogs import (
    ButtonRow,
    IconLabel,
    PairsDialog,
    add_field,
    arrange_dialog,
    caption,
    form_layout,
    plain_label,
    spaced,
)
from desktop_app.gui.widgets.notice import Announcer
from desktop_app.gui.wording import Wording, tool_tip
from desktop_app.services.adding.review import SelectionResult, SelectionRules
from desktop_app.sources.scan import Refusal, RefusalKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop_app.gui.processors.choice import ProcessorChoice
    from desktop_app.gui.tasks import Stream
    from desktop_app.gui.theme.theme import Theme


_ICON = 18


class ReviewLine(QFrame):
    """A frame with an icon, `info` or `warning`, a text and controls; hidden while the text is empty."""

    def __init__(self, icon: str, controls: tuple[QWidget, ...], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setProperty("kind", icon)
        self._text = plain_label("", self)
        row = spaced(QHBoxLayout(self), 12, (12, 7, 10, 7))
        row.addWidget(IconLabel(_ICON, self, theme.icon(icon)))
        row.addWidget(self._text, 1)
        for control in controls:
            row.addWidget(control)
        self.hide()

    @property
    def text(self) -> str:
        """Return the displayed text."""
        return self._text.text()

    def set_text(self, text: str) -> None:
        """Set the text; an empty text hides the line."""
        self._text.setText(text)
        self.setVisible(bool(text))
        self.updateGeometry()  # otherwise the sheet, which is resized next, would use the old size hint


class ElidedLabel(QLabel):
    """A label that elides a path to its width; the tool tip and the accessible name contain the whole path."""

    def __init__(self, path: str, parent: QWidget) -> None:
        super().__init__(parent, textFormat=Qt.TextFormat.PlainText)
        self._path = path
        # A long path does not widen the sheet.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(tool_tip(path))
        self.setAccessibleName(path)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide the path to the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        width = self.contentsRect().width()
        text = self.fontMetrics().elidedText(self._path, Qt.TextElideMode.ElideMiddle, width)
        self.setText(isolated_in(text, self.layoutDirection()))


_WIDTH = 580

_MAX_LENGTH = 1_000

_TYPING_PAUSE_MS = 120
"""The pause in typing after which the files are counted."""

_COUNTING_AFTER_MS = 200
"""The time without a result after which `Counting…` is shown."""


class ReviewSheet(QDialog):
    """Asks which files to add, and counts the selected files while the user is typing. Opens after the first count.

    Signals:
        decided(SelectionResult, str, bool, Choice): The user has confirmed. The arguments are the selected files, the
            batch name, whether to add files again that are already in the list, and what to do with them.

    Attributes:
        subfolders, only, leave_out, skip, again, show_refused, name, process_as, add: The controls.
        chosen: The label with the number of selected files.
        listed, refused: The lines about files already in the list and about items that can't be added.

    Args:
        proposal: The files found.
        counting: The stream that counts the selected files off the main thread; must outlive the sheet.
        choices: What can be done with the files.
        theme, wording: The colours, icons and texts.
        parent: The window.
    """

    decided = Signal(object, str, bool, object)

    def __init__(
        self,
        proposal: Proposal,
        counting: Stream,
        choices: ProcessorChoice,
        theme: Theme,
        wording: Wording,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Add Files"))
        self._proposal = proposal
        self._choices = choices
        self._theme = theme
        self._wording = wording
        self._picked: SelectionResult | None = None
        """The selected files; None while they are being counted."""
        self._adds_when_counted = False
        self._was_opened = False
        self._counting = counting
        counting.result.connect(self._show_count)
        self._announcer = Announcer(self)
        self._make_controls()
        self._arrange()
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._count)
        self._late = QTimer(self, singleShot=True, interval=_COUNTING_AFTER_MS)
        self._late.timeout.connect(self._show_counting)
        self.resize(_WIDTH, 1)
        self._count_soon()
        self._count()

    # --- building

    def _make_controls(self) -> None:
        review = self._proposal.review
        has_any = review.has_subfolders
        text = tr("Include &subfolders") if has_any else tr("Include &subfolders (there are none)")
        self.subfolders = QCheckBox(text, self)
        self.subfolders.setChecked(has_any)
        self.subfolders.setEnabled(has_any)
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
        self.chosen = plain_label("", self)
        self.chosen.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._make_lines()
        self.name = QLineEdit(self, maxLength=_MAX_LENGTH)  # its placeholder is the automatic name
        self.name.setAccessibleName(tr("Batch name"))
        self.process_as = ProcessorField(self._choices, self._proposal.choice, self)
        self.add = QPushButton(self, default=True)
        self.add.setObjectName("primary")
        self.add.clicked.connect(self.accept)
        self.subfolders.toggled.connect(self._count_soon)
        self.only.textChanged.connect(self._count_soon)
        self.leave_out.textChanged.connect(self._count_soon)

    def _make_lines(self) -> None:
        self.skip = QRadioButton(tr("S&kip"), self)
        self.skip.setAccessibleName(tr("Skip files that are already in the list"))
        self.again = QRadioButton(tr("Add a&gain"), self)
        self.again.setAccessibleName(tr("Add files even if they are already in the list"))
        self.show_refused = QPushButton(tr("Sho&w…"), self, autoDefault=False)
        self.show_refused.setAccessibleName(tr("Show the items that can't be added"))
        self.show_refused.clicked.connect(self._list_refused)
        (self.again if self._proposal.again else self.skip).setChecked(True)
        choice = QButtonGroup(self)
        choice.addButton(self.skip)
        choice.addButton(self.again)
        choice.buttonToggled.connect(self._update_add_button)
        self.listed = ReviewLine("info", (self.skip, self.again), self._theme, self)
        self.refused = ReviewLine("warning", (self.show_refused,), self._theme, self)

    def _patterns(self, example: str, name: str, tip: str) -> QLineEdit:
        box = QLineEdit(self, placeholderText=example, maxLength=_MAX_LENGTH, clearButtonEnabled=True)
        box.setAccessibleName(name)
        box.setAccessibleDescription(tip)
        box.setToolTip(tip)
        return box

    def _arrange(self) -> None:
        column = spaced(QVBoxLayout(), 12)
        column.addWidget(plain_label(title_text(self._proposal), self, "sheetTitle"))
        folder = folder_text(self._proposal)
        if folder:
            label = ElidedLabel(folder, self)
            label.setObjectName("sheetText")
            column.addWidget(label)
            column.addSpacing(4)
        column.addWidget(self.subfolders)
        form = form_layout()
        form.addRow(caption(tr("&Include"), self.only), self.only)
        form.addRow(caption(tr("&Exclude"), self.leave_out), self.leave_out)
        add_field(form, self.chosen)
        form.addRow(caption(tr("&Batch name"), self.name), self.name)
        form.addRow(caption(tr("&Process as"), self.process_as.box), self.process_as)
        column.addLayout(form)
        column.addWidget(self.listed)
        column.addWidget(self.refused)
        column.addStretch(1)
        buttons = ButtonRow(self)
        buttons.addButton(self.add, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.rejected.connect(self.reject)
        self._place = arrange_dialog(self, column, buttons, name="review", size=(_WIDTH, 0))
        process_as = (self.process_as.box, self.process_as.options)
        fields = (self.subfolders, self.only, self.leave_out, self.name, *process_as)
        controls = (*fields, self.skip, self.again, self.show_refused)
        for control, following in pairwise((*controls, self.add)):
            self.setTabOrder(control, following)

    def _open_focused(self) -> None:
        """Open the sheet, with the focus on the control that is used most often."""
        self._was_opened = True
        self.open()
        if not self._proposal.review.result.folders:
            (self.skip if self._proposal.review.listed else self.add).setFocus()
        else:
            self.only.setFocus()

    # --- counting

    @Slot()
    def _count_soon(self) -> None:
        """Count the files after a pause in typing."""
        self._adds_when_counted = False
        self._picked = None
        self._counting.stop()
        self._pause.start()
        self._late.start()
        self._update_add_button()

    @Slot()
    def _count(self) -> None:
        self._pause.stop()
        rules = SelectionRules(self.subfolders.isChecked(), self.only.text(), self.leave_out.text())
        review = self._proposal.review
        self._counting.start(lambda should_stop: [review.pick(rules, should_stop, self._wording.number)])

    @Slot()
    def _show_counting(self) -> None:
        self.chosen.setText(tr("Counting…"))

    @Slot(object)
    def _show_count(self, picked: SelectionResult) -> None:
        self._late.stop()
        self._picked = picked
        text = chosen_text(picked, len(self._proposal.review.result.files), self._wording)
        if text != self.chosen.text():
            self.chosen.setText(text)
            self._announcer.announce(text)
        self.listed.set_text(
            tr("%Ln file(s) (is|are) already in the list and unchanged", "", picked.listed) if picked.listed else ""
        )
        self.refused.set_text(refused_text(picked.refused) if picked.refused else "")
        self.show_refused.setVisible(len(picked.refused) > 1)
        self._update_add_button()
        if not self._was_opened:
            self._open_focused()
        # The new texts may wrap onto more lines. The sheet never shrinks, so that the controls stay in place.
        self._place.grow()
        if self._adds_when_counted:
            self.accept()

    @Slot()
    def _update_add_button(self) -> None:
        if self._picked is None:
            self.add.setText(tr("&Add Files"))
            self.add.setEnabled(True)
            return
        self.name.setPlaceholderText(translated(self._picked.names[self.again.isChecked()]))
        count = self._picked.count(again=self.again.isChecked())
        self.add.setText(tr("&Add %Ln File(s)", "", count) if count else tr("&Add Files"))
        self.add.setEnabled(count > 0)

    @Slot()
    def _list_refused(self) -> None:
        if self._picked is not None:
            show_refused(self._picked.refused, self)

    # --- closing

    def accept(self) -> None:
        """Close the sheet and add the selected files as soon as they have been counted."""
        again = self.again.isChecked()
        if self._picked is None:
            self._adds_when_counted = True
            if self._pause.isActive():
                self._count()
        elif self._picked.count(again=again):
            self.decided.emit(self._picked, self.name.text().strip(), again, self.process_as.choice)
            super().accept()

    def done(self, result: int) -> None:
        """Stop counting and close the sheet."""
        self._pause.stop()
        self._late.stop()
        self._counting.stop()
        self._counting.result.disconnect(self._show_count)  # the next sheet uses the same stream
        super().done(result)


def title_text(proposal: Proposal) -> str:
    """Return the title, such as `Files from “in”` or the name of the only file."""
    if len(proposal.paths) == 1 and not proposal.review.result.folders:
        return proposal.place  # a single file
    if len(proposal.paths) == 1 or os.path.basename(common_folder(proposal.paths)):  # noqa: PTH119
        return tr("Files from “{place}”").format(place=proposal.place)
    return tr("Files from %Ln place(s)", "", len(proposal.paths))


def folder_text(proposal: Proposal) -> str:
    """Return the path of the folder that contains all files, or an empty string if there is none."""
    folders = proposal.review.result.folders
    if len(proposal.paths) == 1 and folders:
        return display_text(folders[0].path)
    folder = common_folder(proposal.paths)
    return display_text(folder) if os.path.isabs(folder) else ""  # noqa: PTH117


def chosen_text(picked: SelectionResult, total: int, wording: Wording) -> str:
    """Return the number of selected files, such as `412 of 3,118 files, 1.1 GB`."""
    count = len(picked.places)
    if not count:
        return tr("(The only file does not match|None of the %Ln files match)", "", total)
    if count == total:
        return tr("(%Ln file|All %Ln files), {size}", "", total).format(size=wording.size(picked.size))
    return tr("{chosen} of %Ln file(s), {size}", "", total).format(
        chosen=wording.number(count), size=wording.size(picked.size)
    )


def refused_text(refusals: Sequence[Refusal]) -> str:
    """Return a sentence about the items that can't be added."""
    if len(refusals) == 1:
        name = os.path.basename(refusals[0].path) if os.path.isabs(refusals[0].path) else ""  # noqa: PTH117, PTH119
        return tr("“{name}” can't be added: {why}.").format(
            name=display_text(name or refusals[0].path), why=reason_text(refusals[0].reason)
        )
    counts = Counter(kind_of(refusal) for refusal in refusals)
    parts = [_kind(kind, counts[kind]) for kind in RefusalKind if counts[kind]]
    return tr("Can't be added: {items}.").format(items=QLocale().createSeparatedList(parts))


def _kind(kind: RefusalKind, n: int) -> str:
    return {
        RefusalKind.LINK: tr("%Ln link(s)", "of the file system", n),
        RefusalKind.MISSING: tr("%Ln item(s) that (doesn't|don't) exist", "", n),
        RefusalKind.NOT_ALLOWED: tr("%Ln folder(s) without read permission", "", n),
        RefusalKind.NOT_ORDINARY: tr("%Ln pipe(s) or device(s)", "", n),
        RefusalKind.ADDRESS: tr("%Ln web address(es)", "", n),
        RefusalKind.NETWORK: tr("%Ln item(s) on other computers or devices", "", n),
        RefusalKind.OTHER: tr("%Ln other item(s)", "", n),
    }[kind]


_MAX_SHOWN = 5_000


def show_refused(refused: Sequence[Refusal], parent: QWidget) -> PairsDialog:
    """Show a dialog that lists the items that could not be added, with the reasons."""
    pairs = [(display_text(refusal.path), reason_text(refusal.reason)) for refusal in refused[:_MAX_SHOWN]]
    text = tr("%Ln item(s) can't be processed and (was|were) not added.", "", len(refused))
    if len(refused) > _MAX_SHOWN:
        text = tr("{text} The first %Ln are shown.", "", _MAX_SHOWN).format(text=text)
    dialog = PairsDialog(tr("Not Added"), text, (tr("Item"), tr("Reason")), pairs, parent, name="refused")
    dialog.show()
    return dialog

"""The answers of a test, one line each, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from desktop_app.gui.texts import tr, translated
from desktop_app.reach import Finding, Verdict

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.look.look import Look

_MARKS = {Verdict.FINE: "✓", Verdict.NOTE: "–", Verdict.TROUBLE: "▲"}
_ICONS = {Verdict.FINE: "status-processed", Verdict.NOTE: "info", Verdict.TROUBLE: "status-failed"}


class CheckList(QListWidget):
    """Findings with a shape before each; read line by line, with the keyboard too."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._findings: list[Finding] = []
        self.setAccessibleName(tr("What the test has found"))
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(False)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        look.changed.connect(self._draw)

    @property
    def findings(self) -> list[Finding]:
        """What is listed."""
        return list(self._findings)

    def begin(self) -> None:
        """Forget the last test."""
        self._findings.clear()
        self.clear()

    def add(self, finding: Finding) -> None:
        """One more."""
        self._findings.append(finding)
        item = QListWidgetItem(translated(finding.text), self)
        mark = {Verdict.FINE: tr("Fine"), Verdict.NOTE: tr("Note"), Verdict.TROUBLE: tr("Trouble")}[finding.verdict]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{mark}: {item.text()}")
        self._draw_item(item, finding)
        self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copying takes all lines, not only the current one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
            event.accept()
        else:
            super().keyPressEvent(event)

    def as_text(self) -> str:
        """All of it, to be copied."""
        return "\n".join(f"{_MARKS[one.verdict]} {translated(one.text)}" for one in self._findings)

    @Slot()
    def _draw(self) -> None:
        for row, finding in enumerate(self._findings):
            self._draw_item(self.item(row), finding)

    def _draw_item(self, item: QListWidgetItem, finding: Finding) -> None:
        colours = self._look.colours
        colour = {
            Verdict.FINE: colours.processed,
            Verdict.NOTE: colours.muted,
            Verdict.TROUBLE: colours.failed,
        }[finding.verdict]
        item.setIcon(self._look.icon(_ICONS[finding.verdict], colour))

"""Foreign messages in the queue, as the window shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop_app.gui.widgets.dialogs import PairsDialog
from tests.helpers.fakes import received

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowFactory


def test_nothing_is_shown_without_foreign_messages(windows: WindowFactory, qtbot: QtBot) -> None:
    window = windows.open()
    window.connection.foreign.count()
    assert not window.menu_actions.foreign.isEnabled()
    assert not window.status.foreign.isVisible()


def test_foreign_messages_are_counted_and_the_newest_are_shown_as_plain_text(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    window = windows.open()
    windows.connection.foreign_messages.note(received("<b>not</b>\nours", message_id="m1", count=3), "not JSON")
    with qtbot.waitSignal(window.connection.foreign.counted):
        window.connection.foreign.count()
    assert window.menu_actions.foreign.isEnabled()
    assert window.status.foreign.isVisible()
    assert "1 other message" in window.status.foreign.text()
    dialog = window.connection.foreign.show_newest()
    qtbot.addWidget(dialog)
    assert dialog._pairs == [("not JSON, delivered 3 times", "<b>not</b>\\nours")]


def test_number_in_the_status_bar_counts_messages_not_deliveries_and_opens_the_list(
    windows: WindowFactory, qtbot: QtBot
) -> None:
    window = windows.open()
    for delivery in range(1, 4):
        for name in ("m1", "m2"):
            windows.connection.foreign_messages.note(received("x", message_id=name, count=delivery), "not JSON")
    window.connection.foreign.count()
    assert "2 other messages" in window.status.foreign.text()
    QTest.mouseClick(window.status.foreign, Qt.MouseButton.LeftButton)
    (dialog,) = window.findChildren(PairsDialog)
    assert dialog.isVisible()
    assert [row for row, _ in dialog._pairs] == ["not JSON, delivered 3 times"] * 2
    dialog.close()

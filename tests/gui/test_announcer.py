"""Announcements for screen readers are limited in number; the newest text wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from desktop_app.gui.widgets.notice import Announcer

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []

    def hear(event: QAccessibleAnnouncementEvent) -> None:
        assert event.politeness() is QAccessible.AnnouncementPoliteness.Polite
        heard.append(event.message())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    return heard


def test_first_message_is_announced_at_once_and_then_only_the_newest(qtbot: QtBot, spoken: list[str]) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    announcer = Announcer(window, every_ms=30)
    for text in ("one", "two", "three"):
        announcer.announce(text)
    assert spoken == ["one"]
    qtbot.waitUntil(lambda: spoken == ["one", "three"])
    qtbot.waitUntil(lambda: not announcer._silence.isActive())
    assert spoken == ["one", "three"]
    announcer.announce("four")
    assert spoken == ["one", "three", "four"]

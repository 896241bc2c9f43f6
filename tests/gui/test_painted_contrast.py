"""The contrast of painted text, measured on the pixels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor

from desktop_app.domain.job import Status
from desktop_app.gui.table.columns import COLUMN_OF_ID
from desktop_app.gui.theme.theme import DARK, LIGHT, Colours
from tests.gui.test_colours import READABLE, contrast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QRect
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.theme.theme import Theme
    from desktop_app.gui.window.main_window import MainWindow
    from tests.gui.conftest import WindowFactory


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def colours(request: pytest.FixtureRequest, theme: Theme) -> Iterator[Colours]:
    before = theme.colours
    theme.use(request.param)
    yield request.param
    theme.use(before)


@pytest.fixture
def window(windows: WindowFactory, colours: Colours) -> MainWindow:
    failed, done, pending, _, working = windows.jobs_db.add_many(5)
    windows.jobs_db.fail(failed)
    windows.jobs_db.finish(done)
    windows.jobs_db.change(working, status=Status.PROCESSING)
    made = windows.open()
    made.resize(1180, 600)
    assert pending
    return made


def ink_and_ground(widget: QWidget, part: QRect) -> tuple[str, str]:
    """Return the text colour, which contrasts most, and the background, the most frequent colour.

    A letter's edge mixes both, so a single pixel may have less contrast than the text, never more.
    """
    image = widget.grab(part).toImage()
    counts = Counter(
        QColor(image.pixel(x, y)).name() for x in range(2, image.width() - 2) for y in range(3, image.height() - 3)
    )
    ground = counts.most_common(1)[0][0]
    return max(counts, key=lambda colour: contrast(colour, ground)), ground


@pytest.mark.parametrize("selected", [False, True], ids=["plain", "selected"])
def test_cells_can_be_read(window: MainWindow, colours: Colours, selected: bool) -> None:
    if selected:
        window.view.selectAll()
    for row, status in enumerate(("failed", "processed", "pending", "pending on the other ground")):
        for column in ("name", "status", "size", "added"):
            cell = window.view.visualRect(window.view.model().index(row, COLUMN_OF_ID[column]))
            ink, ground = ink_and_ground(window.view.viewport(), cell)
            assert ground == (colours.selection if selected else (colours.base, colours.alternate)[row % 2])
            assert contrast(ink, ground) >= READABLE, (status, column)


def test_statuses_have_different_shapes(theme: Theme) -> None:
    from PySide6.QtCore import QSize

    shapes = set()
    for status in Status:
        image = theme.status_icon(status).pixmap(QSize(16, 16)).toImage()
        shapes.add(tuple(image.pixelColor(x, y).alpha() > 127 for x in range(16) for y in range(16)))
    assert len(shapes) == len(Status)


def test_text_beside_the_list_is_readable(window: MainWindow, colours: Colours) -> None:
    from PySide6.QtWidgets import QAbstractButton, QLabel

    window.view.selectAll()
    window.menu_actions.sidebar.setChecked(False)  # the status bar then shows the counts
    looked_at = 0
    for kind in (QLabel, QAbstractButton):
        for widget in window.findChildren(kind):
            if widget.isVisible() and widget.isEnabled() and widget.width() > 30 and getattr(widget, "text", str)():
                ink, ground = ink_and_ground(window, _place(widget, window))
                assert contrast(ink, ground) >= READABLE, (widget, ink, ground)
                looked_at += 1
    assert looked_at > 10


def _place(widget: QWidget, window: QWidget) -> QRect:
    from PySide6.QtCore import QPoint, QRect

    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())

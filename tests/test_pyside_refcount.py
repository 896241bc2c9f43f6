"""The installed PySide6 keeps the reference counts of True, False and None.

6.12.0 on CPython 3.11 loses a reference at every emit; after some thousand, the process aborts. On CPython 3.12, these
objects are immortal, so their counts are not checked.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal since 3.12")

TIMES = 1000
# Other code may add or release a few references between two readings; the bug loses one each time.
NOISE = TIMES // 10


class Emitter(QObject):
    flag = Signal(bool)
    thing = Signal(object)


class EmptyModel(QAbstractTableModel):
    """Returns None for everything, as a model does for most roles."""

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802
        return 1

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802
        return 1

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return None


@pytest.mark.parametrize("value", [True, False])
def test_emitting_a_bool_keeps_its_count(value: bool) -> None:
    emitter = Emitter()
    received: list[bool] = []
    emitter.flag.connect(received.append)
    before = sys.getrefcount(value)
    for _ in range(TIMES):
        emitter.flag.emit(value)
    assert len(received) == TIMES
    received.clear()
    assert abs(sys.getrefcount(value) - before) < NOISE


def test_emitting_none_keeps_its_count() -> None:
    emitter = Emitter()
    before = sys.getrefcount(None)
    for _ in range(TIMES):
        emitter.thing.emit(None)
    assert abs(sys.getrefcount(None) - before) < NOISE


def test_returning_none_from_data_keeps_its_count() -> None:
    model = EmptyModel()
    index = model.index(0, 0)
    before = sys.getrefcount(None)
    for _ in range(TIMES):
        assert index.data(Qt.ItemDataRole.ToolTipRole) is None
    assert abs(sys.getrefcount(None) - before) < NOISE


def test_data_changed_with_roles_keeps_the_counts_of_bools() -> None:
    model = EmptyModel()
    index = model.index(0, 0)
    before = sys.getrefcount(True), sys.getrefcount(False)
    for _ in range(TIMES):
        model.dataChanged.emit(index, index, [Qt.ItemDataRole.DisplayRole])
    assert abs(sys.getrefcount(True) - before[0]) < NOISE
    assert abs(sys.getrefcount(False) - before[1]) < NOISE

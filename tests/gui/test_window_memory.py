from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QByteArray

from desktop_app.gui.window_memory import ColumnLayout, SortLayout, WindowMemory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "window.ini"


def test_saved_state_is_restored(file: Path, tmp_path: Path) -> None:
    memory = WindowMemory(file)
    columns = [ColumnLayout("size", 90), ColumnLayout("name", 250, shown=True), ColumnLayout("took", shown=False)]
    memory.geometry = QByteArray(b"\x01\xff\x00x")
    memory.set_columns(columns)
    order = [SortLayout("size", descending=True), SortLayout("name", descending=False)]
    memory.set_sort_order(order)
    memory.set_folder("files", str(tmp_path))
    memory.save()
    again = WindowMemory(file)
    assert again.geometry == QByteArray(b"\x01\xff\x00x")
    assert again.columns() == columns
    assert again.sort_order() == order
    again.set_sort_order(order[:1])
    again.save()
    assert WindowMemory(file).sort_order() == order[:1]
    assert again.folder("files") == str(tmp_path)


def test_defaults_of_a_missing_file(file: Path, isolated_environment: Path) -> None:
    memory = WindowMemory(file)
    assert memory.geometry.isEmpty()
    assert memory.columns() == []
    assert memory.sort_order() == []
    assert memory.folder("files") == str(isolated_environment)


def test_missing_folder_is_ignored(file: Path, tmp_path: Path, isolated_environment: Path) -> None:
    memory = WindowMemory(file)
    memory.set_folder("files", str(tmp_path / "gone"))
    assert memory.folder("files") == str(isolated_environment)


def test_start_that_changes_nothing_does_not_write_the_file(file: Path) -> None:
    WindowMemory(file).save()
    before = file.read_bytes()
    assert b"version=" in before
    file.write_bytes(b"; by hand\n" + before)  # a write would remove the comment
    WindowMemory(file).save()
    assert file.read_bytes() == b"; by hand\n" + before


def test_file_of_another_version_is_not_read(file: Path) -> None:
    file.write_text("[General]\nversion=99\nlayout=name:100:shown\n", encoding="utf-8")
    assert WindowMemory(file).columns() == []


@pytest.mark.parametrize(
    "text",
    [
        "\x00\xff not an ini file",
        "[General]\nversion=1\nlayout=@Invalid()\nsort=5\ngeometry=abc\n",
        "[General]\nversion=1\nlayout=:5:shown, size:-4:shown, lines:99999999:shown, took:x:y\nsort=a\n",
        "[General]\nversion=abc\n",
    ],
)
def test_invalid_values_are_ignored(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    memory = WindowMemory(file)
    assert memory.columns() == []
    assert memory.sort_order() == []
    assert memory.geometry.isEmpty()


def test_layout_of_an_earlier_version_is_not_mistaken_for_a_choice(file: Path) -> None:
    """It contains the widths of all columns, whether or not a person has changed them."""
    file.write_text("[General]\nversion=1\ncolumns=name:160:shown, status:900:shown\n", encoding="utf-8")
    assert WindowMemory(file).columns() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
@pytest.mark.expected_log("is not a regular file")
def test_pipe_in_place_of_the_file_is_not_opened(file: Path) -> None:
    os.mkfifo(file)
    memory = WindowMemory(file)
    memory.details_height = 300
    memory.save()
    assert memory.details_height == 300
    assert file.is_fifo()

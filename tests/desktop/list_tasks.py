"""Tasks on many files of the list, by keyboard, by mouse alone, and through the accessibility interface."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.desktop.screen import wait_for
from tests.desktop.speech import ScreenReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.desktop.user import User

DAY_MS = 86_400_000
SEARCH = "status:failed type:json finished:today"
_ROW = 33
"""The height of a row in the list of what can be typed, whose place is fixed under the filter box."""
_TYPE, _FINISHED = 7, 16
"""The rows of `type:` and `finished:` in it."""
_RENAME, _REMOVE_PROCESSED = 45, 171
"""The distance of entries from the top of a batch's menu."""
_LOOK_S = 0.6
"""The time after which a user sees the result of a filter."""


def with_reader(task: Callable[[User], None]) -> Callable[[User], None]:
    """Return a task during which the places of all objects can be read, and which closes the window at its end."""

    def do(user: User) -> None:
        with ScreenReader(user.screen):
            user.adopt_screen()
            task(user)
            user.close()

    return do


# --- find all JSON files that failed today, and retry them


def retry_by_keyboard(user: User) -> None:
    """Press Ctrl+F, type the conditions, press Enter, Ctrl+A, Ctrl+R."""
    _fail_files(user)
    user.hand.press("ctrl+f")
    user.hand.write(SEARCH)
    user.hand.press("Return")
    time.sleep(_LOOK_S)
    user.hand.press("ctrl+a", "ctrl+r")
    _check_retried(user)


@with_reader
def retry_by_mouse(user: User) -> None:
    """Choose Failed, then a type and a day from what can be typed, then Select All and Retry in the menus."""
    _fail_files(user)
    user.click("check box", "Failed")
    for row, value in ((_TYPE, "json"), (_FINISHED, "today")):
        user.click("push button", "What you can type")
        x, y, _, height = user.popup()
        if row * _ROW > height - 170:
            user.screen.do("mousemove", "--sync", str(x + 60), str(y + 300), "click", "--repeat", "20", "5")
            time.sleep(_LOOK_S)
            user.hand.click((x + 60, y + _row_from_end(height, row)))
        else:
            user.hand.click((x + 60, y + 84 + row * _ROW))
        user.click("table cell", value)
        time.sleep(_LOOK_S)
    user.click("menu item", "Edit")
    _click_entry(user, "Select All")
    user.click("menu item", "Queue")
    _click_entry(user, "Retry")
    _check_retried(user)


@with_reader
def retry_by_reader(user: User) -> None:
    """Set the text of the filter box, and use two entries of the menus."""
    _fail_files(user)
    user.put("text", "Filter files", SEARCH)
    time.sleep(_LOOK_S)
    user.use("menu item", "Select All")
    user.use("menu item", "Retry")
    _check_retried(user)


def _fail_files(user: User) -> None:
    """Let five files fail, one of them yesterday, and bring them back."""
    paths = user.fail("a.json", "b.json", "c.txt", "old.json", start=False)
    with closing(sqlite3.connect(user.home / "filemill" / "filemill.db")) as connection:
        older = "UPDATE job SET finished_at = finished_at - ? WHERE file_path LIKE '%old.json'"
        connection.execute(older, (2 * DAY_MS,))
        connection.commit()
    for path in paths:
        path.write_text("here again\n", encoding="utf-8")
    user.start()


def _check_retried(user: User) -> None:
    expected = {"a.json": "PROCESSED", "b.json": "PROCESSED", "c.txt": "FAILED", "old.json": "FAILED"}
    wait_for(lambda: _statuses(user) == expected, "two files that are processed")


# --- remove what is processed of one batch


def remove_by_keyboard(user: User) -> None:
    """Press Shift+F6 to go to the sidebar, End, Menu, P."""
    _add_batches(user)
    user.hand.press("shift+F6", "End", "Menu", "p")
    _check_removed(user)


@with_reader
def remove_by_mouse(user: User) -> None:
    """Right-click on the batch, and click on Remove Processed."""
    _add_batches(user)
    _click_in_menu_of_batch(user, _REMOVE_PROCESSED)
    _check_removed(user)


@with_reader
def remove_by_reader(user: User) -> None:
    """Press the batch, show the processed files of it, select all and remove them."""
    _add_batches(user)
    user.use("check box", "one")
    user.put("text", "Filter files", "status:processed")
    time.sleep(_LOOK_S)
    user.use("menu item", "Select All")
    user.use("menu item", "Remove")
    _check_removed(user)


def _add_batches(user: User) -> None:
    """Add two batches, `one` and the newer `two`, with two processed files and a failed one in each."""
    for name in ("one", "two"):
        paths = user.write(*(f"{name}/{number}.txt" for number in (1, 2, 3)))
        user.run("submit", "--recursive", str(user.folder / name))
        paths[-1].unlink()
    user.run("worker", "--until-idle")
    user.start()


def _click_in_menu_of_batch(user: User, distance: int) -> None:
    """Right-click on the older batch, and click in its menu at a distance from the top."""
    user.click("check box", "one", button=3)
    x, y, _, _ = user.popup()
    user.hand.click((x + 40, y + distance))


def _check_removed(user: User) -> None:
    expected = [("one", "FAILED"), ("two", "FAILED"), ("two", "PROCESSED"), ("two", "PROCESSED")]

    def left() -> list[tuple[str, str]]:
        return sorted((job["file_path"].split("/")[-2], job["status"]) for job in user.jobs())

    wait_for(lambda: left() == expected, "the batch without its processed files")


# --- rename a batch


def rename_by_keyboard(user: User) -> None:
    """Press Shift+F6 to go to the sidebar, End, F2; type the name, press Enter."""
    _add_batches(user)
    user.hand.press("shift+F6", "End", "F2")
    user.hand.write("Invoices")
    user.hand.press("Return")
    _check_renamed(user)


@with_reader
def rename_by_mouse(user: User) -> None:
    """Right-click on the batch, click on Rename…, type the name, and click elsewhere."""
    _add_batches(user)
    _click_in_menu_of_batch(user, _RENAME)
    time.sleep(_LOOK_S)
    user.hand.write("Invoices")
    user.hand.click((700, 650))
    _check_renamed(user)


@with_reader
def rename_by_reader(user: User) -> None:
    """Press the batch, use Rename Batch…, set the text, and move on."""
    _add_batches(user)
    user.use("check box", "one")
    user.use("menu item", "Rename Batch")
    editor = next(one for one in user.objects("text") if not one["name"].startswith("Filter"))
    user.put("text", editor["name"], "Invoices")
    user.use("check box", "All", "SetFocus")
    _check_renamed(user)


def _check_renamed(user: User) -> None:
    def names() -> set[str]:
        with closing(sqlite3.connect(user.home / "filemill" / "filemill.db")) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM batch")}

    wait_for(lambda: names() == {"Invoices", "two"}, f"the new name; there are {names()}")


# --- helpers


def _statuses(user: User) -> dict[str, str]:
    return {job["file_path"].rsplit("/", 1)[-1]: job["status"] for job in user.jobs()}


def _row_from_end(height: int, row: int) -> int:
    """Return the distance of a row from the top of a list that is scrolled to its end."""
    last = 16
    return height - 70 - (last - row) * _ROW


def _click_entry(user: User, name: str) -> None:
    """Click on an entry of the open menu, whose place the accessibility interface tells."""
    found = [one for one in user.all_objects("menu item") if one["name"] == name and one["place"][2] > 0]
    assert found, f"no entry “{name}”"
    x, y, width, height = found[0]["place"]
    user.hand.click((x + width // 2, y + height // 2))

"""The most common tasks, mostly by keyboard alone. A task that takes more than `most` keys has failed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.desktop import list_tasks, setup_tasks
from tests.desktop.screen import wait_for
from tests.desktop.speech import ScreenReader, can_listen
from tests.helpers.sqs.moto_process import MotoProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.desktop.user import User


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        number, name: For the output.
        most: The maximum number of keys; a typed text counts as one.
        do: Performs the task and checks the result.
    """

    number: int
    name: str
    most: int
    do: Callable[[User], None]


def add_three_files(user: User) -> None:
    """Press Ctrl+O, type the names, press Enter."""
    paths = user.write("a.txt", "b.txt", "c.txt")
    user.start()
    user.hand.press("ctrl+o")
    user.wait_for_window("Add Files")
    user.hand.write(" ".join(f'"{path}"' for path in paths))
    user.hand.press("Return")
    user.wait_for_jobs(3, "PROCESSED")


def add_csv_of_a_folder(user: User) -> None:
    """Press Ctrl+Shift+O, type the folder, press Enter; then choose the files."""
    user.write("in/a.csv", "in/b.txt", "in/deep/c.csv", "in/deep/er/d.csv", "in/e.log")
    user.start()
    user.hand.press("ctrl+shift+o")
    user.wait_for_window("Add Folder")
    user.hand.write(str(user.folder / "in"))
    user.hand.press("Return")
    user.wait_for_window("Add Files")
    user.hand.write("*.csv")
    user.hand.press("Return")
    user.wait_for_jobs(3, "PROCESSED")
    names = sorted(job["file_path"].rsplit("/", 1)[-1] for job in user.jobs())
    assert names == ["a.csv", "c.csv", "d.csv"], names


def why_one_failed(user: User) -> None:
    """Press Ctrl+5; the row then shows the reason."""
    user.fail("gone.txt")
    user.hand.press("ctrl+5")
    # Only to read the row in this test; a user sees it without pressing a key.
    user.screen.do("key", "ctrl+a", "ctrl+c")
    wait_for(lambda: "The file no longer exists" in user.screen.clipboard(), "the reason in the row")


def retry_all_with_a_reason(user: User) -> None:
    """Press Home to select the first file, then Ctrl+Alt+R."""
    for path in user.fail("a.txt", "b.txt", "c.txt"):
        path.write_text("here again\n", encoding="utf-8")
    user.hand.press("Home", "ctrl+alt+r")
    user.wait_for_jobs(3, "PROCESSED")


def remove_500_and_undo(user: User) -> None:
    """Press Ctrl+A, Delete, Ctrl+Z."""
    user.write(*(f"many/{number}.txt" for number in range(500)), lines=1)
    user.run("submit", "--recursive", str(user.folder / "many"))
    user.run("worker", "--until-idle")
    user.start()
    before = user.jobs()
    user.hand.press("ctrl+a", "Delete")
    user.wait_for_jobs(0)
    user.hand.press("ctrl+z")
    user.wait_for_jobs(500, "PROCESSED")
    assert user.jobs() == before, "not as it was"


def copy_a_path(user: User) -> None:
    """Press Home to select the first file, then Ctrl+Shift+C."""
    [path] = user.fail("a file.txt")
    user.hand.press("Home", "ctrl+shift+c")
    wait_for(lambda: user.screen.clipboard() == str(path), "the path on the clipboard")


def export_the_failed(user: User) -> None:
    """Press Ctrl+5, Ctrl+Shift+E, Enter."""
    user.write("good.txt")
    user.run("submit", str(user.folder / "good.txt"))
    user.fail("x.txt", "y.txt")
    user.hand.press("ctrl+5", "ctrl+shift+e")
    user.wait_for_window("Export")
    user.hand.press("Return")

    def files() -> list[Path]:
        return list(user.home.rglob("*.csv"))

    wait_for(files, "a CSV file")
    rows = list(csv.DictReader(files()[0].read_text(encoding="utf-8-sig").splitlines()))
    assert [row["status"] for row in rows] == ["FAILED", "FAILED"], rows


def pause_quit_and_go_on(user: User) -> None:
    """Press Ctrl+P and Ctrl+Q; after the next start, press Ctrl+P."""
    user.start()
    user.hand.press("ctrl+p")
    wait_for(lambda: "Paused" in user.screen.title(), "the pause in the title")
    user.write(*(f"in/{number}.txt" for number in range(30)))
    user.run("submit", "--recursive", str(user.folder / "in"))
    user.hand.press("ctrl+q")
    user.wait_for_end()
    user.wait_for_jobs(30, "PENDING")
    user.start()
    wait_for(lambda: "Paused" in user.screen.title(), "the pause that is still there")
    user.wait_for_jobs(30, "PENDING")
    user.hand.press("ctrl+p")
    user.wait_for_jobs(30, "PROCESSED")


def hear_the_next_row(user: User) -> None:
    """Press Down; a screen reader says name, status and reason."""
    with ScreenReader(user.screen) as ear:
        user.adopt_screen()
        user.fail("first.txt", "second.txt")
        user.screen.do("key", "Home")
        ear.wait_for("focused: first.txt, Failed")
        user.hand.press("Down")
        ear.wait_for("focused: second.txt, Failed, The file no longer exists")
        user.close()


def drop_a_folder(user: User) -> None:
    """Drag a folder and two files from another program's window, and drop them on Filemill's."""
    files = user.write("x.txt", "y.txt", *(f"in/deep/{number}.txt" for number in range(40)))
    user.start()
    source = user.offer_to_drag(user.folder / "in", *files[:2])
    try:
        user.hand.drag((90, 690), (700, 400), partial(user.take_picture, "drag"))
        user.wait_for_jobs(42, "PROCESSED")
    finally:
        source.terminate()
        source.wait(20)


def see_how_long(user: User) -> None:
    """Press nothing: the status bar shows the remaining time once it can be estimated."""
    for number in range(40):
        with (user.folder / f"{number}.bin").open("wb") as file:
            file.truncate(300 << 20)  # sparse files, which take no space on the disk
    with ScreenReader(user.screen):
        user.adopt_screen()
        user.start(str(user.folder))
        wait_for(lambda: any("min" in name for name in user.spoken_names("label")), "how long it takes", 60)
        user.close()


def connect_by_profile(user: User) -> None:
    """Press Ctrl+K, Alt+A for Amazon SQS, type the profile, press Alt+Q, type the queue, press Enter."""
    with MotoProcess() as server:
        user.sign_in_at(server.endpoint_url)
        queue = user.client(server.endpoint_url).create_queue(QueueName="ingest")
        assert queue
        user.start()
        setup_tasks.type_connection(user, "alt+a", "work")
        wait_for(lambda: user.screen.title().startswith("ingest"), "the queue in the title")
        user.close()


def sign_in_again(user: User) -> None:
    """Press Shift+F6 to reach the banner, whose first button signs in."""
    with MotoProcess() as server:
        user.let_session_end(server.endpoint_url)
        user.client(server.endpoint_url).create_queue(QueueName="ingest")
        [path] = user.write("waits.txt")
        user.run("submit", str(path))
        user.start()
        wait_for(lambda: user.run("status", "--json").count('"message_id": null') == 1, "a file that waits")
        # The banner appears when the first request has shown that the session has expired.
        user.wait_for_log("session has expired")
        user.hand.press("shift+F6", "space")
        wait_for(lambda: all(job["message_id"] for job in user.jobs()), "the message that is sent at last")
        user.close()


_WITH_READER = (
    Task(25, "as 15, by mouse", 11, list_tasks.retry_by_mouse),
    Task(26, "as 16, by mouse", 2, list_tasks.remove_by_mouse),
    Task(27, "as 17, by mouse, the name typed", 4, list_tasks.rename_by_mouse),
    Task(28, "as 18, by mouse", 7, setup_tasks.set_up_by_mouse),
    Task(29, "as 19, by mouse, the texts typed", 7, setup_tasks.connect_by_mouse),
    Task(35, "as 15, by accessible objects", 3, list_tasks.retry_by_reader),
    Task(36, "as 16, by accessible objects", 4, list_tasks.remove_by_reader),
    Task(37, "as 17, by accessible objects", 4, list_tasks.rename_by_reader),
    Task(38, "as 18, by accessible objects", 3, setup_tasks.set_up_by_reader),
    Task(39, "as 19, by accessible objects", 5, setup_tasks.connect_by_reader),
)
TASKS = (
    Task(1, "add 3 files", 4, add_three_files),
    Task(2, "add a folder, only *.csv, with subfolders", 6, add_csv_of_a_folder),
    *([Task(3, "see how long it still takes", 0, see_how_long)] if can_listen() else []),
    Task(4, "find why one file failed", 2, why_one_failed),
    Task(5, "retry all with that reason", 2, retry_all_with_a_reason),
    Task(7, "remove 500 and undo", 3, remove_500_and_undo),
    Task(8, "copy a path", 2, copy_a_path),
    Task(9, "export only the failed to CSV", 4, export_the_failed),
    Task(10, "pause, quit, start, nothing lost", 3, pause_quit_and_go_on),
    Task(11, "connect to an AWS queue by profile", 6, connect_by_profile),
    Task(12, "recover from an ended session", 2, sign_in_again),
    Task(15, "retry the JSON files that failed today", 5, list_tasks.retry_by_keyboard),
    Task(16, "remove what is processed of a batch", 4, list_tasks.remove_by_keyboard),
    Task(17, "rename a batch", 5, list_tasks.rename_by_keyboard),
    Task(18, "change the language and the theme", 5, setup_tasks.set_up_by_keyboard),
    Task(19, "connect to HOST:PORT", 6, setup_tasks.connect_by_keyboard),
    Task(14, "drop a folder and two files (mouse)", 1, drop_a_folder),
    *([Task(13, "hear what the next row is", 1, hear_the_next_row), *_WITH_READER] if can_listen() else []),
)

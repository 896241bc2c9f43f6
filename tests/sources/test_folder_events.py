"""Events of folders: that one comes after each kind of change, and what happens when there can be none."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from watchdog.observers.api import BaseObserver

from desktop_app.sources.folder_events import FolderEvents
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Followed:
    """The events of a test."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.folders: list[str] = []
        self.events = FolderEvents(self.note)

    def note(self, folder: str) -> None:
        self.folders.append(folder)
        self.changed.set()

    def after(self, change: Callable[[], object]) -> bool:
        """Return whether an event comes after a change."""
        self.changed.clear()
        change()
        return self.changed.wait(20)


@pytest.fixture
def followed() -> Iterator[Followed]:
    made = Followed()
    yield made
    made.events.close()


def test_event_follows_each_kind_of_change(tmp_path: Path, followed: Followed) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b").write_text("b")
    (outside / "deep" / "er").mkdir(parents=True)
    assert followed.events.follow(str(folder), subfolders=True) == ""
    for change in (
        lambda: (folder / "a").write_text("a"),
        lambda: (folder / "a").write_text("changed"),
        lambda: (folder / "a").rename(folder / "renamed"),
        lambda: (outside / "b").rename(folder / "b"),
        lambda: (outside / "deep").rename(folder / "deep"),
        lambda: (folder / "deep" / "er" / "c").write_text("c"),
        lambda: (folder / "deep").rename(folder / "other"),
        lambda: (folder / "other" / "er" / "d").write_text("d"),
    ):
        assert followed.after(change)
    assert set(followed.folders) == {str(folder)}


def test_only_changes_in_the_folder_itself_are_told_without_subfolders(tmp_path: Path, followed: Followed) -> None:
    (tmp_path / "sub").mkdir()
    assert followed.events.follow(str(tmp_path), subfolders=False) == ""
    (tmp_path / "sub" / "a").write_text("a")
    assert followed.after((tmp_path / "a").touch)
    assert len(followed.folders) <= 3  # of the file in the folder: created, closed, and perhaps its time


def test_reading_a_file_is_no_change(tmp_path: Path, followed: Followed) -> None:
    """Otherwise, looking at new files would never end."""
    (tmp_path / "a").write_text("a")
    followed.events.follow(str(tmp_path), subfolders=True)
    (tmp_path / "a").read_text()
    assert len(list(tmp_path.iterdir())) == 1
    assert followed.after((tmp_path / "b").touch)
    assert len(followed.folders) <= 3


def test_folder_is_followed_through_a_link(tmp_path: Path, followed: Followed) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    assert followed.events.follow(str(tmp_path / "link"), subfolders=True) == ""
    assert followed.after((tmp_path / "in" / "a").touch)


def test_folder_that_was_replaced_is_not_followed_until_asked(tmp_path: Path, followed: Followed) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    followed.events.follow(str(folder), subfolders=True)
    assert followed.events.is_followed(str(folder))
    folder.rename(tmp_path / "before")  # keeps its inode, which the new folder could have otherwise
    assert not followed.events.is_followed(str(folder))
    folder.mkdir()
    assert not followed.events.is_followed(str(folder))
    assert followed.events.follow(str(folder), subfolders=True) == ""
    assert followed.events.is_followed(str(folder))
    assert followed.after((folder / "a").touch)


def test_folder_that_is_gone_can_be_forgotten_and_can_come_back(tmp_path: Path, followed: Followed) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    followed.events.follow(str(folder), subfolders=True)
    assert followed.after(lambda: shutil.rmtree(folder))
    assert followed.events.follow(str(folder), subfolders=True) == "the system can't tell what changes in it"
    folder.mkdir()
    assert followed.events.follow(str(folder), subfolders=True) == ""
    assert followed.after((folder / "a").touch)


def test_forgotten_folder_is_not_told(tmp_path: Path, followed: Followed) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        followed.events.follow(str(tmp_path / name), subfolders=True)
    followed.events.forget(str(tmp_path / "one"))
    (tmp_path / "one" / "a").touch()
    assert followed.after((tmp_path / "two" / "a").touch)
    assert set(followed.folders) == {str(tmp_path / "two")}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE])
@pytest.mark.parametrize("fails_at", [1, 2], ids=["the folder", "a subfolder"])
def test_limit_of_the_system_is_said_and_nothing_stays_followed(
    tmp_path: Path, followed: Followed, monkeypatch: pytest.MonkeyPatch, code: int, fails_at: int
) -> None:
    schedule, calls = BaseObserver.schedule, 0

    def limited(self: BaseObserver, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= fails_at:
            raise OSError(code, os.strerror(code))
        return schedule(self, *args, **kwargs)

    assert followed.events.why_incomplete() == ""
    monkeypatch.setattr(BaseObserver, "schedule", limited)
    why_not = followed.events.follow(str(tmp_path), subfolders=True)
    assert why_not == "this system does not allow Filemill to follow more folders"
    assert not followed.events.is_followed(str(tmp_path))
    assert followed.events.why_incomplete() == why_not


def test_threads_end_with_the_events(tmp_path: Path) -> None:
    followed = Followed()
    before = {thread for thread in threading.enumerate() if "Emitter" in type(thread).__name__}
    followed.events.follow(str(tmp_path), subfolders=True)
    made = {t for t in threading.enumerate() if "Emitter" in type(t).__name__} - before
    followed.events.close()
    wait_until(lambda: not any(thread.is_alive() for thread in made))
    assert len(made) == 1

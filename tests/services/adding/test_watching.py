"""Watching folders: when a file is added, and that each is added once, whatever happens to the folder."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.clock import SystemClock
from desktop_app.domain.errors import StoreError
from desktop_app.domain.watched_folder import WatchedFolder
from desktop_app.services.adding import watching
from desktop_app.services.adding.type_rules import TypeRules
from desktop_app.services.adding.watching import (
    FORGET_SECONDS,
    LEAST_SECONDS,
    LONGEST_RETRY_SECONDS,
    LOOK_SECONDS,
    POLL_SECONDS,
    SOON_SECONDS,
    FolderState,
    FolderStatus,
    FolderWatch,
    WatchingLoop,
    note_output,
)
from desktop_app.services.loops import StopRequest
from desktop_app.sources.folder_events import FolderEvents
from desktop_app.sources.local import open_source
from desktop_app.sources.mounts import Mount, MountTable
from desktop_app.sources.scan import scan
from desktop_app.sources.share_access import ShareAccess
from desktop_app.store.adding import ROWS_A_PART
from desktop_app.store.watched_folders import WatchedFolders
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.services.conftest import ServicesSetup

SETTLE = 5


class FakeEvents(FolderEvents):
    """Events that a test makes itself."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.followed: dict[str, bool] = {}
        self.why_not = ""
        self.tries = 0

    def why_incomplete(self) -> str:
        return self.why_not

    def follow(self, folder: str, *, subfolders: bool) -> str:
        self.tries += 1
        if not self.why_not:
            self.followed[folder] = subfolders
        return self.why_not

    def is_followed(self, folder: str) -> bool:
        return folder in self.followed

    def forget(self, folder: str) -> None:
        self.followed.pop(folder, None)


class Scene:
    """A watched folder, the clock, and what is mounted."""

    def __init__(self, services: ServicesSetup, folder: Path) -> None:
        self.services = services
        self.clock = services.clock
        self.folder = folder
        self.folder.mkdir()
        self.store = WatchedFolders(services.database, services.intake, computer="here")
        self.events = FakeEvents()
        self.mounts = {"/": Mount("/")}
        self.stop = StopRequest()
        self.own_paths: list[str] = []
        self.watch = self.start()

    def start(self, **choices: object) -> FolderWatch:
        """Watch the folder with other choices, or as after a restart."""
        saved = next(iter(self.store.all()), WatchedFolder(str(self.folder), settle_s=SETTLE))
        self.store.save(replace(saved, **choices))  # type: ignore[arg-type]
        (folder,) = self.store.all()
        mounts = MountTable(lambda: self.mounts, self.clock.steady)
        self.watch = FolderWatch(
            folder,
            store=self.store,
            events=self.events,
            queue=lambda: "q",
            rules=lambda: TypeRules("*.csv => table"),
            own_paths=lambda: self.own_paths,
            clock=self.clock,
            stop=self.stop,
            shares=ShareAccess(mounts),
            mounts=mounts,
        )
        return self.watch

    def write(self, name: str, content: str = "a\n") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def turn(self, seconds: float = 0.0, *, is_changed: bool = True) -> list[str]:
        """Move the clock, and look at the folder; return the names of the files that this adds."""
        before = set(self.services.jobs.ids())
        self.clock.advance(seconds)
        self.watch.turn(is_changed=is_changed)
        keys = [key for key in self.services.jobs.ids() if key not in before]
        names = [os.path.relpath(job.file_path, self.folder) for job in self.services.jobs.listed(keys)]
        return sorted(names)

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, with each turn that is due in it; return the names of the files that are added."""
        end = self.clock.steady() + seconds
        added = []
        while self.watch.next_turn <= end:
            self.clock.now = max(self.clock.now, self.watch.next_turn)
            added += self.turn(is_changed=False)
        self.clock.now = end
        return added

    def see(self) -> None:
        """Let the folder be looked at after an event."""
        assert self.turn(LEAST_SECONDS) == []
        assert self.wait(SOON_SECONDS) == []

    @property
    def state(self) -> FolderState:
        return self.watch.status.state


@pytest.fixture
def scene(services: ServicesSetup, tmp_path: Path) -> Scene:
    made = Scene(services, tmp_path / "in")
    made.turn()
    return made


def test_new_file_is_added_once_it_has_not_changed_for_the_time(scene: Scene) -> None:
    scene.write("a.txt")
    scene.see()
    assert scene.watch.status.waiting == 1
    assert scene.wait(SETTLE - 0.01) == []
    assert scene.wait(0.01) == ["a.txt"]
    assert scene.watch.status == FolderStatus(replace(scene.store.all()[0], added=1), FolderState.WATCHED)
    assert scene.wait(3 * LOOK_SECONDS) == []


def test_file_that_is_still_written_waits(scene: Scene) -> None:
    scene.write("a.txt", "1")
    scene.see()
    for length in range(2, 6):
        scene.write("a.txt", "1" * length)
        assert scene.wait(SETTLE) == []
    assert scene.wait(SETTLE) == ["a.txt"]


def test_file_of_the_same_size_with_another_time_waits(scene: Scene) -> None:
    file = scene.write("a.txt")
    scene.see()
    os.utime(file, ns=(1, 1))
    assert scene.wait(SETTLE) == []
    assert scene.wait(SETTLE) == ["a.txt"]


def test_replaced_file_is_added_again_and_an_unchanged_one_is_not(scene: Scene) -> None:
    scene.write("a.txt")
    scene.write("b.txt")
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt", "b.txt"]
    scene.write("a.txt", "replaced")
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt"]


def test_renamed_file_is_a_new_one(scene: Scene) -> None:
    """A program may write under another name, and pause before it gives the file its name."""
    file = scene.write("a.data")
    scene.see()
    assert scene.wait(SETTLE) == ["a.data"]
    file.rename(scene.folder / "a.txt")
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt"]


def test_files_that_were_there_before_are_left(scene: Scene) -> None:
    scene.store.remove(scene.store.all()[0].key)
    scene.write("old.txt")
    scene.start()
    scene.turn()
    scene.write("new.txt")
    scene.see()
    assert scene.wait(SETTLE) == ["new.txt"]


def test_file_that_was_there_before_is_added_when_it_changes(scene: Scene) -> None:
    scene.store.remove(scene.store.all()[0].key)
    scene.write("old.txt", "begun")
    scene.start()
    scene.turn()
    scene.write("old.txt", "finished")
    scene.see()
    assert scene.wait(SETTLE) == ["old.txt"]


def test_files_that_were_there_before_are_added_on_request(scene: Scene) -> None:
    scene.store.remove(scene.store.all()[0].key)
    scene.write("old.txt")
    scene.start(adds_existing=True)
    assert scene.wait(2 * SETTLE) == ["old.txt"]


@pytest.mark.parametrize("adds_existing", [False, True])
def test_files_that_come_while_nothing_runs_are_added_later_and_others_not_again(
    scene: Scene, *, adds_existing: bool
) -> None:
    scene.start(adds_existing=adds_existing)
    scene.write("seen.txt")
    scene.see()
    scene.wait(2 * SETTLE)
    scene.write("missed.txt")
    scene.services.intake.remove(scene.services.jobs.ids(), now_ms=1)
    scene.start()
    scene.turn()
    assert scene.wait(2 * SETTLE) == ["missed.txt"]


def test_processor_is_chosen_by_the_type_unless_one_is_set(scene: Scene) -> None:
    for name in ("a.csv", "b.txt"):
        scene.write(name)
    scene.see()
    scene.wait(SETTLE)
    scene.start(processor="checksum", options="{}")
    scene.write("c.csv")
    assert scene.wait(2 * SETTLE) == ["c.csv"]
    assert [(job.name, job.processor, job.options) for job in scene.services.jobs.all()] == [
        ("a.csv", "table", ""),
        ("b.txt", "lines", ""),
        ("c.csv", "checksum", "{}"),
    ]


def test_patterns_and_subfolders_select_the_files(scene: Scene) -> None:
    scene.start(only="*.csv", leave_out="old/; ~$*", subfolders=True)
    scene.see()
    for name in ("a.csv", "b.txt", "sub/c.csv", "old/d.csv", "~$e.csv"):
        scene.write(name)
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["a.csv", "sub/c.csv"]
    scene.start(subfolders=False)
    scene.see()
    for name in ("f.csv", "sub/g.csv"):
        scene.write(name)
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["f.csv"]


@pytest.mark.parametrize(
    "name", ["a.part", "b.crdownload", "~$c.docx", ".hidden", ".d.csv.Ab12Cd", "e.tmp", ".git/config"]
)
def test_unfinished_and_hidden_files_are_left_out_by_default(scene: Scene, name: str) -> None:
    scene.write(name)
    scene.write("good.csv")
    scene.see()
    assert scene.wait(SETTLE) == ["good.csv"]


def test_own_files_are_never_added(scene: Scene) -> None:
    """Whatever the patterns are: the database, the logs, and results that are being prepared."""
    inside = str(scene.folder)
    scene.own_paths = [f"{inside}/jobs.db", f"{inside}/home/logs/", "/elsewhere/"]
    scene.start(leave_out="")
    scene.see()
    for name in (
        *("jobs.db", "jobs.db-wal", "jobs.db.workers/x.lock", "home/logs/filemill.log"),
        *(".filemill-1-2/out.webp", "sub/.filemill-1-2/out.webp", ".filemill-00.part", "home/mine.txt"),
    ):
        scene.write(name)
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["home/mine.txt"]


def test_written_files_are_not_added_even_if_they_are_moved_into_the_folder(scene: Scene, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    (staging / "sub").mkdir(parents=True)
    (staging / "a.webp").write_text("a")
    (staging / "sub" / "b.webp").write_text("b")
    note_output(scene.store, str(staging), str(scene.folder))
    (staging / "a.webp").rename(scene.folder / "a.webp")
    (staging / "sub").rename(scene.folder / "sub")
    scene.write("c.webp")
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["c.webp"]
    scene.write("a.webp", "changed by a person")
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["a.webp"]


def test_output_that_can_not_be_recorded_is_logged_only(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(scene.store, "note_outputs", fail)
    with caplog.at_level("INFO"):
        note_output(scene.store, str(scene.folder), str(scene.folder))
    assert "could not be recorded: The disk is full." in caplog.text


def test_own_files_are_recognized_behind_links(scene: Scene, tmp_path: Path) -> None:
    scene.own_paths = [f"{tmp_path}/link/logs/"]
    (tmp_path / "link").symlink_to(scene.folder)
    scene.start()
    scene.see()
    scene.write("logs/filemill.log")
    scene.write("a.log")
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["a.log"]


@pytest.mark.parametrize("own", ["/", "/in/"])
def test_folder_of_own_data_is_not_watched(scene: Scene, tmp_path: Path, own: str) -> None:
    scene.own_paths = [f"{tmp_path}{own}"]
    scene.start()
    scene.write("a.txt")
    assert scene.wait(LOOK_SECONDS + SETTLE) == []
    assert scene.state is FolderState.AWAY
    assert scene.watch.status.text == "Filemill keeps its own data in this folder. Watch another one."


def test_folder_that_goes_and_comes_back_adds_only_what_is_new(scene: Scene, tmp_path: Path) -> None:
    scene.write("a.txt")
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt"]
    scene.folder.rename(tmp_path / "away")
    scene.events.forget(str(scene.folder))
    assert scene.wait(POLL_SECONDS) == []
    assert (scene.state, scene.watch.status.text) == (
        FolderState.AWAY,
        "The folder does not exist, or its disk is not connected.",
    )
    (tmp_path / "away" / "b.txt").touch()
    (tmp_path / "away").rename(scene.folder)
    assert scene.wait(POLL_SECONDS + SETTLE) == ["b.txt"]
    assert scene.state is FolderState.WATCHED
    assert scene.events.is_followed(str(scene.folder))


def test_empty_mount_point_is_a_folder_that_is_away(scene: Scene, tmp_path: Path) -> None:
    """The files of a disk that was disconnected are not gone, and are not added again when it is back."""
    scene.mounts = {"/": Mount("/"), str(scene.folder): Mount(str(scene.folder))}
    scene.write("a.txt")
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt"]
    shutil.copytree(scene.folder, tmp_path / "disk", copy_function=shutil.copy2)
    (scene.folder / "a.txt").unlink()
    scene.mounts = {"/": Mount("/")}
    scene.see()
    assert scene.state is FolderState.AWAY
    scene.turn(FORGET_SECONDS)
    shutil.copy2(tmp_path / "disk" / "a.txt", scene.folder)
    scene.mounts = {"/": Mount("/"), str(scene.folder): Mount(str(scene.folder))}
    scene.write("b.txt")
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["b.txt"]


def test_file_in_place_of_the_folder_is_said(scene: Scene) -> None:
    scene.folder.rmdir()
    scene.folder.write_text("a file")
    scene.see()
    assert (scene.state, scene.watch.status.text) == (FolderState.AWAY, "This is a file, not a folder.")


def test_file_that_can_not_be_opened_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[float] = []

    def refuse(_: object) -> bool:
        opened.append(scene.clock.steady())
        return False

    scene.write("a.txt")
    with monkeypatch.context() as patch:
        patch.setattr(watching, "_can_be_opened", refuse)
        scene.see()
        assert scene.wait(2000) == []
        assert scene.watch.status.not_opened == 1
        assert scene.watch.status.waiting == 0
    gaps = [round(after - before) for before, after in pairwise(opened)]
    assert gaps[:5] == [10, 20, 40, 80, 160]
    assert set(gaps[6:]) == {LONGEST_RETRY_SECONDS}
    assert scene.wait(LONGEST_RETRY_SECONDS) == ["a.txt"]
    assert scene.watch.status.not_opened == 0


def test_file_that_has_another_size_when_it_is_opened_is_not_added(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scene.write("a.txt")
    scene.see()
    with monkeypatch.context() as patch:

        def grow(path: str) -> object:
            file.write_text("much longer")
            return open_source(path)

        patch.setattr(watching, "open_source", grow)
        assert scene.wait(SETTLE) == []
    assert scene.wait(3 * SETTLE) == ["a.txt"]


def test_file_that_is_gone_before_it_is_added_is_forgotten(scene: Scene) -> None:
    file = scene.write("a.txt")
    scene.see()
    file.unlink()
    assert scene.wait(SETTLE) == []
    assert scene.watch.status.waiting == 0


def test_files_wait_while_the_database_can_not_be_written(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("a.txt")
    scene.see()

    def fail(*_: object, **__: object) -> int:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "add", fail)
        assert scene.wait(SETTLE) == []
        assert (scene.state, scene.watch.status.text) == (FolderState.HINDERED, "The disk is full.")
    assert scene.wait(POLL_SECONDS) == ["a.txt"]
    assert scene.state is FolderState.WATCHED


def test_many_files_at_once_become_one_batch(scene: Scene) -> None:
    count = ROWS_A_PART + 1
    for number in range(count):
        (scene.folder / f"f{number}").touch()
    scene.see()
    assert len(scene.wait(SETTLE)) == count
    assert len({job.batch_id for job in scene.services.jobs.all()}) == 1
    assert scene.watch.status.folder.added == count


def test_batch_of_another_day_is_another_one(scene: Scene) -> None:
    for name in ("a", "b"):
        scene.write(name)
        scene.see()
        assert scene.wait(SETTLE) == [name]
        scene.clock.advance(24 * 3600)
    assert len({job.batch_name for job in scene.services.jobs.all()}) == 2


def test_paused_folder_adds_nothing_until_it_is_resumed(scene: Scene) -> None:
    scene.start(is_paused=True)
    scene.write("a.txt")
    scene.see()
    assert scene.state is FolderState.PAUSED
    assert not scene.events.is_followed(str(scene.folder))
    scene.start(is_paused=False)
    assert scene.wait(2 * SETTLE) == ["a.txt"]


def test_folder_on_a_share_is_polled(scene: Scene) -> None:
    scene.mounts = {"/": Mount("/"), str(scene.folder.parent): Mount(str(scene.folder.parent), is_remote=True)}
    scene.start()
    scene.see()
    assert not scene.events.is_followed(str(scene.folder))
    assert scene.watch.status.text == "It is looked at every few seconds: it is on a network share."
    scene.write("a.txt")
    assert scene.wait(POLL_SECONDS + SETTLE) == ["a.txt"]


def test_folder_that_can_not_be_followed_is_polled_and_says_why(scene: Scene) -> None:
    scene.events.why_not = "the system's limit is reached"
    scene.events.forget(str(scene.folder))
    scene.start()
    scene.see()
    assert scene.watch.status.text == "It is looked at every few seconds: the system's limit is reached."
    scene.write("a.txt")
    assert scene.wait(POLL_SECONDS + SETTLE) == ["a.txt"]


def test_following_is_tried_again_only_from_time_to_time(scene: Scene) -> None:
    """Each time, it would use up what the system allows, which other programs need, too."""
    scene.events.why_not = "the system's limit is reached"
    scene.events.forget(str(scene.folder))
    scene.start()
    scene.see()
    tries = scene.events.tries
    scene.wait(LOOK_SECONDS - 2 * POLL_SECONDS)
    assert scene.events.tries == tries
    scene.events.why_not = ""
    scene.wait(4 * POLL_SECONDS)
    assert scene.events.tries == tries + 1
    assert scene.watch.status.text == ""
    assert scene.events.is_followed(str(scene.folder))


def test_folder_is_polled_while_new_subfolders_can_not_be_followed(scene: Scene) -> None:
    scene.events.why_not = "the system's limit is reached"
    scene.wait(2 * LOOK_SECONDS)
    assert scene.watch.status.text == "It is looked at every few seconds: the system's limit is reached."
    scene.write("sub/a.txt")
    assert scene.wait(POLL_SECONDS + SETTLE) == ["sub/a.txt"]
    scene.events.why_not = ""
    scene.wait(2 * LOOK_SECONDS)
    assert scene.watch.status.text == ""


def test_lost_event_delays_a_file_only(scene: Scene) -> None:
    scene.write("a.txt")
    assert scene.wait(LOOK_SECONDS + SETTLE) == ["a.txt"]


def test_folder_is_looked_at_at_most_once_a_second_however_much_happens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def count(*args: object, **kwargs: object) -> object:
        looks.append(scene.clock.steady())
        return scan(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "scan", count)
    for _ in range(300):
        scene.turn(0.1)
    assert 25 <= len(looks) <= 31
    assert scene.watch.next_turn >= scene.clock.steady() + SOON_SECONDS / 2


def test_unreadable_files_are_counted_and_not_added(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("a.txt")

    def hide(*args: object, **kwargs: object) -> object:
        found = scan(*args, **kwargs)  # type: ignore[arg-type]
        found.files.add(str(scene.folder / "secret.txt"), None, None)
        return found

    monkeypatch.setattr(watching, "scan", hide)
    scene.see()
    assert scene.wait(SETTLE) == ["a.txt"]
    assert scene.watch.status.not_opened == 1


class Running:
    """A loop on a thread, with the real clock and the events of the system."""

    def __init__(self, services: ServicesSetup, folders: Callable[[], list[WatchedFolder]] | None = None) -> None:
        self.services = services
        self.store = WatchedFolders(services.database, services.intake, computer="here")
        self.statuses: tuple[FolderStatus, ...] = ()
        self.woken = threading.Event()
        self.stop = StopRequest()
        self.loop = WatchingLoop(
            self.store,
            folders=folders or self.store.all,
            queue=lambda: "q",
            rules=lambda: TypeRules("*.csv => table"),
            own_paths=tuple,
            clock=SystemClock(),
            wake_sender=self.woken.set,
            report=self.note,
            release=services.database.release,
        )
        self.thread = threading.Thread(target=self.loop.run, args=(self.stop,))
        self.thread.start()

    def note(self, statuses: tuple[FolderStatus, ...]) -> None:
        self.statuses = statuses

    def states(self) -> list[FolderState]:
        return [status.state for status in self.statuses]

    def names(self) -> list[str]:
        return sorted(job.name for job in self.services.jobs.all())

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def running(services: ServicesSetup) -> Iterator[Running]:
    made = Running(services)
    yield made
    made.end()


def is_watched(running: Running, count: int = 1) -> Callable[[], bool]:
    return lambda: running.states() == [FolderState.WATCHED] * count


def test_loop_adds_files_that_come_into_real_folders(running: Running, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        running.store.save(WatchedFolder(str(folder), settle_s=1))
    running.loop.reload()
    wait_until(is_watched(running, 2))
    (folders[0] / "a.txt").write_text("a")
    (folders[1] / "sub").mkdir()
    (folders[1] / "sub" / "b.txt").write_text("b")
    wait_until(lambda: running.names() == ["a.txt", "b.txt"])
    wait_until(running.woken.is_set)
    wait_until(lambda: [status.folder.added for status in running.statuses] == [1, 1])


def test_loop_stops_watching_and_applies_changes(running: Running, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    saved = running.store.save(WatchedFolder(str(folder), settle_s=1, only="*.csv"))
    running.loop.reload()
    wait_until(is_watched(running))
    running.store.save(replace(saved, only="*.txt"))
    running.loop.reload()
    wait_until(lambda: [status.folder.only for status in running.statuses] == ["*.txt"])
    wait_until(is_watched(running))
    (folder / "a.txt").write_text("a")
    (folder / "b.csv").write_text("b")
    wait_until(lambda: running.names() == ["a.txt"])
    running.store.remove(saved.key)
    running.loop.reload()
    wait_until(lambda: running.statuses == ())


def test_two_loops_add_each_file_once(services: ServicesSetup, running: Running, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    running.store.save(WatchedFolder(str(folder), settle_s=1))
    running.loop.reload()
    other = Running(services)
    try:
        wait_until(is_watched(running))
        wait_until(is_watched(other))
        for number in range(300):
            (folder / f"{number}.txt").touch()
        wait_until(lambda: len(running.names()) == 300)
        wait_until(lambda: [status.waiting for one in (running, other) for status in one.statuses] == [0, 0])
        assert len(running.names()) == 300
        assert sum(one.statuses[0].folder.added for one in (running, other)) == 300
    finally:
        other.end()


def test_loop_without_folders_waits_until_it_is_told(running: Running) -> None:
    wait_until(lambda: running.loop._reported == ())
    assert running.thread.is_alive()


def test_loop_reads_the_folders_again_after_an_error_of_the_database(services: ServicesSetup) -> None:
    calls: list[int] = []

    def folders() -> list[WatchedFolder]:
        calls.append(len(calls))
        if len(calls) < 3:
            raise StoreError("The database is locked.")
        return []

    running = Running(services, folders)
    try:
        wait_until(lambda: len(calls) == 3)
    finally:
        running.end()

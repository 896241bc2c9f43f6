"""Watched folders: what is stored, and that each file is added exactly once, whoever adds it."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import KnownError, StoreError
from desktop_app.domain.job import NewFile
from desktop_app.domain.watched_folder import WatchedFolder, seen_key
from desktop_app.store.watched_folders import FORGOTTEN_MS, WatchedFolders, relative_name
from tests.store.kit import NOW, QUEUE, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = "2026-11-28"


def file(name: str, size: int = 1, time: int = 5) -> tuple[int, NewFile]:
    return seen_key(name, size, time), NewFile(f"/in/{name}", size, time)


def files(*names: str) -> dict[int, NewFile]:
    return dict(map(file, names))


class Watches(WatchedFolders):
    """The watched folders of a test."""

    def __init__(self, store: Store, computer: str = "here") -> None:
        super().__init__(store.database, store.intake, computer=computer)

    def put(self, folder: WatchedFolder, new: Mapping[int, NewFile], *, day: str = DAY) -> int | None:
        return self.add(folder, new, queue=QUEUE, day=day, now_ms=NOW, processor_of=lambda _: "lines")


@pytest.fixture
def watches(store: Store) -> Watches:
    return Watches(store)


def paths(store: Store) -> list[str]:
    return [job.file_path for job in store.jobs.all()]


def test_folder_is_stored_with_all_choices(watches: Watches) -> None:
    wanted = WatchedFolder(
        os.fsdecode(b"/in/\xff"),
        subfolders=False,
        only="*.csv",
        leave_out="old/",
        processor="table",
        options='{"a": 1}',
        settle_s=7,
        adds_existing=True,
        is_paused=True,
    )
    saved = watches.save(wanted)
    assert saved == replace(wanted, key=saved.key)
    assert watches.all() == [saved]
    changed = watches.save(replace(saved, settle_s=9, is_paused=False))
    assert watches.all() == [changed] == [replace(saved, settle_s=9, is_paused=False)]
    watches.remove(saved.key)
    assert watches.all() == []


def test_folders_of_the_terminal_and_of_other_computers_are_apart(store: Store, watches: Watches) -> None:
    in_window = watches.save(WatchedFolder("/in"))
    in_terminal = watches.save(WatchedFolder("/in", in_window=False))
    assert watches.all() == [in_window]
    assert watches.all(in_window=False) == [in_terminal]
    assert Watches(store, "elsewhere").all() == []


def test_folder_can_be_watched_only_once(watches: Watches) -> None:
    """Otherwise, its files would be added with the choices of one or the other, whichever is first."""
    saved = watches.save(WatchedFolder("/in"))
    other = watches.save(WatchedFolder("/other"))
    for again in (WatchedFolder("/in", only="*.csv"), replace(other, folder="/in")):
        with pytest.raises(KnownError, match=r"^/in is watched already\.$"):
            watches.save(again)
    assert watches.all() == [saved, other]


def test_files_are_added_once_with_the_processor_of_the_folder(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in", processor="table", options="{}"))
    assert watches.put(folder, files("a", "b")) == 2
    assert watches.put(folder, files("b", "c")) == 1
    assert watches.put(folder, files("a", "b", "c")) == 0
    jobs = list(store.jobs.all())
    assert sorted(job.file_path for job in jobs) == ["/in/a", "/in/b", "/in/c"]
    assert {(job.processor, job.options, job.batch_name) for job in jobs} == {("table", "{}", f"in {DAY}")}
    assert len({job.batch_id for job in jobs}) == 1
    assert len(store.take()) == 3
    assert watches.all()[0].added == 3


def test_changed_file_is_added_again(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    assert watches.put(folder, dict([file("a", 1, 5)])) == 1
    assert watches.put(folder, dict([file("a", 1, 6)])) == 1
    assert watches.put(folder, dict([file("a", 1, 5)])) == 0
    assert len(paths(store)) == 2


def test_removed_file_is_not_added_again(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.put(folder, files("a"))
    store.intake.remove(store.jobs.ids(), now_ms=NOW)
    assert watches.put(folder, files("a")) == 0
    assert paths(store) == []


def test_file_that_is_on_the_list_already_is_not_added(store: Store, watches: Watches) -> None:
    store.intake.add(list(files("a").values()), queue=QUEUE, name="by hand", now_ms=NOW)
    folder = watches.save(WatchedFolder("/in"))
    assert watches.put(folder, files("a", "b")) == 1
    assert sorted(paths(store)) == ["/in/a", "/in/b"]


@pytest.mark.parametrize("change", [{"processor": "table"}, {"options": '{"a":1}'}])
def test_another_batch_begins_with_another_processor(store: Store, watches: Watches, change: dict[str, str]) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.put(folder, files("a"))
    changed = watches.save(replace(folder, **change))  # type: ignore[arg-type]
    watches.put(changed, files("b"))
    assert len({job.batch_id for job in store.jobs.all()}) == 2


def test_another_batch_begins_with_another_day(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.put(folder, files("a"))
    watches.put(folder, files("b"), day="2026-11-29")
    assert [job.batch_name for job in store.jobs.all()] == [f"in {DAY}", "in 2026-11-29"]


def test_files_that_were_there_at_first_stay_known(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.begin(folder, set(files("a", "b")))
    (folder,) = watches.all()
    assert folder.is_begun
    assert watches.seen(folder.key) == set(files("a", "b"))
    assert watches.put(folder, files("a", "b", "c")) == 1


@pytest.mark.parametrize(
    ("change", "is_begun"),
    [
        ({"only": "*.csv"}, False),
        ({"leave_out": "x"}, False),
        ({"subfolders": False}, False),
        ({"folder": "/other"}, False),
        ({"adds_existing": True}, False),
        ({"settle_s": 60}, True),
        ({"is_paused": True}, True),
        ({"processor": "table"}, True),
    ],
)
def test_change_that_finds_other_files_looks_for_those_that_are_there(
    watches: Watches, change: dict[str, object], is_begun: bool
) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.begin(folder, [])
    assert watches.save(replace(folder, **change)).is_begun is is_begun  # type: ignore[arg-type]


def test_files_that_were_left_are_added_if_they_are_to_be_later(watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.begin(folder, set(files("a")))
    folder = watches.save(replace(folder, adds_existing=True))
    assert watches.seen(folder.key) == set()
    watches.put(folder, files("a"))
    folder = watches.save(replace(folder, adds_existing=False))
    folder = watches.save(replace(folder, only="*.csv"))
    assert watches.seen(folder.key) == set(files("a"))


def test_nothing_is_added_for_a_folder_that_is_watched_no_longer(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.put(folder, files("a"))
    watches.remove(folder.key)
    assert watches.put(folder, files("b")) is None
    assert paths(store) == ["/in/a"]
    assert store.sql("SELECT COUNT(*) FROM seenfile") == [(0,)]


def test_two_programs_add_each_file_once(store: Store, other: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    new = files(*(f"f{number}" for number in range(200)))
    counts: list[int | None] = []
    begin = threading.Barrier(2)

    def add(program: Store) -> None:
        with program.database.session():
            begin.wait()
            for key, one in new.items():
                counts.append(Watches(program).put(folder, {key: one}))

    threads = [threading.Thread(target=add, args=(program,)) for program in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, filter(None, counts))) == [1] * 200
    assert sorted(paths(store)) == sorted(one.path for one in new.values())


def test_failed_transaction_leaves_the_files_unseen(
    store: Store, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = watches.save(WatchedFolder("/in"))

    def fail(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(store.intake, "add", fail)
        with pytest.raises(StoreError):
            watches.put(folder, files("a"))
    assert watches.seen(folder.key) == set()
    assert watches.put(folder, files("a")) == 1


def test_written_file_is_not_added_from_any_watched_folder(watches: Watches) -> None:
    outer = watches.save(WatchedFolder("/in"))
    inner = watches.save(WatchedFolder("/in/sub", in_window=False))
    elsewhere = watches.save(WatchedFolder("/input"))
    watches.note_outputs([NewFile("/in/sub/list.csv", 3, 9), NewFile("/in/unknown", None, None)])
    assert watches.seen(outer.key) == {seen_key("sub/list.csv", 3, 9)}
    assert watches.seen(inner.key) == {seen_key("list.csv", 3, 9)}
    assert watches.seen(elsewhere.key) == set()


def test_file_is_forgotten_long_after_it_is_gone(watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.begin(folder, set(files("a", "b", "c")))
    a, b, c = files("a", "b", "c")
    assert watches.forget_gone(folder.key, [a, b], now_ms=NOW) == 0
    assert watches.forget_gone(folder.key, [a, c], now_ms=NOW + FORGOTTEN_MS) == 0
    assert watches.forget_gone(folder.key, [a], now_ms=NOW + 2 * FORGOTTEN_MS) == 0
    assert watches.forget_gone(folder.key, [a], now_ms=NOW + 2 * FORGOTTEN_MS + 1) == 1
    assert watches.seen(folder.key) == {a, c}


def test_batch_that_was_renamed_gets_the_next_files_too(store: Store, watches: Watches) -> None:
    folder = watches.save(WatchedFolder("/in"))
    watches.put(folder, files("a"))
    (job,) = store.jobs.all()
    store.intake.rename_batch(job.batch_id, "Incoming")
    watches.put(folder, files("b"))
    assert [job.batch_name for job in store.jobs.all()] == ["Incoming", "Incoming"]


@pytest.mark.parametrize(
    ("path", "folder", "name"),
    [("/in/a", "/in", "a"), ("/a", "/", "a"), ("/inner/a", "/in", ""), ("/in", "/in", ""), ("/in/b/a", "/in/", "b/a")],
)
def test_path_is_relative_to_a_folder_that_contains_it(path: str, folder: str, name: str) -> None:
    assert relative_name(path, folder) == name


def test_keys_differ_by_name_size_and_time_and_fit_a_column() -> None:
    names = ("a", "b", os.fsdecode(b"\xff"), "\ud800")
    keys = [seen_key(name, size, time) for name in names for size in (0, 1) for time in (0, 1)]
    assert len(set(keys)) == len(keys)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert min(keys) < 0

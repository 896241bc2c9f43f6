"""Finding the files that are already on the list and unchanged."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.job import NewFile
from tests.store.kit import NOW, QUEUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.store.kit import Store

FILE = NewFile("/in/a", 5, 1_700_000_000_123_456_789)


def add(store: Store, *files: NewFile) -> None:
    store.intake.add(files, queue=QUEUE, name="", now_ms=NOW)


def known(store: Store, files: Sequence[NewFile]) -> list[int]:
    return list(store.intake.listed(files, lambda: False))


def test_unchanged_file_is_known(store: Store) -> None:
    add(store, FILE)
    assert known(store, [NewFile("/in/b", 5, FILE.modified_ns), FILE]) == [0, 1]


@pytest.mark.parametrize(
    "other",
    [
        replace(FILE, size=6),
        replace(FILE, modified_ns=1_700_000_000_123_456_790),
        replace(FILE, path="/in/A"),
        replace(FILE, size=None),
        replace(FILE, modified_ns=None),
    ],
)
def test_changed_file_is_not_known(store: Store, other: NewFile) -> None:
    add(store, FILE)
    assert known(store, [other]) == [0]


def test_file_without_status_is_never_known(store: Store) -> None:
    unseen = NewFile("/in/a", None, None)
    add(store, unseen)
    assert known(store, [unseen]) == [0]


def test_removed_file_is_not_known(store: Store) -> None:
    add(store, FILE)
    store.intake.remove([1], now_ms=NOW)
    assert known(store, [FILE]) == [0]
    add(store, FILE)
    assert known(store, [FILE]) == [1]


@pytest.mark.skipif(os.name == "nt", reason="such names are possible elsewhere only")
def test_names_that_are_not_utf8_are_distinguished(store: Store) -> None:
    odd = [replace(FILE, path=os.fsdecode(name)) for name in (b"/in/\xff", b"/in/\xfe", rb"/in/\xff")]
    add(store, odd[0])
    assert known(store, odd) == [1, 0, 0]


def test_many_files_are_looked_up_in_parts(store: Store) -> None:
    files = [NewFile(f"/in/{at}", at, at // 3) for at in range(4_000)]
    add(store, *files[::2])
    assert known(store, files) == [1, 0] * 2_000


def test_look_up_can_be_cancelled(store: Store) -> None:
    add(store, FILE)
    assert list(store.intake.listed([FILE], lambda: True)) == [0]


def test_empty_request_finds_nothing(store: Store) -> None:
    assert known(store, []) == []

"""Choosing files from the result of a scan."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from desktop_app.services.adding.review import Review, SelectionResult, SelectionRules
from desktop_app.sources.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "a.csv": 1,
    "b.txt": 10,
    ".git/config": 100,
    "deep/c.csv": 1_000,
    "deep/.git/d.csv": 10_000,
    "deep/er/e.CSV": 100_000,
}


def never() -> bool:
    return False


def review(*paths: Path, listed: tuple[str, ...] = ()) -> Review:
    result = scan(map(str, paths), recursive=True, cancelled=never, on_found=lambda _: None)
    return Review(result, bytearray(os.path.basename(file.path) in listed for file in result.files))  # noqa: PTH119


def picked(made: Review, rules: SelectionRules) -> SelectionResult:
    found = made.pick(rules, never)
    assert found is not None
    return found


def names(made: Review, rules: SelectionRules) -> list[str]:
    return [os.path.basename(file.path) for file in made.files(picked(made, rules), again=True)]  # noqa: PTH119


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "in"
    for name, size in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x" * size)
    return top


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (SelectionRules(), ["a.csv", "b.txt", "config", "c.csv", "d.csv", "e.CSV"]),
        (SelectionRules(subfolders=False), ["a.csv", "b.txt"]),
        (SelectionRules(only="*.csv"), ["a.csv", "c.csv", "d.csv", "e.CSV"]),
        (SelectionRules(only="*.csv", subfolders=False), ["a.csv"]),
        (SelectionRules(only="*.csv", leave_out=".git"), ["a.csv", "c.csv", "e.CSV"]),
        (SelectionRules(leave_out=".git/**; *.txt"), ["a.csv", "c.csv", "d.csv", "e.CSV"]),
        (SelectionRules(only="deep/*"), ["c.csv", "d.csv", "e.CSV"]),
        (SelectionRules(only="*.pdf"), []),
    ],
)
def test_rules_select_files(folder: Path, rules: SelectionRules, expected: list[str]) -> None:
    assert sorted(names(review(folder), rules)) == sorted(expected)


def test_sizes_are_added_up(folder: Path) -> None:
    made = review(folder)
    assert made.size == 111_111
    assert picked(made, SelectionRules(only="*.csv", subfolders=False)).size == 1


def test_files_on_the_list_are_counted_separately(folder: Path) -> None:
    made = review(folder, listed=("a.csv", "b.txt"))
    found = picked(made, SelectionRules(only="*.csv"))
    assert found.listed == 1
    assert found.count(again=True) == 4
    assert found.count(again=False) == 3


def test_named_files_are_matched_by_their_name(folder: Path) -> None:
    made = review(folder / "b.txt", folder / "deep", folder / "a.csv")
    assert names(made, SelectionRules(only="*.csv", subfolders=False)) == ["c.csv", "a.csv"]
    assert names(made, SelectionRules(only="er/*")) == ["e.CSV"]


def test_folder_named_twice_is_listed_once(folder: Path) -> None:
    made = review(folder, folder / "a.csv", folder)
    assert len(made.result.folders) == 2
    assert len(names(made, SelectionRules())) == 6


def test_subfolders_are_offered_only_if_they_contain_files(tmp_path: Path, folder: Path) -> None:
    assert review(folder).has_subfolders
    assert not review(folder / "deep" / "er").has_subfolders
    assert not review(folder / "a.csv").has_subfolders
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "there").symlink_to(folder)
    assert review(tmp_path / "links").has_subfolders


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_items_that_can_not_be_added_count_only_if_they_match(folder: Path) -> None:
    os.mkfifo(folder / "deep" / "pipe.csv")
    (folder / "there").symlink_to(folder / "deep")
    made = review(folder, folder / "gone")

    def refused(rules: SelectionRules) -> list[str]:
        return [os.path.basename(refusal.path) for refusal in picked(made, rules).refused]  # noqa: PTH119

    assert refused(SelectionRules()) == ["there", "pipe.csv", "gone"]
    assert refused(SelectionRules(only="*.csv")) == ["there", "pipe.csv", "gone"]
    assert refused(SelectionRules(only="*.txt")) == ["there", "gone"]
    assert refused(SelectionRules(leave_out="there; deep")) == ["gone"]
    assert refused(SelectionRules(subfolders=False)) == ["gone"]


def test_files_on_the_list_are_left_out_unless_they_are_added_again(folder: Path) -> None:
    made = review(folder, listed=("a.csv",))
    for selected in (None, picked(made, SelectionRules())):
        paths = [file.path for file in made.files(selected, again=True)]
        assert paths == made.result.files.paths
        left = [os.path.basename(file.path) for file in made.files(selected, again=False)]  # noqa: PTH119
        assert len(left) == len(paths) - 1
        assert "a.csv" not in left


def test_files_on_the_list_are_counted(folder: Path) -> None:
    assert review(folder).listed == 0
    assert review(folder, listed=("a.csv",)).listed == 1


def test_counting_can_be_cancelled(folder: Path) -> None:
    assert review(folder).pick(SelectionRules(), lambda: True) is None

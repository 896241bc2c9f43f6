"""Each built-in processor, from the command line to the result, with files that other programs have made."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.end_to_end.test_terminal import filemill

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = pytest.mark.slow


def processed(*files: Path, processor: str, options: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Process files; return what is known about each, by its name."""
    more = [word for option in options for word in ("--option", option)]
    assert filemill("submit", "--processor", processor, *more, *map(str, files)).returncode == 0
    assert filemill("worker", "--until-idle").returncode == 0
    jobs = [json.loads(line) for line in filemill("status", "--json").stdout.splitlines()]
    return {job["file_path"].rpartition("/")[2]: job for job in jobs}


def test_checksums_are_compared_with_a_list_beside_the_files(filemill_home: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("good")
    bad.write_text("bad")
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (good, bad))
    (tmp_path / "SHA256SUMS").write_text(sums)
    bad.write_text("damaged")
    jobs = processed(good, bad, processor="checksum")
    assert (jobs["good"]["status"], jobs["bad"]["status"]) == ("PROCESSED", "FAILED")
    assert jobs["good"]["processor"] == "checksum"
    assert jobs["good"]["result"] == {"sha256": sums[:64], "verified": True, "listed_in": "SHA256SUMS"}
    found = hashlib.sha256(b"damaged").hexdigest()
    assert jobs["bad"]["result"] == {"sha256": found, "verified": False, "listed_in": "SHA256SUMS"}
    assert found in jobs["bad"]["reason"]


def test_broken_table_fails_with_its_first_bad_line(filemill_home: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("a,b\n1,2\n3,4\n")
    bad.write_text("a,b\n1,2\n3\n")
    jobs = processed(good, bad, processor="table", options=("header=yes",))
    assert (jobs["good.csv"]["status"], jobs["bad.csv"]["status"]) == ("PROCESSED", "FAILED")
    assert {jobs["good.csv"]["result"][name] for name in ("rows", "columns")} == {2}
    assert jobs["bad.csv"]["result"]["bad_rows"] == 1
    assert jobs["bad.csv"]["result"]["first_bad_line"] == 3


def test_archive_and_picture_have_their_fields(filemill_home: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", "1")
        archive.writestr("two", "2")
    assert processed(tmp_path / "a.zip", processor="archive")["a.zip"]["result"]["entries"] == 2
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    result = processed(tmp_path / "a.png", processor="image")["a.png"]["result"]
    assert (result["width"], result["height"]) == (40, 30)


def test_command_publishes_what_it_writes(filemill_home: Path, tmp_path: Path) -> None:
    if shutil.which("cp") is None:
        pytest.skip("needs cp")
    (filemill_home).mkdir(exist_ok=True)
    (filemill_home / "settings.toml").write_text(
        '[[command]]\nname = "copy"\nargv = ["cp", "{path}", "{out}/{stem}.copy"]\noutput = "{folder}/copies"\n'
    )
    (tmp_path / "a b.txt").write_text("x")
    job = processed(tmp_path / "a b.txt", processor="command:copy")["a b.txt"]
    assert (job["status"], job["result"]["output_files"]) == ("PROCESSED", 1)
    assert [file.name for file in (tmp_path / "copies").iterdir()] == ["a b.copy"]


def test_processor_or_option_that_does_not_exist_is_refused(filemill_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for words in (
        ["--processor", "nothing"],
        ["--processor", "table", "--option", "x=1"],
        ["--processor", "table", "--option", "columns=many"],
        ["--option", "columns=1"],
    ):
        done: subprocess.CompletedProcess[str] = filemill("submit", *words, str(tmp_path / "a"))
        assert done.returncode == 2, words
    assert filemill("status", "--json").stdout == ""


def test_worker_ends_if_no_worker_has_the_processor_of_the_files_that_are_left(
    filemill_home: Path, tmp_path: Path
) -> None:
    filemill_home.mkdir(exist_ok=True)
    settings = filemill_home / "settings.toml"
    settings.write_text('[[command]]\nname = "true"\nargv = ["true"]\n')
    (tmp_path / "a").write_text("x\n")
    (tmp_path / "b").write_text("x\n")
    assert filemill("submit", "--processor", "command:true", str(tmp_path / "a")).returncode == 0
    assert filemill("submit", str(tmp_path / "b")).returncode == 0
    settings.write_text("")
    done = filemill("worker", "--until-idle")
    assert done.returncode == 1
    assert "1 file left: “command:true” is not available on" in done.stderr
    jobs = [json.loads(line) for line in filemill("status", "--json").stdout.splitlines()]
    assert [(job["status"], job["attempts"]) for job in jobs] == [("PENDING", 0), ("PROCESSED", 1)]
    settings.write_text('[[command]]\nname = "true"\nargv = ["true"]\n')
    assert filemill("worker", "--until-idle").returncode == 0

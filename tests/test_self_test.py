"""`filemill --self-test` passes for a complete copy of the program, and fails for an incomplete one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from desktop_app.domain.job import Job, Status
from desktop_app.self_test import SAMPLES, _differences
from tests.helpers import NEW_JOB, a_reason

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


def run(copy: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    return subprocess.run(
        [sys.executable, "-m", "desktop_app", "--self-test"],
        cwd=copy,
        env=environment | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("desktop_app", "resources"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "screenshots"))
    return tmp_path


def test_complete_copy_passes_and_leaves_the_users_home_alone(copy: Path, isolated_environment: Path) -> None:
    before = sorted(isolated_environment.rglob("*"))
    done = run(copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("the self-test passed.\n")
    assert sorted(isolated_environment.rglob("*")) == before


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("resources/translations", "translations/filemill_de.qm"),
        ("resources/style.qss", "resource 'style.qss' is missing"),
        ("desktop_app/store/migrations", "contains no migration scripts"),
        ("desktop_app/queues/embedded.py", "ModuleNotFoundError"),
        ("desktop_app/processing/lines.py", "ModuleNotFoundError"),
    ],
)
def test_incomplete_copy_does_not_pass(copy: Path, lost: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    monkeypatch.setenv("FILEMILL_SELF_TEST_SECONDS", "5")
    done = run(copy)
    assert done.returncode == 1
    assert said in done.stdout
    assert done.stdout.endswith("the self-test failed.\n")


def ended(number: int) -> Job:
    sample = SAMPLES[number]
    return replace(
        NEW_JOB,
        file_path=f"/x/{sample.name}",
        status=Status.PROCESSED,
        lines_count=sample.lines,
        file_size=len(sample.content),
    )


def test_wrong_numbers_and_missing_files_are_reported() -> None:
    right = [ended(number) for number in range(3)]
    assert list(_differences(right)) == []
    assert list(_differences(right[:2])) == ["3 files were added, 2 are on the list", "empty.txt is not on the list"]
    wrong = [
        replace(right[0], lines_count=4),
        replace(right[1], status=Status.FAILED, reason=a_reason("Because")),
        right[2],
    ]
    assert list(_differences(wrong)) == ["three lines.txt has 4 lines and 13 bytes", "größe.csv is FAILED: Because"]


def test_self_test_stands_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop_app", "--self-test", "x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--self-test must be the only argument" in done.stderr

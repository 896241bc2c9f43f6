"""Workers that run commands are killed again and again; `make torture` does the same with many more files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.torture.commands import torture

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="SIGKILL, names that are not UTF-8, and what is left in /proc")
def test_each_output_is_published_once_although_workers_are_killed(tmp_path: Path) -> None:
    assert torture(tmp_path, files=64, kills=4, freezes=0, minutes=4, seed=1) == []

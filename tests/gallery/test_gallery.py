"""The screenshots can be taken: detects scenes that no longer fit the program."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.gallery.__main__ import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_pictures_of_the_default_variant_can_be_taken(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gallery", "--variant=", f"--into={tmp_path}", "empty", "busy", "problems"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("empty", "busy", "problems"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            colours = picture.convert("RGB").getcolors(1 << 24)
            assert picture.size == (1180, 720)
            assert colours is not None
            assert len(colours) > 100

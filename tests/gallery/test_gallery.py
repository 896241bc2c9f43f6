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

NAMES = ("empty", "busy", "long-reasons", "settings", "completions", "batch-menu")


def test_pictures_of_the_default_variant_can_be_taken(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gallery", "--variant=", f"--into={tmp_path}", *NAMES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("This plugin does not support")]
    assert (done.returncode, said) == (0, [])
    for name in NAMES:
        with Image.open(tmp_path / f"{name}.png") as picture:
            colours = picture.convert("RGB").getcolors(1 << 24)
            assert picture.size == (1280, 800)
            assert colours is not None
            assert len(colours) > 100

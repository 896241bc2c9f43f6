"""No text is cut off, in any state, size, language, direction and scale. See `tests/clipping`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.clipping.__main__ import ROOT

pytestmark = pytest.mark.slow

SCREEN = ROOT / "tests" / "clipping" / "screen.json"
"""The screen of a small laptop."""


@pytest.mark.parametrize(
    ("language", "scale", "options"),
    [
        ("en", "1", []),
        ("de", "1", []),
        ("de", "2", []),
        ("en", "1", ["--pseudo"]),
        ("en", "1.5", ["--pseudo"]),
        ("en", "3", ["--pseudo"]),
        ("en", "1", ["--pseudo", "--reverse"]),
    ],
    ids=str,
)
def test_nothing_is_cut_off_and_every_control_has_a_name(language: str, scale: str, options: list[str]) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": f"offscreen:configfile={SCREEN}",
        "QT_SCALE_FACTOR": scale,
        "LC_ALL": "C.UTF-8",
        "FILEMILL_LANGUAGE": language,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.clipping", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, []), done.stderr

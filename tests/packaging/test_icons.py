"""The program's icon exists in the formats of all systems, rendered from one drawing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

ICONS = Path(__file__).resolve().parents[2] / "resources" / "icons"
FILES = sorted(path.name for path in (ICONS / "app").iterdir())


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("icons")
    subprocess.run([sys.executable, ICONS / "build.py", f"--into={folder}"], check=True, timeout=60)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_icons_match_the_current_drawing(fresh: Path, name: str) -> None:
    with Image.open(ICONS / "app" / name) as kept, Image.open(fresh / name) as made:
        assert kept.size == made.size
        # Other versions of Qt may round colours differently.
        difference = ImageChops.difference(kept.convert("RGBA"), made.convert("RGBA"))
        assert max(high for _, high in difference.getextrema()) <= 8  # type: ignore[misc]


def test_every_system_has_its_sizes(fresh: Path) -> None:
    assert sorted(path.name for path in fresh.iterdir()) == FILES
    assert {f"filemill-{size}.png" for size in (16, 22, 24, 32, 48, 64, 128, 256, 512)} < set(FILES)
    with Image.open(ICONS / "app" / "filemill.ico") as windows:
        assert {(size, size) for size in (16, 20, 24, 32, 40, 48, 64, 256)} <= windows.info["sizes"]
    with Image.open(ICONS / "app" / "filemill.icns") as mac:
        assert {(16, 16, 2), (128, 128, 1), (512, 512, 1), (512, 512, 2)} <= set(mac.info["sizes"])

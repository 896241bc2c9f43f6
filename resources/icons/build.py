"""Render the program's icon from `filemill.svg` in the formats of each system. Run by `make icons`.

Linux uses PNG files in the sizes of the hicolor theme (freedesktop.org, Icon Theme Specification), Windows an `.ico`
file, and macOS an `.icns` file. The other icons stay SVG, because the window colours them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parent
LINUX_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
WINDOWS_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
MAC_SIZE = 1024


def main() -> int:
    """Write all files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER / "app", help="the folder for the files")
    into: Path = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    for size in LINUX_SIZES:
        drawn(size).save(into / f"filemill-{size}.png", optimize=True)
    # Each size is rendered from the SVG, because a scaled-down image is less sharp.
    windows = [drawn(size) for size in WINDOWS_SIZES]
    windows[-1].save(into / "filemill.ico", sizes=[(size, size) for size in WINDOWS_SIZES], append_images=windows[:-1])
    mac = [drawn(size) for size in (16, 32, 64, 128, 256, 512)]
    drawn(MAC_SIZE).save(into / "filemill.icns", append_images=mac)
    return 0


def drawn(size: int) -> Image.Image:
    """Return the icon at a size in pixels."""
    renderer = QSvgRenderer(str(FOLDER / "filemill.svg"))
    image = QImage(QSize(size, size), QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return Image.frombytes("RGBA", (size, size), bytes(image.constBits()))


if __name__ == "__main__":
    sys.exit(main())

"""Take the screenshots. Each variant (dark, larger, German …) runs in a process, since Qt reads the settings once."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "resources" / "screenshots"


SCREEN = Path(__file__).with_name("screen.json")


@dataclass(frozen=True)
class Variant:
    """A variant of the window's look. Each picture says in which variants it is taken.

    Attributes:
        name: The suffix of the pictures' names; empty for the default.
        dark: Whether to use the dark scheme.
        scale: The scale factor on a screen of 1920 by 1080 pixels. With any other than 1, the window has the size with
            which it opens there.
        language: The language code.
        reverse: Whether the layout is right-to-left.
    """

    name: str = ""
    dark: bool = False
    scale: int = 1
    language: str = "en"
    reverse: bool = False


VARIANTS = (
    Variant(),
    Variant("dark", dark=True),
    Variant("200-percent", scale=2),
    Variant("german", language="de"),
    Variant("right-to-left", reverse=True),
)


def main() -> int:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="pictures to take; all if none is named")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where they go")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    if options.variant is not None:
        take(next(variant for variant in VARIANTS if variant.name == options.variant), options.names, options.into)
        return 0
    return max(_in_a_process(variant, options.names, options.into) for variant in VARIANTS)


def _in_a_process(variant: Variant, names: list[str], into: Path) -> int:
    environment = os.environ | {
        "QT_QPA_PLATFORM": f"offscreen:configfile={SCREEN}",
        "QT_SCALE_FACTOR": str(variant.scale),
        "LC_ALL": "C.UTF-8",
        "FILEMILL_LANGUAGE": variant.language,
    }
    command = [sys.executable, "-m", "tests.gallery", f"--variant={variant.name}", f"--into={into}", *names]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def take(variant: Variant, names: list[str], into: Path) -> None:
    """Take the pictures of one variant, in this process."""
    from PySide6.QtCore import Qt

    from desktop_app.gui.theme.theme import DARK, LIGHT, Theme
    from desktop_app.window_app import make_application
    from tests.gallery.pictures import PICTURES
    from tests.gallery.scene import Scene

    application = make_application()
    os.environ.pop("FILEMILL_LANGUAGE", None)  # the Settings dialog would say so
    if variant.reverse:
        application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    look = Theme()
    look.follow(application)
    look.use(DARK if variant.dark else LIGHT)
    for name, entry in PICTURES.items():
        if variant.name not in entry.variants or (names and name not in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(look, Path(folder), **entry.environment)
            if variant.scale == 1:
                scene.window.resize(*entry.size)
            picture = entry.take(scene)
            scene.close()
        file = into / f"{name}{f'-{variant.name}' if variant.name else ''}.png"
        picture.save(str(file))
        with Image.open(file) as whole:
            _reduced(whole.convert("RGB")).save(file, optimize=True)
        print(file)  # noqa: T201 - what it is for


def _reduced(picture: Image.Image) -> Image.Image:
    """Return a picture with 256 colours, a third of the size: rare colours are kept, frequent ones are exact."""
    reduced = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    parts = picture.tobytes()
    colours = zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    exact: dict[int, tuple[int, ...]] = {}
    for (number, colour), _ in Counter(zip(reduced.tobytes(), colours, strict=True)).most_common():
        exact.setdefault(number, colour)
    reduced.putpalette([part for number in range(256) for part in exact.get(number, (0, 0, 0))])
    return reduced


if __name__ == "__main__":
    sys.exit(main())

"""Collect the texts of the code into the `.ts` files for translators, and compile these into `.qm` files.

Translate new texts in Qt Linguist (`pyside6-linguist resources/translations/filemill_de.ts`), then run this again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import PySide6

FOLDER = Path(__file__).resolve().parent
CODE = FOLDER.parent.parent / "desktop_app"
LANGUAGES = ("de",)
# Other functions than `tr` whose argument is a text.
_ALIASES = "tr+=mark,tr+=Sentence"


def main() -> int:
    """Collect and compile the texts for all languages; return the number of files that could not be compiled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder for the files")
    collect(into := parser.parse_args().into)
    return sum(compile_one(into / f"filemill_{code}.ts") for code in LANGUAGES)


def collect(into: Path) -> None:
    """Update the `.ts` files; texts that no longer occur in the code are removed."""
    names = sorted(str(path.relative_to(CODE.parent)) for path in CODE.rglob("*.py"))
    for code in LANGUAGES:
        options = ["-no-obsolete", "-locations", "none", "-source-language", "en", "-target-language", code]
        # Without locations, moving code does not change the `.ts` files.
        _run(
            "lupdate",
            "-silent",
            *options,
            "-tr-function-alias",
            _ALIASES,
            *names,
            "-ts",
            str(into / f"filemill_{code}.ts"),
        )


def compile_one(source: Path) -> int:
    """Compile a `.ts` file to the `.qm` file beside it, leaving out untranslated texts; return the exit code."""
    return _run("lrelease", "-silent", str(source), "-qm", str(source.with_suffix(".qm")))


def _run(tool: str, *arguments: str) -> int:
    # Use the programs in PySide6's folder directly; the scripts of the environment only start them.
    program = Path(PySide6.__file__).with_name(tool)
    return subprocess.run([program, *arguments], cwd=CODE.parent, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())

"""Collects the texts of the code into the translators' files, and compiles these into what the program loads.

Translate in Qt Linguist (`pyside6-linguist resources/translations/filemill_de.ts`), then run this again.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent
CODE = FOLDER.parent.parent / "desktop_app"
LANGUAGES = ("de",)
_LAYERS_OF_REASONS = {"processing", "services", "sources", "store"}
# What marks a text beside `tr` itself.
_ALIASES = "tr+=mark,tr+=Sentence"


def main() -> int:
    """Do both, for all languages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the files are written")
    collect(into := parser.parse_args().into)
    write_templates(into)
    return sum(compile_one(into / f"filemill_{code}.ts") for code in LANGUAGES)


def collect(into: Path) -> None:
    """Bring the translators' files up to date; texts that are gone are taken out."""
    names = sorted(str(path.relative_to(CODE.parent)) for path in CODE.rglob("*.py"))
    for code in LANGUAGES:
        options = ["-no-obsolete", "-locations", "none", "-source-language", "en", "-target-language", code]
        # The file says nothing of where a text stands, so that moving code changes no file of the translators'.
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


def write_templates(into: Path) -> None:
    """List the layers' sentences: `desktop_app/gui/i18n.py` recognises stored texts by them."""
    found: dict[str, set[str]] = {"reasons": set(), "templates": set()}
    for path in CODE.rglob("*.py"):
        is_of_job = path.relative_to(CODE).parts[0] in _LAYERS_OF_REASONS
        for text, has_values in _sentences(ast.parse(path.read_text(encoding="utf-8"))):
            if is_of_job:
                found["reasons"].add(text)
            elif has_values:
                found["templates"].add(text)
    text = json.dumps({kind: sorted(texts) for kind, texts in found.items()}, indent=1, ensure_ascii=False)
    (into / "templates.json").write_text(f"{text}\n", encoding="utf-8")


def _sentences(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Sentence" and node.args:
            template = node.args[0]
            if isinstance(template, ast.Constant) and isinstance(template.value, str):
                yield template.value, bool(node.keywords)


def compile_one(source: Path) -> int:
    """Make the `.qm` beside a `.ts`; what has no translation stays English. Gives 1 if it can't be made, else 0."""
    return _run("lrelease", "-silent", str(source), "-qm", str(source.with_suffix(".qm")))


def _run(tool: str, *arguments: str) -> int:
    # Qt's own programs lie in PySide6's folder; the scripts of the environment only start them.
    program = Path(PySide6.__file__).with_name(tool)
    return subprocess.run([program, *arguments], cwd=CODE.parent, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())

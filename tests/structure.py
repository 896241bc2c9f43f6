"""Print the figures of the code's structure: `python -m tests.structure [FOLDER]`.

FOLDER is the `desktop_app` of another checkout, for comparison.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import defaultdict
from pathlib import Path

from tests.test_architecture import PACKAGE, Source, folder_violations

SMALL_LINES = 60
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(text: str) -> int:
    """Return the number of lines of code, without blank lines, comments and docstrings."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            documented.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    return len(found - documented)


def report(package: Path) -> str:
    """Return the figures of a package as lines of text."""
    source = Source(package)
    texts = {name: file.read_text(encoding="utf-8") for name, file in source.files.items()}
    lines = {name: len(text.splitlines()) for name, text in texts.items()}
    importers = defaultdict(set)
    for item in source.inner():
        if item.imported != item.importer:
            importers[item.imported].add(item.importer)
    modules = {name for name, file in source.files.items() if file.name != "__init__.py"}
    once = {name for name in modules if len(importers[name]) == 1 and ".migrations." not in name}
    small = sorted(name for name in once if lines[name] < SMALL_LINES)
    gui = [name for name in source.files if name.startswith(f"{source.name}.gui")]
    services = [name for name in source.files if name.startswith(f"{source.name}.services")]
    rows = [
        ("modules, packages' own files included", len(source.files)),
        ("modules in gui", len(gui)),
        ("modules in services", len(services)),
        ("median lines of a module", int(statistics.median(lines[name] for name in modules))),
        ("longest module", max(lines.values())),
        ("modules with exactly one importer", len(once)),
        (f"  and fewer than {SMALL_LINES} lines", len(small)),
        ("lines of code", sum(map(code_lines, texts.values()))),
        ("groups of folders that import each other", len(folder_violations(source))),
    ]
    figures = "\n".join(f"{value:>8,}  {title}" for title, value in rows)
    return figures + "".join(f"\n          {name} ({lines[name]} lines)" for name in small)


if __name__ == "__main__":
    print(report(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PACKAGE))  # noqa: T201 - the terminal is its output

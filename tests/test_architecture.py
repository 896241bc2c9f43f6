"""The layer rule of ARCHITECTURE.md, checked in the source. Each check is also shown to find violations."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "desktop_app"

# The modules that put the parts together may import everything.
ROOTS = frozenset({"__main__", "window_app", "self_test", "tryout"})
BELOW_SERVICES = {"store", "queues", "processing", "sources", "logs"}
MAY_IMPORT = {
    "gui": {"services", "sources", "logs"},
    "cli": {"bootstrap", "services", *BELOW_SERVICES},  # puts the parts of the terminal together
    "bootstrap": {"services", *BELOW_SERVICES},  # builds what the window and the terminal share
    "services": BELOW_SERVICES,
    "processing": {"sources", "logs"},
    "store": {"logs"},
    "queues": {"logs"},
    "sources": {"logs"},
    "logs": set[str](),
    "config": set[str](),
    "domain": set[str](),
}
# Imported by every layer.
BASE = {"domain", "config"}
OWNERS = {
    "PySide6": {"gui", "window_app", "self_test"},
    "shiboken6": {"gui", "window_app", "self_test"},
    "jeepney": {"gui"},
    "boto3": {"queues"},
    "moto": set[str](),  # for tests and development only
    "sqlite3": {"store", "queues"},
    "botocore": {"queues"},
    "keyring": {"queues"},
    "peewee": {"store"},
    "playhouse": {"store"},
}


@dataclass(frozen=True)
class Import:
    """An import of a module by a module, also inside functions and for type checking."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


class Source:
    """The modules of a package and their imports.

    Attributes:
        files: The files by dotted module name, without the package's name.
        imports: All imports; those of the package's own modules use the names in `files`.
    """

    def __init__(self, package: Path) -> None:
        self.name = package.name
        self.files = {self._module_of(package, file): file for file in sorted(package.rglob("*.py"))}
        self.imports = [found for module in self.files for found in self._imports_of(module)]

    def _module_of(self, package: Path, file: Path) -> str:
        parts = [self.name, *file.relative_to(package).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def inner(self) -> Iterator[Import]:
        return (found for found in self.imports if found.imported in self.files)

    def outer(self) -> Iterator[Import]:
        return (found for found in self.imports if found.imported not in self.files)

    def _imports_of(self, module: str) -> Iterator[Import]:
        file = self.files[module]
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(file.read_bytes())):
            for name in _names(node, package):
                yield Import(module, self._known(name), getattr(node, "lineno", 0))

    def _known(self, name: str) -> str:
        """Return the module of an imported name: `package.module` for `package.module.Class`."""
        while name.startswith(f"{self.name}.") and name not in self.files:
            name = name.rpartition(".")[0]
        return name


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the full names that a syntax node imports: `import a.b`, `from . import c`, `import_module("d")`."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        case ast.Call(func=ast.Name(id="__import__" | "import_module"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case _:
            return


def layer_of(module: str) -> str:
    """Return the layer of a module: its folder, or its own name at the top."""
    return module.split(".")[1] if "." in module else "__main__"


def folder_of(module: str) -> str:
    """Return the folder of a module, without the package's name; empty for the top folder."""
    return module.rpartition(".")[0].partition(".")[2]


def layer_violations(source: Source) -> list[str]:
    found = []
    for item in source.inner():
        ours, theirs = layer_of(item.importer), layer_of(item.imported)
        if ours in ROOTS or ours == theirs or item.imported == source.name:
            continue
        if ours not in MAY_IMPORT:
            found.append(f"{item}: {ours} is no layer of the design")
        elif theirs not in MAY_IMPORT[ours] | (BASE - {ours} if ours != "domain" else set()):
            found.append(f"{item}: {ours} must not know {theirs}")
    return found


def ownership_violations(source: Source) -> list[str]:
    return [
        f"{item}: only {', '.join(sorted(owners))} may"
        for item in source.outer()
        if (owners := OWNERS.get(item.imported.split(".")[0])) and layer_of(item.importer) not in owners
    ]


def cycle_violations(source: Source) -> list[str]:
    """Return import cycles, including imports inside functions and for type checking."""
    graph: dict[str, set[str]] = {module: set() for module in source.files}
    for item in source.inner():
        if item.imported != item.importer:
            graph[item.importer].add(item.imported)
    return [" and ".join(sorted(circle)) for circle in _circles(graph)]


def _circles(graph: dict[str, set[str]]) -> Iterable[frozenset[str]]:
    """Return the strongly connected components of more than one module."""
    reach = {start: _reachable(graph, start) for start in graph}
    return {
        group
        for start in graph
        if len(group := frozenset({start, *(other for other in reach[start] if start in reach[other])})) > 1
    }


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        fresh = graph[todo.pop()] - seen
        seen |= fresh
        todo.extend(fresh)
    return seen


def folder_violations(source: Source) -> list[str]:
    """Return folders that import each other, including imports inside functions and for type checking.

    A folder and its parent count as one, since subfolders share the modules of their parent.
    """
    graph: dict[str, set[str]] = {}
    for item in source.inner():
        ours, theirs = folder_of(item.importer), folder_of(item.imported)
        if ours and theirs and ours != theirs and layer_of(item.importer) == layer_of(item.imported):
            graph.setdefault(ours, set()).add(theirs)
            graph.setdefault(theirs, set())
    return [" and ".join(sorted(circle)) for circle in _circles(graph)]


def docstring_violations(source: Source) -> list[str]:
    return [
        f"{module} has no docstring"
        for module, file in source.files.items()
        if not ast.get_docstring(ast.parse(file.read_bytes()))
    ]


_STARTERS = {
    "subprocess": ("Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"),
    "os": ("system", "popen", "startfile", "exec", "spawn", "posix_spawn", "fork"),
    "QProcess": ("startDetached", "execute"),
    "QDesktopServices": ("openUrl",),
}
"""What starts a program, by module or class; names in `os` stand for all that begin with them."""


def spawn_violations(source: Source) -> list[str]:
    """Return places that start a program in another environment than that of `child_environment`."""
    found = [
        f"{item}: it starts programs"
        for item in source.outer()
        if item.imported.startswith(("webbrowser", "multiprocessing", "pty.", "subprocess.", "asyncio.subprocess"))
    ]
    for module, file in source.files.items():
        tree = ast.parse(file.read_bytes())
        makers = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and "child_environment" in map(_called, ast.walk(node))
        } | {"child_environment"}
        found += [
            f"{module}:{node.lineno} starts a program without child_environment"
            for node in ast.walk(tree)
            if isinstance(node, ast.expr)
            and _starts_a_program(node)
            and not (
                isinstance(node, ast.Call)
                and makers & {_called(word.value) for word in node.keywords if word.arg == "env"}
            )
            # The first gives the environment to Qt, and the second restarts this program.
            and module not in {f"{source.name}.gui.programs", f"{source.name}.gui.startup.display"}
        ]
    return found


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _starts_a_program(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="subprocess"), attr=name)):
            return name in _STARTERS["subprocess"]
        case ast.Call(func=ast.Name(id="QProcess") | ast.Attribute(attr="setOpenExternalLinks")):
            return True
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return name.startswith(_STARTERS["os"])
        case ast.Attribute(value=ast.Name(id="QProcess" | "QDesktopServices" as owner), attr=name):
            return name in _STARTERS[owner]
    return False


RULES: list[Callable[[Source], list[str]]] = [
    layer_violations,
    ownership_violations,
    cycle_violations,
    folder_violations,
    docstring_violations,
    spawn_violations,
]


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(PACKAGE)


@pytest.mark.parametrize("rule", RULES)
def test_package_follows_the_rule(source: Source, rule: Callable[[Source], list[str]]) -> None:
    assert rule(source) == []


def test_checker_reads_the_real_package(source: Source) -> None:
    assert {"desktop_app", "desktop_app.domain.job", "desktop_app.store"} <= set(source.files)
    assert "desktop_app.domain.errors" in {item.imported for item in source.inner()}


def package(folder: Path, files: dict[str, str]) -> Source:
    """Create a package for a test; every file gets a docstring and every folder an `__init__.py`."""
    root = folder / "made_up"
    for name, text in {"__init__.py": "", **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(f'"""Made up."""\n{text}\n')
    return Source(root)


def importing(folder: Path, importer: str, imported: str) -> Source:
    """Create a package in which one file imports another."""
    target = imported.removesuffix(".py").replace("/", ".")
    return package(folder, {importer: f"from made_up.{target} import anything", imported: ""})


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("store/a.py", "queues/b.py"),
        ("store/a.py", "processing/b.py"),
        ("store/a.py", "services/b.py"),
        ("queues/a.py", "store/b.py"),
        ("queues/a.py", "processing/b.py"),
        ("queues/a.py", "services/b.py"),
        ("processing/a.py", "store/b.py"),
        ("processing/a.py", "queues/b.py"),
        ("processing/a.py", "services/b.py"),
        ("services/a.py", "gui/b.py"),
        ("services/a.py", "cli/b.py"),
        ("services/a.py", "window_app.py"),
        ("gui/a.py", "store/b.py"),
        ("gui/a.py", "queues/b.py"),
        ("gui/a.py", "processing/b.py"),
        ("gui/a.py", "cli/b.py"),
        ("gui/a.py", "window_app.py"),
        ("gui/a.py", "bootstrap.py"),
        ("bootstrap.py", "gui/b.py"),
        ("services/a.py", "bootstrap.py"),
        ("cli/a.py", "gui/b.py"),
        ("cli.py", "gui/b.py"),
        ("cli.py", "window_app.py"),
        ("domain/job.py", "store/b.py"),
        ("logs/log.py", "services/b.py"),
        ("store/migrations/0001_a.py", "services/b.py"),
    ],
)
def test_import_in_the_wrong_direction_is_found(tmp_path: Path, importer: str, imported: str) -> None:
    assert len(layer_violations(importing(tmp_path, importer, imported))) == 1


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("gui/a.py", "services/b.py"),
        ("gui/a.py", "domain/job.py"),
        ("gui/a.py", "gui/b.py"),
        ("cli/a.py", "store/b.py"),
        ("cli.py", "queues/b.py"),
        ("cli/a.py", "bootstrap.py"),
        ("bootstrap.py", "store/b.py"),
        ("services/a.py", "store/b.py"),
        ("services/a.py", "queues/b.py"),
        ("services/a.py", "processing/b.py"),
        ("store/a.py", "domain/errors.py"),
        ("config/paths.py", "domain/errors.py"),
        ("window_app.py", "gui/b.py"),
        ("tryout.py", "store/b.py"),
        ("__main__.py", "cli.py"),
    ],
)
def test_arrow_of_the_design_is_allowed(tmp_path: Path, importer: str, imported: str) -> None:
    made = importing(tmp_path, importer, imported)
    assert [str(item) for item in made.inner()] != []
    assert layer_violations(made) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import made_up.services.b",
        "from made_up.services import b",
        "from made_up import services",
        "from ..services.b import anything",
        "from .. import services",
        "def late():\n    from made_up.services import b",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made_up.services.b import B",
        "import importlib\nimportlib.import_module('made_up.services.b')",
        "__import__('made_up.services.b')",
    ],
)
def test_every_kind_of_import_is_found(tmp_path: Path, statement: str) -> None:
    made = package(tmp_path, {"store/a.py": statement, "services/b.py": ""})
    assert len(layer_violations(made)) == 1


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("services/a.py", "from PySide6.QtCore import QThread"),
        ("cli/a.py", "import PySide6"),
        ("__main__.py", "import PySide6.QtWidgets"),
        ("gui/a.py", "import boto3"),
        ("services/a.py", "from botocore.exceptions import ClientError"),
        ("window_app.py", "import boto3"),
        ("services/a.py", "def late():\n    import peewee"),
        ("window_app.py", "from playhouse import migrations"),
    ],
)
def test_foreign_library_in_the_wrong_layer_is_found(tmp_path: Path, importer: str, statement: str) -> None:
    assert len(ownership_violations(package(tmp_path, {importer: statement}))) == 1


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("gui/a.py", "from PySide6 import QtCore"),
        ("window_app.py", "from PySide6 import QtCore"),
        ("self_test.py", "from PySide6 import QtCore"),
        ("queues/a.py", "import boto3, botocore.config"),
        ("store/a.py", "import peewee\nfrom playhouse import migrations"),
        ("services/a.py", "import threading"),
    ],
)
def test_foreign_library_in_its_own_layer_is_allowed(tmp_path: Path, importer: str, statement: str) -> None:
    assert ownership_violations(package(tmp_path, {importer: statement})) == []


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "from made_up import b", "b.py": "import made_up.a"},
        {"a.py": "import made_up.b", "b.py": "import made_up.c", "c.py": "def late():\n    from made_up.a import x"},
        {"store/a.py": "from . import b", "store/b.py": "from .a import x"},
        {"store/__init__.py": "from made_up.store.a import x", "store/a.py": "from made_up.store import y"},
    ],
)
def test_import_cycle_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(cycle_violations(package(tmp_path, files))) == 1


def test_diamond_is_no_cycle(tmp_path: Path) -> None:
    files = {"a.py": "from made_up import b, c", "b.py": "import made_up.d", "c.py": "import made_up.d", "d.py": ""}
    assert cycle_violations(package(tmp_path, files)) == []


def test_folders_that_import_each_other_are_found(tmp_path: Path) -> None:
    files = {
        "gui/table/a.py": "from made_up.gui.details.b import x",
        "gui/details/b.py": "",
        "gui/details/c.py": "from made_up.gui.table.d import x",
        "gui/table/d.py": "",
    }
    assert folder_violations(package(tmp_path, files)) == ["gui.details and gui.table"]


def test_folders_with_imports_in_one_direction_are_no_cycle(tmp_path: Path) -> None:
    files = {"gui/table/a.py": "from made_up.gui.widgets.b import x", "gui/widgets/b.py": ""}
    assert folder_violations(package(tmp_path, files)) == []


def test_module_without_docstring_is_found(tmp_path: Path) -> None:
    made = package(tmp_path, {"a.py": "x = 1"})
    (tmp_path / "made_up" / "a.py").write_text("x = 1\n")
    assert docstring_violations(made) == ["made_up.a has no docstring"]


@pytest.mark.parametrize(
    "statement",
    [
        "import subprocess\nsubprocess.Popen(['x'])",
        "import subprocess\nsubprocess.run(['x'], env=os.environ)",
        "import subprocess\nsubprocess.check_output(['x'], env=dict(os.environ))",
        "from subprocess import run",
        "import webbrowser",
        "import os\nos.system('x')",
        "import os\nos.startfile('x')",
        "import os\nos.execvp('x', ['x'])",
        "from PySide6.QtCore import QProcess\nQProcess()",
        "from PySide6.QtCore import QProcess\nstart = QProcess.startDetached",
        "from PySide6.QtGui import QDesktopServices\nQDesktopServices.openUrl(url)",
        "label.setOpenExternalLinks(True)",
    ],
)
def test_program_started_in_another_environment_is_found(tmp_path: Path, statement: str) -> None:
    assert len(spawn_violations(package(tmp_path, {"gui/a.py": statement}))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "import subprocess\nsubprocess.Popen(['x'], env=child_environment())",
        "import subprocess\ndef own():\n    return child_environment()\nsubprocess.run(['x'], env=own())",
        "import subprocess\nprocess: subprocess.Popen[bytes]",
        "from PySide6.QtCore import QProcess\nQProcess.nullDevice()",
    ],
)
def test_program_started_in_the_user_environment_is_allowed(tmp_path: Path, statement: str) -> None:
    assert spawn_violations(package(tmp_path, {"gui/a.py": statement})) == []

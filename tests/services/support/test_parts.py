"""The libraries in use, from the metadata of the installed packages."""

from __future__ import annotations

import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.services.support import parts as parts_module
from desktop_app.services.support.parts import licence_text, program_parts

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_all_that_filemill_needs_is_listed_with_version_and_licence() -> None:
    parts = {part.name: part for part in program_parts("6.8.0")}
    assert parts["Qt"].version == "6.8.0"
    assert parts["SQLite"].version == sqlite3.sqlite_version
    assert parts["boto3"].version == version("boto3")
    assert {"botocore", "urllib3", "jmespath"} <= set(parts), "needed indirectly"
    assert {"pillow", "pypdfium2"} <= set(parts), "the libraries of single processors"
    assert not {"pytest", "ruff", "pyinstaller"} & set(parts), "not needed to run"
    assert all(part.licence for part in parts.values())
    assert "Apache License" in parts["boto3"].text
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in parts["Qt"].text
    (pyside,) = (part for name, part in parts.items() if name.lower().startswith("pyside6"))
    assert pyside.text == parts["Qt"].text


def test_own_licence_is_the_one_in_the_repository() -> None:
    assert licence_text().strip() == (ROOT / "LICENSE").read_text(encoding="utf-8").strip()


def test_copy_without_metadata_tells_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(parts_module, "distribution", missing)
    assert [part.name for part in program_parts("6")] == ["Python", "Qt", "SQLite"]
    assert licence_text() == ""

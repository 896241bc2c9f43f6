"""Translations match their source texts, and menus have unique mnemonics in every language."""

from __future__ import annotations

import importlib.util
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication, QMenu

from desktop_app.config.paths import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from PySide6.QtGui import QAction

    from tests.gui.conftest import WindowFactory

FOLDER = resource("translations")
LANGUAGES = [path.stem.removeprefix("filemill_") for path in sorted(FOLDER.glob("*.ts"))]
_PLACE = re.compile(r"\{\w+\}|%L?n")
_FORMS_OF_NUMBERS = 2
"""Singular and plural, as in every language so far."""
_MNEMONIC = re.compile(r"(?<!&)&(\w)")


def messages(language: str) -> list[ET.Element]:
    return list(ET.parse(FOLDER / f"filemill_{language}.ts").iter("message"))


def forms(message: ET.Element) -> list[str]:
    """Return the translations of a text: one, or one per plural form."""
    translation = message.find("translation")
    assert translation is not None
    return [form.text or "" for form in translation.iter("numerusform")] or [translation.text or ""]


def source(message: ET.Element) -> str:
    return message.findtext("source") or ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_is_in_the_translation(language: str) -> None:
    wrong = [
        (source(message), form)
        for message in messages(language)
        for form in forms(message)
        if form and not _same_places(source(message), form, counts=message.get("numerus") == "yes")
    ]
    assert not wrong


def _same_places(text: str, form: str, *, counts: bool) -> bool:
    wanted, found = set(_PLACE.findall(text)), set(_PLACE.findall(form))
    # The singular need not contain the number: "Die erste wird gezeigt."
    return wanted == found or (counts and wanted - found == {"%Ln"} and found <= wanted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_has_the_same_beginning_and_end_as_its_source(language: str) -> None:
    wrong = [
        (source(message), form)
        for message in messages(language)
        for form in forms(message)
        if form
        and (
            _end(source(message)) != _end(form)
            or bool(_MNEMONIC.search(source(message))) != bool(_MNEMONIC.search(form))
            or '"' in form
        )
    ]
    assert not wrong


def _end(text: str) -> str:
    return next((end for end in ("…", ":", "?") if text.endswith(end)), "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_with_a_count_has_no_forms_in_brackets(language: str) -> None:
    """`tr` would treat a word in brackets as an ending."""
    counting = [message for message in messages(language) if message.get("numerus") == "yes"]
    assert not [form for message in counting for form in forms(message) if re.search(r"\(\w+\)|\([^()]*\|", form)]


def test_translators_have_every_text_of_the_code_and_no_other(tmp_path: Path) -> None:
    """`make translations` finds nothing new."""
    for language in LANGUAGES:
        shutil.copy(FOLDER / f"filemill_{language}.ts", tmp_path)
    tool = build()
    tool.collect(tmp_path)
    for name in (f"filemill_{language}.ts" for language in LANGUAGES):
        assert (tmp_path / name).read_text(encoding="utf-8") == (FOLDER / name).read_text(encoding="utf-8"), (
            f"{name} is not up to date: run `make translations`"
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_is_complete(language: str) -> None:
    missing = [source(message) for message in messages(language) if not all(forms(message)) or _is_open(message)]
    assert not missing
    assert not [
        source(m) for m in messages(language) if m.get("numerus") == "yes" and len(forms(m)) != _FORMS_OF_NUMBERS
    ]


def _is_open(message: ET.Element) -> bool:
    translation = message.find("translation")
    return translation is None or translation.get("type") == "unfinished"


def test_compiled_translations_are_those_of_the_files(tmp_path: Path) -> None:
    """`make translations` was run after the last change."""
    for language in LANGUAGES:
        copy = shutil.copy(FOLDER / f"filemill_{language}.ts", tmp_path)
        assert build().compile_one(Path(copy)) == 0
        name = f"filemill_{language}.qm"
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def build() -> ModuleType:
    """Run the script of `make translations`."""
    spec = importlib.util.spec_from_file_location("build_translations", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def speaking(language: str) -> Iterator[None]:
    translator = QTranslator()
    if language != "en":
        assert translator.load(str(FOLDER / f"filemill_{language}.qm"))
        QApplication.installTranslator(translator)
    try:
        yield
    finally:
        QApplication.removeTranslator(translator)


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_entry_of_a_menu_has_a_unique_mnemonic(windows: WindowFactory, language: str) -> None:
    with speaking(language):
        window = windows.open()
        bar = window.menuBar()
        menus = {"": bar.actions(), **{action.text(): _entries(action) for action in bar.actions()}}
        found = [
            f"{title!r}: {action.text()!r}: {why}"
            for title, actions in menus.items()
            for action, why in _clashes(actions)
        ]
    assert not found


def _entries(action: QAction) -> list[QAction]:
    menu = action.menu()
    return [entry for entry in menu.actions() if not entry.isSeparator()] if isinstance(menu, QMenu) else []


def _clashes(actions: list[QAction]) -> Iterator[tuple[QAction, str]]:
    seen: dict[str, str] = {}
    for action in actions:
        key = _MNEMONIC.search(action.text())
        if key is None:
            yield action, "no key"
        elif key[1].lower() in seen:
            yield action, f"the key of {seen[key[1].lower()]!r}"
        else:
            seen[key[1].lower()] = action.text()

"""All texts of the window go through `tr` and are shown in the user's language."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.paths import chosen_language
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.i18n import tr, translated, user_locale

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 files are missing"), (1, "1 file is missing"), (1248, "1,248 files are missing")]
)
def test_english_counts_without_a_translation(qapp: object, count: int, text: str) -> None:
    assert tr("%Ln file(s) (is|are) missing", "", count) == text


def test_brackets_of_a_text_without_a_count_are_kept(qapp: object) -> None:
    assert tr("File(s)") == "File(s)"


def test_sentence_is_its_text_and_remembers_how_it_was_made() -> None:
    said = Sentence("Can't reach {place}.", place=Sentence("the local queue"))
    assert said == "Can't reach the local queue."
    again = pickle.loads(pickle.dumps(said))
    assert (again, again.template, again.values) == (said, said.template, said.values)
    assert isinstance(again, Sentence)


def test_sentence_without_a_translation_stays_english(qapp: object) -> None:
    assert (
        translated(Sentence("Can't reach {place}.", place=Sentence("the {x} queue", x=3))) == "Can't reach the 3 queue."
    )
    assert translated("any text {with} braces") == "any text {with} braces"


SPEAK = """
import json, sys
from PySide6.QtCore import QCoreApplication, QLocale
from desktop_app.gui.i18n import tr, use_language
application = QCoreApplication([])
code = use_language(application, QLocale(sys.argv[1]))
said = [tr("%Ln file(s)", "", count) for count in (1, 1248)]
print(json.dumps([code, *said, application.translate("QPlatformTheme", "Cancel")]))
"""


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("de_DE", ["de", "1 Datei", "1.248 Dateien", "Abbrechen"]),
        ("de_AT", ["de", "1 Datei", "1\xa0248 Dateien", "Abbrechen"]),
        ("en_GB", ["en", "1 file", "1,248 files", "Cancel"]),
        ("fr_FR", ["en", "1 file", "1\u202f248 files", "Cancel"]),
    ],
)
def test_language_follows_the_locale_with_english_as_fallback(locale: str, said: list[str]) -> None:
    # In a separate process, since it applies to the whole program.
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, locale], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stdout) == said


def test_another_language_than_the_systems_can_be_chosen(filemill_home: Path) -> None:
    assert chosen_language({}) == ""
    filemill_home.mkdir()
    settings = filemill_home / "settings.toml"
    settings.write_text('language = "de"\n', encoding="utf-8")
    assert chosen_language({}) == "de"
    assert chosen_language({"FILEMILL_LANGUAGE": "de_AT"}) == "de_AT"
    settings.write_text("language = ", encoding="utf-8")
    assert chosen_language({}) == ""


def test_invalid_language_is_ignored() -> None:
    assert user_locale("de").name() == "de_DE"
    assert user_locale("de_AT").name() == "de_AT"
    assert user_locale("no language").language() == user_locale().language()

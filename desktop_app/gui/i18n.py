"""Finds out which sentence a plain text once was, so that a stored reason can be shown in the person's language.

The database, the logs and the terminal are English; a reason is in them as a plain text. The templates of the layers'
sentences are collected by `make translations`, and a text is held against them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QGuiApplication

from desktop_app.config.paths import resource
from desktop_app.domain.sentences import Sentence

_PART = re.compile(r"\{(\w+)\}")

_NESTED = frozenset({"reason", "why"})
"""Values with these names may be sentences themselves; any other is a name, a path or a number and stays as it is."""

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Match:
    """A text, taken apart.

    Attributes:
        template: What it was made from.
        values: What was put in.
    """

    template: str
    values: dict[str, str]

    @property
    def nested(self) -> frozenset[str]:
        """The names of the values that may be sentences themselves."""
        return _NESTED & self.values.keys()


@lru_cache(maxsize=_REMEMBERED)
def match(text: str) -> Match | None:
    """The template that a text was made from, with its values; None if there is none. Fast for what came before.

    Args:
        text: One that is not a template itself.
    """
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return Match(template, found.groupdict())
    return None


def templates() -> tuple[str, ...]:
    """Every template with values, the most particular first."""
    found = (text for texts in _collected().values() for text in texts if _PART.search(text))
    return tuple(sorted(set(found), key=_literal_length, reverse=True))


@cache
def reasons() -> tuple[str, ...]:
    """Every sentence that may be a job's reason, with and without values."""
    return tuple(_collected()["reasons"])


def longest_literal(template: str) -> str:
    """The longest part of a template that every text made from it has."""
    return max(_PART.split(template)[::2], key=len).strip()


@cache
def _collected() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(resource("translations/templates.json").read_text(encoding="utf-8"))
    return found


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((template, _pattern(template)) for template in templates())


def _pattern(template: str) -> re.Pattern[str]:
    """What a text made from this template looks like."""
    pieces = _PART.split(template)
    literals, names = pieces[::2], pieces[1::2]
    written = [re.escape(literals[0])]
    seen: set[str] = set()
    for name, literal in zip(names, literals[1:], strict=True):
        written.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        written.append(re.escape(literal))
        seen.add(name)
    return re.compile("".join(written), re.DOTALL)


def _literal_length(template: str) -> int:
    return len(_PART.sub("", template))


SOURCE = "en"
"""The language of the texts in the code."""

_ISOLATE, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

_FORMS = re.compile(r"\((?:([^()|]*)\|([^()|]*)|(\w+))\)")


def tr(text: str, note: str = "", n: int = -1) -> str:
    """A text in the person's language.

    The collector reads this call, so all three are given in their places and the text is a literal. Put what varies
    behind: `tr("Nothing matches “{words}”.").format(words=words)`. A text that counts says `%Ln`, which is replaced by
    the number as the locale writes it, and has both forms where they differ: `tr("%Ln file(s)", "", count)`,
    `tr("%Ln file(s) (is|are) missing", "", count)`.

    Args:
        text: English.
        note: Tells equal texts apart, and the translator what is meant.
        n: What is counted; -1 if nothing is.
    """
    said = QCoreApplication.translate("", text, note or None, n)
    return said if n < 0 else _FORMS.sub(lambda forms: _form(forms, is_one=n == 1), said)


def _form(forms: re.Match[str], *, is_one: bool) -> str:
    one, many, ending = forms.groups()
    return (one or "") if is_one else ending or many or ""


def mark(text: str) -> str:
    """The same text: one that is kept in English and goes through `translated` when it is shown."""
    return text


def translated(text: str) -> str:
    """A text that was marked, or one of the layers below, in the person's language; any other as it is.

    A sentence that has become a plain text on its way, in the database or in a signal, is recognised by its template.
    """
    if isinstance(text, Sentence):
        values = {name: _placed(value) for name, value in text.values.items()}
        return QCoreApplication.translate("", text.template).format(**values)
    found = match(text)
    if found is None:
        return QCoreApplication.translate("", text)
    values = {name: translated(part) if name in found.nested else _placed(part) for name, part in found.values.items()}
    return QCoreApplication.translate("", found.template).format(**values)


def _placed(value: object) -> str:
    """A value as it stands in a sentence: translated if it is one; a name keeps its own direction."""
    if isinstance(value, Sentence):
        return translated(value)
    return isolated_in(str(value), QGuiApplication.layoutDirection())


def isolated(text: str) -> str:
    """A name, a path, a size, as it stands in a window that is read from right to left: in its own direction."""
    return f"{_ISOLATE}{text}{_END}" if text else text


def isolated_in(text: str, direction: Qt.LayoutDirection) -> str:
    """The same where the direction asks for it, as it is elsewhere."""
    return isolated(text) if direction is Qt.LayoutDirection.RightToLeft else text


def use_language(application: QCoreApplication, locale: QLocale) -> str:
    """Translate from now on, Qt's own buttons and dialogs too. Call it once, before the first text is made.

    Args:
        application: Keeps the translations; a window's is laid out in the language's direction.
        locale: Whose languages are tried in order, and who writes the numbers in texts.

    Returns:
        The code of the language that is used; English if there is none of the locale's.
    """
    QLocale.setDefault(locale)
    code = _install(application, locale)
    if isinstance(application, QGuiApplication):
        # Not as the locale says: a person whose language is missing reads English, from left to right.
        application.setLayoutDirection(QLocale(code).textDirection())
    return code


def _install(application: QCoreApplication, locale: QLocale) -> str:
    folder = resource("translations")
    for code in dict.fromkeys(name.replace("_", "-").split("-", 1)[0] for name in locale.uiLanguages()):
        if code == SOURCE:
            break
        if _load(application, f"{folder}/filemill_{code}.qm"):
            _load(application, f"{QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)}/qtbase_{code}.qm")
            return code
    return SOURCE


def _load(application: QCoreApplication, file: str) -> bool:
    translator = QTranslator(application)
    return translator.load(file) and application.installTranslator(translator)

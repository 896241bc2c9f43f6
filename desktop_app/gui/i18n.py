"""The one door to Qt's translation. Every text that the window shows goes through `tr`.

Texts have no context, so that a plain function serves everywhere, and a text that moves to another file keeps its
translation. `make translations` collects them into `resources/translations/`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QGuiApplication

from desktop_app.config.paths import resource
from desktop_app.domain.job import display_text
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from desktop_app.domain.reasons import Reason

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


def translated(text: str) -> str:
    """Return a marked text, or a sentence of the layers below, in the person's language; any other as it is."""
    if not isinstance(text, Sentence):
        return QCoreApplication.translate("", text)
    values = {name: _placed(value) for name, value in text.values.items()}
    return QCoreApplication.translate("", text.template).format(**values)


def reason_text(reason: Reason | None) -> str:
    """Return a reason as a person reads it; empty for none."""
    if reason is None:
        return ""
    safe = {name: display_text(value) if isinstance(value, str) else value for name, value in reason.arguments.items()}
    return translated(replace(reason, arguments=safe).sentence)


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

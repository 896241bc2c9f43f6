"""The only access to Qt's translation. Every text that the window shows goes through `tr`.

Texts have no context, so that a plain function is enough and a text that moves to another file keeps its
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
    """Return a text in the user's language.

    `lupdate` reads this call, so pass all arguments by position and the text as a literal. Insert values
    afterwards: `tr("Nothing matches “{words}”.").format(words=words)`. In a text with a number, `%Ln` is replaced by
    the number in the locale's format, and both forms are given where they differ: `tr("%Ln file(s)", "", count)`,
    `tr("%Ln file(s) (is|are) missing", "", count)`.

    Args:
        text: English.
        note: Tells equal texts apart, and explains them to the translator.
        n: The number; -1 for none.
    """
    said = QCoreApplication.translate("", text, note or None, n)
    return said if n < 0 else _FORMS.sub(lambda forms: _form(forms, is_one=n == 1), said)


def _form(forms: re.Match[str], *, is_one: bool) -> str:
    one, many, ending = forms.groups()
    return (one or "") if is_one else ending or many or ""


def translated(text: str) -> str:
    """Return a marked text or a `Sentence` in the user's language; any other text unchanged."""
    if not isinstance(text, Sentence):
        return QCoreApplication.translate("", text)
    values = {name: _placed(value) for name, value in text.values.items()}
    return QCoreApplication.translate("", text.template).format(**values)


def reason_text(reason: Reason | None) -> str:
    """Return the text of a reason in the user's language; empty for None."""
    if reason is None:
        return ""
    safe = {name: display_text(value) if isinstance(value, str) else value for name, value in reason.arguments.items()}
    return translated(replace(reason, arguments=safe).sentence)


def _placed(value: object) -> str:
    """Return a value to insert into a text: a `Sentence` translated, anything else with its own text direction."""
    if isinstance(value, Sentence):
        return translated(value)
    return isolated_in(str(value), QGuiApplication.layoutDirection())


def isolated(text: str) -> str:
    """Return a name, path or size isolated, so that it keeps its direction in right-to-left text."""
    return f"{_ISOLATE}{text}{_END}" if text else text


def isolated_in(text: str, direction: Qt.LayoutDirection) -> str:
    """Return the text isolated in a right-to-left layout, unchanged otherwise."""
    return isolated(text) if direction is Qt.LayoutDirection.RightToLeft else text


def use_language(application: QCoreApplication, locale: QLocale) -> str:
    """Install the translations, also of Qt's own texts. Call it once, before the first text is made.

    Args:
        application: Holds the translators; also gets the language's layout direction.
        locale: Its languages are tried in order; it also formats numbers in texts.

    Returns:
        The code of the language in use; English if none of the locale's languages is available.
    """
    QLocale.setDefault(locale)
    code = _install(application, locale)
    if isinstance(application, QGuiApplication):
        # Not the locale's direction: if its language is missing, the texts are English, from left to right.
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

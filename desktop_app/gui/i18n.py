"""Translates the texts of the window, using Qt.

Texts have no translation context, so a text that moves to another file keeps its translation. `make translations`
collects the texts into the files in `resources/translations/`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QGuiApplication

from desktop_app.config.paths import resource
from desktop_app.domain.sentences import Sentence, display_text

if TYPE_CHECKING:
    from desktop_app.domain.reasons import Reason

SOURCE = "en"
"""The language of the texts in the code."""

_ISOLATE, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

_FORMS = re.compile(r"\((?:([^()|]*)\|([^()|]*)|(\w+))\)")


def tr(text: str, note: str = "", n: int = -1) -> str:
    """Return a text in the user's language.

    Pass the text as a literal and all arguments by position, because `lupdate` reads the source. Insert values into the
    result: `tr("Nothing matches “{words}”.").format(words=words)`. If `n` is given, it replaces `%Ln`. Write the
    singular and plural forms in parentheses: `tr("%Ln file(s)", "", count)`,
    `tr("%Ln file(s) (is|are) missing", "", count)`.

    Args:
        text: The English text.
        note: A note for the translator, which also tells identical texts apart.
        n: The number in the text; -1 if there is none.
    """
    translation = QCoreApplication.translate("", text, note or None, n)
    # The groups are the singular, the plural, and a plural ending.
    return translation if n < 0 else _FORMS.sub(r"\1" if n == 1 else r"\2\3", translation)


def translated(text: str) -> str:
    """Translate a `Sentence` or a text marked for translation. Any other text is returned unchanged."""
    if not isinstance(text, Sentence):
        return QCoreApplication.translate("", text)
    values = {name: _inserted(value) for name, value in text.values.items()}
    return QCoreApplication.translate("", text.template).format(**values)


def reason_text(reason: Reason | None) -> str:
    """Return the text of a reason in the user's language, or an empty text if there is no reason."""
    if reason is None:
        return ""
    safe = {name: display_text(value) if isinstance(value, str) else value for name, value in reason.arguments.items()}
    return translated(replace(reason, arguments=safe).sentence)


def _inserted(value: object) -> str:
    """Return a value as text to be inserted: a `Sentence` is translated, anything else keeps its own direction."""
    if isinstance(value, Sentence):
        return translated(value)
    return isolated_in(str(value), QGuiApplication.layoutDirection())


def isolated(text: str) -> str:
    """Wrap a name, path or size in Unicode isolates, so that it keeps its direction in right-to-left text."""
    return f"{_ISOLATE}{text}{_END}" if text else text


def isolated_in(text: str, direction: Qt.LayoutDirection) -> str:
    """Wrap a text in Unicode isolates if the layout is right-to-left; otherwise return it unchanged."""
    return isolated(text) if direction is Qt.LayoutDirection.RightToLeft else text


def user_locale(language: str = "") -> QLocale:
    """Return the locale of the chosen language or of the system. English replaces the locale "C".

    Args:
        language: A language code such as `de` or `de_AT`. If it is empty or unknown, the system's locale is used.
    """
    locale = QLocale(language) if language else QLocale.system()
    if language and locale.language() == QLocale.Language.C:
        locale = QLocale.system()
    return QLocale(QLocale.Language.English) if locale.language() == QLocale.Language.C else locale


def use_language(application: QCoreApplication, locale: QLocale) -> str:
    """Install the translations of Filemill's and Qt's texts, instead of those installed before.

    Call this before the first `tr`. Texts that are already shown do not change.

    Args:
        application: The parent of the translators. Its layout direction is set to that of the language used.
        locale: The locale, which lists the preferred languages and determines the format of numbers in texts.

    Returns:
        The code of the language used, or `en` if none of the preferred languages is available.
    """
    QLocale.setDefault(locale)
    for before in application.findChildren(QTranslator):
        application.removeTranslator(before)
        before.deleteLater()
    code = _install(application, locale)
    if isinstance(application, QGuiApplication):
        # Not the locale's direction: the texts are in English if its language is not available.
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

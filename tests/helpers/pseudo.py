"""Pseudo-translation: it shows untranslated texts, cut-off texts, and errors of right-to-left layouts.

It adds brackets, accents and 40 % more length to every text. `plain` undoes this for tests that read a text.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from PySide6.QtCore import QLocale, Qt, QTranslator

from desktop_app.config.paths import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QApplication

_ACCENTS = str.maketrans("aeiouyncAEIOUYNC", "áéíóúýñçÁÉÍÓÚÝÑÇ")
_KEPT = re.compile(r"(\{\w+\}|%L?n|%\d|&&|\(\w*\|?\w+\))")
_FORMS = re.compile(r"\((?:(\w*)\|)?(\w+)\)")
_LONGER = 0.4
OPEN, CLOSE = "⟦", "⟧"
_FILLER = "~ "
RTL_MARK = "\u2067"
RTL_END = "\u2069"


@cache
def sources() -> frozenset[str]:
    """Return all translatable texts of the program."""
    tree = ET.parse(resource("translations/filemill_de.ts"))
    return frozenset(source.text or "" for source in tree.iter("source"))


def pseudo(text: str) -> str:
    """Return an English text as it might look in a language with long, accented words."""
    if not text:
        return text
    said = "".join(part if _KEPT.fullmatch(part) else part.translate(_ACCENTS) for part in _KEPT.split(text))
    dots = "…" if said.endswith("…") else ""
    room = max(1, round(len(text) * _LONGER))
    # Short words instead of one long word, so that the text wraps as in a real language.
    filler = (_FILLER * room)[:room].strip()
    return f"{OPEN}{said.removesuffix('…')} {filler}{CLOSE}{dots}"


class PseudoTranslator(QTranslator):
    """Translates all texts, Qt's too.

    Args:
        rtl: Whether to mark each text as right-to-left.
        parent: The Qt parent.
    """

    def __init__(self, *, rtl: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rtl = rtl

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        """Return False: there is a translation for every text."""
        return False

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        """Return the pseudo-translation, without plural forms, which `tr` handles.

        Of the program's texts, only those in the `.ts` file are translated; any other text is a name.
        """
        if text == "QT_LAYOUT_DIRECTION" or not text.strip() or (not context and text not in sources()):
            return text
        said = pseudo(text)
        return f"{RTL_MARK}{said}{RTL_END}" if self._rtl else said


@contextmanager
def speaking(application: QApplication, *, rtl: bool = False) -> Iterator[None]:
    """Pseudo-translate all texts created within the context, and use its layout direction."""
    translator = PseudoTranslator(rtl=rtl, parent=application)
    before, locale = application.layoutDirection(), QLocale()
    application.installTranslator(translator)
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft if rtl else Qt.LayoutDirection.LeftToRight)
    try:
        yield
    finally:
        application.removeTranslator(translator)
        application.setLayoutDirection(before)
        QLocale.setDefault(locale)

"""The file that an exported list is written to: what is suggested, and what is meant by what was typed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale

from desktop_app.gui.export.exporter import Format
from desktop_app.gui.texts import tr


def named_file(typed: str, folder: str, suffix: str) -> Path | None:
    """The file that is meant by what a person typed; None if nothing was.

    Args:
        typed: A path; `~` is the person's own folder.
        folder: Where a name without a folder lies.
        suffix: What its name ends in; put behind where it is missing.
    """
    text = typed.strip()
    if not text:
        return None
    path = Path.home() / text.lstrip("~").lstrip("/\\") if text.startswith("~") else Path(folder) / text
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)


def usual_format() -> Format:
    """What spreadsheets open well with a double click: they expect the list separator of the person's country."""
    return Format.CSV_SEMICOLON if QLocale().decimalPoint() == "," else Format.CSV


def suggested_name() -> str:
    """A file name without its end, which is unlikely to be there already."""
    moment = QDateTime.currentDateTime().toString("yyyy-MM-dd HH.mm.ss")
    return tr("Filemill list {moment}").format(moment=moment)

"""The product's name, publisher and addresses, used in all packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from desktop_app import __version__
from desktop_app.config.paths import APP_NAME

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Product:
    """The product's data for packages.

    Attributes:
        name: The name to show.
        command: The command; also the name of the executable, the package and the desktop entry.
        id: The reverse domain name for AppStream and macOS.
        windows_id: The ID by which Windows finds an installed version to upgrade. Never change it.
        version: The version, from `desktop_app/__init__.py`.
        publisher, contact, homepage: Placeholders, to be replaced before the first release: nobody can register a
            domain under `.example` (RFC 2606).
        summary: One line, without a full stop.
    """

    name: str = APP_NAME
    command: str = APP_NAME.lower()
    id: str = "org.filemill.filemill"
    windows_id: str = "5C0E9B7A-8C5D-4B0E-9D3B-6E6F2B8A4F17"
    version: str = __version__
    publisher: str = "The Filemill developers"
    contact: str = "developers@filemill.example"
    homepage: str = "https://filemill.example"
    summary: str = "Process many files through a queue and follow the status of each one"


PRODUCT = Product()
KINDS = {
    "txt": "text/plain",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "log": "text/x-log",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "xml": "application/xml",
    "md": "text/markdown",
}
"""The file types for which file managers offer Filemill, never as the default: MIME types by suffix."""


def filled(template: Path, **values: str) -> str:
    """Return a template's text, filled in with the product's data and the given values.

    Raises:
        KeyError: If the template contains another name.
    """
    facts = {name: getattr(PRODUCT, name) for name in Product.__dataclass_fields__}
    return Template(template.read_text(encoding="utf-8")).substitute(facts, **values)

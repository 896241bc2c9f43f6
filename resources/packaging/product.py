"""The product's name, publisher and addresses, from which all packages take them."""

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
        name: For people.
        command: What is typed; also the name of the program's file, of the package and of the desktop entry.
        id: A reverse domain name, as AppStream and macOS want one.
        windows_id: What Windows knows an installed version by, so that a newer one replaces it: never another one.
        version: As in `desktop_app/__init__.py`.
        publisher, contact, homepage: Who answers for it. To be set to real ones before the first release: `.example`
            is a name that nobody can have (RFC 2606).
        summary: In a few words, without a full stop.
    """

    name: str = APP_NAME
    command: str = APP_NAME.lower()
    id: str = "org.filemill.filemill"
    windows_id: str = "5C0E9B7A-8C5D-4B0E-9D3B-6E6F2B8A4F17"
    version: str = __version__
    publisher: str = "The Filemill developers"
    contact: str = "developers@filemill.example"
    homepage: str = "https://filemill.example"
    summary: str = "Process many files through a queue and watch each one end"


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
"""The file types for which file managers offer Filemill, never as the default: suffix and MIME type."""


def filled(template: Path, **values: str) -> str:
    """Return a template of this folder filled with the product's data and other values.

    Raises:
        KeyError: If the template asks for something else.
    """
    facts = {name: getattr(PRODUCT, name) for name in Product.__dataclass_fields__}
    return Template(template.read_text(encoding="utf-8")).substitute(facts, **values)

"""Count the pages and words of PDF files.

PDFium is imported in functions, since it is only needed in the child process. It is not thread-safe, and can end the
process, for example if there is not enough memory.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO

from desktop_app.domain.fields import Field, Option, Value
from desktop_app.domain.sentences import foreign_text, mark, shortened
from desktop_app.processing.processor import Limits, bad_content, missing_library, opened, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer
    from pypdfium2 import PdfDocument

    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source

MOST_PAGES = 100_000
"""A file that says it has more is refused."""
MOST_CHARACTERS = 1_000_000
"""The maximum number of characters on a page."""
LIMITS = Limits(seconds=120.0)
_START_BYTES = _END_BYTES = 4096
"""Where the version and the mark of the end are looked for, in bytes; other bytes may precede or follow them."""
_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_MOST_TEXT = 200
_NEEDS_PASSWORD, _UNKNOWN_SECURITY = 4, 5
"""Error codes of PDFium."""

PAGES = Field("pages", int, mark("Pages"))
WORDS = Field("words", int, mark("Words"))
TITLE = Field("title", str, mark("Title"))
AUTHOR = Field("author", str, mark("Author"))
ENCRYPTED = Field("encrypted", bool, mark("Encrypted"))
DAMAGED = Field("damaged", bool, mark("Damaged"))
VERSION = Field("version", str, mark("PDF version"))
COUNT_WORDS = Option("count_words", default=True, title=mark("Count the words"))
MOST_PAGES_READ = Option(
    "most_pages",
    default=2000,
    title=mark("Count words up to this number of pages"),
    least=1,
    most=MOST_PAGES,
    hint=mark("For longer documents, there is no number of words."),
)


class PdfProcessor:
    """Counts the pages and words of PDF files. Has no state.

    A file that needs a password is valid: it has a version, and is `encrypted`. A file whose table of contents
    (cross-reference table) is not valid is `damaged`, but can be read, unless its end is missing.
    """

    name = "pdf"
    version = 1
    title = mark("PDF document")
    fields = (PAGES, WORDS, TITLE, AUTHOR, ENCRYPTED, DAMAGED, VERSION)
    options = (COUNT_WORDS, MOST_PAGES_READ)
    limits: Limits | None = LIMITS

    @property
    def unavailable(self) -> str:
        """See `Processor.unavailable`."""
        return missing_library("pypdfium2", "pypdfium2", "pdf")

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: what a file is is decided by its content."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:  # noqa: ARG002
        """Count the pages and words; see `Processor.process`."""
        import pypdfium2

        most_read = int(options[MOST_PAGES_READ.name]) if options[COUNT_WORDS.name] is True else 0
        with opened(source) as plain, _GuardedFile(plain) as file:
            version = _VERSION.search(plain.read(_START_BYTES))
            if version is None:
                raise bad_content("it is not a PDF document")
            values: dict[str, Value] = {VERSION.name: version[1].decode()}
            plain.seek(max(0, source.size - _END_BYTES))
            has_end = b"%%EOF" in plain.read(_END_BYTES)
            try:
                with pypdfium2.PdfDocument(file) as document:
                    values |= _properties(document, has_end=has_end)
                    if len(document) <= most_read:
                        values[WORDS.name] = _count_words(document)
            except pypdfium2.PdfiumError as error:
                if error.err_code not in {_NEEDS_PASSWORD, _UNKNOWN_SECURITY}:
                    file.raise_error()
                    why = foreign_text(shortened(str(error), _MOST_TEXT))
                    raise bad_content(f"the document can't be read: {why}") from error
                values[ENCRYPTED.name] = True
            file.raise_error()
        return values


def _properties(document: PdfDocument, *, has_end: bool) -> dict[str, Value]:
    """Return the values of the fields that are known without reading the pages."""
    import pypdfium2.raw

    pages = len(document)
    if pages > MOST_PAGES:
        raise too_large(f"it has {pages} pages; at most {MOST_PAGES} are processed")
    is_damaged = not pypdfium2.raw.FPDF_DocumentHasValidCrossReferenceTable(document)
    if is_damaged and not has_end:
        raise bad_content("the end of the document is missing")
    values: dict[str, Value] = {
        PAGES.name: pages,
        ENCRYPTED.name: pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document) >= 0,
        DAMAGED.name: is_damaged,
    }
    for field, key in ((TITLE, "Title"), (AUTHOR, "Author")):
        text = foreign_text(shortened(document.get_metadata_value(key).strip(), _MOST_TEXT))
        if text:
            values[field.name] = text
    return values


def _count_words(document: PdfDocument) -> int:
    """Return the number of words, which are separated by white space."""
    words = 0
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        if text.count_chars() > MOST_CHARACTERS:
            raise too_large(f"page {number + 1} has more than {MOST_CHARACTERS} characters")
        words += len(text.get_text_range().split())
        text.close()
        page.close()
    return words


class _GuardedFile(io.RawIOBase):
    """A file that remembers its first error: compiled code, which calls `readinto`, ignores exceptions.

    Args:
        file: The file.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            self.raise_error()  # the file is not read any further
            content = self._file.read(len(view))
        except BaseException as error:  # noqa: BLE001 - it is raised by `raise_error`
            self._error = error
            return 0
        view[: len(content)] = content
        return len(content)

    def raise_error(self) -> None:
        """Raise the first error, if there was one."""
        if self._error is not None:
            raise self._error

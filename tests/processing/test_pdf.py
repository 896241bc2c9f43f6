"""PDF documents: their properties, and documents that can't be read."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import re
import shutil
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from PySide6.QtCore import QBuffer
from PySide6.QtGui import QPageSize, QPainter, QPdfWriter

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.processing import processor
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.pdf import LIMITS, MOST_PAGES, PdfProcessor, _GuardedFile
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import ProcessorRegistry, default_registry
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from PySide6.QtGui import QGuiApplication

MEMORY = 400 << 20
"""No hostile file may use more."""


@pytest.fixture(scope="module")
def shared() -> Iterator[HelperProcess]:
    """Return one child process for all files, as in a worker."""
    with closing(HelperProcess()) as helper:
        yield helper


def processed(helper: HelperProcess, path: Path, options: str = "") -> Mapping[str, object]:
    result = helper.process(str(path), RecordingWatch(), "pdf", options, LIMITS)
    assert result.lines_count is None
    return result.values


def read(path: Path, options: str = "") -> Mapping[str, object]:
    """Return the values of a harmless document, which is read in this process."""
    return default_registry().process(str(path), RecordingWatch(), processor="pdf", options=options).values


def outcome(helper: HelperProcess, path: Path, *, may_abort: bool = False) -> Mapping[str, object] | ReasonCode:
    """Return the values, or why a file fails; the child must use little memory, and go on unless it may abort."""
    helper.probe("/")
    child = helper._child
    assert child is not None
    if sys.platform == "linux":
        Path(f"/proc/{child._process.pid}/clear_refs").write_text("5")  # begins to measure the peak again
    found: Mapping[str, object] | ReasonCode
    try:
        found = processed(helper, path)
    except FileError as error:
        assert not error.passing  # noqa: PT017 - or it is read
        found = error.reason.code
    if may_abort:
        return found
    assert helper._child is child
    if sys.platform == "linux":
        status = Path(f"/proc/{child._process.pid}/status").read_text()
        assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) << 10 < MEMORY
    return found


# --- making documents


def pdf(*objects: bytes, trailer: bytes = b"", version: bytes = b"1.7") -> bytes:
    """Return a document of objects that are numbered from 1; the first one is the catalog."""
    content = b"%PDF-" + version + b"\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), more, content)


def packed(content: bytes) -> bytes:
    return stream(zlib.compress(content, 9), b"/Filter/FlateDecode")


def document(
    text: bytes = b"BT /F 12 Tf 10 100 Td (three small words) Tj ET", pages: int = 1, trailer: bytes = b"", *more: bytes
) -> bytes:
    kids = b"3 0 R " * pages
    return pdf(
        CATALOG, b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids), PAGE, stream(text), FONT, *more, trailer=trailer
    )


def with_contents(contents: bytes, *more: bytes) -> bytes:
    return pdf(CATALOG, b"<</Type/Pages/Count 1/Kids[3 0 R]>>", PAGE, contents, FONT, *more)


PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def rc4(key: bytes, content: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in content:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def encrypted(password: bytes) -> bytes:
    """Return a document that is encrypted as in PDF 1.1; an empty password only restricts what may be done."""
    padded = (password + PADDING)[:32]
    owner = rc4(hashlib.md5((b"owner" + PADDING)[:32]).digest()[:5], padded)
    key = hashlib.md5(padded + owner + (-4).to_bytes(4, "little", signed=True) + b"0123456789abcdef").digest()[:5]
    user = rc4(key, PADDING)
    protection = b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (owner.hex().encode(), user.hex().encode())
    name = b"<%s>" % b"0123456789abcdef".hex().encode()
    return pdf(
        CATALOG,
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        protection,
        trailer=b"/Encrypt 4 0 R/ID[%s%s]" % (name, name),
    )


# --- files that other programs have made


@pytest.fixture(scope="module")
def real_files(tmp_path_factory: pytest.TempPathFactory, qapp: QGuiApplication) -> list[Path]:
    """Return the documents in the packages on this computer, and those that Qt and Pillow write."""
    folder = tmp_path_factory.mktemp("real")
    found = []
    for path in sorted(Path("/usr/share/doc").rglob("*.pdf*")):
        if path.name.endswith((".pdf", ".pdf.gz")):
            target = folder / path.name.removesuffix(".gz")
            target.write_bytes(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
            found.append(target)
    for pages in (1, 3):
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
        writer.setTitle("Übersicht")
        painter = QPainter(writer)
        for number in range(pages):
            if number:
                writer.newPage()
            painter.drawText(100, 100, "Hello from Qt")
        painter.end()
        (folder / f"qt{pages}.pdf").write_bytes(buffer.data().data())
        pictures = [Image.new("RGB", (50, 50)) for _ in range(pages)]
        pictures[0].save(folder / f"pillow{pages}.pdf", save_all=True, append_images=pictures[1:], title="A picture")
        found += [folder / f"qt{pages}.pdf", folder / f"pillow{pages}.pdf"]
    return found


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs pdfinfo and pdftotext")
def test_real_documents_have_what_another_program_reads(shared: HelperProcess, real_files: list[Path]) -> None:
    for path in real_files:
        values = processed(shared, path)
        said = subprocess.run(["pdfinfo", path], capture_output=True, check=True).stdout.decode("utf-8", "replace")
        info = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        assert values["pages"] == int(info["Pages"]), path
        assert values["version"] == info["PDF version"].strip(), path
        assert values.get("title", "") == info.get("Title", "").strip(), path
        assert values["encrypted"] is not info["Encrypted"].strip().startswith("no"), path
        assert values["damaged"] is False
        text = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode(
            "utf-8", "replace"
        )
        # They divide formulas and hyphenated words differently.
        assert values["words"] == pytest.approx(len(text.split()), rel=0.1, abs=3), path


def test_documents_of_qt_and_pillow_are_read(real_files: list[Path]) -> None:
    values = {path.name: read(path) for path in real_files}
    assert (values["qt3.pdf"]["pages"], values["qt3.pdf"]["title"]) == (3, "Übersicht")
    assert (values["pillow3.pdf"]["pages"], values["pillow3.pdf"]["title"]) == (3, "A picture")


# --- properties


def test_pages_and_words_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(document(pages=7))
    assert read(tmp_path / "a") == {
        "version": "1.7",
        "pages": 7,
        "words": 21,
        "encrypted": False,
        "damaged": False,
    }


def test_words_of_long_documents_are_not_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(document(pages=11))
    for options in ('{"most_pages": 10}', '{"count_words": false}'):
        values = read(tmp_path / "a", options)
        assert (values["pages"], "words" in values) == (11, False)
    assert read(tmp_path / "a", '{"most_pages": 11}')["words"] == 33


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (b"(Plain)", "Plain"),
        (b"<FEFF00DC0062>", "Üb"),
        (b"()", None),
        (b"(a\\nb)", "a\\nb"),
        (b"<FEFF006100070062>", "a\\x07b"),
        (b"<FEFF202E0061>", "\\u202ea"),
        (b"(" + b"x" * 1_000_000 + b")", "x" * 199 + "…"),
        (b" 7", None),
    ],
)
def test_title_is_plain_text(tmp_path: Path, title: bytes, expected: str | None) -> None:
    info = b"<</Title%s/Author(A. Uthor)>>" % title
    (tmp_path / "a").write_bytes(document(b"", 1, b"/Info 6 0 R", info))
    values = read(tmp_path / "a")
    assert (values.get("title"), values["author"]) == (expected, "A. Uthor")


def test_document_that_needs_a_password_is_encrypted_and_not_failed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encrypted(b"secret"))
    assert read(tmp_path / "a") == {"version": "1.7", "encrypted": True}
    (tmp_path / "a").write_bytes(encrypted(b""))
    values = read(tmp_path / "a")
    assert (values["pages"], values["encrypted"]) == (1, True)


def test_document_with_a_wrong_table_is_damaged_but_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(re.sub(rb"startxref\n\d+", b"startxref\n7", document()))
    values = read(tmp_path / "a")
    assert (values["pages"], values["words"], values["damaged"]) == (1, 3, True)


def test_bytes_before_and_after_the_document_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"From: x\n\n" + document() + b"\0" * 500)
    assert read(tmp_path / "a")["words"] == 3


# --- broken and hostile files

NOT_VALID: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"hello\n" * 100,
    "random bytes": lambda: random.Random(1).randbytes(100_000),
    "random bytes after the header": lambda: b"%PDF-1.4\n" + random.Random(2).randbytes(100_000),
    "only a header": lambda: b"%PDF-1.7\n%%EOF\n",
    "no pages": lambda: pdf(CATALOG, b"<</Type/Pages/Count 0/Kids[]>>"),
    "catalog is missing": lambda: pdf(b"<</Type/Font>>"),
    "catalog is a number": lambda: pdf(b"7"),
    "pages are missing": lambda: pdf(CATALOG),
    "catalog refers to itself": lambda: pdf(b"1 0 R"),
    "arrays in arrays": lambda: pdf(CATALOG, b"[" * 200_000),
    "page that is no page": lambda: pdf(CATALOG, b"<</Type/Pages/Count 1/Kids[4 0 R]>>", b"7", b"7"),
}

UNUSUAL: dict[str, Callable[[], bytes]] = {
    "dictionaries in dictionaries": lambda: pdf(CATALOG, b"<</A" * 200_000),
    "tables in a loop": lambda: document(trailer=b"/Prev 9"),
    "table that refers to itself": lambda: re.sub(
        rb"/Prev 99999", lambda _: b"/Prev %05d" % document().index(b"xref\n"), document(trailer=b"/Prev 99999")
    ),
    "tree of pages that contains itself": lambda: pdf(
        CATALOG, b"<</Type/Pages/Count 3/Kids[2 0 R 3 0 R 2 0 R]>>", PAGE, stream(b""), FONT
    ),
    "wrong number of pages": lambda: pdf(CATALOG, b"<</Type/Pages/Count 500/Kids[3 0 R]>>", PAGE, stream(b""), FONT),
    "negative number of pages": lambda: pdf(CATALOG, b"<</Type/Pages/Count -1/Kids[3 0 R]>>", PAGE, stream(b""), FONT),
    "million letters": lambda: with_contents(packed(b"BT /F 1 Tf (" + b"x" * 1_000_000 + b") Tj ET")),
    "million operators": lambda: with_contents(packed(b"q " * 1_000_000)),
    "100,000 texts": lambda: with_contents(packed(b"BT /F 1 Tf " + b"(a b) Tj " * 100_000 + b"ET")),
    "arrays in contents": lambda: with_contents(packed(b"[" * 1_000_000)),
    "form that draws itself": lambda: with_contents(
        stream(b"/X Do"), stream(b"/X Do", b"/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>")
    ),
    "length without end": lambda: document().replace(b"/Length", b"/Length 99999999999 /X"),
    "table with huge numbers": lambda: document().replace(b"xref\n0 6", b"xref\n4294967290 6"),
    "size of the table": lambda: document().replace(b"/Size 6", b"/Size 2147483647"),
    "font that is its own parent": lambda: document().replace(b"/BaseFont/Helvetica", b"/DescendantFonts[5 0 R]"),
    "page with endless parents": lambda: document().replace(b"/MediaBox[0 0 200 200]", b"/Parent 3 0 R"),
    "huge page": lambda: document().replace(b"[0 0 200 200]", b"[0 0 1e38 1e38]"),
    "filters without end": lambda: with_contents(stream(b"x", b"/Filter[" + b"/FlateDecode" * 50_000 + b"]")),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_VALID)
def test_file_that_is_no_valid_document_fails(shared: HelperProcess, tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(NOT_VALID[name]())
    assert outcome(shared, tmp_path / "a") is ReasonCode.BAD_CONTENT


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_document_is_read_or_has_a_plain_reason(shared: HelperProcess, tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(UNUSUAL[name]())
    found = outcome(shared, tmp_path / "a")
    if isinstance(found, ReasonCode):
        assert found in {ReasonCode.BAD_CONTENT, ReasonCode.TOO_LARGE}
    else:
        assert found["version"] == "1.7"


def test_reasons_are_the_same_without_isolation(tmp_path: Path) -> None:
    letters = b"BT /F 1 Tf " + b"(%s) Tj " % (b"x" * 30_000) * 35 + b"ET"
    made = {
        **{name: (make, ReasonCode.BAD_CONTENT) for name, make in NOT_VALID.items()},
        "cut off": (lambda: document()[:-60], ReasonCode.BAD_CONTENT),
        "letters": (lambda: with_contents(packed(letters)), ReasonCode.TOO_LARGE),
        "pages": (lambda: document(pages=MOST_PAGES + 1), ReasonCode.TOO_LARGE),
    }
    for name, (make, code) in made.items():
        (tmp_path / "a").write_bytes(make())
        with pytest.raises(FileError) as caught:
            read(tmp_path / "a")
        assert caught.value.reason.code is code, name


@pytest.mark.parametrize("layers", [1, 2])
def test_document_that_is_unpacked_to_too_much_is_refused(shared: HelperProcess, tmp_path: Path, layers: int) -> None:
    """PDFium then ends its process."""
    bomb = bytes(1 << 30)
    for _ in range(layers):
        bomb = zlib.compress(bomb, 1)
    (tmp_path / "a").write_bytes(with_contents(stream(bomb, b"/Filter[" + b"/FlateDecode" * layers + b"]")))
    assert outcome(shared, tmp_path / "a", may_abort=True) is ReasonCode.TOO_LARGE
    (tmp_path / "a").write_bytes(document())
    assert processed(shared, tmp_path / "a")["words"] == 3


@pytest.mark.parametrize("levels", [2, 3])
def test_document_with_a_million_pages_is_refused(shared: HelperProcess, tmp_path: Path, levels: int) -> None:
    """The tree of pages is small, because each level repeats the next one."""
    each = round(1_000_000 ** (1 / levels))
    nodes = [
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (each ** (levels - level), b"%d 0 R " % (level + 3) * each)
        for level in range(levels)
    ]
    (tmp_path / "a").write_bytes(pdf(CATALOG, *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>"))
    assert outcome(shared, tmp_path / "a") is ReasonCode.TOO_LARGE


def test_longest_document_is_counted(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(document(pages=MOST_PAGES))
    assert processed(shared, tmp_path / "a")["pages"] == MOST_PAGES
    (tmp_path / "a").write_bytes(document(pages=MOST_PAGES + 1))
    assert outcome(shared, tmp_path / "a") is ReasonCode.TOO_LARGE


def test_page_with_too_many_letters_is_refused(shared: HelperProcess, tmp_path: Path) -> None:
    text = b"BT /F 1 Tf " + b"(%s) Tj " % (b"x" * 30_000) * 35 + b"ET"
    (tmp_path / "a").write_bytes(with_contents(packed(text)))
    assert outcome(shared, tmp_path / "a") is ReasonCode.TOO_LARGE


def test_document_that_is_cut_off_fails(shared: HelperProcess, tmp_path: Path, real_files: list[Path]) -> None:
    for path in real_files:
        whole = path.read_bytes()
        for tenth in range(10):
            (tmp_path / "a").write_bytes(whole[: len(whole) * tenth // 10])
            assert outcome(shared, tmp_path / "a") is ReasonCode.BAD_CONTENT, (path, tenth)


def test_damaged_document_has_a_plain_reason_or_is_read(
    shared: HelperProcess, tmp_path: Path, real_files: list[Path]
) -> None:
    whole = min(real_files, key=lambda path: path.stat().st_size).read_bytes()
    for seed in range(60):
        chosen = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(1 + seed // 5):
            damaged[chosen.randrange(20, len(damaged))] = chosen.randrange(256)
        (tmp_path / "a").write_bytes(damaged)
        found = outcome(shared, tmp_path / "a")
        assert found is ReasonCode.BAD_CONTENT or not isinstance(found, ReasonCode)


# --- reading, and without PDFium


def test_error_while_reading_is_not_taken_for_bad_content(tmp_path: Path) -> None:
    """PDFium is compiled code, which would only see that there are no bytes."""
    (tmp_path / "a").write_bytes(document(b" " * (2 << 20)))  # not read at once
    for question in range(1, 6):
        watch = RecordingWatch(stop_at_question=question)
        with pytest.raises(Cancelled):
            ProcessorRegistry([PdfProcessor()]).process(str(tmp_path / "a"), watch, processor="pdf")


def test_first_error_of_a_file_is_kept() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("first")

    file = _GuardedFile(Broken())
    file.raise_error()
    assert file.readinto(bytearray(4)) == 0
    assert file.readinto(bytearray(4)) == 0
    with pytest.raises(OSError, match="first"):
        file.raise_error()


def test_without_pdfium_the_command_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "find_spec", lambda _: None)
    registry = default_registry()
    found = registry.find("pdf")
    assert found is not None
    assert "filemill[pdf]" in found.unavailable
    assert "pdf" not in registry.versions

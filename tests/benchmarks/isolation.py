"""Measure processors that run in a child process, compared with their libraries alone in a loop.

    python -m tests.benchmarks.isolation

The files are written to a temporary folder and are in the page cache. All take turns in one run, since the computer may
be busy: compare ratios, not runs. The libraries alone run in this process, on one thread; so do the requests to the
child process.
"""

from __future__ import annotations

import io
import random
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
from PIL import Image

from desktop_app.processing import image, pdf
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.registry import default_registry
from tests.benchmarks._results import at_least, at_most, note

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.processing.processor import Limits

TURNS = 5
SMALL_FILES = 2_000
GOAL = 0.7


class NoWatch:
    """A watch that nobody looks at."""

    attempt_id = ""

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Do nothing."""

    def on_access(self, *, begins: bool) -> None:
        """Do nothing."""

    def cancelled(self) -> bool:
        return False


def seconds(*works: Callable[[], object]) -> list[float]:
    """Return the median time of each function; they take turns."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for work, each in zip(works, taken, strict=True):
            begun = time.perf_counter()
            work()
            each.append(time.perf_counter() - begun)
    return [statistics.median(each) for each in taken]


def in_child(helper: HelperProcess, paths: list[Path], processor: str, limits: Limits | None) -> Callable[[], None]:
    """Return a function that processes files in a child process."""

    def process() -> None:
        for path in paths:
            helper.process(str(path), NoWatch(), processor, "", limits)

    return process


def decode(paths: list[Path]) -> Callable[[], None]:
    """Return a function that decodes pictures with Pillow alone."""

    def process() -> None:
        for path in paths:
            with Image.open(path) as picture:
                picture.load()

    return process


def count_words(paths: list[Path]) -> Callable[[], int]:
    """Return a function that counts words with PDFium alone."""

    def process() -> int:
        words = 0
        for path in paths:
            with pypdfium2.PdfDocument(path) as document:
                for page in document:
                    text = page.get_textpage()
                    words += len(text.get_text_range().split())
                    text.close()
                    page.close()
        return words

    return process


def picture(width: int, height: int) -> Image.Image:
    """Return a picture that is not quickly compressed, like a photograph."""
    coarse = Image.frombytes("RGB", (width // 16, height // 16), random.Random(1).randbytes(width * height // 256 * 3))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def write_pdf(path: Path, pages: int) -> None:
    """Write a document with 400 words on each page."""
    line = b" ".join(b"word%d" % number for number in range(10))
    text = b"BT /F 10 Tf 50 800 Td " + b"(%s) Tj 0 -15 Td " % line * 40 + b"ET"
    kids = b"".join(b"%d 0 R " % (number + 4) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>>>" % (pages, kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (pages + 4) for _ in range(pages)),
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
    ]
    content, places = io.BytesIO(b"%PDF-1.7\n"), []
    content.seek(0, io.SEEK_END)
    for number, each in enumerate(objects, 1):
        places.append(content.tell())
        content.write(b"%d 0 obj\n%s\nendobj\n" % (number, each))
    start = content.tell()
    content.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    content.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    content.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    path.write_bytes(content.getvalue())


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="filemill-benchmark-") as name, closing(HelperProcess()) as helper:
        folder = Path(name)
        small = [folder / f"{number}.txt" for number in range(SMALL_FILES)]
        for path in small:
            path.write_bytes(b"some\nlines\n" * 20)

        def start() -> None:
            with closing(HelperProcess()) as fresh:
                fresh.process(str(small[0]), NoWatch())

        registry = default_registry()
        started, isolated, here = seconds(
            start,
            in_child(helper, small, "lines", None),
            lambda: [registry.process(str(path), NoWatch()) for path in small],
        )
        at_most("starting a child process, with its first file", started * 1000, "ms", 300)
        at_most("handing a small file to a child process", (isolated - here) / SMALL_FILES * 1e6, "µs", 500)

        photo = folder / "photo.jpg"
        picture(6000, 4000).save(photo, quality=90)
        scan = folder / "scan.png"
        picture(2400, 1600).save(scan)
        icon = folder / "icon.png"
        picture(256, 256).save(icon)
        for what, paths, goal in (
            ("photographs of 24 megapixels (JPEG)", [photo] * 4, GOAL),
            ("pictures of 4 megapixels (PNG)", [scan] * 8, GOAL),
            ("pictures of 256 × 256 pixels (PNG)", [icon] * 200, GOAL),  # noqa: RUF001 - a text
        ):
            own, peer = seconds(in_child(helper, paths, "image", image.LIMITS), decode(paths))
            at_least(what, len(paths) / own, "files/s", peer="Pillow alone", against=len(paths) / peer, goal=goal)

        def thumbnails() -> None:
            if helper.thumbnail(str(photo)) is None:
                raise RuntimeError("there is no thumbnail")

        (took,) = seconds(thumbnails)
        at_most("a thumbnail of a photograph of 24 megapixels", took * 1000, "ms", 300)

        book = folder / "book.pdf"
        write_pdf(book, 200)
        leaf = folder / "leaf.pdf"
        write_pdf(leaf, 2)
        for what, paths in (("documents of 200 pages (PDF)", [book] * 2), ("documents of 2 pages (PDF)", [leaf] * 100)):
            own, peer = seconds(in_child(helper, paths, "pdf", pdf.LIMITS), count_words(paths))
            at_least(what, len(paths) / own, "files/s", peer="PDFium alone", against=len(paths) / peer, goal=GOAL)
        note("words of the document of 200 pages", f"{count_words([book])():,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

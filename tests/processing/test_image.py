"""Pictures: their properties, pictures that can't be decoded, and thumbnails."""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.processing import processor
from desktop_app.processing.image import LIMITS, MOST_FRAMES, thumbnail
from desktop_app.processing.isolation import HelperProcess
from desktop_app.processing.registry import FileResult, default_registry
from desktop_app.sources.local import open_source
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 200 << 20
"""No hostile file may use more."""


@pytest.fixture(scope="module")
def shared() -> Iterator[HelperProcess]:
    """Return one child process for all files, as in a worker."""
    with closing(HelperProcess()) as helper:
        yield helper


def processed(helper: HelperProcess, path: Path, options: str = "") -> Mapping[str, object]:
    result: FileResult = helper.process(str(path), RecordingWatch(), "image", options, LIMITS)
    assert result.lines_count is None
    assert result.file_size == path.stat().st_size
    return result.values


def read(path: Path, options: str = "") -> Mapping[str, object]:
    """Return the values of a harmless picture, which is read in this process."""
    return default_registry().process(str(path), RecordingWatch(), processor="image", options=options).values


def failure(helper: HelperProcess, path: Path, options: str = "") -> tuple[ReasonCode, str]:
    """Return why a file fails; the child process must go on, and use little memory."""
    helper.probe("/")
    child = helper._child
    assert child is not None
    if sys.platform == "linux":
        Path(f"/proc/{child._process.pid}/clear_refs").write_text("5")  # begins to measure the peak again
    with pytest.raises(FileError) as caught:
        processed(helper, path, options)
    assert not caught.value.passing
    assert helper._child is child
    if sys.platform == "linux":
        status = Path(f"/proc/{child._process.pid}/status").read_text()
        assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) << 10 < MEMORY
    return caught.value.reason.code, str(caught.value.reason)


def encoded(picture: Image.Image, kind: str, **how: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **how)
    return content.getvalue()


def noise(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(7).randbytes(size))


# --- files that other programs have made


def real_files() -> list[Path]:
    """Return pictures on this computer, of all kinds; those of the Python distribution were made by ImageMagick."""
    test = Path(os.__file__).parent / "test"
    found = [path for folder in ("imghdrdata", "test_email/data") for path in sorted((test / folder).glob("python.*"))]
    found += sorted((Path(os.__file__).parent / "idlelib" / "Icons").glob("*.*"))
    found += (
        sorted((ROOT / "resources" / "icons").rglob("*.png"))[:10] + sorted(Path("/usr/share").rglob("*.jp*g"))[:10]
    )
    kinds = {".bmp", ".gif", ".ico", ".jpg", ".jpeg", ".pbm", ".pgm", ".png", ".ppm", ".tiff", ".webp"}
    return [path for path in found if path.suffix in kinds]


def measured_by_file(path: Path) -> tuple[int, int] | None:
    """Return the width and height that the program `file` reads; None if it does not say."""
    said = subprocess.run(["file", "--brief", path], capture_output=True, text=True, check=True).stdout
    if path.suffix in {".ico", ".tiff", ".webp"}:
        return None
    found = re.findall(r"\b(\d+) ?x ?(\d+)\b(?! *dpi)", re.sub(r"density \d+x\d+", "", said))
    return (int(found[0][0]), int(found[0][1])) if found else None


@pytest.mark.skipif(shutil.which("file") is None, reason="needs the program `file`")
def test_real_pictures_have_the_size_that_another_program_reads(shared: HelperProcess) -> None:
    compared = 0
    for path in real_files():
        values = processed(shared, path)
        assert values["frames"] == 1, path
        expected = measured_by_file(path)
        if expected is not None:
            assert (values["width"], values["height"]) == expected, path
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("PNG", "RGBA", "PNG"),
        ("JPEG", "RGB", "JPEG"),
        ("JPEG", "CMYK", "JPEG"),
        ("MPO", "RGB", "JPEG"),
        ("GIF", "L", "GIF"),
        ("TIFF", "RGB", "TIFF"),
        ("WEBP", "RGB", "WEBP"),
        ("AVIF", "RGB", "AVIF"),
        ("JPEG2000", "RGB", "JPEG2000"),
        ("BMP", "RGB", "BMP"),
        ("PPM", "RGB", "PPM"),
        ("QOI", "RGB", "QOI"),
        ("ICNS", "RGBA", "ICNS"),
    ],
)
@pytest.mark.parametrize("options", ["", '{"decode": false}'])
def test_all_formats_are_read(tmp_path: Path, kind: str, mode: str, expected: str, options: str) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(128, 128, mode), kind))
    values = dict(read(tmp_path / "a", options))
    assert values.pop("format") == expected
    if kind != "ICNS":  # has pictures of several sizes
        assert (values["width"], values["height"]) == (128, 128)
    assert values.get("frames") == (None if options else 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_frames_are_counted(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "green", "blue")]
    (tmp_path / "a").write_bytes(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert read(tmp_path / "a")["frames"] == 3


def exif(**changes: object) -> Image.Exif:
    tags = {"orientation": 6, "make": "ACME", "model": "ACME X-1", "taken": "2024:05:01 12:30:00", "offset": "+02:00"}
    tags |= changes
    made = Image.Exif()
    made[0x0112], made[0x010F], made[0x0110] = tags["orientation"], tags["make"], tags["model"]
    made.get_ifd(0x8769).update({0x9003: tags["taken"], 0x9011: tags["offset"]})
    return made


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_is_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(), kind, exif=exif()))
    for options in ("", '{"decode": false}'):
        values = read(tmp_path / "a", options)
        assert (values["width"], values["height"]) == (64, 48)
        assert (values["orientation"], values["camera"]) == (6, "ACME X-1")
        if kind != "TIFF":  # Pillow does not write the time there
            assert values["taken"] == "2024-05-01T12:30:00+02:00"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"orientation": 99}, {"orientation": None}),
        ({"make": "Firm"}, {"camera": "Firm ACME X-1"}),
        ({"make": "", "model": ""}, {"camera": None}),
        ({"model": "ACME\nX\x1b[31m\0junk"}, {"camera": "ACME\\nX\\x1b[31m"}),
        ({"model": "ACME" + "x" * 60_000}, {"camera": "ACME" + "x" * 95 + "…"}),
        ({"taken": "2024:13:45 99:99:99"}, {"taken": None}),
        ({"taken": "    :  :     :  :  "}, {"taken": None}),
        ({"offset": "far"}, {"taken": "2024-05-01T12:30:00"}),
    ],
)
def test_exif_with_anything_in_it_does_no_harm(
    tmp_path: Path, changes: dict[str, object], expected: dict[str, object]
) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(), "JPEG", exif=exif(**changes)))
    values = read(tmp_path / "a")
    assert {name: values.get(name) for name in expected} == expected


def test_exif_that_is_garbage_does_no_harm(tmp_path: Path) -> None:
    good = exif().tobytes()
    for seed in range(40):
        bad = bytearray(good)
        chosen = random.Random(seed)
        for _ in range(1 + seed // 4):
            bad[chosen.randrange(6, len(bad))] = chosen.randrange(256)
        (tmp_path / "a").write_bytes(encoded(noise(), "JPEG", exif=bytes(bad)))
        assert read(tmp_path / "a")["width"] == 64


# --- broken and hostile files


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, rows: bytes | None = None) -> bytes:
    """Return a grey PNG, whose rows may be others than its header says."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    content = zlib.compress(b"\0" * (width + 1) * height if rows is None else rows, 9)
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def tiff(*pages: dict[int, int], next_offset: int | None = None) -> bytes:
    """Return a TIFF with pages of one strip each; the last one refers to another page if `next_offset` is given."""
    content = b"II*\0" + struct.pack("<I", 8)
    for number, page in enumerate(pages):
        tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64} | page
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
        end = len(content) + 2 + len(entries) + 4
        following = end if number + 1 < len(pages) else next_offset or 0
        content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return content + bytes(64)


def gif(width: int, height: int, frames: int, end: bytes = b";") -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame * frames + end


def jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG with another size in its header."""
    content = bytearray(encoded(noise(), "JPEG"))
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def ico(inner: bytes) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def webp(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


BOMB = zlib.compress(bytes(200 << 20), 9)

TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "png of 10 gigapixels": lambda: png(100_000, 100_000, rows=b""),
    "png of 4 exapixels": lambda: png(0x7FFFFFFF, 0x7FFFFFFF, rows=b""),
    "gif of 4 gigapixels": lambda: gif(65535, 65535, 1),
    "jpeg of 4 gigapixels": lambda: jpeg_of(65500, 65500),
    "ppm of a terapixel": lambda: b"P6 1000000 1000000 255\n",
    "bmp of 10 gigapixels": lambda: (
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 100_000, 100_000, 1, 24, 0, 0, 0, 0, 0, 0)
    ),
    "tiff of 10 gigapixels": lambda: tiff({256: 100_000, 257: 100_000}),
    "second page of 10 gigapixels": lambda: tiff({}, {256: 100_000, 257: 100_000, 278: 100_000}),
    "qoi of 10 gigapixels": lambda: b"qoif" + struct.pack(">IIBB", 100_000, 100_000, 4, 0) + bytes(8),
    "webp of 268 megapixels": lambda: webp(b"VP8X" + struct.pack("<IB", 10, 0) + bytes(3) + b"\xff\x3f\x00" * 2),
    "lossy webp of 268 megapixels": lambda: webp(b"VP8 \x0a\0\0\0" + b"\0\0\0\x9d\x01\x2a" + b"\xff\x3f" * 2),
    "lossless webp of 268 megapixels": lambda: webp(b"VP8L" + struct.pack("<I", 10) + b"\x2f" + b"\xff" * 9),
    "icon with a png of 10 gigapixels": lambda: ico(png(100_000, 100_000, rows=b"")),
    "compressed text": lambda: png(8, 8, chunk(b"zTXt", b"Comment\0\0" + BOMB)),
    "international text": lambda: png(8, 8, chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB)),
    "gif with too many frames": lambda: gif(1, 1, MOST_FRAMES + 1),
}  # fmt: skip

NOT_VALID: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"hello\n" * 100,
    "random bytes": lambda: random.Random(1).randbytes(100_000),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) show\n%%EOF\n",
    "windows metafile": lambda: b"\xd7\xcd\xc6\x9a" + bytes(60),
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "pdf": lambda: b"%PDF-1.4\n",
    "targa, which has no signature": lambda: encoded(noise(), "TGA"),
    "only a signature": lambda: b"\x89PNG\r\n\x1a\n",
    "png without pixels": lambda: png(0, 0),
    "png with a wrong sum": lambda: png(8, 8)[:-13] + bytes([png(8, 8)[-13] ^ 1]) + png(8, 8)[-12:],
    "png with a wrong sum in a part that is not decoded": lambda: png(8, 8, b"\0\0\0\1tEXtxABCD"),
    "png without its end": lambda: png(8, 8)[:-12],
    "gif without frames": lambda: gif(8, 8, 0),
    "gif without its end": lambda: gif(8, 8, 3, end=b""),
    "gif with a frame that breaks off": lambda: gif(8, 8, 3, end=b",\0\0"),
    "tiff with a strip outside": lambda: tiff({273: 1 << 30}),
    "tiff with a page outside": lambda: tiff({}, next_offset=1 << 30),
    "tiff without tags": lambda: b"II*\0\x08\0\0\0\0\0\0\0\0\0",
    "tiff with too many tags": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
    "jpeg without data": lambda: encoded(noise(), "JPEG")[:300],
    "icon that lies": lambda: ico(b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "icon without pictures": lambda: b"\0\0\1\0\0\0",
    "icns without pictures": lambda: b"icns\0\0\0\x08",
    "avif that breaks off": lambda: encoded(noise(), "AVIF")[:200],
    "jpeg 2000 that breaks off": lambda: encoded(noise(), "JPEG2000")[:200],
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_picture_that_is_too_large_is_refused_without_using_memory(
    shared: HelperProcess, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a").write_bytes(TOO_LARGE[name]())
    code, text = failure(shared, tmp_path / "a")
    assert code is ReasonCode.TOO_LARGE, text
    assert re.search(r"megapixels|too large|frames", text), text


@pytest.mark.parametrize("name", NOT_VALID)
def test_file_that_is_no_valid_picture_fails(shared: HelperProcess, tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(NOT_VALID[name]())
    code, text = failure(shared, tmp_path / "a")
    assert code is ReasonCode.BAD_CONTENT, text


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "AVIF", "JPEG2000", "QOI", "ICNS"]
)
def test_picture_that_is_cut_off_fails(shared: HelperProcess, tmp_path: Path, kind: str) -> None:
    whole = encoded(noise(mode="RGBA" if kind == "ICNS" else "RGB"), kind)
    for tenth in range(10):
        (tmp_path / "a").write_bytes(whole[: len(whole) * tenth // 10])
        code, text = failure(shared, tmp_path / "a")
        assert code in {ReasonCode.BAD_CONTENT, ReasonCode.TOO_LARGE}, (tenth, text)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "ICNS", "AVIF", "JPEG2000"])
def test_damaged_picture_has_a_plain_reason_or_is_read(shared: HelperProcess, tmp_path: Path, kind: str) -> None:
    whole = encoded(noise(mode="RGBA" if kind == "ICNS" else "RGB"), kind)
    for seed in range(30):
        chosen = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(1 + seed // 5):
            damaged[chosen.randrange(len(damaged))] = chosen.randrange(256)
        (tmp_path / "a").write_bytes(damaged)
        try:
            assert processed(shared, tmp_path / "a")["width"]
        except FileError as error:
            assert error.reason.code in {ReasonCode.BAD_CONTENT, ReasonCode.TOO_LARGE}, seed  # noqa: PT017 - or read


def test_reasons_are_the_same_without_isolation(tmp_path: Path) -> None:
    made = {**NOT_VALID, **TOO_LARGE}
    for name in NOT_VALID.keys() | TOO_LARGE.keys() - {"gif with too many frames"}:
        (tmp_path / "a").write_bytes(made[name]())
        with pytest.raises(FileError) as caught:
            read(tmp_path / "a")
        assert (caught.value.reason.code is ReasonCode.TOO_LARGE) is (name in TOO_LARGE), name


def test_data_of_a_small_picture_are_not_unpacked_further_than_needed(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(png(8, 8, rows=bytes(100 << 20)))
    assert processed(shared, tmp_path / "a")["width"] == 8


def test_pages_in_a_loop_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(tiff({}, {}, next_offset=8))
    assert read(tmp_path / "a")["frames"] == 2


def test_many_frames_are_decoded(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gif(4, 4, MOST_FRAMES))
    assert processed(shared, tmp_path / "a")["frames"] == MOST_FRAMES


def test_largest_size_can_be_chosen(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(png(1500, 1000))
    assert processed(shared, tmp_path / "a", '{"most_megapixels": 2}')["width"] == 1500
    code, text = failure(shared, tmp_path / "a", '{"most_megapixels": 1}')
    assert code is ReasonCode.TOO_LARGE
    assert "1.5 megapixels; at most 1 megapixels" in text


def test_all_frames_together_have_a_limit(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gif(1000, 1000, 11))
    assert processed(shared, tmp_path / "a")["frames"] == 11
    assert failure(shared, tmp_path / "a", '{"most_megapixels": 1}')[0] is ReasonCode.TOO_LARGE


def test_picture_that_is_not_decoded_may_be_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(), "PNG")[:2000])
    assert read(tmp_path / "a", '{"decode": false}')["width"] == 64


# --- thumbnails


def shown(content: bytes | None) -> Image.Image:
    assert content is not None
    picture = Image.open(io.BytesIO(content), formats=["PNG"])
    picture.load()
    return picture


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "CMYK", "F"])
def test_thumbnail_fits_and_keeps_the_proportions(shared: HelperProcess, tmp_path: Path, mode: str) -> None:
    kind = {"CMYK": "JPEG", "F": "TIFF", "I": "TIFF"}.get(mode, "PNG")
    (tmp_path / "a").write_bytes(encoded(Image.new(mode, (1000, 500)), kind))
    picture = shown(shared.thumbnail(str(tmp_path / "a"), 100))
    assert picture.size == (100, 50)
    assert picture.mode in {"L", "RGB", "RGBA"}


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_thumbnail_shows_pictures_with_larger_numbers(tmp_path: Path, mode: str) -> None:
    dark_and_bright = Image.new(mode, (20, 10), 1000)
    dark_and_bright.paste(60_000, (10, 0, 20, 10))
    (tmp_path / "a").write_bytes(encoded(dark_and_bright, "TIFF"))
    with open_source(str(tmp_path / "a")) as source:
        picture = shown(thumbnail(source, 100))
    assert (picture.getpixel((1, 1)), picture.getpixel((18, 1))) == (0, 255)


def test_thumbnail_is_upright_and_contains_nothing_else(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(80, 40), "JPEG", exif=exif(), icc_profile=b"x" * 5000, comment="secret"))
    picture = shown(shared.thumbnail(str(tmp_path / "a")))
    assert picture.size == (40, 80)
    assert picture.info == {}


def test_small_picture_is_not_enlarged(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encoded(noise(16, 8), "PNG"))
    assert shown(shared.thumbnail(str(tmp_path / "a"))).size == (16, 8)


def test_other_files_have_no_thumbnail(shared: HelperProcess, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n")
    (tmp_path / "b").write_bytes(png(100_000, 100_000, rows=b""))
    for path in (tmp_path / "a", tmp_path / "b", tmp_path / "gone", tmp_path):
        assert shared.thumbnail(str(path)) is None


@pytest.mark.parametrize("mode", ["L", "RGBA", "F"])
def test_thumbnail_of_one_color_is_made(tmp_path: Path, mode: str) -> None:
    (tmp_path / "a").write_bytes(encoded(Image.new(mode, (30, 20)), "TIFF"))
    with open_source(str(tmp_path / "a")) as source:
        assert shown(thumbnail(source, 10)).size[0] == 10


@pytest.mark.parametrize("answer", ["b'no picture'", "b'\\x89PNG\\r\\n\\x1a\\n' + bytes(100)", "None"])
def test_thumbnail_of_a_child_that_lies_is_not_shown(answer: str) -> None:
    code = (
        "import sys, json, base64\n"
        f"for line in sys.stdin: print(json.dumps([json.loads(line)[0], 'thumbnail', "
        f"{answer} and base64.b64encode({answer}).decode()]), flush=True)"
    )
    with closing(HelperProcess([sys.executable, "-c", code])) as helper:
        assert helper.thumbnail("a") is None


def test_thumbnail_of_a_child_that_lies_about_its_size_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png(257, 1))
    code = (
        "import sys, json, base64\n"
        f"large = base64.b64encode(open({str(tmp_path / 'large.png')!r}, 'rb').read()).decode()\n"
        "for line in sys.stdin: print(json.dumps([json.loads(line)[0], 'thumbnail', large]), flush=True)"
    )
    with closing(HelperProcess([sys.executable, "-c", code])) as helper:
        assert helper.thumbnail("a", 256) is None
        assert helper.thumbnail("a", 257) is not None


@pytest.mark.expected_log("bug while making a thumbnail", level="ERROR")
def test_bug_while_making_a_thumbnail_is_logged() -> None:
    code = (
        "import sys, json\nfor line in sys.stdin: print(json.dumps([json.loads(line)[0], 'bug', 'X', 'Y']), flush=True)"
    )
    with closing(HelperProcess([sys.executable, "-c", code])) as helper:
        assert helper.thumbnail("a") is None


# --- without Pillow


def test_without_pillow_the_command_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processor, "find_spec", lambda _: None)
    registry = default_registry()
    found = registry.find("image")
    assert found is not None
    assert 'pip install "filemill[image]"' in found.unavailable or "pip install 'filemill[image]'" in found.unavailable
    assert "image" not in registry.versions
    assert "lines" in registry.versions
    (tmp_path / "a").write_bytes(png(8, 8))
    with pytest.raises(FileError) as caught:
        registry.process(str(tmp_path / "a"), RecordingWatch(), processor="image")
    assert caught.value.reason.code is ReasonCode.NOT_AVAILABLE
    assert "pip install" in str(caught.value.reason)

"""Read the properties of pictures, and check that they can be decoded.

Only formats are accepted that Pillow decodes itself: not EPS, for which it starts Ghostscript, nor WMF, for which it
calls the system, nor those of which it only reads the header, nor those without a signature, which take other files for
pictures.

Pillow is imported in functions, since it is only needed in the child process. It raises almost any exception for a file
that is not valid.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import Field, Option, Value
from desktop_app.domain.sentences import foreign_text, mark, shortened
from desktop_app.processing.processor import Cancelled, Limits, bad_content, missing_library, opened, too_large

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL.Image import Image

    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source

FORMATS = ("AVIF", "BMP", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TIFF", "WEBP")
"""The names of the formats in Pillow."""
MOST_FRAMES = 10_000
MOST_THUMBNAIL_PIXELS = 256
LIMITS = Limits(seconds=120.0, memory_bytes=1 << 30)
"""A picture with 200 megapixels, which are decoded to 4 bytes each, needs 800 MB."""
THUMBNAIL_LIMITS = Limits(seconds=10.0, memory_bytes=1 << 30)
_MEGA = 1_000_000
_DEFAULT_MEGAPIXELS = 200
_TOTAL = 10
"""All frames together may have this many times the pixels of the largest picture."""
_MOST_TEXT = 100
_ORIENTATION, _MAKE, _MODEL, _EXIF_IFD, _TAKEN, _TAKEN_OFFSET = 0x0112, 0x010F, 0x0110, 0x8769, 0x9003, 0x9011
_SIDEWAYS = range(5, 9)
"""The orientations in which the width of the pixels is the height of the picture."""
_PIXELS = re.compile(r"\((\d+) pixels\)")
"""Finds the number of pixels in the text of an error."""
_EXIF_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_EXIF_OFFSET = re.compile(r"[+-]\d\d:\d\d")

_NOT_READABLE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError),
    struct.error,
)
"""What Pillow raises if EXIF data are not valid."""

WIDTH = Field("width", int, mark("Width"), "px")
HEIGHT = Field("height", int, mark("Height"), "px")
FORMAT = Field("format", str, mark("Format"))
MODE = Field("mode", str, mark("Color mode"))
FRAMES = Field("frames", int, mark("Frames"))
TAKEN = Field("taken", str, mark("Taken"))
ORIENTATION = Field("orientation", int, mark("Orientation"))
CAMERA = Field("camera", str, mark("Camera"))
DECODE = Option(
    "decode",
    default=True,
    title=mark("Decode the picture"),
    hint=mark("Finds pictures that are incomplete or damaged. Without it, only the header is read."),
)
MOST_MEGAPIXELS = Option(
    "most_megapixels",
    default=_DEFAULT_MEGAPIXELS,
    title=mark("Largest picture in megapixels"),
    least=1,
    most=250,
    hint=mark("Larger pictures fail without being decoded, which would take too much memory."),
)


class ImageProcessor:
    """Reads the properties of pictures. Has no state."""

    name = "image"
    version = 1
    title = mark("Picture")
    fields = (WIDTH, HEIGHT, FORMAT, MODE, FRAMES, TAKEN, ORIENTATION, CAMERA)
    options = (DECODE, MOST_MEGAPIXELS)
    limits: Limits | None = LIMITS

    @property
    def unavailable(self) -> str:
        """See `Processor.unavailable`."""
        return missing_library("PIL", "Pillow", "image")

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - see `Processor.accepts`
        """Return True: what a file is is decided by its content."""
        return True

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:  # noqa: ARG002
        """Read the properties of a picture; see `Processor.process`."""
        most_pixels = int(options[MOST_MEGAPIXELS.name]) * _MEGA
        decode = options[DECODE.name] is True
        with opened(source) as file:
            with _picture(file, most_pixels) as image:
                if image.format != "PNG" or not decode:
                    return _values(image, file, most_pixels, decode=decode)
                image.verify()  # checks all parts of the file; it can't be decoded afterwards
            with _picture(file, most_pixels) as image:
                return _values(image, file, most_pixels, decode=decode)


def _values(image: Image, file: BinaryIO, most_pixels: int, *, decode: bool) -> dict[str, Value]:
    """Return the values of the fields."""
    width, height = image.size
    from_exif: dict[str, Value] = {}
    # Pillow decodes a PNG to look for EXIF data behind the pixels, and turns a TIFF when it is decoded.
    if image.format != "PNG" or "exif" in image.info:
        from_exif = _from_exif(image)
    if image.format == "TIFF" and int(from_exif.get(ORIENTATION.name, 1)) in _SIDEWAYS:
        width, height = height, width
    values: dict[str, Value] = {
        WIDTH.name: width,
        HEIGHT.name: height,
        # A JPEG with a second picture, such as a preview, is called MPO.
        FORMAT.name: "JPEG" if image.format == "MPO" else image.format or "",
        MODE.name: image.mode,
    }
    if decode:
        values[FRAMES.name] = _decode_all(image, file, most_pixels)
        from_exif = from_exif or _from_exif(image)
    return values | from_exif


@contextmanager
def _picture(file: BinaryIO, most_pixels: int) -> Iterator[Image]:
    """Open a picture; in this context, errors are raised as `FileError`s. Only for one thread at a time.

    Args:
        file: The file.
        most_pixels: The largest number of pixels; a larger picture is refused before it is decoded.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            _require_size(*_size_of_webp(file), most_pixels)
            file.seek(0)
            Image.MAX_IMAGE_PIXELS = most_pixels  # also for the pictures in icons
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except (FileError, Cancelled, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = _PIXELS.search(str(error))
        raise _too_many_pixels(int(pixels[1]) if pixels else most_pixels, most_pixels) from error
    except UnidentifiedImageError as error:
        raise bad_content("it is not a picture in a format that is supported, or its header is damaged") from error
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> FileError:
    """Return the error for a picture at which Pillow failed."""
    why = foreign_text(shortened(str(error), 200)) or type(error).__name__
    if "too large" in why:  # a text in a PNG that is larger than Pillow's limit when it is unpacked
        return too_large(f"a part of the picture is too large: {why}")
    return bad_content(f"the picture can't be decoded: {why}")


def _require_size(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise _too_many_pixels(width * height, most_pixels)


def _too_many_pixels(pixels: int, most: int) -> FileError:
    return too_large(
        f"the picture has {pixels / _MEGA:.1f} megapixels; at most {most // _MEGA} megapixels are processed"
    )


def _size_of_webp(file: BinaryIO) -> tuple[int, int]:
    """Return the size in the header of a WebP, whose decoder needs the memory for it at once; (0, 0) if it is none."""
    file.seek(0)
    start = file.read(30)
    if len(start) < 30 or start[:4] != b"RIFF" or start[8:12] != b"WEBP":  # noqa: PLR2004
        return 0, 0
    match start[12:16]:
        case b"VP8 ":
            return int.from_bytes(start[26:28], "little") & 0x3FFF, int.from_bytes(start[28:30], "little") & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(start[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return int.from_bytes(start[24:27], "little") + 1, int.from_bytes(start[27:30], "little") + 1


def _decode_all(image: Image, file: BinaryIO, most_pixels: int) -> int:
    """Decode all frames, and return their number."""
    if image.format in {"JPEG", "MPO"}:
        # All of the file is read and checked, but only every eighth pixel is calculated.
        image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()
        return 1
    pixels = 0
    for frame in range(MOST_FRAMES):
        _require_size(*image.size, most_pixels)  # each page of a TIFF has its own size
        pixels += image.width * image.height
        if pixels > _TOTAL * most_pixels:
            raise too_large(f"its frames have more than {_TOTAL * most_pixels // _MEGA} megapixels together")
        image.load()
        try:
            image.seek(frame + 1)
        except EOFError:
            _require_end(image, file)
            return frame + 1
    raise too_large(f"the picture has more than {MOST_FRAMES} frames")


def _require_end(image: Image, file: BinaryIO) -> None:
    """Raise a `FileError` if the file ends before the picture, where decoding does not show it."""
    is_incomplete = False
    if image.format == "GIF":  # the last frame is followed by a mark
        file.seek(-1, io.SEEK_CUR)
        is_incomplete = file.read(1) != b";"
    elif image.format == "ICNS":  # only the largest of its pictures is decoded
        file.seek(4)
        is_incomplete = int.from_bytes(file.read(4), "big") > file.seek(0, io.SEEK_END)
    if is_incomplete:
        raise bad_content("the picture is incomplete")


def _from_exif(image: Image) -> dict[str, Value]:
    """Return the values of fields that a camera has written; none if they are not valid."""
    with suppress(*_NOT_READABLE):
        exif = image.getexif()
        return _values_of_exif(exif, exif.get_ifd(_EXIF_IFD))
    return {}


def _values_of_exif(exif: Mapping[int, object], more: Mapping[int, object]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    orientation = exif.get(_ORIENTATION)
    if isinstance(orientation, int) and 1 <= orientation <= 8:  # noqa: PLR2004 - by the standard
        values[ORIENTATION.name] = orientation
    make, model = (_text(exif.get(tag)) for tag in (_MAKE, _MODEL))
    if camera := model if model.startswith(make) else f"{make} {model}".strip():
        values[CAMERA.name] = camera
    if taken := _iso_time(_text(more.get(_TAKEN)), _text(more.get(_TAKEN_OFFSET))):
        values[TAKEN.name] = taken
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return foreign_text(shortened(value.partition("\0")[0].strip(), _MOST_TEXT))


def _iso_time(time: str, offset: str) -> str:
    """Return a time of EXIF in ISO format; empty if it is not valid."""
    if not (match := _EXIF_TIME.fullmatch(time)):
        return ""
    try:
        text = datetime(*map(int, match.groups())).isoformat()  # type: ignore[arg-type] # noqa: DTZ001 - the camera's
    except ValueError:
        return ""
    return text + offset if _EXIF_OFFSET.fullmatch(offset) else text


def thumbnail(source: Source, pixels: int) -> bytes:
    """Return a small picture of a picture as a PNG, which contains nothing else.

    Args:
        source: The open file.
        pixels: The largest width and height.

    Raises:
        FileError: If the picture can't be decoded.
    """
    from PIL import Image, ImageOps

    content = io.BytesIO()
    with opened(source) as file, _picture(file, _DEFAULT_MEGAPIXELS * _MEGA) as image:
        # Pillow can't make the larger numbers of scientific pictures smaller, and would cut them off.
        is_wide = image.mode.startswith(("I", "F"))
        small = image.convert("I").convert("F") if image.mode.startswith("I") else image
        small.thumbnail((pixels, pixels), Image.Resampling.BOX, reducing_gap=2.0)
        small = ImageOps.exif_transpose(small)
        mode = "RGBA" if small.has_transparency_data else "RGB"
        small = _in_full_range(small).convert("L") if is_wide else small.convert(mode)
        small.info = {}
        small.save(content, "PNG", compress_level=1)
    return content.getvalue()


def _in_full_range(image: Image) -> Image:
    """Return a picture of numbers as one in which the least is black and the greatest white."""
    low, high = image.getextrema()
    if not (isinstance(low, float) and isinstance(high, float) and low < high):
        return image
    scale = 255 / (high - low)
    return image.point(lambda value: value * scale - low * scale)

"""Previews of files for the details."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from desktop_app.services.support.previews import Preview, Previews
from desktop_app.sources.mounts import Mount, MountTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def previews() -> Iterator[Previews]:
    with closing(Previews()) as previews:
        yield previews


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one\ntwo\n", "one\ntwo"),
        (b"", ""),
        (b"\x89\0\1", ""),
        ("\ufeffa\u00e9\nb".encode(), "a\u00e9\nb"),
        ("\ufeffa\u00e9\nb".encode("utf-16-le"), "a\u00e9\nb"),
        ("caf\u00e9".encode("latin-1"), "caf\u00e9"),
        (b"a\x1b[31m\tb", "a\\x1b[31m  b"),
        (b"x" * 10_000, "x" * 79 + "\N{HORIZONTAL ELLIPSIS}"),
        (b"\n" * 100, "\n" * 7),
        (b"a" + "\u00e9".encode() * 4000, "a" + "\u00e9" * 78 + "\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_first_lines_of_a_text_are_shown(previews: Previews, tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert previews.of(str(tmp_path / "a.txt"), 96) == Preview(text=text)


def test_picture_is_made_smaller(previews: Previews, tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), "red").save(tmp_path / "a.jpg")
    picture = previews.of(str(tmp_path / "a.jpg"), 96).picture
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


def test_broken_picture_and_missing_file_have_no_preview(previews: Previews, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    os.mkfifo(tmp_path / "pipe")
    for name in ("a.png", "missing.png", "missing.txt", "pipe", "."):
        assert previews.of(str(tmp_path / name), 96) == Preview()


def test_file_on_a_share_is_not_accessed(previews: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MountTable, "mount_of", lambda *_: Mount("/share", is_remote=True))
    assert previews.of("/share/a.txt", 96) == Preview()

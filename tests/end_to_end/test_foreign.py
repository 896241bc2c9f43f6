"""Files behind and between foreign messages, with real programs; `tests/torture/foreign.py` uses many more."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.torture.foreign import HOSTILE, ForeignLab

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["standard", "FIFO", "embedded"])
@pytest.mark.parametrize(("scene", "files", "messages"), [("between", 50, 2 * len(HOSTILE)), ("front", 20, 300)])
def test_foreign_messages_neither_starve_files_nor_are_obeyed_or_deleted(
    tmp_path: Path, kind: str, scene: str, files: int, messages: int
) -> None:
    options = Namespace(
        scene=scene,
        files=files,
        messages=messages,
        fifo=kind == "FIFO",
        embedded=kind == "embedded",
        seed=1,
        minutes=3,
    )
    with ExitStack() as stack:
        assert ForeignLab(options, tmp_path, stack).run() == []

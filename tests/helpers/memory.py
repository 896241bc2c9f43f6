"""Measure how much memory Python code needs."""

from __future__ import annotations

import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Memory:
    """The memory that a block of code has needed.

    Attributes:
        peak: The greatest number of bytes that Python had allocated at once; known after the block.
    """

    peak = 0


@contextmanager
def measured_memory() -> Iterator[Memory]:
    """Enter a context in which the memory is measured that Python allocates."""
    memory = Memory()
    tracemalloc.start()
    try:
        yield memory
        _, memory.peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

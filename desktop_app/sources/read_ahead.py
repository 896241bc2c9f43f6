"""Read a large file with two threads, which also do the work: one reads and counts 10 GB/s, two 16 (measured)."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Result = TypeVar("Result")

SLOW_SECONDS = 0.5
"""A read that takes longer comes from a slow disk or network share."""

_MOST_CHUNKS = 64
"""How far one thread may be ahead of the other; only their results are kept."""


def can_read_ahead() -> bool:
    """Return whether a second thread makes reading faster, and the system lets both read the same file."""
    return hasattr(os, "pread") and (os.cpu_count() or 1) > 1


class ReadAhead(Generic[Result]):
    """Reads a part of a file in chunks, on the calling thread and another one, and calls a function for each.

    The other thread has a descriptor of its own, so that nobody has to wait for it if the disk does not respond.

    Args:
        descriptor: The open file, whose position is neither used nor changed.
        begin: The position of the first chunk.
        end: The end of the last chunk, a multiple of `chunk_bytes` from the beginning.
        chunk_bytes: The size of the chunks.
        work: The function, which is called on both threads at the same time.
    """

    def __init__(
        self, descriptor: int, begin: int, end: int, chunk_bytes: int, work: Callable[[bytes], Result]
    ) -> None:
        self._descriptor = descriptor
        self._end = end
        self._chunk_bytes = chunk_bytes
        self._work = work
        self._lock = threading.Condition()
        self._wanted = begin  # the position of the next chunk whose result is to be returned
        self._unread = begin  # the position of the next chunk to read
        self._results: dict[int, Result | Exception | None] = {}
        self._is_over = False  # whether to read no more

    def results(self) -> Generator[Result]:
        """Yield the results in order. End early if the file is shorter, or after a chunk that took long to read.

        Raises:
            OSError: If the content can't be read.
        """
        descriptor = os.dup(self._descriptor)
        threading.Thread(target=self._read_ahead, args=(descriptor,), name="read-ahead", daemon=True).start()
        try:
            while self._wait_for_result():
                with self._lock:
                    result = self._results.pop(self._wanted)
                    self._wanted += self._chunk_bytes
                    self._lock.notify()
                if isinstance(result, Exception):
                    raise result
                yield cast("Result", result)
        finally:
            with self._lock:
                self._is_over = True
                self._lock.notify()

    def _read_ahead(self, descriptor: int) -> None:
        try:
            with self._lock:
                while not self._is_over and self._unread < self._end:
                    if self._may_read():
                        self._read(descriptor)
                    else:
                        self._lock.wait()
        finally:
            os.close(descriptor)

    def _wait_for_result(self) -> bool:
        """Wait for the next result, and read later chunks meanwhile; return False if there is none."""
        with self._lock:
            while self._wanted not in self._results:
                if self._may_read():
                    self._read(self._descriptor)
                elif self._wanted < min(self._unread, self._end):
                    self._lock.wait()
                else:
                    return False
            return True

    def _may_read(self) -> bool:
        is_near = self._unread - self._wanted < _MOST_CHUNKS * self._chunk_bytes
        return is_near and self._unread < self._end and not self._is_over

    def _read(self, descriptor: int) -> None:
        """Read the next unread chunk and work on it; the lock is released meanwhile."""
        position = self._unread
        self._unread += self._chunk_bytes
        self._lock.release()
        is_slow = is_short = False
        result: Result | Exception | None = None
        try:
            begun = time.monotonic()
            chunk = os.pread(descriptor, self._chunk_bytes, position)
            is_slow = time.monotonic() - begun > SLOW_SECONDS
            is_short = len(chunk) < self._chunk_bytes
            if not is_short:
                result = self._work(chunk)
        except Exception as error:  # noqa: BLE001 - the calling thread raises it in its turn
            result = error
        finally:
            self._lock.acquire()
        self._is_over |= is_slow or is_short
        if is_short:
            self._end = min(self._end, position)
        else:
            self._results[position] = result
        self._lock.notify()

"""What the list says of the work that is under way. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunSums:
    """What is under way, and what has ended since a time; sizes in bytes, as far as they are known.

    Attributes:
        open_files, open_bytes: What has not ended, PENDING and PROCESSING.
        processing: How many of them are being processed.
        read_bytes: How much of those is read.
        done_files, done_bytes: What has ended since then, however.
        failed: How many of those have failed.
        newest_end: When the last of them ended, in milliseconds since 1970; 0 if there is none.
    """

    open_files: int = 0
    open_bytes: int = 0
    processing: int = 0
    read_bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    failed: int = 0
    newest_end: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """What has ended in a step of the clock that begins at `start_ms`: files, and their bytes."""

    start_ms: int
    files: int
    bytes: int

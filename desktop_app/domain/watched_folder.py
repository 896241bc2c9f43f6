"""Watched folders, from which new files are added, and the keys of the files that were seen in them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

LEAST_SETTLE_S, MOST_SETTLE_S = 1, 3600
DEFAULT_SETTLE_S = 5
UNFINISHED = ".*; ~$*; *.part; *.partial; *.crdownload; *.download; *.filepart; *.tmp"
"""The names of hidden files, and of files that browsers, word processors and copying programs have not finished."""


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder from which new and changed files are added.

    Attributes:
        folder: The absolute path.
        subfolders: Whether to include the files in subfolders.
        only, leave_out: The patterns for the files to include and to exclude; see `services.adding.review`.
        processor: The name of the processor of the files; empty to choose one for each by its type.
        options: Its options; see `stored_options`.
        settle_s: How long a file must not have changed before it is added, in seconds.
        adds_existing: Whether to add the files that are in the folder when it is watched for the first time.
        is_paused: Whether no files are added for now.
        in_window: Whether the window watches the folder, and not `filemill watch`.
        key: The key of its row; 0 before it is saved.
        added: The number of files that were added from it.
        is_begun: Whether the files that were in the folder at first have been found. Later files are new ones, also
            those that came while no program was running.
    """

    folder: str
    subfolders: bool = True
    only: str = ""
    leave_out: str = UNFINISHED
    processor: str = ""
    options: str = ""
    settle_s: int = DEFAULT_SETTLE_S
    adds_existing: bool = False
    is_paused: bool = False
    in_window: bool = True
    key: int = 0
    added: int = 0
    is_begun: bool = False

    @property
    def name(self) -> str:
        """The name of the folder; for the root of a file system, its path."""
        return os.path.basename(self.folder.rstrip("/\\")) or self.folder  # noqa: PTH119 - keeps every name as it is


def seen_key(name: str, size: int, modified_ns: int) -> int:
    """Return the key by which a file is remembered, a signed integer of 64 bits.

    A file that is replaced, changed or renamed has another key. That two of a million files have the same key has a
    probability of 3e-8.

    Args:
        name: The path relative to the watched folder.
        size: The size in bytes.
        modified_ns: The modification time in nanoseconds since 1970.
    """
    text = f"{os.path.normcase(name)}\0{size}\0{modified_ns}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)

"""Ends a program of ours that does not answer any more, where it can be known that it is ours."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
from pathlib import Path

log = logging.getLogger(__name__)

_ORDERLY_SECONDS = 3.0
_KILLED_SECONDS = 5.0
_START_FIELD = 19
"""Of `/proc/…/stat`, counted from the one after the name."""


def can_end(pid: int, birth: str) -> bool:
    """Whether the process can be ended without risk: a number alone may be another program's by now.

    Args:
        pid: The process.
        birth: What `birth_of` gave for it.
    """
    process = _opened(pid, birth)
    if process is not None:
        os.close(process)
    return process is not None


def end_program(pid: int, birth: str) -> bool:
    """End it: first as the system ends programs, then by force; False if it could not be.

    Nothing is lost by that: the database is the truth, and what it worked on starts again.
    """
    process = _opened(pid, birth)
    if process is None:
        return False
    try:
        for number, seconds in ((signal.SIGTERM, _ORDERLY_SECONDS), (signal.SIGKILL, _KILLED_SECONDS)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, number)
            # The descriptor can be read once the process has ended.
            if select.select([process], [], [], seconds)[0]:
                log.warning("ended process %d, which did not answer (%s)", pid, number.name)
                return True
    except PermissionError:
        log.warning("process %d belongs to somebody else", pid)
    finally:
        os.close(process)
    return False


def birth_of(pid: int) -> str:
    """What no other process has, past or future: when it began, counted since which start of the system.

    Empty where the system does not tell it to everybody, and for a process that is not there.
    """
    try:
        system = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name in brackets may hold anything, brackets too.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return f"{system} {fields[_START_FIELD]}"
    except (OSError, IndexError):
        return ""


def _opened(pid: int, birth: str) -> int | None:
    """A descriptor of exactly that process, which no other can come to mean; None if there is none."""
    if not birth or not hasattr(os, "pidfd_open"):
        return None
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return None
    # Asked after it was opened: the process of that birth is there now, so it was when its number was looked up.
    if birth_of(pid) == birth:
        return process
    os.close(process)
    return None

"""Drop the capabilities of root, so that tests that run as root are subject to file permissions."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = 0x20080522  # linux/capability.h: 64 bits, in two words of each set
_OVERRIDES = 0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_GET_SECUREBITS, _SET_SECUREBITS, _NO_SETUID_FIXUP = 27, 28, 4  # linux/prctl.h, linux/securebits.h


@contextmanager
def without_special_rights() -> Iterator[None]:
    """Make file permissions apply to this thread, and to the threads and processes that it starts."""
    if os.name == "nt":
        pytest.skip("Windows has other rights")
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("nothing is forbidden to root here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    before = (ctypes.c_uint32 * 6)()  # two words, each for the effective, permitted and inheritable set
    if libc.capget(header, before) != 0:
        pytest.skip("its rights can't be asked for")
    fewer = (ctypes.c_uint32 * 6)(before[0] & ~_OVERRIDES, *list(before)[1:])
    bits = libc.prctl(_GET_SECUREBITS, 0, 0, 0, 0)
    # Otherwise `access` checks with the capabilities that root might have.
    if libc.prctl(_SET_SECUREBITS, bits | _NO_SETUID_FIXUP, 0, 0, 0) != 0 or libc.capset(header, fewer) != 0:
        pytest.skip("its rights can't be given up")
    try:
        yield
    finally:
        libc.capset(header, before)
        libc.prctl(_SET_SECUREBITS, bits, 0, 0, 0)

"""A FUSE file system whose files hang at a stat, an open or a read, or answer slowly. Needs Linux and root.

Run `python -m tests.helpers.hanging_fs MOUNTPOINT`; SIGTERM unmounts it. SIGUSR1 makes it answer all waiting and later
requests, as when a server is back. The name of a file decides what it does: `stat…`, `open…` and `read…` hang there,
`slow…` answers each read after three seconds, and any other name is a healthy file.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import threading

LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29,
)  # fmt: skip
FORGET, INTERRUPT, BATCH_FORGET = 2, 36, 42
HANGS = {"stat": LOOKUP, "open": OPEN, "read": READ}
CONTENT = b"hello\nworld\n"
SLOW_SECONDS = 3.0
_DIRECT_IO = 1
_DETACH = 2
_PARALLEL_LOOKUPS = 1 << 18
"""Without this flag, a hanging lookup blocks all others in the folder."""


class HangingFileSystem:
    """Serves one mount point until it is unmounted.

    Args:
        place: The mount point, an empty folder.
        is_dead: Whether nothing answers, not even for the file system as a whole.
    """

    def __init__(self, place: str, *, is_dead: bool) -> None:
        self._place = os.fsencode(place)
        self._device = os.open("/dev/fuse", os.O_RDWR)
        self._libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if self._libc.mount(b"hanging", self._place, b"fuse.hanging", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        self._is_dead = is_dead
        self._names = {1: "/"}
        self._held: list[tuple[int, int, int, bytes]] = []

    def serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, 1 << 17)
            except InterruptedError:
                continue
            except OSError:
                return  # unmounted
            _, operation, unique, node, *_ = struct.unpack("<IIQQIIII", request[:40])
            self._handle(operation, unique, node, request[40:])

    def unmount(self) -> None:
        """Unmount, and end this process, which ends all waiting requests with an error."""
        self._libc.umount2(self._place, _DETACH)
        os._exit(0)

    def answer_all(self) -> None:
        HANGS.clear()
        self._is_dead = False
        held, self._held = self._held, []
        for request in held:
            self._handle(*request)

    def _handle(self, operation: int, unique: int, node: int, payload: bytes) -> None:
        if operation in {FORGET, INTERRUPT, BATCH_FORGET}:
            return
        name = os.fsdecode(payload.rstrip(b"\0")) if operation == LOOKUP else self._names.get(node, "")
        hangs_at = next((at for start, at in HANGS.items() if name.startswith(start)), None)
        if hangs_at == operation or (self._is_dead and operation not in {INIT, FLUSH, RELEASE}):
            self._held.append((operation, unique, node, payload))
        elif operation == READ:
            offset, size = struct.unpack("<QI", payload[8:20])
            data = CONTENT[offset : offset + size]
            if name.startswith("slow"):
                threading.Timer(SLOW_SECONDS, self._reply, (unique, data)).start()
            else:
                self._reply(unique, data)
        else:
            self._reply(unique, self._answer(operation, node, name))

    def _answer(self, operation: int, node: int, name: str) -> bytes:
        if operation == INIT:
            return struct.pack(
                "<IIIIHHIIHHIII", 7, 31, 65536, _PARALLEL_LOOKUPS, 0, 0, 65536, 0, 0, 0, 0, 0, 0
            ) + bytes(20)
        if operation == LOOKUP:
            node = next((one for one, known in self._names.items() if known == name), len(self._names) + 1)
            self._names[node] = name
            return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + _attributes(node)
        if operation == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + _attributes(node)
        if operation in {OPEN, OPENDIR}:
            return struct.pack("<QII", 1, _DIRECT_IO, 0)
        return bytes(80) if operation == STATFS else b""

    def _reply(self, unique: int, data: bytes) -> None:
        os.write(self._device, struct.pack("<IiQ", 16 + len(data), 0, unique) + data)


def _attributes(node: int) -> bytes:
    mode, size = (0o40755, 0) if node == 1 else (0o100644, len(CONTENT))
    return struct.pack("<QQQQQQIIIIIIIIII", node, size, 1, 1000, 1000, 1000, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def main() -> None:
    files = HangingFileSystem(sys.argv[1], is_dead="--dead" in sys.argv)
    signal.signal(signal.SIGTERM, lambda *_: files.unmount())
    signal.signal(signal.SIGUSR1, lambda *_: files.answer_all())
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    files.serve()


if __name__ == "__main__":
    main()

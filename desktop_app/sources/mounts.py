"""Determine on which file system a path is, without accessing network shares.

Any access to a share whose server does not respond can block a thread for hours, and on Linux even keep the program
from exiting. So the names of mount points are compared instead.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOUNTINFO = Path("/proc/self/mountinfo")
_REREAD_AFTER_S = 1.0
_MAX_LINKS = 40
"""The limit of Linux for the symbolic links in a path."""

_REMOTE_TYPE = re.compile(
    r"(nfs\d?|cifs|smb\w*|9p|afs|autofs|beegfs|ceph|coda|davfs\d?|gfs2|glusterfs|gpfs|lustre|ncpfs|ocfs2|orangefs"
    r"|prl_fs|vboxsf|virtiofs|vmhgfs|fuse(\..*)?)"
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_DRIVE_REMOTE = 4
"""The value of `DRIVE_REMOTE` in the Windows API."""


class Mount(NamedTuple):
    """A mounted file system.

    Attributes:
        place: The mount point; on Windows, the drive or the share.
        number: The ID of the mount. It differs if another file system is mounted at the same place later.
        is_remote: Whether its files come from a server or from another program, which may fail to respond.
    """

    place: str
    number: str = ""
    is_remote: bool = False


class MountTable:
    """The mounted file systems of this computer. Any thread.

    Args:
        read: The function that returns the file systems by mount point; by default, those of this system are read.
        steady: A function that returns the monotonic time in seconds.
    """

    def __init__(
        self, read: Callable[[], Mapping[str, Mount]] | None = None, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read or _system_mounts
        self._steady = steady
        self._lock = threading.Lock()
        self._mounts: Mapping[str, Mount] = {}
        self._folders: dict[str, str | Mount] = {}
        """The results of `_follow` for folders, since many files are in the same one. As old as `_mounts` at most."""
        self._reread_at = -1.0

    def by_name(self, path: str) -> Mount:
        """Return the file system of an absolute path if the path contains no symbolic links. Accesses no file."""
        if os.name == "nt":
            return _windows_mount(path)
        mounts = self._current()
        while path and path not in mounts:
            path = path.rpartition("/")[0]  # for each file; several times as fast as `dirname`
        return mounts[path] if path else mounts.get("/", Mount("/"))

    def mount_of(self, path: str, *, may_be_link: bool = True) -> Mount:
        """Return the file system of an absolute path, following symbolic links.

        The search ends at the first remote file system, without accessing it.

        Args:
            path: The path.
            may_be_link: Whether the path itself may be a symbolic link, and not only its folders.
        """
        if os.name == "nt":
            return _windows_mount(path)
        mounts = self._current()
        folders = self._folders
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            mount = self.by_name(folder or "/")
            folders[folder] = mount if mount.is_remote else _follow("", folder, mounts)
        found = folders[folder]
        if isinstance(found, str):
            found = _follow(found, name, mounts) if may_be_link else f"{found}/{name}"
        return self.by_name(found or "/") if isinstance(found, str) else found

    def _current(self) -> Mapping[str, Mount]:
        with self._lock:
            now = self._steady()
            if now >= self._reread_at:
                self._mounts, self._reread_at = self._read(), now + _REREAD_AFTER_S
                self._folders = {}
            return self._mounts


def _follow(at: str, path: str, mounts: Mapping[str, Mount]) -> str | Mount:
    """Return the path without symbolic links, or the first remote file system on the way, which is not accessed.

    Args:
        at: The folder that the path is relative to, without symbolic links; empty for the root folder.
        path: The path.
        mounts: The mounted file systems by mount point.
    """
    links = 0
    waiting = path.split("/")[::-1]
    while waiting:
        part = waiting.pop()
        if part == "..":
            at = os.path.dirname(at).rstrip("/")  # noqa: PTH120 - faster, and keeps ".."
        if part in {"", ".", ".."}:
            continue
        at = f"{at}/{part}"
        mount = mounts.get(at)
        if mount is not None and mount.is_remote:
            return mount
        try:
            target = os.readlink(at)  # noqa: PTH115 - faster
        except (OSError, ValueError):
            continue  # not a link
        links += 1
        if links > _MAX_LINKS:
            break
        at = "" if target.startswith("/") else os.path.dirname(at).rstrip("/")  # noqa: PTH120
        waiting.extend(target.split("/")[::-1])
    return at


def _system_mounts() -> Mapping[str, Mount]:
    try:
        return parse_mountinfo(MOUNTINFO.read_bytes())
    except OSError:
        return _Volumes()  # not Linux


def parse_mountinfo(content: bytes) -> dict[str, Mount]:
    """Return the file systems in `/proc/self/mountinfo` by mount point. The format is described in proc(5)."""
    mounts = {}
    for line in content.splitlines():
        fields, _, rest = line.partition(b" - ")
        number, _, _, _, place, *_ = fields.split(b" ")
        name = os.fsdecode(_ESCAPE.sub(lambda code: bytes([int(code[1], 8)]), place))
        # If the root directory does not respond, nothing works anyway.
        is_remote = name != "/" and _REMOTE_TYPE.fullmatch(rest.split(b" ")[0].decode("ascii", "replace")) is not None
        mounts[name] = Mount(name, number.decode("ascii", "replace"), is_remote)  # a later mount hides an earlier one
    return mounts


class _Volumes(Mapping[str, Mount]):
    """The volumes of macOS, which are not listed: each folder in `/Volumes` and `/Network` counts as remote."""

    def __getitem__(self, path: str) -> Mount:
        if os.path.dirname(path) not in {"/Volumes", "/Network"}:  # noqa: PTH120
            raise KeyError(path)
        return Mount(path, is_remote=True)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _windows_mount(path: str) -> Mount:
    place = os.path.splitdrive(path)[0].lower()
    is_share = place.startswith(("\\\\", "//"))
    return Mount(place, is_remote=is_share or _drive_type(place) == _DRIVE_REMOTE)


def _drive_type(drive: str) -> int:
    """Return the type of a Windows drive, which Windows knows without accessing it."""
    import ctypes

    windll = getattr(ctypes, "windll", None)
    return 0 if windll is None else int(windll.kernel32.GetDriveTypeW(drive + "\\"))

"""Files, folders and locks that only their owner can access, whatever the umask."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from filelock import FileLock

from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from pathlib import Path


OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_private(path: Path) -> None:
    """Create an empty file that only its owner can access, unless the file exists.

    Raises:
        OSError: If the file can't be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def create_private_folder(folder: Path) -> None:
    """Create a folder, and its missing parents, with access for the owner only.

    Raises:
        OSError: If the folder can't be created.
    """
    missing = [one for one in (folder, *folder.parents) if not os.path.exists(one)]  # noqa: PTH110 - never raises
    for one in reversed(missing):
        with suppress(FileExistsError):
            one.mkdir(mode=0o700)
    if not os.path.isdir(folder):  # noqa: PTH112 - never raises
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def make_private(path: Path) -> None:
    """Remove the access of other users from a file or folder, if it exists and belongs to this user."""
    if os.name == "nt":
        return
    with suppress(OSError):
        found = path.lstat()
        is_ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
        if is_ours and found.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)


def refuse_planted(*paths: Path) -> None:
    """Refuse files and folders of other users in a folder in which everybody can create files, such as `/tmp`.

    Their owners could read, write and lock them at any time. In other folders, such files are used: on some file
    systems all files belong to the user who mounted them.

    Raises:
        PermissionError: If there is such a file.
    """
    if os.name == "nt":
        return
    for path in paths:
        with suppress(FileNotFoundError):
            owner, folder = path.lstat().st_uid, path.parent.stat()
            is_open = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
            if is_open and owner not in {os.geteuid(), folder.st_uid}:
                raise PermissionError(errno.EPERM, Sentence("it belongs to another user"), str(path))


def private_lock(path: Path, *, timeout: float) -> FileLock:
    """Return a lock that other users can't hold: whoever can open the file of a lock can hold it.

    A file that other users can open, or that one of them has put into this user's folder, is replaced, since one of
    them might hold it. The folder is not created: it might be missing only because its disk is not mounted.

    Args:
        path: The file of the lock.
        timeout: The time to wait for the lock in seconds; 0 to try only once.

    Raises:
        OSError: If the folder does not exist, or the file can't be created or was created by another user.
    """
    refuse_planted(path)
    if os.name != "nt":
        with suppress(FileNotFoundError):
            found = path.lstat()
            is_ours, is_in_ours = (one.st_uid == os.geteuid() for one in (found, path.parent.stat()))
            if found.st_mode & OTHERS if is_ours else is_in_ours:
                path.unlink()
    create_private(path)  # an error if the folder does not exist, which `FileLock` would create
    return FileLock(path, timeout=timeout, thread_local=False, mode=0o600)

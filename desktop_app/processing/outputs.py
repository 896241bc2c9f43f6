"""Output folders of commands: nothing in them is visible before the result of the file was committed.

A command writes into a new folder, `.filemill-<attempt>`, in the folder in which the files shall be, so that publishing
them is only renaming. A record of each such folder, a file beside the database, is written before, and removed when
the files were published or discarded. Therefore a program that continues after a crash knows all of them, and decides
by the fencing token in the database; see `services/consuming/publisher.py`.

Publishing can be repeated, also by two programs at once, since each file is moved by a rename that does not replace
another file: there is never a moment in which it is in both folders, or half of it in one.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import json
import logging
import os
import re
import shutil
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.atomic_write import TEMPORARY_PREFIX, NotWrittenError, write_whole
from desktop_app.config.presets import FOLDER, filled, placeholders_in
from desktop_app.domain.errors import FileError, is_disk_full
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

log = logging.getLogger(__name__)

MOST_FILES = 10_000
"""The maximum number of files and folders that a command may write for a file."""
_DEEPEST = 50
_ATTEMPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{1,18}")
_DEVICES = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ ]*(\..*)?", re.IGNORECASE | re.DOTALL
)
"""The names that mean a device on Windows, in every folder and with every extension."""
_MOST_NUMBERED = 10_000
_PART_SECONDS = 3600.0
_KEPT_SECONDS = 30 * 24 * 3600
"""How long the record of a folder is kept that can't be found, since its disk may be mounted again."""
_NO_REPLACE = 1
"""`RENAME_NOREPLACE` in Linux's `fs.h`."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The files of an attempt that are not published yet.

    Attributes:
        attempt_id: See `Watch.attempt_id`.
        destination: The folder into which the files are to be published.
        replaces: Whether they replace files of the same names there; if not, they get a number.
        owner: The identity of the program that has started the command.
    """

    attempt_id: str
    destination: Path
    replaces: bool
    owner: str

    @property
    def folder(self) -> Path:
        """The folder that contains them until then."""
        return self.destination / f"{TEMPORARY_PREFIX}{self.attempt_id}"

    @property
    def job_id(self) -> str:
        """The ID of the job."""
        return self.attempt_id.rpartition("-")[0]

    @property
    def token(self) -> int:
        """The fencing token of the attempt."""
        return int(self.attempt_id.rpartition("-")[2])


class Outputs:
    """Creates the output folders of commands, and publishes or discards their content. Any thread.

    Args:
        database: The file of the database, beside which the records are kept.
        owner: The identity of this program.
        note: Called before and after files are moved, with the path where a file or a folder is now, and where it will
            be; see `services.adding.watching.note_output`.
    """

    def __init__(self, database: Path, owner: str, note: Callable[[Path, Path], object] = lambda *_: None) -> None:
        self._database = str(database)
        self._records = database.with_name(f"{database.name}.outputs")
        self._owner = owner
        self._note = note

    def begin(self, attempt_id: str, destination: Path, *, replaces: bool) -> Staged:
        """Create an empty output folder for an attempt.

        Args:
            attempt_id: See `Watch.attempt_id`.
            destination: The folder into which the files are to be published. It exists.
            replaces: See `Staged`.

        Raises:
            FileError: If it can't be created.
        """
        staged = Staged(attempt_id, destination, replaces, self._owner)
        if not _ATTEMPT.fullmatch(attempt_id):
            raise ValueError(f"not the ID of an attempt: {attempt_id!r}")
        record = {
            "database": self._database,
            "owner": self._owner,
            "destination": str(destination),
            "replaces": replaces,
        }
        try:
            with suppress(FileExistsError):
                self._records.mkdir(mode=0o700)  # not its parents: the disk of the database may have been removed
            # It survives a power failure, since otherwise the result could be committed, and its files forgotten.
            write_whole(self._record(attempt_id), lambda stream: stream.write(json.dumps(record)), is_private=True)
            _remove_tree(staged.folder)  # of an earlier attempt with the same token, before a backup was restored
            staged.folder.mkdir(mode=0o700)
        except NotWrittenError as error:
            raise _not_written(error.text, passing=error.code in {errno.ENOSPC, errno.EDQUOT}) from error
        except OSError as error:
            with suppress(OSError):  # it may be the folder of the records that can't be used
                self._forget(attempt_id)
            raise not_written(error) from error
        return staged

    def check(self, staged: Staged, *, most_bytes: int) -> list[str]:
        """Check what a command has written, and make it durable; return the relative paths of the files.

        Args:
            staged: The output folder. No process that could write into it is left.
            most_bytes: The maximum size of all files, in bytes.

        Raises:
            FileError: If there is anything else than files and folders, or more than is allowed.
        """
        try:
            files = check_content(staged.folder, most_bytes=most_bytes)
            _make_durable(str(self._records))
        except OSError as error:
            raise not_written(error) from error
        return files

    def publish(self, staged: Staged) -> Path | None:
        """Move the files of an attempt to where they shall be. Can be repeated, for example after a crash.

        Returns:
            The path of the file if it is the only one and got a number; otherwise None.

        Raises:
            OSError: If that is not possible now.
        """
        moved: dict[str, Path] = {}
        if self._is_there(staged):
            self._note(staged.folder, staged.destination)
            moved = _move_content(staged.folder, staged.destination, replaces=staged.replaces)
            staged.folder.rmdir()
            for name, place in moved.items():
                if place.name != name:
                    self._note(place, place)
        self._forget(staged.attempt_id)
        if len(moved) != 1:
            return None
        ((name, place),) = moved.items()
        return place if place.name != name and place.is_file() else None

    def discard(self, staged: Staged) -> None:
        """Delete the files of an attempt. Can be repeated.

        Raises:
            OSError: If that is not possible now.
        """
        if self._is_there(staged):
            _remove_tree(staged.folder)
        self._forget(staged.attempt_id)

    def _is_there(self, staged: Staged) -> bool:
        """Return whether an output folder exists.

        Raises:
            FileNotFoundError: If that is not known, since its disk may not be mounted, and the record is not old.
        """
        if os.path.lexists(staged.folder):
            return _is_folder(staged.folder)
        if not (staged.destination.exists() or _is_older(self._record(staged.attempt_id), _KEPT_SECONDS)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(staged.destination))
        return False

    def left(self) -> list[Staged]:
        """Return all attempts whose files were neither published nor discarded, as far as this database knows them."""
        found: list[Staged] = []
        with suppress(FileNotFoundError):
            for file in sorted(self._records.iterdir()):
                if _ATTEMPT.fullmatch(file.name):
                    found += self._read(file)
                elif _is_older(file, _PART_SECONDS):  # a program was killed while it wrote a record
                    file.unlink(missing_ok=True)
        return found

    def _read(self, file: Path) -> list[Staged]:
        """Return what a record says; nothing if it is of another database, or was just removed."""
        try:
            match json.loads(file.read_text(encoding="utf-8")):
                # In a copy of the home folder, the records are still those of the original database.
                case {
                    "database": self._database,
                    "owner": str(owner),
                    "destination": str(destination),
                    "replaces": bool(replaces),
                } if Path(destination).is_absolute():
                    return [Staged(file.name, Path(destination), replaces, owner)]
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.info("the record %s can't be read: %s", file, error)
        return []

    def _record(self, attempt_id: str) -> Path:
        return self._records / attempt_id

    def _forget(self, attempt_id: str) -> None:
        self._record(attempt_id).unlink(missing_ok=True)


def _is_older(file: Path, seconds: float) -> bool:
    """Return whether a file was written longer ago than a time in seconds, or does not exist any more."""
    try:
        return time.time() - file.stat().st_mtime > seconds
    except FileNotFoundError:
        return True


def not_written(error: OSError) -> FileError:
    """Return the error for an output folder that can't be used."""
    return _not_written(error.strerror or str(error), passing=is_disk_full(error))


def _not_written(why: str, *, passing: bool) -> FileError:
    return FileError(Reason(ReasonCode.OUTPUT_NOT_WRITTEN, {"why": foreign_text(why)}), passing=passing)


def create_destination(template: str, values: Mapping[str, str]) -> Path:
    """Return the folder for the files of a command, which is created if necessary.

    What the template names itself, such as `/data/out`, may be or contain a link. What is below the folder of the file,
    or contains a part of the file's name, may not: whoever has made the file could otherwise choose the folder.

    Args:
        template: The template in a preset; see `Preset.output`.
        values: The values of its placeholders.

    Raises:
        FileError: If it can't be created or is not allowed.
    """
    if template.startswith(FOLDER):
        path, rest = Path(values["folder"]), re.split(r"[/\\]", template)[1:]
    else:
        parts = Path(template).expanduser().parts
        fixed = next((place for place, part in enumerate(parts) if placeholders_in(part)), len(parts))
        path = Path(*(filled(part, {}) for part in parts[:fixed]))
        rest = list(parts[fixed:])
    try:
        path.mkdir(parents=True, exist_ok=True)
        for part in filter(None, rest):
            name = filled(part, values)
            if name != part and (name in {"", ".", ".."} or "/" in name or _DEVICES.fullmatch(name)):
                raise _refused(f"“{foreign_text(name)}” can't be the name of a folder")
            path /= name
            with suppress(FileExistsError):
                path.mkdir()
            if not _is_folder(path):
                raise _refused(f"{foreign_text(str(path))} is a link or a file, not a folder")
    except OSError as error:
        raise not_written(error) from error
    return path


def check_content(folder: Path, *, most_bytes: int) -> list[str]:
    """Check what a command has written, and make it durable; return the relative paths of the files.

    Args:
        folder: The output folder.
        most_bytes: The maximum size of all files, in bytes.

    Raises:
        FileError: If there is anything else than files and folders, or more than is allowed.
        OSError: If it can't be read.
    """
    device = folder.lstat().st_dev
    files: list[str] = []
    size = 0
    for count, (entry, depth) in enumerate(_entries(folder, 1), 1):
        info = entry.stat(follow_symlinks=False)
        _check_entry(entry, info, device)
        size += info.st_size
        if count > MOST_FILES:
            raise _refused(f"more than {MOST_FILES} files")
        if depth > _DEEPEST:
            raise _refused(f"more than {_DEEPEST} folders in each other")
        if size > most_bytes:
            raise _refused(f"more than {most_bytes // 1_000_000} MB")
        if stat.S_ISREG(info.st_mode):
            files.append(os.path.relpath(entry.path, folder))
            _make_durable(entry.path)
    _make_durable(str(folder))
    return files


def _entries(folder: Path | str, depth: int) -> Iterator[tuple[os.DirEntry[str], int]]:
    """Yield what is in a folder and its subfolders, each after the folder that contains it."""
    with os.scandir(folder) as entries:
        some = itertools.islice(entries, MOST_FILES + 1)  # there could be millions
        for entry in sorted(some, key=lambda entry: entry.name):
            yield entry, depth
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, depth + 1)


def _check_entry(entry: os.DirEntry[str], info: os.stat_result, device: int) -> None:
    shown = f"“{foreign_text(entry.name)}”"
    if entry.is_symlink() or getattr(entry, "is_junction", bool)():  # Python 3.11 does not know junctions
        raise _refused(f"{shown} is a link")
    if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
        raise _refused(f"{shown} is not a regular file")
    if os.name != "nt" and stat.S_ISDIR(info.st_mode) and info.st_dev != device:
        raise _refused(f"{shown} is on another file system")
    if stat.S_ISREG(info.st_mode) and os.name != "nt" and info.st_nlink > 1:
        raise _refused(f"{shown} is a link")
    if _DEVICES.fullmatch(entry.name):
        raise _refused(f"{shown} is the name of a device")


def _make_durable(path: str) -> None:
    """Write a file, or the names in a folder, to the disk, so that no result is kept without its files."""
    if os.name == "nt" and Path(path).is_dir():
        return
    descriptor = os.open(path, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(why: str) -> FileError:
    return FileError(Reason(ReasonCode.OUTPUT_REFUSED, {"why": why}))


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _move_content(source: Path, target: Path, *, replaces: bool) -> dict[str, Path]:
    """Move everything in a folder into another one of the same file system; return the new paths by name."""
    moved: dict[str, Path] = {}
    for name in sorted(os.listdir(source)):  # noqa: PTH208 - only the names are needed
        with suppress(FileNotFoundError):  # another program has just moved it
            move = _move_folder if _is_folder(source / name) else _move_file
            moved[name] = move(source / name, target, replaces=replaces)
    return moved


def _move_folder(source: Path, target: Path, *, replaces: bool) -> Path:
    """Move a folder; if there is a folder of its name, move its content into that one. Return the new path."""
    for name in _numbered(source.name):
        place = target / name
        try:
            _rename_new(source, place)
        except FileExistsError:
            if _is_folder(place):
                _move_content(source, place, replaces=replaces)
                source.rmdir()
                return place
        else:
            return place
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target / source.name))


def _move_file(source: Path, target: Path, *, replaces: bool) -> Path:
    if replaces and not _is_folder(target / source.name):
        return source.replace(target / source.name)
    for name in _numbered(source.name):
        try:
            _rename_new(source, target / name)
        except FileExistsError:
            continue
        return target / name
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target / source.name))


def _numbered(name: str) -> Iterator[str]:
    """Yield a name, and then `name (2).txt` and so on."""
    yield name
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path would change some names
    for number in range(2, _MOST_NUMBERED):
        yield f"{stem} ({number}){suffix}"


def _rename_new(source: Path, target: Path) -> None:
    """Rename a file or a folder, which does not replace anything, in one step.

    Raises:
        FileExistsError: If there is something at the target.
        OSError: If it is not possible for another reason.
    """
    if sys.platform == "linux":
        if (renameat2 := _renameat2()) is not None:
            if renameat2(_AT_CURRENT, os.fsencode(source), _AT_CURRENT, os.fsencode(target), _NO_REPLACE) == 0:
                return
            number = ctypes.get_errno()
            if number not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:  # these mean that it is not supported
                raise OSError(number, os.strerror(number), str(source), None, str(target))
    if os.name == "nt" or _is_folder(source):
        _rename_plainly(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if not source.samefile(target):  # otherwise, it was published just before a crash
            raise
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}:
            raise
        _rename_plainly(source, target)  # this file system has no links
        return
    source.unlink()


_AT_CURRENT = -100
"""`AT_FDCWD` in Linux's `fcntl.h`."""


@cache
def _renameat2() -> Callable[..., int] | None:
    """Return Linux's function of this name; None if the C library does not have it."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return function


def _rename_plainly(source: Path, target: Path) -> None:
    """Rename where the system offers nothing better: Windows refuses to replace, others could within a moment."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def _remove_tree(folder: Path) -> None:
    """Delete a folder with its content, if it exists. Links are not followed.

    Raises:
        OSError: If it can't be deleted.
    """
    if not os.path.lexists(folder):
        return
    if not _is_folder(folder):
        folder.unlink()
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:  # a command can take away its own permissions
        for current, _, _ in os.walk(folder):
            Path(current).chmod(0o700)
        shutil.rmtree(folder)

"""Another user of the computer can't read, write, hold or send to anything of a window and a worker that are running.

The tests walk through what the kernel lists: open files, sockets, locks, shared memory, and the files on disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.private_files import private_lock
from tests.end_to_end.test_terminal import PROGRAM
from tests.helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"),
]

NOBODY = 65534
PREFIX = "filemill-others-"
SHARED_FOLDERS = [Path(folder) for folder in ("/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", "/run/user", "/run/lock")]


def as_nobody(act: Callable[[], list[str]]) -> list[str]:
    """Call a function in a child process that belongs to another user; return its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, json.dumps(act()).encode())
            code = 0
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    assert os.waitpid(child, 0)[1] == 0
    result: list[str] = json.loads(answer)
    return result


def what_works(path: str) -> list[str]:
    """Return what this user can do with a file, a folder, a socket or a pipe."""
    works = []
    for name, flags in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        with suppress(OSError):
            descriptor = os.open(path, flags | os.O_NONBLOCK)
            works.append(f"{name} {path}")
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                works.append(f"hold {path}")
            os.close(descriptor)
    with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        works.append(f"connect to {path}")
    with suppress(OSError):
        marker = f"{path}/by-nobody"
        os.close(os.open(marker, os.O_CREAT | os.O_WRONLY))
        works.append(f"create files in {path}")
        os.unlink(marker)  # noqa: PTH108
    return works


def tree(folder: Path) -> set[str]:
    """Return a folder and all paths below it. Paths that disappear meanwhile are left out.

    Folders of pytest are not entered: other tests make trees in them that are deeper than `os.walk` can go.
    """
    found = {str(folder)}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if "pytest" not in name]
        found.update(os.path.join(parent, name) for name in (*folders, *files))  # noqa: PTH118
    return found


def open_files(pid: int) -> dict[str, str]:
    """Return the descriptors of a process and what each refers to."""
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    for descriptor in folder.iterdir():
        with suppress(OSError):
            found[descriptor.name] = os.readlink(descriptor)  # noqa: PTH115
    return found


def written_files(pid: int) -> set[str]:
    """Return the paths of the files that a process has open for writing."""
    found = set()
    for name, target in open_files(pid).items():
        with suppress(OSError):
            info = Path(f"/proc/{pid}/fdinfo/{name}").read_text()
            flags = int(info.split("flags:")[1].split()[0], 8)
            if target.startswith("/") and not target.startswith("/dev/null") and flags & os.O_ACCMODE:
                found.add(target)
    return found


def sockets(pid: int) -> set[str]:
    """Return the inodes of the sockets of a process."""
    return {target[8:-1] for target in open_files(pid).values() if target.startswith("socket:[")}


def rows(name: str) -> list[list[str]]:
    with suppress(OSError):
        return [line.split() for line in Path(name).read_text().splitlines()[1:]]
    return []


@contextmanager
def programs(umask: int, runtime: Path | None) -> Iterator[tuple[Path, list[int]]]:
    """Run a window and a worker with a home that everybody could reach and read before."""
    top = Path(tempfile.mkdtemp(prefix=PREFIX))
    top.chmod(0o755)
    home = top / "home"
    before = os.umask(umask)
    started: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "FILEMILL_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("FILEMILL_DATABASE", None)
    environment.pop("XDG_RUNTIME_DIR", None)
    if runtime is not None:
        environment["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        for folder in (home, home / "logs", home / "run", home / "filemill.db.workers"):
            folder.mkdir(mode=0o777)
        for name in ("filemill.db.lock", "settings.toml.lock", "logs/filemill.log", "filemill.db", "settings.toml"):
            (home / name).touch(mode=0o666)
        for number in range(20):
            (top / f"{number}.txt").write_text("a\n" * number)
        for words in (["worker"], [str(top / f"{number}.txt") for number in range(20)]):
            started.append(
                subprocess.Popen(
                    [*PROGRAM, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        wait_until(lambda: list((home / "run").glob("*.holder")), 60)
        wait_until(lambda: (home / "run").glob("*.holder").__next__().read_text().count("/"), 60, "the window listens")
        wait_until((home / "filemill.db.queue").exists, 60)
        yield home, [program.pid for program in started]
    finally:
        os.umask(before)
        for program in started:
            program.send_signal(signal.SIGTERM)
        for program in started:
            program.wait(60)
        shutil.rmtree(top, ignore_errors=True)


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_another_user_can_do_nothing(umask: int) -> None:
    shared_before = set().union(*(tree(folder) for folder in SHARED_FOLDERS))
    with programs(umask, runtime=None) as (home, pids):
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        home_paths = tree(home)
        assert any(stat.S_ISSOCK(os.lstat(path).st_mode) for path in home_paths), "the socket of the window"
        # Qt creates this lock for a moment, with its own permissions; those of the home protect it.
        lasting = {path for path in home_paths if os.path.lexists(path) and not path.endswith("window.ini.lock")}
        modes = {path: stat.S_IMODE(os.lstat(path).st_mode) for path in lasting}
        assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}

        ours = set().union(*(sockets(pid) for pid in pids))
        for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
            assert [row for row in rows(f"/proc/net/{protocol}") if len(row) > 9 and row[9] in ours] == [], protocol
        addresses = [row[7] for row in rows("/proc/net/unix") if row[6] in ours and len(row) > 7]
        assert addresses
        assert [address for address in addresses if address.startswith("@")] == [], "anybody can connect to these"

        def all_locks_are_in_the_home() -> bool:
            # A lock and its file come and go while the two lists are read.
            locked = {row[5].rpartition(":")[2] for row in rows("/proc/locks") if len(row) > 5 and row[4] in names}
            return locked <= {str(os.stat(path).st_ino) for path in tree(home) if os.path.exists(path)}  # noqa: PTH110,PTH116

        names = set(map(str, pids))
        wait_until(all_locks_are_in_the_home)

        written = set().union(*(written_files(pid) for pid in pids))
        shared = set().union(*(tree(folder) for folder in SHARED_FOLDERS)) - shared_before
        # This test can run with another umask at the same time.
        shared = {path for path in shared if PREFIX not in path or str(home.parent) in path}
        candidates = home_paths | set(addresses) | written | {path for path in shared if str(home) not in path}
        # The files that the user has added, and their folder, are not Filemill's.
        added = {str(path) for path in home.parent.glob("*.txt")} | {str(home.parent)}
        candidates = {path for path in candidates if "filemill" in path and "pytest" not in path} - added
        memory = [
            row for row in rows("/proc/sysvipc/shm") + rows("/proc/sysvipc/sem") if set(row) & set(map(str, pids))
        ]
        assert memory == []
        inside = [f"/proc/{pid}/{name}" for pid in pids for name in ("mem", "environ", "fd", "map_files")]

        def attempt() -> list[str]:
            return [work for path in (*candidates, *inside) if os.path.basename(path) for work in what_works(path)]  # noqa: PTH119

        assert as_nobody(attempt) == []
        # The other user can look for the home's parent, so the test has reached it.
        assert as_nobody(lambda: what_works(str(home.parent))) == [f"read {home.parent}", f"hold {home.parent}"]


def test_lock_that_another_user_has_put_into_the_folder_is_replaced(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    os.chown(lock, NOBODY, NOBODY)
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as that user might do
        with private_lock(lock, timeout=0):
            assert lock.stat().st_uid == os.geteuid()

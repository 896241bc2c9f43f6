"""The file system of a path, found without accessing network shares."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.sources.mounts import Mount, MountTable, parse_mountinfo

if TYPE_CHECKING:
    from pathlib import Path

MOUNTINFO = rb"""27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
28 27 0:39 / /mnt/nas rw shared:2 master:1 - nfs4 server:/export rw
29 27 0:40 / /mnt/two\040words rw - cifs //server/share rw
30 27 0:41 / /media/usb rw - vfat /dev/sdb1 rw
31 27 0:42 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
32 28 0:43 / /mnt/nas rw - ext4 /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("place", "number", "is_remote"),
    [
        ("/", "27", False),
        ("/mnt/two words", "29", True),
        ("/media/usb", "30", False),
        ("/run/user/1000/gvfs", "31", True),
        ("/mnt/nas", "32", False),  # hides the share below it
    ],
)
def test_mount_is_read_from_mountinfo(place: str, number: str, is_remote: bool) -> None:
    assert parse_mountinfo(MOUNTINFO)[place] == Mount(place, number, is_remote)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "autofs", "fuse", "fuse.sshfs", "fuse.hangfs"])
def test_file_system_of_a_server_or_program_is_remote(kind: str) -> None:
    assert parse_mountinfo(f"2 1 0:1 / /a rw - {kind} x rw".encode())["/a"].is_remote


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "tmpfs", "fuseblk", "overlay", "zfs", "vfat"])
def test_file_system_of_a_local_disk_is_not_remote(kind: str) -> None:
    assert not parse_mountinfo(f"2 1 0:1 / /a rw - {kind} x rw".encode())["/a"].is_remote


def test_root_directory_is_never_remote() -> None:
    assert not parse_mountinfo(b"2 1 0:1 / / rw - fuse.fuse-overlayfs x rw")["/"].is_remote


@pytest.fixture
def table(tmp_path: Path) -> MountTable:
    share = tmp_path / "share"
    share.mkdir()
    mounts = {"/": Mount("/"), str(share): Mount(str(share), "2", is_remote=True)}
    return MountTable(lambda: mounts)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_path_belongs_to_the_nearest_mount_point(table: MountTable, tmp_path: Path) -> None:
    assert table.by_name(f"{tmp_path}/share/a/b").is_remote
    assert table.by_name(f"{tmp_path}/share").is_remote
    assert not table.by_name(f"{tmp_path}/shared").is_remote
    assert not table.by_name("relative").is_remote


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
@pytest.mark.parametrize(
    ("target", "path", "is_remote"),
    [
        ("share", "link/file", True),
        ("share/folder", "link", True),
        ("{root}/share", "link/file", True),
        ("deep/../share/x", "link", True),
        ("link", "link/file", False),  # a loop
        ("nowhere", "link/file", False),
        ("deep", "link/file", False),
    ],
)
def test_symbolic_link_leads_to_the_mount_of_its_target(
    table: MountTable, tmp_path: Path, target: str, path: str, is_remote: bool
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to(target.format(root=tmp_path))
    assert table.mount_of(f"{tmp_path}/{path}").is_remote is is_remote


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_file_beside_a_mount_point_is_not_on_that_mount(table: MountTable, tmp_path: Path) -> None:
    assert table.mount_of(str(tmp_path / "share")).is_remote
    assert table.mount_of(str(tmp_path / "file")) == Mount("/")


def test_share_is_not_accessed(table: MountTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accessed: list[str] = []

    def readlink(path: str) -> str:
        accessed.append(path)
        if path != "/link":
            raise OSError
        return f"{tmp_path}/share/folder"

    monkeypatch.setattr(os, "readlink", readlink)
    assert table.mount_of(f"{tmp_path}/share/folder/file").is_remote
    assert accessed == []
    assert table.mount_of("/link/file").is_remote
    assert not any(path.startswith(f"{tmp_path}/share") for path in accessed)


def test_mounts_are_read_again_after_a_second() -> None:
    now = 0.0
    read: list[float] = []

    def read_mounts() -> dict[str, Mount]:
        read.append(now)
        return {}

    table = MountTable(read_mounts, lambda: now)
    for seconds in (0.0, 0.5, 1.0, 1.5):
        now = seconds
        table.mount_of("/a")
    assert read == [0.0, 1.0]

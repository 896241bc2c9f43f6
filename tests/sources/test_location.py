"""Parsing names: which URLs are paths of this computer, which are mounted, and which are refused."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import KnownError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.sources import location
from desktop_app.sources.location import (
    RefusedNameError,
    from_here,
    is_local_or_network,
    mounted_path,
    name_to_show,
    names_in_text,
    names_in_uri_list,
    path_in,
)

if TYPE_CHECKING:
    from pathlib import Path

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has other forms")


def refusal(name: str) -> ReasonCode:
    with pytest.raises(RefusedNameError) as caught:
        path_in(name)
    return caught.value.code


@pytest.fixture(autouse=True)
def host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Box.example.org")


# --- `file:` URLs


@posix_only
@pytest.mark.parametrize(
    "start",
    [
        "file:",
        "file://",
        "FILE://",
        "File:",
        "file://localhost",
        "file://LocalHost",
        "file://localhost.",
        "file://%6Cocalhost",
        "file://localhost.localdomain",
        "file://127.0.0.1",
        "file://[::1]",
        "file://box",
        "file://BOX",
        "file://box.local",
        "file://box.example.org",
    ],
)
def test_every_name_of_this_computer_is_recognized(start: str) -> None:
    assert path_in(f"{start}/in/a.txt") == "/in/a.txt"
    assert is_local_or_network(f"{start}/in/a.txt")


@posix_only
@pytest.mark.parametrize(
    "host",
    [
        "server",
        "server:80",
        "10.0.0.1",
        "127.0.0.2",
        "[::2]",
        "box2",
        "bo",
        "box.example.com",
        "box.local.example.org",
        "localhost.example.org",
        "user@localhost",
        "localhost:80",
        "local%00host",
        "etc",
        "..",
        "~",
        "C:",
        " ",
        "s\u212aerver",
    ],
)
def test_every_other_computer_is_refused(host: str) -> None:
    for path in ("/etc/passwd", "/", ""):
        assert refusal(f"file://{host}{path}") is ReasonCode.OTHER_COMPUTER
        assert not is_local_or_network(f"file://{host}{path}")


@posix_only
def test_computer_without_a_name_has_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "")

    assert refusal("file://.local/a") is ReasonCode.OTHER_COMPUTER


@posix_only
@pytest.mark.parametrize(
    ("encoded", "path"),
    [
        ("/a%20b", "/a b"),
        ("/%C3%BC", "/ü"),
        ("/ü", "/ü"),
        ("/caf%E9", "/caf\udce9"),
        ("/caf\udce9", "/caf\udce9"),
        ("/%FF%80", "/\udcff\udc80"),
        ("/100%", "/100%"),
        ("/a%zz", "/a%zz"),
        ("/a%2520b", "/a%20b"),
        ("/a#b?c&d=e", "/a#b?c&d=e"),
        ("/a%0Ab", "/a\nb"),
        ("/a;b", "/a;b"),
        ("/a+b", "/a+b"),
        ("/a%5Cb", "/a\\b"),
        ("//in/a", "//in/a"),
    ],
)
def test_path_is_decoded_once_to_bytes(encoded: str, path: str) -> None:
    assert path_in(f"file://{encoded}") == path


@posix_only
@pytest.mark.parametrize("encoded", ["/a%00b", "/etc%2Fpasswd", "/%2fetc/passwd", "/\ud800"])
def test_name_that_no_file_can_have_is_refused(encoded: str) -> None:
    assert refusal(f"file://{encoded}") is ReasonCode.IMPOSSIBLE_NAME


@posix_only
@pytest.mark.parametrize("name", ["", "file://", "file://localhost"])
def test_url_without_a_path_is_a_missing_file(name: str) -> None:
    assert refusal(name) is ReasonCode.NO_SUCH_FILE


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "\\a",
        ".\\\\nas\\in",
        "\\\\?\\C:\\a",
        "\\\\.\\pipe",
        "C:\\a",
        "./file:/a",
        "file:a",
        "file:",
        "C://x",
        "/smb://nas/a",
        "a/http://b",
        "~/a",
        "-",
    ],
)
@posix_only
def test_anything_else_is_a_path(name: str) -> None:
    assert path_in(name) == name


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///C:/My%20Files/a.txt", "C:/My Files/a.txt"),
        ("FILE:///c:/a", "c:/a"),
        ("file://localhost/C:/a", "C:/a"),
        ("file://box/C:/a", "C:/a"),
        ("file:/C:/a", "C:/a"),
        ("file:C:/a", "C:/a"),
        ("file:C:\\a\\b", "C:/a/b"),
        ("file://C:/a", "C:/a"),
        ("file:///C|/a", "C:/a"),
        ("file:///C%3A/a", "C:/a"),
        ("file:///C:\\a", "C:/a"),
        ("file:///d:", "D:".lower()),
        ("file:///share/a", "/share/a"),
        ("file://server/share/a%20b", "//server/share/a b"),
        ("file://box/share/a", "//box/share/a"),
        ("file:////server/share/a", "//server/share/a"),
        ("file://///server/share/a", "//server/share/a"),
        ("file:\\\\server\\share\\a", "//server/share/a"),
        ("C:\\a", "C:\\a"),
        ("\\\\server\\share\\a", "\\\\server\\share\\a"),
        ("file:name", "file:name"),
    ],
)
def test_drives_and_unc_paths_of_windows(monkeypatch: pytest.MonkeyPatch, address: str, path: str) -> None:
    monkeypatch.setattr(location, "_ON_WINDOWS", True)

    assert path_in(address) == path


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("file://user@server/share/a", ReasonCode.OTHER_COMPUTER),
        ("file://server:80/share/a", ReasonCode.OTHER_COMPUTER),
        ("file:///C:/a%2Fb", ReasonCode.IMPOSSIBLE_NAME),
        ("file:///C:/a%5Cb", ReasonCode.IMPOSSIBLE_NAME),
        ("file:///C:/a%00b", ReasonCode.IMPOSSIBLE_NAME),
        ("file://", ReasonCode.NO_SUCH_FILE),
    ],
)
def test_refused_urls_of_windows(monkeypatch: pytest.MonkeyPatch, address: str, code: ReasonCode) -> None:
    monkeypatch.setattr(location, "_ON_WINDOWS", True)

    assert refusal(address) is code


# --- the web and network locations


@pytest.mark.parametrize("address", ["http://example.org/a", "HTTPS://example.org/a", "s3://bucket/key"])
def test_web_address_is_refused(address: str) -> None:
    assert refusal(address) is ReasonCode.NAMED_ADDRESS
    assert not is_local_or_network(address)


@pytest.mark.parametrize(
    "address",
    [
        *("smb://nas/in/a", "SMB://nas/in/a", "cifs://nas/in/a", "sftp://u@nas:22/a", "ssh://nas/a", "fish://nas/a"),
        *("ftp://nas/a", "ftps://nas/a", "nfs://nas/a", "afp://nas/a", "dav://nas/a", "davs://nas/a", "webdav://nas/a"),
        *("mtp://[usb:001,005]/a", "mtp:/Phone/a", "gphoto2://camera/a", "afc://0123/a", "kdeconnect://0123/a"),
        *(
            "google-drive://me@gmail.com/a",
            "gdrive:/me/a",
            "onedrive://me/a",
            "trash:///a",
            "recent:///a",
            "admin:///a",
        ),
        *(pytest.param(name, marks=posix_only) for name in ("\\\\nas\\in\\a", "\\\\nas", "\\\\wsl$\\Debian\\a")),
    ],
)
def test_network_location_that_is_not_mounted_has_its_own_reason(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert refusal(address) is ReasonCode.NETWORK_LOCATION
    assert is_local_or_network(address)
    with pytest.raises(RefusedNameError) as caught:
        mounted_path(address)
    assert caught.value.code is ReasonCode.NETWORK_LOCATION
    assert "web" not in ReasonCode.NETWORK_LOCATION.template.lower()


MOUNTED = [
    ("smb://nas/in/a%20b", "gvfs/smb-share:server=nas,share=in/a b"),
    ("smb://NAS/In/x", "gvfs/smb-share:server=nas,share=in/x"),
    ("smb://nas/in", "gvfs/smb-share:server=nas,share=in"),
    ("smb://HOME;me@nas/in/x", "gvfs/smb-share:domain=HOME,server=nas,share=in,user=me/x"),
    ("smb://nas/in/x", "gvfs/smb-share:domain=HOME,server=nas,share=in,user=me/x"),
    ("smb://nas/two%20words/x", "gvfs/smb-share:server=nas,share=two%20words/x"),
    ("sftp://me@nas/home/me/x", "gvfs/sftp:host=nas,user=me/home/me/x"),
    ("sftp://nas:22/x", "gvfs/sftp:host=nas/x"),
    ("sftp://nas:2222/x", "gvfs/sftp:host=nas,port=2222/x"),
    ("ssh://nas/x", "gvfs/sftp:host=nas/x"),
    ("ftp://nas/x", "gvfs/ftp:host=nas/x"),
    ("dav://nas/files/x", "gvfs/dav:host=nas,ssl=false,prefix=%2Ffiles/x"),
    ("davs://nas/files/me/d/x", "gvfs/dav:host=nas,ssl=true,user=me,prefix=%2Ffiles%2Fme/d/x"),
    ("mtp://[usb:001,005]/Card/x", "gvfs/mtp:host=%5Busb%3A001%2C005%5D/Card/x"),
    ("mtp://Phone_0123/Card/x", "gvfs/mtp:host=Phone_0123/Card/x"),
    ("gphoto2://Camera/x", "gvfs/gphoto2:host=Camera/x"),
    ("google-drive://me@gmail.com/0AB/x", "gvfs/google-drive:host=gmail.com,user=me/0AB/x"),
    ("smb://me@nas/in/x", "kio-fuse-AbC123/smb/me@nas/in/x"),
    ("sftp://nas/x", "kio-fuse-AbC123/sftp/nas/x"),
    ("mtp:/Phone/x", "kio-fuse-AbC123/mtp/Phone/x"),
    ("\\\\nas\\in\\a b", "gvfs/smb-share:server=nas,share=in/a b"),
    ("\\\\NAS\\In\\100%25", "gvfs/smb-share:server=nas,share=in/100%25"),
]


@posix_only
@pytest.mark.parametrize(("address", "path"), MOUNTED)
def test_network_location_is_found_where_the_desktop_has_mounted_it(
    address: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / path).mkdir(parents=True)

    assert mounted_path(address) == str(tmp_path / path)


@posix_only
@pytest.mark.parametrize(
    ("address", "mount"),
    [
        ("smb://nas/other/x", "gvfs/smb-share:server=nas,share=in"),
        ("smb://nas2/in/x", "gvfs/smb-share:server=nas,share=in"),
        ("smb://you@nas/in/x", "gvfs/smb-share:server=nas,share=in,user=me"),
        ("sftp://nas/x", "gvfs/sftp:host=nas,port=2222"),
        ("sftp://nas:2222/x", "gvfs/sftp:host=nas"),
        ("ftp://nas/x", "gvfs/sftp:host=nas"),
        ("dav://nas/x", "gvfs/dav:host=nas,ssl=true"),
        ("davs://nas/filesystem/x", "gvfs/dav:host=nas,ssl=true,prefix=%2Ffiles"),
        ("smb://../x", "kio-fuse-AbC123/smb/nas"),
        ("sftp://nas/x", "kio-fuse-AbC123/smb/nas"),
        ("sftp://nas/x", "gvfs/nonsense"),
    ],
)
def test_mount_of_another_location_is_not_used(
    address: str, mount: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / mount).mkdir(parents=True)

    with pytest.raises(RefusedNameError):
        mounted_path(address)


@posix_only
def test_dots_in_a_url_do_not_leave_the_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    share = tmp_path / "gvfs" / "sftp:host=nas"
    share.mkdir(parents=True)

    assert mounted_path("sftp://nas/../../../etc/passwd") == str(share / "etc" / "passwd")
    assert mounted_path("sftp://nas/%2e%2e/%2e%2e/etc/passwd") == str(share / "etc" / "passwd")


@posix_only
def test_mount_that_contains_the_file_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "gvfs" / "sftp:host=nas,user=a").mkdir(parents=True)
    (tmp_path / "gvfs" / "sftp:host=nas,user=b" / "x").mkdir(parents=True)

    assert mounted_path("sftp://nas/x") == str(tmp_path / "gvfs" / "sftp:host=nas,user=b" / "x")
    assert mounted_path("sftp://nas/y") == str(tmp_path / "gvfs" / "sftp:host=nas,user=a" / "y")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("smb://me:hunter2@nas/in/a", "smb://[secret]@nas/in/a"),
        ("file://me:hunter2@nas/in/a", "file://[secret]@nas/in/a"),
        ("s3://b/k?X-Amz-Signature=0123456789abcdef", "s3://b/k?…"),
        ("smb://nas/in/a", "smb://nas/in/a"),
        ("/in/password=hunter2", "/in/password=hunter2"),
    ],
)
def test_urls_are_shown_without_secrets_and_paths_as_they_are(name: str, shown: str) -> None:
    assert name_to_show(name) == shown


# --- lists of names


@posix_only
def test_uri_list_has_comments_and_any_line_ends() -> None:
    data = (
        b"#file:///a\r\nfile:///in/a%20b\r\n\r\nfile://box/b\nfile://server/c\rfile:///in/bad%FF\r\n"
        b"https://example.org/x\r\nsmb://nas/in\r\nnotes.txt\r\nmailto:me@example.org\r\n/d\r\n\0"
    )
    assert names_in_uri_list(data) == [
        *("/in/a b", "/b", "file://server/c", "/in/bad\udcff"),
        *("https://example.org/x", "smb://nas/in", "/d"),
    ]


@posix_only
@pytest.mark.parametrize("word", [b"copy", b"cut"])
def test_copied_files_of_gnome_are_a_list_after_a_word(word: bytes) -> None:
    assert names_in_uri_list(word + b"\nfile:///a%20b\nfile:///c") == ["/a b", "/c"]
    assert names_in_text(f"x-special/nautilus-clipboard\n{word.decode()}\nfile:///a%20b\n") == ["/a b"]


@posix_only
def test_text_is_a_list_of_absolute_paths_and_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    text = (
        "/in/a.txt\n  \"/in/b c.txt\" \r\n'file:///in/d%20e'\nhttps://example.org/x\nsmb://nas/in\n~/three\n"
        "some prose\n\nrelative/path\nfile: relative\n~four/x\nfile://server/y\n\\\\nas\\in\\z\n\\\\ prose\n"
    )
    assert names_in_text(text) == [
        *("/in/a.txt", "/in/b c.txt", "/in/d e", "https://example.org/x"),
        *("smb://nas/in", "/home/me/three", "file://server/y", "\\\\nas\\in\\z"),
    ]


# --- another working directory


@posix_only
def test_names_for_another_program_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("a", "/b", "file:///c%20d", "file://server/e", "smb://nas/f", "", "file:g", "filemill://add-files")

    assert from_here(names) == (
        *(f"{tmp_path}/a", "/b", "/c d", "file://server/e", "smb://nas/f", "", f"{tmp_path}/file:g"),
        "filemill://add-files",
    )


@posix_only
def test_without_a_current_folder_only_relative_names_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()

    assert from_here(["/a", "file:///b", "smb://nas/c"]) == ("/a", "/b", "smb://nas/c")
    for name in ("a", "./a", "../a", "file:a"):
        with pytest.raises(KnownError, match="current folder was removed"):
            from_here([name])

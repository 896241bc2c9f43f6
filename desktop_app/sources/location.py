r"""Parse what the user names: paths and URLs that are dropped, pasted, given on the command line or handed over.

A `file:` URL is converted to a path only if it refers to this computer. The URL of a network location, such as
`smb://server/share/a.txt`, is converted to the path at which the desktop has mounted that location. Outside Windows,
the same applies to a UNC path, such as `\\server\share\a.txt`.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

from desktop_app.domain.errors import KnownError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.domain.secrets import masked
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_ON_WINDOWS = os.name == "nt"

# A scheme has at least two letters, so that `C:/x` and `C://x` are paths. KDE writes some URLs with one slash.
_ADDRESS = re.compile(
    r"(?!file:)[a-z][a-z0-9+.-]+://|(?:afc|bluetooth|camera|gdrive|kdeconnect|mtp|obexftp|remote|trash):/",
    re.IGNORECASE,
)
_FILE_ADDRESS = re.compile(r"file:(?://(?P<host>[^/]*)|(?=/))(?P<path>/.*)?", re.IGNORECASE | re.DOTALL)
_WINDOWS_FILE_ADDRESS = re.compile(
    r"file:(?=[/\\]|[a-z][:|])(?P<slashes>[/\\]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_DRIVE = re.compile(r"/*([A-Za-z])[:|](?=/|$)")
_WEB = re.compile(r"(?:https?|s3)://", re.IGNORECASE)
_UNC = re.compile(r"\\\\[^\\/?.\s]")
"""The beginning of a UNC path; a question mark or a dot begins the name of a device."""
_LOOPBACK = frozenset({"", "localhost", "localhost.localdomain", "127.0.0.1", "[::1]"})
_QUOTES = ('"', "'")


class RefusedNameError(Exception):
    """The text does not name a file or folder on this computer.

    Attributes:
        code: The code of the reason.
    """

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code)
        self.code = code


def is_address(text: str) -> bool:
    """Return whether a text is a URL other than a `file:` URL."""
    return _ADDRESS.match(text) is not None


def is_file_address(text: str) -> bool:
    """Return whether a text is an absolute `file:` URL; `file:name` is a relative path."""
    return _match_file_address(text) is not None


def path_in(name: str) -> str:
    """Return the path that a name contains, without accessing it. It may be relative.

    Args:
        name: A path as decoded by `os.fsdecode`, or a URL.

    Raises:
        RefusedNameError: If the text is empty, a URL of another kind, a `file:` URL of another computer or, outside
            Windows, a UNC path.
    """
    if not name:
        raise RefusedNameError(ReasonCode.NO_SUCH_FILE)
    if is_address(name):
        raise RefusedNameError(ReasonCode.NAMED_ADDRESS if _WEB.match(name) else ReasonCode.NETWORK_LOCATION)
    if _is_foreign_unc(name):
        raise RefusedNameError(ReasonCode.NETWORK_LOCATION)
    if found := _match_file_address(name):
        return _windows_path(found) if _ON_WINDOWS else _posix_path(found)
    return name


def mounted_path(name: str) -> str:
    """Return the path that a name contains, or at which the desktop has mounted the network location that it names.

    This can access network file systems, so do not call it on the main thread.

    Raises:
        RefusedNameError: As `path_in`; also if the network location is not mounted.
    """
    try:
        return path_in(name)
    except RefusedNameError as error:
        path = _path_of_mount(name) if error.code is ReasonCode.NETWORK_LOCATION else ""
        if not path:
            raise
        return path


def desktop_mounts() -> list[str]:
    """Return the folders in which the desktop has mounted network locations, without accessing them."""
    if _ON_WINDOWS:
        return []
    runtime = _runtime_folder()
    return [*map(str, _gvfs_folders(runtime)), *map(str, _kio_folders(runtime))]


def name_to_show(name: str) -> str:
    """Return a name as it may be shown and stored: a URL without a password, and without a query that may be secret."""
    if is_file_address(name):
        return masked(name)
    if not is_address(name):
        return name
    address, question_mark, _ = name.partition("?")
    return masked(address) + (question_mark and "?…")


def absolute(path: str) -> str:
    """Return the absolute path. Links are resolved only if removing `link/..` would change the target.

    Raises:
        RefusedNameError: If the path is relative, and the current folder no longer exists.
        OSError: If the path can't be accessed.
    """
    try:
        made = os.path.abspath(path)  # noqa: PTH100 - pathlib keeps ".."
    except OSError as error:
        raise RefusedNameError(ReasonCode.CURRENT_FOLDER_GONE) from error
    if not _ON_WINDOWS:
        made = f"/{made.lstrip('/')}"  # `abspath` keeps two slashes, and the same file would have two paths
    if os.pardir not in path or not os.path.lexists(path):
        return made
    if os.path.lexists(made) and os.path.samestat(os.lstat(path), os.lstat(made)):
        return made
    return os.path.realpath(path)


def from_here(names: Iterable[str]) -> tuple[str, ...]:
    """Return absolute paths, for a program with another working directory. Other URLs are not changed.

    Raises:
        KnownError: If a path is relative, and the current folder no longer exists.
    """

    def absolute_name(name: str) -> str:
        try:
            return absolute(path_in(name))
        except RefusedNameError as error:
            if error.code is ReasonCode.CURRENT_FOLDER_GONE:
                raise KnownError(Sentence("{reason}.", reason=Sentence(error.code.template))) from error
            return name

    return tuple(map(absolute_name, names))


def names_in_uri_list(data: bytes) -> list[str]:
    """Return the items in data of the type `text/uri-list`, or in GNOME's list of copied files.

    Comments, the word before GNOME's list, and relative paths are left out.

    Returns:
        The paths of items on this computer, and the URLs of others.
    """
    lines = re.split(r"[\r\n\0]+", os.fsdecode(data))
    return [_path_or_address(line) for line in lines if _is_absolute(line) or line[:5].lower() == "file:"]


def names_in_text(text: str) -> list[str]:
    """Return those lines of a text that are absolute paths or URLs. They can be quoted or begin with `~/`.

    Returns:
        The paths of items on this computer, and the URLs of others.
    """
    return [_path_or_address(name) for line in re.split(r"[\r\n]+", text) if (name := _name_in(line))]


def is_local_or_network(name: str) -> bool:
    """Return whether a name is a path, a `file:` URL of this computer, or a network location."""
    try:
        return bool(path_in(name))
    except RefusedNameError as error:
        return error.code is ReasonCode.NETWORK_LOCATION


def _match_file_address(text: str) -> re.Match[str] | None:
    return (_WINDOWS_FILE_ADDRESS if _ON_WINDOWS else _FILE_ADDRESS).fullmatch(text)


def _path_or_address(name: str) -> str:
    try:
        return path_in(name)
    except RefusedNameError:
        return name


def _name_in(line: str) -> str:
    text = line.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if text.startswith(("~/", f"~{os.sep}")):
        return os.path.expanduser(text)  # noqa: PTH111 - `Path` would normalize the rest
    return text if _is_absolute(text) else ""


def _is_absolute(name: str) -> bool:
    # `Path` is several times slower, and this runs on the main thread.
    is_path = os.path.isabs(name) and (os.sep == "/" or bool(os.path.splitdrive(name)[0]))  # noqa: PTH117
    return is_path or is_address(name) or is_file_address(name) or _is_foreign_unc(name)


def _is_foreign_unc(name: str) -> bool:
    return not _ON_WINDOWS and _UNC.match(name) is not None


def _is_this_computer(host: str) -> bool:
    name = unquote(host).lower().removesuffix(".")
    if name in _LOOPBACK:
        return True
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    # Not `socket.getfqdn`, which asks a name server.
    return bool(short) and name in {own, short, f"{short}.local"}


def _decoded(encoded: str) -> str:
    """Decode a part of a URL to bytes, since a name need not be UTF-8.

    "?" and "#" are parts of the name: many programs do not escape them, and a local file has no query.
    """
    if re.search(r"%(?:00|2f|5c)" if _ON_WINDOWS else r"%(?:00|2f)", encoded, re.IGNORECASE):
        raise RefusedNameError(ReasonCode.IMPOSSIBLE_NAME)  # a name can't contain a NUL or a separator
    try:
        return os.fsdecode(unquote_to_bytes(os.fsencode(encoded)))
    except UnicodeError as error:  # a surrogate that represents no byte or, on Windows, a name that is not UTF-8
        raise RefusedNameError(ReasonCode.IMPOSSIBLE_NAME) from error


def _posix_path(address: re.Match[str]) -> str:
    if not _is_this_computer(address["host"] or ""):
        raise RefusedNameError(ReasonCode.OTHER_COMPUTER)
    if not address["path"]:
        raise RefusedNameError(ReasonCode.NO_SUCH_FILE)
    return _decoded(address["path"])


def _windows_path(address: re.Match[str]) -> str:
    """Return the path of a `file:` URL in one of the forms that Windows programs write (RFC 8089, appendix E)."""
    slashes, rest = len(address["slashes"]), _decoded(address["rest"]).replace("\\", "/")
    if found := _DRIVE.match(rest):
        return f"{found[1]}:{rest[found.end() :]}"
    if slashes == len("//"):
        host, _, path = rest.partition("/")
        if not host:
            raise RefusedNameError(ReasonCode.NO_SUCH_FILE)
        if "@" in host or ":" in host:
            raise RefusedNameError(ReasonCode.OTHER_COMPUTER)
        if _is_this_computer(host) and (found := _DRIVE.match(path)):
            return f"{found[1]}:{path[found.end() :]}"
        return f"//{host}/{path}"
    return f"//{rest}" if slashes > len("///") else f"/{rest}"


_GVFS_TYPES = {
    "smb": "smb-share",
    "cifs": "smb-share",
    "ssh": "sftp",
    "scp": "sftp",
    "davs": "dav",
    "webdav": "dav",
    "webdavs": "dav",
}
"""The types of GVFS mounts that differ from the scheme of the URL."""
_KIO = "kio-fuse-"
_SECURE = frozenset({"davs", "webdavs"})
_PORTS = {"smb": "445", "sftp": "22", "ssh": "22", "ftp": "21", "dav": "80", "davs": "443"}
_AUTHORITY = re.compile(
    r"(?:(?:[^;@]*;)?(?P<user>[^@:]*)(?::[^@]*)?@)?(?P<host>\[.*?\]|[^:]*)(?::(?P<port>\d+))?", re.DOTALL
)


def _path_of_mount(address: str) -> str:
    """Return the path at which GVFS or KIO-FUSE has mounted a network location; empty if it is not mounted."""
    if _ON_WINDOWS:
        return ""
    if _is_foreign_unc(address):
        address = "smb:" + quote(os.fsencode(address.replace("\\", "/")))
    scheme, _, rest = address.partition(":")
    authority, _, encoded = rest.removeprefix("//").partition("/") if rest.startswith("//") else ("", "", rest)
    path = os.path.normpath(f"/{_decoded(encoded)}").lstrip("/")  # so that no ".." leaves the mount
    runtime = _runtime_folder()
    found = [
        *_gvfs_paths(runtime, scheme.lower(), authority, path),
        *_kio_paths(runtime, scheme.lower(), authority, path),
    ]
    return next((path for path in found if os.path.lexists(path)), next(iter(found), ""))


def _runtime_folder() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}")


def _gvfs_folders(runtime: Path) -> tuple[Path, Path]:
    return runtime / "gvfs", Path(os.path.expanduser("~/.gvfs"))  # noqa: PTH111 - never raises


def _kio_folders(runtime: Path) -> list[Path]:
    return [runtime / entry for entry in _names_in_folder(runtime) if entry.startswith(_KIO)]


def _gvfs_paths(runtime: Path, scheme: str, authority: str, path: str) -> Iterator[str]:
    """Yield the path in each GVFS mount that contains a location, such as `gvfs/smb-share:server=nas,share=in/a`."""
    wanted = _AUTHORITY.fullmatch(authority)
    if wanted is None:
        return
    for folder in _gvfs_folders(runtime):
        for entry in _names_in_folder(folder):
            kind, _, pairs = entry.partition(":")
            mount = {key: unquote(value) for key, _, value in (pair.partition("=") for pair in pairs.split(","))}
            if kind == _GVFS_TYPES.get(scheme, scheme) and _is_mount_of(mount, scheme, wanted):
                below = _path_below(mount, path)
                if below is not None:
                    yield str(folder / entry / below)


def _is_mount_of(mount: dict[str, str], scheme: str, wanted: re.Match[str]) -> bool:
    usual_port = _PORTS.get(scheme, "")
    return (
        mount.get("host", mount.get("server", "")).lower() == unquote(wanted["host"]).lower()
        and unquote(wanted["user"] or "") in {"", mount.get("user", "")}
        and (wanted["port"] or usual_port) == mount.get("port", usual_port)
        and (mount.get("ssl") == "true") == (scheme in _SECURE)
    )


def _path_below(mount: dict[str, str], path: str) -> str | None:
    """Return the path relative to the root of a mount; None if it is outside the mount."""
    if "share" in mount:
        share, _, below = path.partition("/")
        return below if share.lower() == mount["share"].lower() else None
    prefix = mount.get("prefix", "").strip("/")
    if not prefix or path == prefix:
        return path[len(prefix) :]
    return path[len(prefix) + 1 :] if path.startswith(f"{prefix}/") else None


def _kio_paths(runtime: Path, scheme: str, authority: str, path: str) -> Iterator[str]:
    """Yield the path in each KIO-FUSE mount that contains a location, such as `kio-fuse-XXXXXX/smb/nas/in/a`."""
    for folder in _kio_folders(runtime):
        root = folder / scheme / authority
        if authority not in {".", ".."} and root.is_dir():
            yield str(root / path)


def _names_in_folder(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - the names are enough
    except OSError:
        return []

"""Check for the system packages that Qt needs on Debian and its derivatives. Run by `make` before Qt is installed.

Prints the command that installs missing packages; as root, installs them. On other systems it does nothing.
The exit code is 1 if a required package is missing. Uses only the standard library of Python.
"""
# ruff: noqa: T201 - a script, and the terminal is its output

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

QT_MODULES = {"QtCore", "QtDBus", "QtGui", "QtNetwork", "QtWidgets", "QtSvg", "QtTest"}
# The libraries that the PySide6-Essentials wheel does not contain, from the NEEDED entries of these modules and of the
# offscreen platform, without the C and C++ runtimes that Python or apt need anyway.
OFFSCREEN = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
# The same for the xcb platform and its OpenGL plugins, to show a window.
DISPLAY = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONTS = "fonts-dejavu-core"
FONT_SUFFIXES = {".ttf", ".ttc", ".otf", ".pfb"}
# Renamed, with this suffix, where the release moved to a 64-bit time_t (Debian 13, Ubuntu 24.04).
RENAMED = {"libglib2.0-0"}
NEW_SUFFIX = "t64"
APT_SECONDS = 900


def is_debian_like() -> bool:
    """Return whether this system uses apt."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    names = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    return bool(names & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None


def can_load(library: str) -> bool:
    """Return whether the dynamic loader finds a library for this Python's architecture, as it will for Qt."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_fonts() -> bool:
    """Return whether any font is installed; without one, Qt shows empty boxes."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    folders = ["/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", f"{data}/fonts"]
    return any(
        path.suffix.lower() in FONT_SUFFIXES for folder in folders for path in Path(folder).expanduser().rglob("*")
    )


def has_venv() -> bool:
    """Return whether this Python can create virtual environments, which Debian packages separately."""
    return importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None


def venv_package() -> str:
    """Return the package with this Python's `venv`."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


def missing(libraries: dict[str, str]) -> list[str]:
    """Return the packages of missing libraries."""
    return list(dict.fromkeys(package for library, package in libraries.items() if not can_load(library)))


def named_for_release(packages: list[str], status: Path = Path("/var/lib/dpkg/info")) -> list[str]:
    """Return the packages by their names in this release, without duplicates, sorted.

    Args:
        packages: Names as in Debian 12.
        status: The folder in which dpkg keeps a file list for each installed package. In every release with renamed
            packages, some of them are installed.
    """
    renamed = any(True for _ in status.glob(f"*{NEW_SUFFIX}*.list"))
    return sorted({p + NEW_SUFFIX if renamed and p in RENAMED else p for p in packages})


def install(packages: list[str]) -> bool:
    """Install the packages with apt; return False on failure, after printing the name of the file with apt's output."""
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with tempfile.NamedTemporaryFile("w", prefix="filemill-apt-", suffix=".log", delete=False) as log:
        for step in (["update"], ["install", "--no-install-recommends", *packages]):
            try:
                done = subprocess.run(  # noqa: S603 - fixed words and the names above
                    [*apt, *step],
                    check=False,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=APT_SECONDS,
                )
            except subprocess.TimeoutExpired:
                break
            # A failed update may not matter: the installation decides.
            if step[0] == "install" and done.returncode == 0:
                Path(log.name).unlink()
                return True
    print(f"The output of apt is in {log.name}.", file=sys.stderr)
    return False


def main() -> int:
    """Check, report or install; return the exit code."""
    if not is_debian_like():
        if has_venv():
            return 0
        print("This Python lacks venv and ensurepip; install them with your system's package manager.", file=sys.stderr)
        return 1
    window = bool(os.environ.get("DISPLAY")) and os.environ.get("QT_QPA_PLATFORM", "xcb") == "xcb"
    needed = missing(OFFSCREEN) + ([] if has_fonts() else [FONTS]) + ([] if has_venv() else [venv_package()])
    for_display = missing(DISPLAY)
    packages = named_for_release(needed + for_display)
    if not packages:
        return 0
    if os.geteuid() == 0:
        print(f"Installing system packages: {' '.join(packages)} …", flush=True)
        if install(packages):
            return 0
        print("The system packages could not be installed. To install them yourself, run:", file=sys.stderr)
        print(f"  apt-get update && apt-get install -y {' '.join(packages)}", file=sys.stderr)
        return 1
    stops = bool(needed or window)
    reason = "Some system packages are missing" if stops else "To show a window, some system packages are missing"
    print(f"{reason}. To install them, run:\n  sudo apt-get install -y {' '.join(packages)}", file=sys.stderr)
    return 1 if stops else 0


if __name__ == "__main__":
    sys.exit(main())

"""Build the Debian package and the portable archive from the frozen program that `build.py` built.

    python -m resources.packaging.deb [--program dist/filemill] [--into dist] [--version 0.2.0]

The program is installed in /usr/lib/filemill with everything it needs, except what every desktop has: the C library,
the OpenGL loader, and the services of the session. Other files are installed where Debian Policy requires them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

from desktop_app.config.paths import ADD_FILES, ADD_FOLDER
from resources.packaging.manual import manual_page
from resources.packaging.product import KINDS, PRODUCT, ROOT, filled

HERE = Path(__file__).resolve().parent
DEPENDS = "libc6 (>= {libc}), fontconfig-config, libegl1, libgl1"
"""Packages that can't be included: the OpenGL loader must match the driver, and fonts must match the system."""
TEMPLATES = HERE / "linux"
_ICONS = ROOT / "resources" / "icons"
_KIB = 1024


def main() -> int:
    """Build both packages and print their paths and sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=ROOT / "dist" / PRODUCT.command, help="the frozen program")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="the folder for the packages")
    parser.add_argument(
        "--version", default=PRODUCT.version, help="the version of the package, by default that of the program"
    )
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    for made in (
        make_package(options.program, options.into, options.version),
        make_archive(options.program, options.into, options.version),
    ):
        print(f"{made}  {made.stat().st_size / 1e6:.1f} MB")  # noqa: T201 - the terminal is its output
    return 0


def make_package(program: Path, into: Path, version: str) -> Path:
    """Build the `.deb`; return its path."""
    architecture = _output("dpkg", "--print-architecture")
    file = into / f"{PRODUCT.command}_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        lay_out(root, program, version)
        size = sum(path.lstat().st_size for path in root.rglob("*")) // _KIB
        (root / "DEBIAN").mkdir()
        control = filled(
            TEMPLATES / "control",
            debian_version=version,
            architecture=architecture,
            installed_size=str(size),
            depends=DEPENDS.format(libc=needed_libc(program)),
            lower_summary=PRODUCT.summary[0].lower() + PRODUCT.summary[1:],
        )
        (root / "DEBIAN" / "control").write_text(control, encoding="utf-8")
        (root / "DEBIAN" / "md5sums").write_text(_checksums(root), encoding="utf-8")
        _set_rights(root)
        _output("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(file))
    return file


def make_archive(program: Path, into: Path, version: str) -> Path:
    """Build the portable archive, which can be unpacked and started anywhere; return its path."""
    file = into / f"{PRODUCT.command}-{version}-linux-{os.uname().machine}.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        archive.add(program, arcname=f"{PRODUCT.command}-{version}")
    return file


def lay_out(root: Path, program: Path, version: str) -> None:
    """Copy all files of the package to their places below `root`."""
    name, share = PRODUCT.command, root / "usr" / "share"
    shutil.copytree(program, root / "usr" / "lib" / name, symlinks=True)
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / name).symlink_to(Path("..", "lib", name, name))
    _write(share / "applications" / f"{name}.desktop", desktop_entry())
    _write(share / "metainfo" / f"{PRODUCT.id}.metainfo.xml", filled(TEMPLATES / "metainfo.xml", date=_date()))
    for icon in sorted((_ICONS / "app").glob("*.png")):
        size = icon.stem.rsplit("-", 1)[1]
        _copy(icon, share / "icons" / "hicolor" / f"{size}x{size}" / "apps" / f"{name}.png")
    _copy(_ICONS / "filemill.svg", share / "icons" / "hicolor" / "scalable" / "apps" / f"{name}.svg")
    _write_packed(share / "man" / "man1" / f"{name}.1.gz", manual_page(_date()))
    documents = share / "doc" / name
    licence = "".join(f" {line or '.'}\n" for line in _licence_lines())
    _write(documents / "copyright", filled(TEMPLATES / "copyright", licence=licence))
    _write_packed(documents / "changelog.gz", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    debian = filled(TEMPLATES / "changelog", debian_version=version, rfc_date=formatdate(_now(), localtime=False))
    _write_packed(documents / "changelog.Debian.gz", debian)
    for text in program.glob("*.txt"):
        # Debian already has these texts, or they belong in the documentation.
        (root / "usr" / "lib" / name / text.name).unlink()
    _write_packed(documents / "THIRD-PARTY.txt.gz", (program / "THIRD-PARTY.txt").read_text(encoding="utf-8"))
    _write(share / "lintian" / "overrides" / name, filled(TEMPLATES / "lintian-overrides"))


def desktop_entry() -> str:
    """Return the desktop entry, with the actions in the menu of its icon."""
    mime_types = "".join(f"{kind};" for kind in KINDS.values())
    return filled(TEMPLATES / "filemill.desktop", mime_types=mime_types, add_files=ADD_FILES, add_folder=ADD_FOLDER)


def needed_libc(program: Path) -> str:
    """Return the oldest version of the C library that has all symbols that the program needs."""
    newest = (2, 17)
    for path in program.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
            continue
        for word in _output("objdump", "-T", str(path)).split():
            if word.startswith("(GLIBC_2.") and word.endswith(")"):
                newest = max(newest, (2, int(word[9:-1].split(".")[0])))
    return ".".join(map(str, newest))


def _licence_lines() -> list[str]:
    """Return the lines of the licence without its title and copyright line, which the template contains."""
    lines = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("Permission")) :]


def _checksums(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(
        f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n"  # noqa: S324 - dpkg requires MD5
        for path in files
        if "DEBIAN" not in path.relative_to(root).parts
    )


def _set_rights(root: Path) -> None:
    """Set the permissions: readable by all, writable by root only, executable for programs only."""
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    (root / "usr" / "lib" / PRODUCT.command / PRODUCT.command).chmod(0o755)
    root.chmod(0o755)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _now() -> float:
    """Return the time for the package in seconds since 1970: SOURCE_DATE_EPOCH if set, for reproducible builds."""
    return float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))


def _date() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(_now()))


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())

"""Write the frozen program's bill of materials (CycloneDX), and a readable text with all licences."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.packaging.product import PRODUCT, ROOT

TOOL = "pyinstaller"
"""The package that freezes the program; see the extra `installer` in pyproject.toml."""
_NOT_INCLUDED = frozenset({"pip", "setuptools"})
"""Packages of every environment, which extras of other packages name."""
_RULE = "-" * 100


@dataclass(frozen=True, slots=True)
class Part:
    """A library that is not a Python package.

    Attributes:
        name: The name to show.
        licence: The SPDX licence expression.
        url: The home page.
        files: A regular expression that matches the names of its files.
    """

    name: str
    licence: str
    url: str
    files: str


PARTS = (
    Part("Python", "PSF-2.0", "https://www.python.org", r"libpython3.*|python3\d*\.dll|Python"),
    Part("Qt", "LGPL-3.0-only", "https://www.qt.io", r"libQt6.*|Qt.*"),
    Part("PySide6", "LGPL-3.0-only", "https://doc.qt.io/qtforpython", r"libpyside6.*|libshiboken6.*"),
    Part("ICU", "Unicode-3.0", "https://icu.unicode.org", r"libicu.*"),
    Part("Brotli", "MIT", "https://github.com/google/brotli", r"libbrotli.*"),
    Part("bzip2", "bzip2-1.0.6", "https://sourceware.org/bzip2", r"libbz2.*"),
    Part("D-Bus", "AFL-2.1 OR GPL-2.0-or-later", "https://dbus.freedesktop.org", r"libdbus.*"),
    Part("Expat", "MIT", "https://libexpat.github.io", r"libexpat.*"),
    Part("Fontconfig", "HPND", "https://www.freedesktop.org/wiki/Software/fontconfig", r"libfontconfig.*"),
    Part("FreeType", "FTL", "https://freetype.org", r"libfreetype.*"),
    Part("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org", r"libgcc_s.*|libstdc\+\+.*"),
    Part("GLib", "LGPL-2.1-or-later", "https://docs.gtk.org/glib", r"libg(lib|thread|object|io|module)-2\.0.*"),
    Part("Libgcrypt", "LGPL-2.1-or-later", "https://gnupg.org", r"libgcrypt.*|libgpg-error.*"),
    Part("libavif", "BSD-2-Clause", "https://github.com/AOMediaCodec/libavif", r"libavif.*"),
    Part("libbsd", "BSD-3-Clause", "https://libbsd.freedesktop.org", r"libbsd.*|libmd\..*"),
    Part("libcap", "BSD-3-Clause", "https://sites.google.com/site/fullycapable", r"libcap\..*"),
    Part("libffi", "MIT", "https://sourceware.org/libffi", r"libffi.*"),
    Part("libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib", "https://libjpeg-turbo.org", r"libjpeg.*"),
    Part("libpng", "libpng-2.0", "http://www.libpng.org", r"libpng.*"),
    Part("LibTIFF", "libtiff", "https://libtiff.gitlab.io/libtiff", r"libtiff.*"),
    Part("libuuid", "BSD-3-Clause", "https://www.kernel.org/pub/linux/utils/util-linux", r"libuuid.*"),
    Part("libwebp", "BSD-3-Clause", "https://developers.google.com/speed/webp", r"libwebp.*|libsharpyuv.*"),
    Part("libxkbcommon", "MIT", "https://xkbcommon.org", r"libxkbcommon.*"),
    Part("keyutils", "LGPL-2.1-or-later", "https://people.redhat.com/dhowells/keyutils", r"libkeyutils.*"),
    Part("Little CMS", "MIT", "https://www.littlecms.com", r"liblcms2.*"),
    Part("LZ4", "BSD-2-Clause", "https://lz4.org", r"liblz4.*"),
    Part("MIT Kerberos", "MIT", "https://web.mit.edu/kerberos",
         r"lib(gssapi_krb5|krb5|k5crypto|krb5support|com_err).*"),
    Part("OpenJPEG", "BSD-2-Clause", "https://www.openjpeg.org", r"libopenjp2.*"),
    Part("OpenSSL", "Apache-2.0", "https://www.openssl.org", r"lib(ssl|crypto)[.-].*"),
    Part("PCRE2", "BSD-3-Clause", "https://www.pcre.org", r"libpcre2.*"),
    Part("PDFium", "Apache-2.0 AND BSD-3-Clause", "https://pdfium.googlesource.com/pdfium", r"(lib)?pdfium\..*"),
    Part("SQLite", "blessing", "https://sqlite.org", r"libsqlite3.*|sqlite3\.dll"),
    Part("systemd", "LGPL-2.1-or-later", "https://systemd.io", r"libsystemd.*"),
    Part("X.Org libraries", "MIT", "https://www.x.org", r"lib(X|xcb).*"),
    Part("XZ Utils", "0BSD", "https://tukaani.org/xz", r"liblzma.*"),
    Part("zlib", "Zlib", "https://zlib.net", r"libz\..*"),
    Part("Zstandard", "BSD-3-Clause", "https://facebook.github.io/zstd", r"libzstd.*"),
    Part("Microsoft C runtime", "LicenseRef-Microsoft-Redistributable", "https://visualstudio.microsoft.com",
         r"(vcruntime|msvcp|ucrtbase|api-ms-win).*"),
)  # fmt: skip


def packages() -> dict[str, Any]:
    """Return the Python packages that Filemill needs as CycloneDX components, with their licences.

    The `cyclonedx-py` on the PATH is installed in another environment, so that it does not list itself.
    """
    command = ["cyclonedx-py", "environment", "--gather-license-texts", "--of", "JSON"]
    command += ["--mc-type", "application", "--pyproject", str(ROOT / "pyproject.toml"), sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own arguments
    bill: dict[str, Any] = json.loads(done.stdout)
    return _without_tools(bill)


def _without_tools(bill: dict[str, Any]) -> dict[str, Any]:
    """Keep only the dependencies of Filemill, and PyInstaller, whose bootloader is part of every frozen program."""
    needs = {
        entry["ref"]: [] if _name_of(entry["ref"]) == TOOL else entry.get("dependsOn", [])
        for entry in bill["dependencies"]
    }
    wanted: set[str] = set()
    waiting = [bill["metadata"]["component"]["bom-ref"]]
    while waiting:
        ref = waiting.pop()
        if ref not in wanted and _name_of(ref) not in _NOT_INCLUDED:
            wanted.add(ref)
            waiting += needs.get(ref, [])
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] in wanted]
    bill["dependencies"] = [
        entry | {"dependsOn": [ref for ref in needs[entry["ref"]] if ref in wanted]}
        for entry in bill["dependencies"]
        if entry["ref"] in wanted
    ]
    return bill


def _name_of(ref: str) -> str:
    return ref.split("==", maxsplit=1)[0].lower().replace("_", "-")


def libraries(program: Path) -> list[Part]:
    """Return the libraries in a frozen program that are not Python packages.

    Raises:
        LookupError: If a library is missing from `PARTS`.
    """
    names = {path.name for path in (program / "_internal").iterdir() if _is_library(path)}
    names |= {path.name for pattern in ("libQt6*", "*pdfium.*") for path in program.rglob(pattern) if _is_library(path)}
    found = [part for part in PARTS if any(re.fullmatch(part.files, name) for name in names)]
    unnamed = sorted(name for name in names if not any(re.fullmatch(part.files, name) for part in PARTS))
    if unnamed:
        raise LookupError(f"no licence is known for {', '.join(unnamed)}; add it to PARTS in {Path(__file__).name}")
    return found


def _is_library(path: Path) -> bool:
    is_python_module = ".cpython-" in path.name or path.suffix == ".pyd"
    return path.is_file() and not is_python_module and (".so" in path.name or path.suffix in {".dll", ".dylib"})


def write_bill(bill: dict[str, Any], parts: list[Part], file: Path) -> None:
    """Write the bill of materials of packages and libraries."""
    components = [
        {
            "type": "library",
            "bom-ref": f"library:{part.name}",
            "name": part.name,
            "licenses": [{"expression": part.licence}],
            "externalReferences": [{"type": "website", "url": part.url}],
        }
        for part in parts
    ]
    whole = bill | {"components": [*bill["components"], *components]}
    file.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def licences(bill: dict[str, Any], parts: list[Part]) -> str:
    """Return a text with all licences."""
    lines = [
        f"{PRODUCT.name} {PRODUCT.version} is licensed under the MIT licence. It contains the components listed here.",
        "",
        "Qt and PySide6 are used under the GNU Lesser General Public License, version 3. They are unmodified and",
        "separate files in this program's folder. You may replace them with your own builds of the same version; the",
        f"licence of {PRODUCT.name} permits reverse engineering for this purpose. Their source code is available at",
        "https://download.qt.io/official_releases/QtForPython/ and https://download.qt.io/official_releases/qt/",
        "",
    ]
    lines += [f"  {part.name:<22} {part.licence:<44} {part.url}" for part in parts]
    for component in sorted(bill["components"], key=lambda found: str(found["name"]).lower()):
        names, texts = _licences_of(component)
        lines += ["", _RULE, f"{component['name']} {component.get('version', '')}  {names}", *texts]
    python = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    if python.exists():
        lines += ["", _RULE, "Python  PSF-2.0", "", python.read_text(encoding="utf-8")]
    return "\n".join(lines) + "\n"


def _licences_of(component: dict[str, Any]) -> tuple[str, list[str]]:
    names, texts = [], []
    for entry in component.get("licenses", []):
        licence = entry.get("license", {})
        names.append(entry.get("expression") or licence.get("id") or licence.get("name", ""))
        text = entry.get("text") or licence.get("text")
        if text:
            is_packed = text.get("encoding") == "base64"
            plain = base64.b64decode(text["content"]).decode("utf-8", "replace") if is_packed else text["content"]
            texts += ["", plain.strip()]
    short = [name for name in names if name and "declared" not in name]
    return " ".join(dict.fromkeys(short)), texts

"""Build the frozen program, test it, and build the packages for this system, in dist/. Run by `make installer`."""
# ruff: noqa: T201 - the terminal is its output

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from desktop_app.processing.line_feeds import BY_COMPILED_CODE
from resources.packaging import bill
from resources.packaging.product import PRODUCT, ROOT, filled

HERE = Path(__file__).resolve().parent
DIST, WORK = ROOT / "dist", ROOT / "build"
PROGRAM = DIST / PRODUCT.command
MEGA = 1e6


def main() -> int:
    """Build everything; return the exit code of the first failure, or 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program-only", action="store_true", help="only build and test the frozen program")
    options = parser.parse_args()
    os.environ.setdefault("SOURCE_DATE_EPOCH", _last_commit())
    began = time.monotonic()
    freeze()
    _tell("the frozen program", _size(PROGRAM), began)
    is_compiled = check()
    if not options.program_only:
        if not is_compiled:
            sys.exit("The packages need the compiled code: install a C compiler and Python's headers.")
        for made in packages():
            _tell(made.name, made.stat().st_size, began)
    return 0


def freeze() -> None:
    """Build dist/filemill with PyInstaller, and write its bill of materials."""
    _do(sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN", f"--workpath={WORK}",
        f"--distpath={DIST}", str(ROOT / "build_installer.spec"))  # fmt: skip
    if sys.platform == "linux":
        _forget_this_machine()
    parts = bill.libraries(PROGRAM)
    materials = bill.packages()
    bill.write_bill(materials, parts, DIST / f"{PRODUCT.command}-{PRODUCT.version}.cdx.json")
    (PROGRAM / "THIRD-PARTY.txt").write_text(bill.licences(materials, parts), encoding="utf-8")
    shutil.copyfile(ROOT / "LICENSE", PROGRAM / "LICENSE.txt")
    for text in (HERE / "licences").iterdir():
        shutil.copyfile(text, PROGRAM / text.name)


def _forget_this_machine() -> None:
    """Remove the library paths of the build machine's Python."""
    for path in PROGRAM.rglob("*.so*"):
        if path.is_symlink() or not path.is_file():
            continue
        found = subprocess.run(["patchelf", "--print-rpath", path], capture_output=True, text=True, check=True)  # noqa: S603, S607
        kept = [place for place in found.stdout.strip().split(":") if place.startswith("$ORIGIN")]
        if ":".join(kept) != found.stdout.strip():
            _do("patchelf", *(["--set-rpath", ":".join(kept)] if kept else ["--remove-rpath"]), str(path))


def check() -> bool:
    """Run the self-test of the frozen program, without anything from this environment.

    Returns:
        Whether the program contains the compiled code for counting lines.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE", "APPDATA")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    output = _do(str(PROGRAM / _file_name()), "--self-test", environment=environment, stdout=subprocess.PIPE)
    print(output, end="", flush=True)
    return BY_COMPILED_CODE in output


def packages() -> list[Path]:
    """Build the packages for this system; return their paths."""
    made = []
    if sys.platform == "linux" and shutil.which("dpkg-deb"):
        from resources.packaging import deb

        made.append(deb.make_package(PROGRAM, DIST, PRODUCT.version))
    if sys.platform == "linux":
        from resources.packaging import deb

        made.append(deb.make_archive(PROGRAM, DIST, PRODUCT.version))
    if sys.platform == "win32":
        made.append(_windows_installer())
    if sys.platform == "darwin":
        _do("bash", str(HERE / "macos" / "dmg.sh"), PRODUCT.name, PRODUCT.version, str(DIST))
        made.append(DIST / f"{PRODUCT.command}-{PRODUCT.version}.dmg")
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in made)
    (DIST / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return made


def _windows_installer() -> Path:
    script = WORK / f"{PRODUCT.command}.iss"
    script.write_text(filled(HERE / "windows" / "filemill.iss", root=str(ROOT)), encoding="utf-8-sig")
    _do("iscc", "/Q", str(script))
    return DIST / f"{PRODUCT.command}-{PRODUCT.version}-setup.exe"


def _file_name() -> str:
    return f"{PRODUCT.command}.exe" if sys.platform == "win32" else PRODUCT.command


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _last_commit() -> str:
    """Return the time of the last commit in seconds since 1970, so that builds are reproducible."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    return asked.stdout.strip() or str(int(time.time()))


def _do(*command: str, environment: dict[str, str] | None = None, stdout: int | None = None) -> str:
    done = subprocess.run(command, env=environment, stdout=stdout, encoding="utf-8", check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        print(done.stdout or "", end="", flush=True)
        sys.exit(f"{Path(command[0]).name} ended with {done.returncode}.")
    return done.stdout or ""


def _tell(what: str, size: int, began: float) -> None:
    print(f"{what:<44} {size / MEGA:6.1f} MB  after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())

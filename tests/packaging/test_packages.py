"""The packages of all systems contain the same data about Filemill, in valid formats."""

from __future__ import annotations

import configparser
import plistlib
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from desktop_app import __version__
from desktop_app.cli.commands import COMMANDS
from desktop_app.config.paths import ADD_FILES, ADD_FOLDER
from resources.packaging import deb
from resources.packaging.build import HERE
from resources.packaging.manual import manual_page
from resources.packaging.product import PRODUCT, ROOT, filled

if TYPE_CHECKING:
    from pathlib import Path

LINUX = HERE / "linux"


def metainfo() -> str:
    return filled(LINUX / "metainfo.xml", date="2026-01-31")


def inno_setup() -> dict[str, str]:
    text = filled(HERE / "windows" / "filemill.iss", root="C:\\src")
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def validated(command: list[str], text: str, file: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout  # man writes its warnings to standard error
    assert not re.search(r"^W:|warning:|hint:", done.stdout), done.stdout


def test_packages_are_built_without_qt() -> None:
    made_by = ("build", "deb", "manual", "bill", "bundle")
    script = "import sys; " + "; ".join(f"import resources.packaging.{name}" for name in made_by)
    script += "; print(sorted(name for name in sys.modules if name.startswith(('PySide6', 'shiboken6', 'boto3'))))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_installed_program_contains_no_test_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^\w-]", requirement)[0].lower() for requirement in requirements}

    for_tests = names(project["optional-dependencies"]["dev"])
    assert {"moto", "flask", "flask-cors", "pytest"} <= for_tests
    assert not names(project["dependencies"]) & for_tests


def test_facts_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert PRODUCT.command == project["name"]
    assert PRODUCT.publisher == project["authors"][0]["name"]
    assert PRODUCT.version == __version__
    assert PRODUCT.command in project["scripts"]


def test_desktop_entry_is_valid_and_names_the_command(tmp_path: Path) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read_string(deb.desktop_entry())
    values = entry["Desktop Entry"]
    assert values["Exec"] == f"{PRODUCT.command} %F"
    assert values["Icon"] == values["StartupWMClass"] == PRODUCT.command
    assert values["MimeType"].endswith(";inode/directory;")
    asked = [entry[f"Desktop Action {name}"]["Exec"].split()[1] for name in values["Actions"].strip(";").split(";")]
    assert asked == [ADD_FILES, ADD_FOLDER]
    validated(["desktop-file-validate"], deb.desktop_entry(), tmp_path / "filemill.desktop")


def test_window_belongs_to_its_desktop_entry() -> None:
    assert f'setDesktopFileName("{PRODUCT.command}")' in (ROOT / "desktop_app" / "window_app.py").read_text(
        encoding="utf-8"
    )


def test_metainfo_is_valid_and_belongs_to_the_desktop_entry(tmp_path: Path) -> None:
    tree = ET.fromstring(metainfo())
    assert tree.findtext("id") == PRODUCT.id
    assert tree.findtext("launchable") == f"{PRODUCT.command}.desktop"
    release = tree.find("releases/release")
    assert release is not None
    assert release.get("version") == __version__
    for part in ("summary", "description/p", "description/ul/li", "screenshots/screenshot/caption"):
        languages = {found.get("{http://www.w3.org/XML/1998/namespace}lang", "en") for found in tree.findall(part)}
        assert languages == {"en", "de"}, part
    validated(
        ["appstreamcli", "validate", "--pedantic", "--no-net"], metainfo(), tmp_path / f"{PRODUCT.id}.metainfo.xml"
    )


def test_screenshot_named_in_the_metainfo_exists() -> None:
    image = ET.fromstring(metainfo()).findtext("screenshots/screenshot/image") or ""
    assert (ROOT / "resources" / "screenshots" / image.rsplit("/", 1)[-1]).exists()


def test_manual_page_names_every_command_and_can_be_set(tmp_path: Path) -> None:
    page = manual_page("2026-01-31")
    for command in COMMANDS:
        assert f"\n.B {command.name} " in page
    for name in ("FILEMILL_HOME", "FILEMILL_DATABASE", "FILEMILL_QUEUE", "AWS_PROFILE"):
        assert name in page
    validated(["man", "--warnings", "-l"], page, tmp_path / "filemill.1")


def test_windows_installer_is_per_user_and_keeps_its_id() -> None:
    setup = inno_setup()
    # With another AppId, a new version would be installed beside the old one instead of replacing it.
    assert setup["AppId"] == "{{5C0E9B7A-8C5D-4B0E-9D3B-6E6F2B8A4F17}"
    assert (setup["AppName"], setup["AppVersion"]) == (PRODUCT.name, __version__)
    assert setup["PrivilegesRequired"] == "lowest"
    assert setup["OutputBaseFilename"] == f"{PRODUCT.command}-{__version__}-setup"
    script = (HERE / "windows" / "filemill.iss").read_text(encoding="utf-8")
    assert "{usersendto}" in script
    assert "MB_DEFBUTTON2" in script  # Enter does not choose to delete the list
    keys = {tuple(line.split("=")[0].split(".")) for line in re.findall(r"^(?:en|de)\.\w+=.*$", script, re.MULTILINE)}
    assert {key for language, key in keys if language == "en"} == {key for language, key in keys if language == "de"}


def test_windows_program_names_are_those_of_the_spec() -> None:
    spec = (ROOT / "build_installer.spec").read_text(encoding="utf-8")
    assert 'f"{NAME}-window"' in spec
    assert "{app}\\$command-window.exe" in (HERE / "windows" / "filemill.iss").read_text(encoding="utf-8")


def test_macos_files_can_be_read() -> None:
    with (HERE / "macos" / "entitlements.plist").open("rb") as file:
        assert plistlib.load(file) == {"com.apple.security.cs.allow-unsigned-executable-memory": True}
    checked = subprocess.run(["bash", "-n", HERE / "macos" / "dmg.sh"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_debian_package_puts_everything_in_its_place(tmp_path: Path) -> None:
    program, root = tmp_path / "program", tmp_path / "root"
    (program / "_internal").mkdir(parents=True)
    (program / PRODUCT.command).write_bytes(b"\x7fELF")
    for name in ("THIRD-PARTY.txt", "LICENSE.txt", "LGPL-3.txt"):
        (program / name).write_text("x", encoding="utf-8")
    deb.lay_out(root, program, "1.2.3")
    deb._set_rights(root)
    files = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
    assert {
        "usr/bin/filemill",
        "usr/lib/filemill/filemill",
        "usr/share/applications/filemill.desktop",
        f"usr/share/metainfo/{PRODUCT.id}.metainfo.xml",
        "usr/share/icons/hicolor/scalable/apps/filemill.svg",
        "usr/share/icons/hicolor/16x16/apps/filemill.png",
        "usr/share/icons/hicolor/512x512/apps/filemill.png",
        "usr/share/man/man1/filemill.1.gz",
        "usr/share/doc/filemill/copyright",
        "usr/share/doc/filemill/changelog.Debian.gz",
        "usr/share/doc/filemill/THIRD-PARTY.txt.gz",
    } <= files
    assert not [name for name in files if name.startswith("usr/lib") and name.endswith(".txt")]
    assert (root / "usr" / "bin" / "filemill").resolve() == (root / "usr" / "lib" / "filemill" / "filemill").resolve()
    runnable = [name for name in files if (root / name).stat().st_mode & 0o111 and not name.startswith("usr/bin")]
    assert runnable == ["usr/lib/filemill/filemill"]
    assert "Permission is hereby granted" in (root / "usr/share/doc/filemill/copyright").read_text(encoding="utf-8")


def test_release_workflow_builds_on_three_systems_and_keeps_checksums() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    for system in ("ubuntu", "windows", "macos"):
        assert re.search(rf"system: \[.*{system}", workflow)
    assert "-m resources.packaging.build" in workflow
    assert "SHA256SUMS" in workflow

"""The contents of the repository: its top level, its version, and no traces of a developer's computer."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import desktop_app

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    ".ci",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "build_installer.spec",
    "hatch_build.py",
    "desktop_app",
    "pyproject.toml",
    "resources",
    "tests",
}
# Composed of pieces, so that this file does not match.
_HOSTS = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "crates" + ".io"]
_FOLDERS = ["t" + "mp", "w" + "ork"]
NOT_OURS = re.compile(
    rf"{'|'.join(map(re.escape, _HOSTS))}|(?<![\w.~)}}-])/(?:{'|'.join(_FOLDERS)})/(?!\.X11-unix)", re.IGNORECASE
)


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    """Return the files that git tracks, relative to the top."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout, or no git here")
    # The checkout may belong to another user, for example that of a container's host.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name]


def test_top_level_contains_exactly_the_expected_files(committed: list[Path]) -> None:
    assert {path.parts[0] for path in committed} == TOP_LEVEL


def test_newest_changelog_entry_is_the_version_of_the_package() -> None:
    entries = re.findall(
        r"^## \[(.+?)\] - (unreleased|\d{4}-\d{2}-\d{2})$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert entries[0][0] == desktop_app.__version__


def test_ci_script_can_be_run(committed: list[Path]) -> None:
    assert Path(".ci/run") in committed
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_every_dependency_has_its_reason_in_contributing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]
    names = {re.split(r"[\s\[<>=;]", requirement)[0] for requirement in wanted}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {name for name in names if not re.search(rf"^\| .*`{name}[`\[]", text, re.MULTILINE)} == set()


def test_no_file_names_a_registry_or_a_folder_of_one_machine(committed: list[Path]) -> None:
    found = [
        f"{path}: {match[0]}"
        for path in committed
        if (content := (ROOT / path).read_bytes()) and b"\0" not in content
        for match in NOT_OURS.finditer(content.decode("utf-8", "replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "https://" + "PyPI" + ".org/simple",
        "index-url = https://files.python" + "hosted.org/x",
        "cd /" + "tmp/x",
        "'/" + "work/main'",
        "(/" + "tmp/.config)",
    ],
)
def test_foreign_name_is_found(text: str) -> None:
    assert NOT_OURS.search(text)


@pytest.mark.parametrize(
    "text", ["a network to PyPI", "tests/tmp/x", "$HOME/work/x", "tmp_path", "https://a.example/work/"]
)
def test_harmless_name_is_allowed(text: str) -> None:
    assert not NOT_OURS.search(text)


def test_samples_kept_their_bytes() -> None:
    samples = {path.name: path.read_bytes() for path in (ROOT / "resources" / "samples").iterdir()}
    assert samples["empty.txt"] == b""
    assert samples["mill-song.txt"].endswith(b"mill.")
    assert samples["meeting-notes.txt"].count(b"\r\n") == samples["meeting-notes.txt"].count(b"\n") > 0
    assert samples["contacts-utf16.csv"].startswith(b"\xff\xfe")
    # One of its letters contains the byte of a line feed, so counting bytes would give one line too many.
    text = samples["contacts-utf16.csv"].decode("utf-16")
    assert samples["contacts-utf16.csv"].count(b"\n") == text.count("\n") + 1

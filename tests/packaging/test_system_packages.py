"""What `make` reports and installs when Debian or Ubuntu lacks packages that Qt needs."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import pytest

from resources.packaging import system_packages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Debian and its relatives")


class Machine:
    """A simulated Debian: its missing libraries, its user, and an apt that records its arguments."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.absent: set[str] = set()
        self.fonts = True
        self.venv = True
        self.user_id = 1000
        self._folder = folder
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        self.apt("exit 0")
        for name in ("DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        replace = monkeypatch.setattr
        replace(system_packages, "can_load", lambda library: library not in self.absent)
        replace(system_packages, "has_fonts", lambda: self.fonts)
        replace(system_packages, "has_venv", lambda: self.venv)
        replace(system_packages, "named_for_release", sorted)
        replace(os, "geteuid", lambda: self.user_id)
        self.release("debian")

    def release(self, name: str, like: str = "") -> None:
        answer = {"ID": name, "ID_LIKE": like}
        self._monkeypatch.setattr(platform, "freedesktop_os_release", lambda: answer)

    def apt(self, script: str) -> None:
        program = self._folder / "apt-get"
        program.write_text(f'#!/bin/sh\necho "$@" >>"{self._folder}/told"\n{script}\n')
        program.chmod(0o755)

    @property
    def told(self) -> list[str]:
        file = self._folder / "told"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_nothing_is_printed_if_nothing_is_missing(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    assert system_packages.main() == 0
    assert capfd.readouterr() == ("", "")
    assert machine.told == []


def test_missing_packages_are_one_command_to_paste(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.absent = {"libEGL.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0", "libxcb-cursor.so.0"}
    machine.fonts = False
    assert system_packages.main() == 1
    line = "  sudo apt-get install -y fonts-dejavu-core libegl1 libglib2.0-0 libxcb-cursor0"
    assert line in capfd.readouterr().err.splitlines()
    assert machine.told == []


def test_display_packages_are_not_required_without_a_display(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.absent = {"libxcb-cursor.so.0"}
    assert system_packages.main() == 0
    assert "sudo apt-get install -y libxcb-cursor0" in capfd.readouterr().err


def test_display_packages_are_required_with_a_display(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.absent = {"libxcb-cursor.so.0"}
    monkeypatch.setenv("DISPLAY", ":0")
    assert system_packages.main() == 1


def test_tests_on_a_desktop_need_no_screen(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.absent = {"libxcb-cursor.so.0"}
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert system_packages.main() == 0


def test_python_without_venv_gets_its_own_package(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.venv = False
    assert system_packages.main() == 1
    assert f"install -y python3.{sys.version_info.minor}-venv" in capfd.readouterr().err


def test_root_has_them_installed(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.absent = {"libEGL.so.1", "libxcb-cursor.so.0"}
    machine.user_id = 0
    assert system_packages.main() == 0
    assert [line.split()[-1] for line in machine.told] == ["update", "libxcb-cursor0"]
    assert "install --no-install-recommends libegl1 libxcb-cursor0" in machine.told[1]
    assert capfd.readouterr() == ("Installing system packages: libegl1 libxcb-cursor0 …\n", "")


def test_failed_update_of_the_package_list_does_not_stop_the_installation(machine: Machine) -> None:
    machine.absent = {"libEGL.so.1"}
    machine.user_id = 0
    machine.apt('case "$*" in *update) exit 100;; esac')
    assert system_packages.main() == 0


def test_failed_installation_prints_the_command_and_keeps_the_log(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.absent = {"libEGL.so.1"}
    machine.user_id = 0
    machine.apt("echo no space left; exit 100")
    assert system_packages.main() == 1
    said = capfd.readouterr().err
    assert "  apt-get update && apt-get install -y libegl1" in said.splitlines()
    log = Path(said.split("The output of apt is in ")[1].split(".log")[0] + ".log")
    assert "no space left" in log.read_text()
    log.unlink()


@pytest.mark.parametrize(("name", "like", "asked"), [("linuxmint", "ubuntu debian", 1), ("fedora", "", 0)])
def test_only_systems_with_apt_are_checked(machine: Machine, name: str, like: str, asked: int) -> None:
    machine.absent = {"libEGL.so.1"}
    machine.release(name, like)
    assert system_packages.main() == asked


def test_missing_venv_is_reported_on_other_systems(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.release("fedora")
    machine.venv = False
    assert system_packages.main() == 1
    assert "lacks venv and ensurepip" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("installed", "name"), [("libssl3t64:amd64.list", "libglib2.0-0t64"), ("libssl3:amd64.list", "libglib2.0-0")]
)
def test_packages_have_the_names_of_the_release(tmp_path: Path, installed: str, name: str) -> None:
    (tmp_path / installed).touch()
    assert system_packages.named_for_release(["libglib2.0-0", "libegl1"], tmp_path) == ["libegl1", name]


def test_fonts_are_found_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "fonts" / "mine").mkdir(parents=True)
    (tmp_path / "fonts" / "mine" / "Mine.TTF").touch()
    assert system_packages.has_fonts()


def test_dynamic_loader_is_used() -> None:
    assert system_packages.can_load("libc.so.6")
    assert not system_packages.can_load("libno-such-library.so.9")


def test_libraries_of_every_used_qt_module_are_known() -> None:
    package = Path(system_packages.__file__).parents[2] / "desktop_app"
    text = "\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    used = set(re.findall(r"^\s*(?:from|import) PySide6\.(Qt\w+)", text, re.MULTILINE))
    for names in re.findall(r"^\s*from PySide6 import (.+)$", text, re.MULTILINE):
        used.update(re.findall(r"Qt\w+", names))
    assert used <= system_packages.QT_MODULES

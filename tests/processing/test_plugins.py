"""What the child process does with plug-ins: their code is executed only if it is the code that was allowed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import ReasonCode
from desktop_app.processing.plugins import ENTRY_POINT, FILE, PluginError, describe, digest_of, registry_of
from desktop_app.processing.processor import PluginCode
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
from desktop_app.domain.fields import Field

class Size:
    api, name, version, title = 1, "size", 3, "Size"
    fields = (Field("half", int, "Half of the size"),)

    def accepts(self, path):
        return path.endswith(".dat")

    def process(self, source, options, watch):
        return {"half": sum(map(len, source.chunks())) // 2}
"""


def code_in(file: Path, text: str) -> PluginCode:
    file.write_text(text)
    return PluginCode(FILE, str(file), digest_of(FILE, str(file)))


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "a.dat"
    path.write_bytes(b"x" * 10)
    return str(path)


@pytest.mark.parametrize("defined", ["processor = Size", "processor = Size()"])
def test_plugin_in_a_file_describes_itself_and_processes_files(tmp_path: Path, data: str, defined: str) -> None:
    code = code_in(tmp_path / "plugin.py", f"{SOURCE}\n{defined}\n")
    told = describe(code)
    assert (told["name"], told["version"], told["title"]) == ("size", 3, "Size")
    registry = registry_of(code)
    (name,) = [processor.name for processor in registry]
    assert registry.process(data, RecordingWatch(), processor=name).values == {"half": 5}


def test_code_that_has_changed_since_it_was_allowed_is_not_executed(tmp_path: Path) -> None:
    file = tmp_path / "plugin.py"
    code = code_in(file, f"{SOURCE}\nprocessor = Size\n")
    file.write_text("import sys\nsys.modules['executed_changed_code'] = sys\n")
    with pytest.raises(FileError) as refused:
        describe(code)
    assert refused.value.reason.code is ReasonCode.NOT_AVAILABLE
    assert "executed_changed_code" not in sys.modules


def test_file_that_defines_no_processor_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not define “processor”"):
        describe(code_in(tmp_path / "plugin.py", SOURCE))


def test_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"It can't be read: No such file or directory\."):
        digest_of(FILE, str(tmp_path / "gone.py"))
    large = tmp_path / "large.py"
    large.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(PluginError, match="too large"):
        digest_of(FILE, str(large))


def test_plugin_in_an_installed_package_is_loaded_unless_a_file_of_the_package_has_changed(
    tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "size_plugin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sizes.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(package.parent))
    source = "size = size_plugin.sizes:Size"
    code = PluginCode(ENTRY_POINT, source, digest_of(ENTRY_POINT, source))
    registry = registry_of(code)
    (name,) = [processor.name for processor in registry]
    assert registry.process(data, RecordingWatch(), processor=name).values == {"half": 5}
    (package / "more.py").write_text("")
    with pytest.raises(FileError):
        describe(code)
    with pytest.raises(PluginError, match="can't be found"):
        digest_of(ENTRY_POINT, "x = no_such_package_at_all:X")

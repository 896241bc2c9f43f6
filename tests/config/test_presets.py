"""Command presets: what is valid, reading and writing, and placeholders that are replaced once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.config.presets import (
    OFFERED,
    Preset,
    PresetFile,
    filled,
    load_presets,
    offered_presets,
    preset_text,
    read_preset_file,
    remove_preset,
    save_preset,
)
from desktop_app.config.settings import load_settings, update_settings
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.fields import PROCESSOR_NAME

if TYPE_CHECKING:
    from pathlib import Path

WEBP = Preset(
    "webp",
    "Pictures to “WebP”",
    ("convert", "{path}", "-quality", "80", "{out}/{stem}.webp"),
    output="{folder}/webp",
    ok_codes=(0, 3),
    warn_codes=(1,),
    retry_codes=(75, 111),
    time_limit_s=60,
    quiet_limit_s=30,
    environment=("MAGICK_HOME",),
    conflict="replace",
    types=("*.png", "*.jpg"),
    most_output_mb=50,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_saved_preset_is_read_back(path: Path) -> None:
    save_preset(path, WEBP)
    save_preset(path, Preset("words", argv=("wc", "{path}")))
    presets = load_presets(path)
    assert presets.valid == {"webp": WEBP, "words": Preset("words", argv=("wc", "{path}"))}
    assert presets.problems == ()
    assert load_settings(path) == load_settings(path.with_name("missing"))


def test_only_fields_that_differ_from_their_default_are_written(path: Path) -> None:
    save_preset(path, Preset("words", argv=("wc", "{path}")))
    assert path.read_text() == '[[command]]\nname = "words"\nargv = ["wc", "{path}"]\n'


def test_change_of_a_preset_increases_its_version_and_keeps_comments(path: Path) -> None:
    path.write_text(
        'concurrency = 3  # few\n[[command]]\nname = "words"  # mine\nargv = ["wc", "{path}"]\n'
        "future = 1\nversion = 4\n"
    )
    before = load_presets(path).valid["words"]
    assert save_preset(path, before) == before
    saved = save_preset(path, replace(before, time_limit_s=5))
    assert saved == replace(before, time_limit_s=5, version=5)
    assert load_presets(path).valid == {"words": saved}
    text = path.read_text()
    assert "# few" in text
    assert "# mine" in text
    assert "future = 1" in text


def test_removed_preset_is_gone_and_the_others_stay(path: Path) -> None:
    update_settings(path, concurrency=3)
    for preset in (WEBP, OFFERED[0]):
        save_preset(path, preset)
    assert remove_preset(path, "webp")
    assert list(load_presets(path).valid) == [OFFERED[0].name]
    assert not remove_preset(path, "webp")
    assert remove_preset(path, OFFERED[0].name)
    assert path.read_text().strip() == "concurrency = 3"
    assert load_settings(path).concurrency == 3


def test_preset_beside_a_value_that_is_no_table_is_removed(path: Path) -> None:
    path.write_text('command = [1, {name = "words", argv = ["wc"]}]\n')
    assert remove_preset(path, "words")
    assert path.read_text() == "command = [1]\n"


def test_saving_settings_keeps_the_presets(path: Path) -> None:
    save_preset(path, WEBP)
    update_settings(path, concurrency=3)
    assert load_presets(path).valid == {"webp": WEBP}


def test_exported_presets_can_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "commands.toml"
    file.write_text(preset_text([WEBP, *OFFERED]))
    assert read_preset_file(file) == [WEBP, *OFFERED]


@pytest.mark.parametrize("text", ["", "command = 1", "[command]\nname = 'x'", "x = ", "[[command]]\nname = 'x'"])
def test_file_without_a_valid_preset_is_not_imported(tmp_path: Path, text: str) -> None:
    file = tmp_path / "commands.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        read_preset_file(file)


def test_missing_or_huge_file_is_not_imported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        read_preset_file(tmp_path / "missing")
    (tmp_path / "huge").write_text("#" * (1 << 20) + "\n")
    with pytest.raises(SettingsError, match="too large"):
        read_preset_file(tmp_path / "huge")


def test_preset_that_is_not_valid_is_named_and_the_others_are_used(path: Path) -> None:
    path.write_text(
        '[[command]]\nname = "bad"\nargv = ["a", "{where}"]\n'
        '[[command]]\nname = "good"\nargv = ["a"]\n'
        '[[command]]\nname = "good"\nargv = ["b"]\n'
        "[[command]]\nargv = []\n"
        '[[command]]\nname = "typed"\nargv = "a b"\n'
        '[[command]]\nname = "typed-2"\nargv = ["a"]\ntime_limit_s = "long"\n'
        '[[command]]\nname = "typed-3"\nargv = ["a"]\nok_codes = [true]\n'
    )
    presets = load_presets(path)
    assert presets.valid == {"good": Preset("good", argv=("a",))}
    texts = [problem.text for problem in presets.problems]
    assert [word in text for word, text in zip(("bad", "good", "no name", *["typed"] * 3), texts, strict=True)] == [
        True
    ] * 6
    assert "{where}" in texts[0]
    assert load_settings(path) == load_settings(path.with_name("missing")), "other settings work nevertheless"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "No"}, "not a valid name"),
        ({"name": "x" * 41}, "not a valid name"),
        ({"argv": ()}, "must contain a program"),
        ({"argv": (" ",)}, "must contain a program"),
        ({"argv": ("./run", "{path}")}, "absolute path"),
        ({"argv": ("bin/run", "{path}")}, "absolute path"),
        ({"argv": ("..\\run", "{path}")}, "absolute path"),
        ({"argv": ("{path}",)}, "can't contain braces"),
        ({"argv": ("/usr/bin/{stem}",)}, "can't contain braces"),
        ({"argv": ("run.bat",)}, "batch file"),
        ({"argv": ("/a/RUN.CMD. ",)}, "batch file"),
        ({"argv": ("a", "{Path}")}, "contains {, which"),
        ({"argv": ("a", "{paths}")}, "contains {paths}, which"),
        ({"argv": ("a", "{path.__class__}")}, "contains {, which"),
        ({"argv": ("a", "{}")}, "contains {, which"),
        ({"argv": ("a", "b}")}, "contains }, which"),
        ({"argv": ("a", "{{path}")}, "contains }, which"),
        ({"argv": ("a", "b\0c")}, "NUL"),
        ({"argv": ("a", *["b"] * 200)}, "more than 200"),
        ({"argv": ("a", "{out}"), "output": ""}, "no output folder"),
        ({"output": "webp"}, "absolute path, or begin"),
        ({"output": "../{folder}"}, "absolute path, or begin"),
        ({"output": "/a/{folder}"}, "only at its beginning"),
        ({"output": "{folder}/{out}"}, "contains {out}, which"),
        ({"output": "{folder}/{path}"}, "contains {path}, which"),
        ({"output": "{folder}x/{name}"}, "absolute path, or begin"),
        ({"conflict": "overwrite"}, "conflict must be"),
        ({"time_limit_s": 0}, "time_limit_s must be between"),
        ({"quiet_limit_s": -1}, "quiet_limit_s must be between"),
        ({"most_output_mb": 0}, "most_output_mb must be between"),
        ({"environment": ("AWS_PROFILE",)}, "can't be passed"),
        ({"environment": ("aws_secret_access_key",)}, "can't be passed"),
        ({"environment": ("FILEMILL_HOME",)}, "can't be passed"),
        ({"environment": ("A=B",)}, "can't be passed"),
        ({"types": ("",)}, "pattern"),
        ({"types": ("a/*",)}, "pattern"),
        ({"title": "a\nb"}, "control characters"),
    ],
)
def test_field_that_is_not_valid_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        replace(WEBP, **changes)
    assert problem in refused.value.text


@pytest.mark.parametrize("output", ["/data/out", "~/out", "{folder}", "{folder}/../{stem}.d", "/data/{ext}/{id}"])
def test_output_folder_is_absolute_or_relative_to_the_folder_of_the_file(output: str) -> None:
    assert replace(WEBP, output=output).output == output


def test_value_with_placeholders_is_not_replaced_again() -> None:
    values = {"name": "{out}{{x}}", "out": "/o", "stem": "s"}
    assert filled("a {name} {out}/{stem} {{{stem}}} {{name}}", values) == "a {out}{{x}} /o/s {s} {name}"


def test_program_that_is_installed_is_offered_unless_its_name_is_taken(tmp_path: Path) -> None:
    program = tmp_path / "wc"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    assert [one.name for one in offered_presets([], str(tmp_path))] == ["words"]
    assert offered_presets(["words"], str(tmp_path)) == []


def test_names_of_presets_are_names_of_processors() -> None:
    assert all(PROCESSOR_NAME.fullmatch(preset.processor) for preset in OFFERED)
    assert Preset("x" * 40, argv=("a",)).shown_title == "x" * 40
    assert PROCESSOR_NAME.fullmatch(Preset("x" * 40, argv=("a",)).processor)


def test_presets_are_read_again_only_when_they_have_changed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    presets = PresetFile(path)
    assert presets.read_changed() == ()
    assert presets.read_changed() is None
    save_preset(path, WEBP)
    assert presets.read_changed() == (WEBP,)
    update_settings(path, theme="dark")
    assert presets.read_changed() is None, "another setting"
    with caplog.at_level("INFO"):
        path.write_text("no TOML")
        assert [presets.read_changed() for _ in range(3)] == [None] * 3
    assert len(caplog.records) == 1, "the problem is logged once"
    path.write_text('[[command]]\nname = "a"\nargv = ["b"]\n[[command]]\nname = "c"\n')
    assert presets.read_changed() == (Preset("a", argv=("b",)),)
    path.unlink()
    assert presets.read_changed() == ()

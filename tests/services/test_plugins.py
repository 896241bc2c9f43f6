"""Plug-ins: consent, descriptions, and real plug-in files that misbehave in their child processes."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.domain.errors import FileError, SettingsError
from desktop_app.domain.fields import Field, Option
from desktop_app.domain.reasons import ReasonCode
from desktop_app.processing.isolation import HelperProcess, ProcessDiedError
from desktop_app.processing.plugins import API, MOST_MEMORY_BYTES, PluginError, described
from desktop_app.processing.processor import Limits, PluginCode
from desktop_app.processing.registry import FileResult, default_registry
from desktop_app.services.plugins import Consent, Plugin, Plugins
from tests.helpers import wait_until
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_app.processing.plugins import PluginProcessor

TEMPLATE = Path(__file__).resolve().parents[2] / "resources" / "plugins" / "words.py"
CODE = PluginCode("file", "/plugins/words.py", "00")
posix = pytest.mark.skipif(os.name == "nt", reason="uses fork")


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    made = Plugins(tmp_path, lambda: ())
    made.create_folder()
    return made


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    with closing(HelperProcess()) as made:
        yield made


def plugin_text(act: str = "pass", **changes: str) -> str:
    """Return a plug-in that executes code for files whose name contains `bad`, and returns the size of others."""
    facts = {"api": "1", "name": "'sizes'", "version": "3", "title": "'Sizes'", **changes}
    members = "\n".join(f"    {name} = {value}" for name, value in facts.items())
    body = "\n".join(f"            {line}" for line in dedent(act).strip().splitlines())
    return f"""\
import os, signal, subprocess, sys, threading
from desktop_app.domain.fields import Field, Option
from desktop_app.processing.processor import Limits, bad_content
kept = []
class Sizes:
{members}
    fields = (Field("size", int, "Size", "bytes"),)
    def accepts(self, path):
        return not path.endswith(".no")
    def process(self, source, options, watch):
        if "bad" in source.path:
{body}
        return {{"size": sum(map(len, source.chunks()))}}
processor = Sizes()
"""


def install(plugins: Plugins, text: str, name: str = "sizes.py") -> Plugin:
    (plugins.folder / name).write_text(text)
    return plugins.find(name)


def allowed(plugins: Plugins, text: str, name: str = "sizes.py") -> PluginProcessor:
    plugin = plugins.allow(install(plugins, text, name))
    assert plugin.processor is not None, plugin.problem
    return plugin.processor


def run(helper: HelperProcess, plugin: PluginProcessor, path: Path, limits: Limits | None = None) -> FileResult:
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text("12345")
    return helper.process(str(path), RecordingWatch(), plugin.name, limits=limits or plugin.limits)


# --- consent


def test_template_counts_words_after_it_was_allowed(plugins: Plugins, helper: HelperProcess, tmp_path: Path) -> None:
    install(plugins, TEMPLATE.read_text(), "words.py")
    assert plugins.processors() == []
    plugin = plugins.allow(plugins.find("words.py"))
    assert (plugin.name, plugin.consent, plugin.problem) == ("words", Consent.ALLOWED, "")
    (processor,) = plugins.processors()
    assert processor.fields == (Field("words", int, "Words"),)
    file = tmp_path / "a.txt"
    file.write_text("one two\nthree  four")
    result = helper.process(str(file), RecordingWatch(), "words", '{"least": 4}', processor.limits)
    assert result.values == {"words": 2}


def test_template_has_about_twenty_lines() -> None:
    assert len([line for line in TEMPLATE.read_text().splitlines() if line.strip()]) <= 20


def test_nothing_is_executed_before_consent(plugins: Plugins, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    plugin = install(plugins, f"open({str(mark)!r}, 'w')\n{plugin_text()}")
    assert (plugin.consent, plugin.name) == (Consent.MISSING, "sizes.py")
    assert plugins.processors() == []
    assert not mark.exists()
    plugins.allow(plugin)
    assert mark.exists()
    assert "filemill_plugin_sizes" not in sys.modules, "it is not imported here"


def test_changed_file_needs_consent_again(plugins: Plugins) -> None:
    allowed(plugins, plugin_text())
    changed = install(plugins, plugin_text() + "# changed\n")
    assert (changed.consent, plugins.processors()) == (Consent.CHANGED, [])
    assert plugins.allow(changed).consent is Consent.ALLOWED
    assert len(plugins.processors()) == 1


def test_only_what_was_shown_can_be_allowed(plugins: Plugins) -> None:
    shown = install(plugins, plugin_text())
    install(plugins, plugin_text() + "# changed meanwhile\n")
    with pytest.raises(PluginError, match="has changed in the meantime"):
        plugins.allow(shown)
    assert plugins.processors() == []


def test_file_that_changes_after_the_consent_is_not_executed(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path
) -> None:
    plugin = allowed(plugins, plugin_text())
    mark = tmp_path / "executed"
    install(plugins, f"open({str(mark)!r}, 'w')\n{plugin_text()}")
    with pytest.raises(FileError, match="has changed since it was allowed") as caught:
        run(helper, plugin, tmp_path / "a")
    assert caught.value.reason.code is ReasonCode.NOT_AVAILABLE
    assert not mark.exists()


def test_consent_can_be_withdrawn(plugins: Plugins) -> None:
    allowed(plugins, plugin_text())
    plugins.forbid(plugins.find("sizes"))
    assert plugins.processors() == []
    assert plugins.find("sizes.py").consent is Consent.MISSING


def test_consent_is_private_and_another_object_reads_it(plugins: Plugins, tmp_path: Path) -> None:
    allowed(plugins, plugin_text())
    file = tmp_path / "plugins.json"
    if os.name != "nt":
        assert file.stat().st_mode & 0o077 == 0
    assert [one.name for one in Plugins(tmp_path, lambda: ()).processors()] == ["sizes"]
    file.write_text("nonsense")
    assert Plugins(tmp_path, lambda: ()).processors() == []


def test_consent_that_can_not_be_saved_is_an_error(plugins: Plugins, tmp_path: Path) -> None:
    plugin = install(plugins, plugin_text())
    (tmp_path / "plugins.json").mkdir()
    with pytest.raises(SettingsError):
        plugins.allow(plugin)


def test_plug_in_is_found_by_name_file_and_path(plugins: Plugins) -> None:
    allowed(plugins, plugin_text())
    assert {plugins.find(name).name for name in ("sizes", "sizes.py", str(plugins.folder / "sizes.py"))} == {"sizes"}
    with pytest.raises(PluginError, match="There is no plug-in “others”"):
        plugins.find("others")


def test_hidden_and_private_files_are_no_plug_ins(plugins: Plugins) -> None:
    for name in ("_helper.py", ".hidden.py", "notes.txt"):
        (plugins.folder / name).write_text(plugin_text())
    assert plugins.all() == []


def test_missing_folder_means_no_plug_ins(tmp_path: Path) -> None:
    assert Plugins(tmp_path / "home", lambda: ()).all() == []


# --- what can't be used


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "does not define “processor”"),
        ("import os; os._exit(3)", "exit code 3"),
        ("raise SystemExit", "SystemExit"),
        (plugin_text(api="2"), "It is made for version 2 of the interface; this is version 1."),
        (plugin_text(name="'lines'"), "There is another processor with the name “lines”."),
        (plugin_text(name="'command:x'"), "Its name is not valid"),
        (plugin_text(name="'Bad Name'"), "Its name is not valid"),
        (plugin_text(version="'1'"), "Its description is not valid"),
        (plugin_text(title="3"), "Its description is not valid"),
        (plugin_text(options="(Option('Bad', 1, 'x'),)"), "Its description is not valid"),
        (plugin_text(limits="Limits(memory_bytes=-1)"), "Its description is not valid"),
    ],
)
def test_plug_in_that_can_not_be_used_is_listed_with_the_reason(plugins: Plugins, text: str, problem: str) -> None:
    plugin = plugins.allow(install(plugins, text))
    assert plugin.processor is None
    assert problem in plugin.problem
    assert [one.problem for one in plugins.all()] == [plugin.problem], "also later, without another try"
    assert plugins.processors() == []


def test_two_plug_ins_can_not_have_the_same_name(plugins: Plugins) -> None:
    allowed(plugins, plugin_text(), "first.py")
    second = plugins.allow(install(plugins, plugin_text() + "# another\n", "second.py"))
    assert "another processor with the name “sizes”" in second.problem
    assert [one.limits.plugin.source for one in plugins.processors() if one.limits.plugin] == [
        str(plugins.folder / "first.py")
    ]


def test_import_that_never_ends_is_ended(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_app.processing.isolation.DESCRIBE_LIMITS", Limits(seconds=0.5))
    plugin = plugins.allow(install(plugins, "import threading; threading.Event().wait(60)"))
    assert "took longer" in plugin.problem


def test_one_broken_plug_in_does_not_affect_another(plugins: Plugins) -> None:
    allowed(plugins, plugin_text())
    plugins.allow(install(plugins, "import no_such_module", "broken.py"))
    assert [one.name for one in plugins.processors()] == ["sizes"]
    assert [one.name for one in default_registry(plugins=plugins.processors())][-1] == "sizes"


# --- descriptions are not trusted

TOLD: dict[str, Any] = {
    "api": API,
    "name": "words",
    "version": 1,
    "title": "Words",
    "fields": [["words", "int", "Words", ""]],
    "options": [],
    "seconds": 10,
    "memory_bytes": 1 << 20,
}
OPTION = {"name": "a", "default": 1, "title": "A", "choices": [], "least": 0, "most": 9, "hint": "", "is_long": False}


def test_description_is_converted() -> None:
    plugin = described({**TOLD, "title": "a\x1b[2Jb", "options": [OPTION]}, CODE)
    assert plugin.fields == (Field("words", int, "Words"),)
    assert plugin.options == (Option("a", 1, "A", most=9),)
    assert plugin.limits == Limits(10.0, 1 << 20, CODE)
    assert "\x1b" not in plugin.title


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "words",
        {**TOLD, "api": True},
        {**TOLD, "name": None},
        {**TOLD, "name": "x" * 99},
        {**TOLD, "version": 1.5},
        {**TOLD, "version": -1},
        {**TOLD, "fields": [["words", "list", "Words", ""]]},
        {**TOLD, "fields": [["words", "int"]]},
        {**TOLD, "fields": [["Words!", "int", "", ""]]},
        {**TOLD, "fields": [["words", "int", "Words", ""]] * 101},
        {**TOLD, "fields": None},
        {**TOLD, "options": [{**OPTION, "default": [1]}]},
        {**TOLD, "options": [{**OPTION, "choices": "abc"}]},
        {**TOLD, "options": [{**OPTION, "most": 2**70}]},
        {**TOLD, "seconds": "10"},
        {**TOLD, "memory_bytes": MOST_MEMORY_BYTES + 1},
        {key: value for key, value in TOLD.items() if key != "title"},
    ],
)
def test_description_that_is_not_valid_is_refused(told: object) -> None:
    with pytest.raises(PluginError):
        described(told, CODE)


def test_plug_in_never_runs_in_this_process(plugins: Plugins) -> None:
    plugin = allowed(plugins, plugin_text())
    with pytest.raises(RuntimeError, match="must not run in this process"):
        plugin.process(None, {}, RecordingWatch())  # type: ignore[arg-type]


# --- while it processes files


def test_errors_of_a_plug_in_are_the_reason(plugins: Plugins, helper: HelperProcess, tmp_path: Path) -> None:
    plugin = allowed(plugins, plugin_text("raise ValueError('no such thing')"))
    with pytest.raises(FileError) as caught:
        run(helper, plugin, tmp_path / "bad")
    assert str(caught.value.reason) == "The plug-in “sizes” failed: ValueError: no such thing"
    assert run(helper, plugin, tmp_path / "a") == FileResult(5, None, {"size": 5})


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("raise bad_content('it is empty')", ReasonCode.BAD_CONTENT),
        ("return {'other': 1}", ReasonCode.PLUGIN_FAILED),
        ("return {'size': 'text'}", ReasonCode.PLUGIN_FAILED),
        ("return None", ReasonCode.PLUGIN_FAILED),
        ("return {'size': 2**80}", ReasonCode.BAD_RESULT),
        ("raise SystemExit(1)", ReasonCode.PLUGIN_FAILED),
        ("raise KeyboardInterrupt", ReasonCode.PLUGIN_FAILED),
        ("b'x' * (8 << 30)", ReasonCode.TOO_LARGE),
    ],
)
def test_file_fails_with_the_reason_and_the_next_one_is_processed(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path, act: str, code: ReasonCode
) -> None:
    plugin = allowed(plugins, plugin_text(act))
    with pytest.raises(FileError) as caught:
        run(helper, plugin, tmp_path / "bad")
    assert caught.value.reason.code is code
    assert run(helper, plugin, tmp_path / "a").values == {"size": 5}


def test_file_that_a_plug_in_does_not_accept_is_refused(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path
) -> None:
    plugin = allowed(plugins, plugin_text())
    with pytest.raises(FileError) as caught:
        run(helper, plugin, tmp_path / "a.no")
    assert caught.value.reason.code is ReasonCode.NO_PROCESSOR


def test_plug_in_that_never_returns_is_ended(plugins: Plugins, helper: HelperProcess, tmp_path: Path) -> None:
    plugin = allowed(plugins, plugin_text("threading.Event().wait(60)", limits="Limits(seconds=1)"))
    with pytest.raises(FileError) as caught:
        run(helper, plugin, tmp_path / "bad")
    assert caught.value.reason.code is ReasonCode.TOO_LONG
    assert run(helper, plugin, tmp_path / "a").values == {"size": 5}


@pytest.mark.parametrize("act", ["os._exit(7)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_plug_in_that_ends_its_process_only_fails_its_file(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path, act: str
) -> None:
    plugin = allowed(plugins, plugin_text(act))
    with pytest.raises(ProcessDiedError):
        run(helper, plugin, tmp_path / "bad")
    assert run(helper, plugin, tmp_path / "a").values == {"size": 5}


@pytest.mark.parametrize(
    "act",
    [
        "os.close(1)",
        "os.closerange(0, 3)",
        "sys.stdout.close()",
        "print('[1, \"done\", 0, 0, {}]', flush=True)",
        "os.write(1, b'nonsense' * 100_000)",
        "os.environ.clear(); sys.path.clear()",
    ],
)
def test_plug_in_that_closes_or_fills_standard_output_does_no_harm(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path, act: str
) -> None:
    plugin = allowed(plugins, plugin_text(act))
    assert run(helper, plugin, tmp_path / "bad").values == {"size": 5}
    assert run(helper, plugin, tmp_path / "a").values == {"size": 5}


def pid_of(helper: HelperProcess) -> int:
    assert helper._child is not None
    return helper._child._process.pid


@pytest.mark.parametrize(
    "act",
    [
        "kept.append(bytearray(400 << 20))",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "kept.extend(open(os.devnull) for _ in range(100))",
        pytest.param("os.fork() or threading.Event().wait(60)", marks=posix),
        "kept.append(subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait(60)']))",
    ],
    ids=["memory", "thread", "files", "fork", "program"],
)
def test_child_process_is_replaced_after_a_plug_in_that_leaks(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path, act: str
) -> None:
    plugin = allowed(plugins, plugin_text(act))
    run(helper, plugin, tmp_path / "a")
    first = pid_of(helper)
    assert run(helper, plugin, tmp_path / "bad").values == {"size": 5}
    assert run(helper, plugin, tmp_path / "b").values == {"size": 5}
    assert pid_of(helper) != first


@posix
def test_processes_that_a_plug_in_leaves_behind_are_ended(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    act = f"""
        child = os.fork()
        if not child:
            threading.Event().wait(60)
        open({str(note)!r}, "w").write(str(child))
    """
    plugin = allowed(plugins, plugin_text(act))
    run(helper, plugin, tmp_path / "bad")
    left = int(note.read_text())
    wait_until(lambda: _is_gone(left))


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_child_process_of_a_plug_in_is_used_for_nothing_else(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path
) -> None:
    act = """
        import desktop_app.processing.lines as lines
        lines.LineProcessor.process = lambda *_: {"lines_count": 666}
        from desktop_app.processing.registry import BUILT_IN
        type(BUILT_IN[0]).process = lambda *_: {"lines_count": 666}
    """
    plugin = allowed(plugins, plugin_text(act))
    other = allowed(plugins, plugin_text(name="'others'"), "others.py")
    run(helper, plugin, tmp_path / "bad")
    first = pid_of(helper)
    assert helper.process(str(tmp_path / "bad"), RecordingWatch()) == FileResult(5, 1)
    assert pid_of(helper) != first
    second = pid_of(helper)
    run(helper, other, tmp_path / "a")
    assert pid_of(helper) != second


def test_plug_in_has_no_credentials_in_its_environment(
    plugins: Plugins, helper: HelperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    plugin = allowed(plugins, plugin_text("raise ValueError(' '.join(os.environ))"))
    with pytest.raises(FileError) as caught:
        run(helper, plugin, tmp_path / "bad")
    assert "PATH" in str(caught.value.reason)
    assert "AWS" not in str(caught.value.reason)


# --- installed packages


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    package = tmp_path / "site" / "sizes_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(plugin_text())
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return Plugins(tmp_path, lambda: ("sizes = sizes_package.inner:Sizes",))


def test_installed_package_needs_consent_for_all_its_code(
    installed: Plugins, helper: HelperProcess, tmp_path: Path
) -> None:
    plugin = installed.find("sizes")
    package = tmp_path / "site" / "sizes_package"
    assert (plugin.consent, plugin.file) == (Consent.MISSING, str(package))
    plugin = installed.allow(plugin)
    assert plugin.processor is not None, plugin.problem
    assert "sizes_package" not in sys.modules
    assert run(helper, plugin.processor, tmp_path / "a").values == {"size": 5}
    (package / "__init__.py").write_text("changed = True")
    assert installed.find("sizes").consent is Consent.CHANGED
    helper.close()
    with pytest.raises(FileError, match="has changed since it was allowed"):
        run(helper, plugin.processor, tmp_path / "a")


def test_entry_point_without_a_file_is_listed_with_the_problem(tmp_path: Path) -> None:
    (plugin,) = Plugins(tmp_path, lambda: ("gone = no_such_package:X",)).all()
    assert (plugin.name, plugin.consent) == ("gone", Consent.MISSING)
    assert "can't be found" in plugin.problem


def test_stored_consent_is_json(plugins: Plugins, tmp_path: Path) -> None:
    allowed(plugins, plugin_text())
    stored = json.loads((tmp_path / "plugins.json").read_text())
    (entry,) = stored["allowed"].values()
    assert entry["sha256"] == plugins.find("sizes").code.digest

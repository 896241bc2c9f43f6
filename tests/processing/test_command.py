"""Commands of the user: arguments, exit codes, results, limits, and nothing that is left running."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.config.presets import Preset
from desktop_app.domain.errors import FileError
from desktop_app.domain.reasons import FileProblem, ReasonCode
from desktop_app.domain.sentences import display_text
from desktop_app.processing import child_process
from desktop_app.processing.child_process import CommandRunner
from desktop_app.processing.command import CommandProcessor, find_program
from desktop_app.processing.outputs import Outputs
from desktop_app.processing.processor import Cancelled
from desktop_app.processing.registry import FileResult, ProcessorRegistry
from tests.helpers import is_running, wait_until
from tests.helpers.fakes import RecordingWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")


@pytest.fixture
def runner() -> Iterator[CommandRunner]:
    runner = CommandRunner()
    yield runner
    runner.close()


class Commands:
    """Runs commands for a file."""

    def __init__(self, runner: CommandRunner, folder: Path) -> None:
        self.file = folder / "a.txt"
        self.file.write_bytes(b"one two\n")
        self.outputs = Outputs(folder / "jobs.db", "me")
        self.runner = runner
        self.watch = RecordingWatch()

    def run(self, *argv: str, path: str = "", **fields: Any) -> FileResult:
        preset = Preset("test", argv=argv, **fields)
        registry = ProcessorRegistry([CommandProcessor(preset, self.runner, self.outputs)], outputs=self.outputs)
        return registry.process(path or str(self.file), self.watch, processor="command:test")

    def shell(self, script: str, **fields: Any) -> FileResult:
        return self.run("sh", "-c", script.replace("{", "{{").replace("}", "}}"), "sh", "{path}", **fields)

    def fails(self, script: str, **fields: Any) -> FileError:
        with pytest.raises(FileError) as failed:
            self.shell(script, **fields)
        return failed.value


@pytest.fixture
def commands(runner: CommandRunner, tmp_path: Path) -> Commands:
    return Commands(runner, tmp_path)


def test_last_line_that_is_a_json_object_becomes_the_result(commands: Commands) -> None:
    result = commands.shell('echo first; echo \'{"n": 3, "x": 1.5, "ok": true, "t": "ä", "none": null}\'; echo')
    assert result == FileResult(8, None, {"n": 3, "x": 1.5, "ok": True, "t": "ä", "exit_code": 0})


def test_lines_count_of_a_command_is_the_number_of_lines(commands: Commands) -> None:
    assert commands.shell("echo '{\"lines_count\": 7}'") == FileResult(8, 7, {"exit_code": 0})


@pytest.mark.parametrize("value", ["1180591620717411303424", "-1", "true", "7.5", '"7"'])
def test_lines_count_that_the_database_can_not_keep_is_refused(commands: Commands, value: str) -> None:
    error = commands.fails(f"echo '{{\"lines_count\": {value}}}'")
    assert error.reason.code is ReasonCode.BAD_RESULT


@pytest.mark.parametrize("line", ["12 words", "[1, 2]", "{broken", '{"a": ' * 9000])
def test_other_last_line_is_shown_as_it_is(commands: Commands, line: str) -> None:
    (commands.file.parent / "line").write_text(line)
    result = commands.shell('cat "$(dirname "$1")/line"')
    assert str(result.values["printed"])[:200] == line[:200]


def test_command_that_prints_nothing_has_no_result_but_its_exit_code(commands: Commands) -> None:
    assert commands.run("true") == FileResult(8, None, {"exit_code": 0})


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ('{"a": [1]}', "neither a number nor a text"),
        ('{"a": {"b": 1}}', "neither a number nor a text"),
        ('{"a b": 1}', "not the name of a field"),
        ('{"a": "x\\u0007"}', "control characters"),
        ('{"a": "x\\u202e"}', "control characters"),
        ('{"a": NaN}', "not in the range"),
        ('{"a": 1e999}', "not in the range"),
        ('{"a": 9223372036854775808}', "not in the range"),
    ],
)
def test_result_that_can_not_be_stored_is_refused(commands: Commands, printed: str, why: str) -> None:
    error = commands.fails(f"cat <<'END'\n{printed}\nEND")
    assert error.reason.code is ReasonCode.BAD_RESULT
    assert why in error.text


@pytest.mark.parametrize("size", [20_000, 300_000])
def test_result_of_more_than_16_kib_is_refused(commands: Commands, size: int) -> None:
    code = f"import json; print(json.dumps({{'a': 'x' * {size}}}))"
    with pytest.raises(FileError) as refused:
        commands.run(sys.executable, "-c", code.replace("{", "{{").replace("}", "}}"))
    assert refused.value.reason.code is ReasonCode.BAD_RESULT


@pytest.mark.parametrize(
    "name", ["a b.txt", "'q\" $(x).txt", "-rf.txt", "new\nline.txt", "{out}.txt", "ü😀.txt", "%s*?.txt"]
)
def test_name_reaches_the_command_unchanged(commands: Commands, name: str) -> None:
    file = commands.file.with_name(name)
    file.write_bytes(b"x")
    show = commands.file.with_name("show.py")
    show.write_text(
        "import json, sys\n"
        "open(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]))\n"
        "assert open(sys.argv[2]).read() == 'x'\n"
    )
    seen = commands.file.with_name("seen")
    commands.run(
        sys.executable, str(show), str(seen), "{path}", "{name}", "x{name}", "{{{stem}}}.{ext}", path=str(file)
    )
    stem = name.removesuffix(".txt")
    guarded = f"./{name}" if name.startswith("-") else name
    assert json.loads(seen.read_text()) == [str(file), guarded, f"x{name}", f"{{{stem}}}.txt"]


def test_name_that_is_not_utf8_reaches_the_command_unchanged(commands: Commands) -> None:
    path = os.fsdecode(os.fsencode(commands.file.parent) + b"/caf\xe9.txt")
    Path(path).write_bytes(b"xyz")
    assert commands.run("wc", "-c", "{path}", path=path).values["printed"] == f"3 {display_text(path)}"


def test_reason_is_the_last_line_of_standard_error(commands: Commands, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        error = commands.fails("echo first >&2; printf 'bad \\033[1m thing\\n\\n' >&2; exit 7")
    assert (error.reason.code, error.reason.arguments["exit_code"]) == (ReasonCode.COMMAND_FAILED, 7)
    assert error.reason.arguments["why"] == "bad \\x1b[1m thing"
    assert (error.reason.code.problem, error.passing) == (FileProblem.COMMAND, False)
    (record,) = caplog.records
    job = commands.watch.attempt_id.rpartition("-")[0]
    assert record.getMessage() == f"job {job}: the command ended with exit code 7\nfirst\nbad \\x1b[1m thing\n"


def test_command_that_fails_silently_has_its_exit_code_as_reason(commands: Commands) -> None:
    assert commands.fails("exit 7").reason.code is ReasonCode.COMMAND_EXIT_CODE
    error = commands.fails("kill -SEGV $$")
    assert (error.reason.code, error.reason.arguments) == (ReasonCode.COMMAND_KILLED, {"signal": "SIGSEGV"})


def test_exit_codes_are_successes_warnings_and_retries_as_set_up(commands: Commands) -> None:
    codes = {"ok_codes": (3,), "warn_codes": (4,), "retry_codes": (5,)}
    assert commands.shell("exit 3", **codes).values == {"exit_code": 3}
    assert commands.shell("echo odd >&2; exit 4", **codes).values == {"exit_code": 4, "warning": "odd"}
    assert commands.shell("exit 4", **codes).values == {"exit_code": 4, "warning": "exit code 4"}
    assert commands.fails("exit 5", **codes).passing
    assert not commands.fails("exit 0", **codes).passing


def test_protocol_of_open_job_description_is_understood(commands: Commands) -> None:
    error = commands.fails("echo openjd_status: reading; echo x >&2; echo 'openjd_fail: no page 3'; exit 1")
    assert error.reason.arguments["why"] == "no page 3"
    go = commands.file.with_name("go")
    thread = threading.Thread(
        target=commands.shell,
        args=(f"echo openjd_progress: 25; while [ ! -e '{go}' ]; do sleep 0.01; done; echo openjd_progress: 200",),
    )
    thread.start()
    assert commands.watch.seen.wait(30)
    go.touch()
    thread.join(30)
    assert commands.watch.progress[0] == (2, 8)


def test_much_output_without_line_feeds_do_not_fill_the_memory(commands: Commands) -> None:
    script = "head -c 400000000 /dev/zero; head -c 100000000 /dev/zero >&2; echo; grep VmHWM /proc/$PPID/status"
    result = commands.shell(script)
    assert int(str(result.values["printed"]).split()[1]) < 100_000  # kB


def test_command_that_takes_too_long_is_ended(commands: Commands) -> None:
    error = commands.fails("sleep 1000", time_limit_s=1)
    assert (error.reason.code, error.reason.arguments) == (ReasonCode.TOO_LONG, {"seconds": 1})


def test_command_that_prints_nothing_for_too_long_is_ended(commands: Commands) -> None:
    error = commands.fails("sleep 1000", quiet_limit_s=1)
    assert (error.reason.code, error.reason.arguments) == (ReasonCode.COMMAND_QUIET, {"seconds": 1})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows what a process has left behind")
@pytest.mark.parametrize(
    "leaves",
    [
        "sleep 1000 & echo $! > pid",
        "setsid sh -c 'echo $$ > pid; exec sleep 1000' >/dev/null 2>&1 </dev/null &",
        "(setsid sh -c '(sleep 1000; sleep 1000) & echo $! > pid' &)",
    ],
    ids=["background", "session", "daemon"],
)
def test_whatever_a_command_leaves_behind_is_ended(commands: Commands, leaves: str) -> None:
    result = commands.shell(f'{leaves}\nwhile [ ! -s pid ]; do sleep 0.01; done; echo "$(cat pid) $(pwd)"')
    pid, folder = str(result.values["printed"]).split()
    assert not is_running(int(pid))
    assert [process for process in Path("/proc").glob("[0-9]*") if _working_folder(process).startswith(folder)] == []


def _working_folder(process: Path) -> str:
    with suppress(OSError):
        return str((process / "cwd").readlink())
    return ""


def test_cancelled_command_is_ended(commands: Commands) -> None:
    pid_file = commands.file.with_name("pid")
    errors: list[BaseException] = []

    def run() -> None:
        try:
            commands.shell(f"echo $$ > '{pid_file}.new'; mv '{pid_file}.new' '{pid_file}'; sleep 1000")
        except Cancelled as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(pid_file.exists)
    commands.watch.stop.set()
    thread.join(30)
    assert len(errors) == 1
    assert not is_running(int(pid_file.read_text()))


def test_command_that_ignores_the_request_to_end_is_killed(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys\nfrom desktop_app.processing import supervisor\nsupervisor.TERM_SECONDS = 0.2\n"
        "supervisor.serve_commands(sys.stdin, sys.stdout)"
    )
    commands.runner = CommandRunner([sys.executable, "-c", code])
    error = commands.fails(f"trap '' TERM; echo $$ > '{tmp_path}/pid'; while :; do sleep 1; done", time_limit_s=1)
    assert error.reason.code is ReasonCode.TOO_LONG
    assert not is_running(int((tmp_path / "pid").read_text()))
    commands.runner.close()


def test_command_ends_when_the_program_is_killed(commands: Commands, tmp_path: Path) -> None:
    """The program is a child process here, which is killed with SIGKILL while its command runs."""
    import subprocess

    code = (
        "import sys\n"
        "from desktop_app.config.presets import Preset\n"
        "from desktop_app.processing.child_process import CommandRunner\n"
        "from desktop_app.processing.command import run_command\n"
        "from pathlib import Path\n"
        "from tests.helpers.fakes import RecordingWatch\n"
        f"preset = Preset('x', argv=('sh', '-c', 'echo $$ > pid.new; mv pid.new pid; sleep 1000'))\n"
        f"run_command(preset, CommandRunner(), {str(commands.file)!r}, Path({str(tmp_path)!r}), RecordingWatch())\n"
    )
    root = Path(__file__).resolve().parents[2]
    program = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    try:
        wait_until((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        assert is_running(pid)
    finally:
        program.kill()
        program.wait()
    wait_until(lambda: not is_running(pid))


def test_command_gets_no_credentials_and_no_input(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "FILEMILL_QUEUE", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "OTHER"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("WANTED", "yes")
    commands.shell('env > "$1.env"; cat >> "$1.env"; ls /proc/self/fd > "$1.fds"', environment=("WANTED",))
    text = Path(f"{commands.file}.env").read_text()
    assert "secret" not in text
    assert "WANTED=yes" in text
    assert "PATH=" in text
    assert "PYTHONPATH" not in text
    if sys.platform == "linux":
        assert Path(f"{commands.file}.fds").read_text().split() == ["0", "1", "2", "3"], "3 is the list itself"


@pytest.mark.parametrize(
    ("written", "warning"), [("x", "the file that the command has"), ("x y", "the 2 files it has")]
)
def test_working_folder_is_empty_and_removed_with_a_warning_if_files_are_in_it(
    commands: Commands, written: str, warning: str
) -> None:
    result = commands.shell(f'touch {written}; [ "$(echo *)" = "{written}" ] && pwd')
    assert not Path(str(result.values["printed"])).exists()
    assert str(result.values["warning"]).startswith(warning)


def test_program_that_is_not_installed_is_a_plain_reason(commands: Commands) -> None:
    with pytest.raises(FileError, match="the program “no-such-program” is not installed") as missing:
        commands.run("no-such-program")
    assert missing.value.reason.code is ReasonCode.NOT_AVAILABLE
    processor = CommandProcessor(Preset("x", argv=("no-such-program",)), commands.runner, commands.outputs)
    assert processor.unavailable
    assert ProcessorRegistry([processor]).versions == {}


def test_file_that_is_no_program_is_a_plain_reason(commands: Commands, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nothing")
    program.chmod(0o700)
    with pytest.raises(FileError, match="can't be started") as refused:
        commands.run(str(program))
    assert refused.value.reason.code is ReasonCode.COMMAND_NOT_STARTED


def test_program_is_not_searched_in_relative_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "planted"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}:")
    assert find_program("planted") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("planted") == str(program)


@pytest.mark.parametrize(("name", "code"), [("missing", ReasonCode.FILE_GONE), (".", ReasonCode.IS_FOLDER)])
def test_file_that_can_not_be_processed_has_the_usual_reason(commands: Commands, name: str, code: ReasonCode) -> None:
    with pytest.raises(FileError) as failed:
        commands.run("true", path=str(commands.file.parent / name))
    assert failed.value.reason.code is code


def test_pipe_is_refused_without_being_opened(commands: Commands) -> None:
    pipe = commands.file.with_name("pipe")
    os.mkfifo(pipe)
    with pytest.raises(FileError) as failed:
        commands.run("cat", "{path}", path=str(pipe))
    assert failed.value.reason.code is ReasonCode.IS_PIPE


def test_file_that_changes_meanwhile_is_tried_again_later(commands: Commands) -> None:
    error = commands.fails('echo more >> "$1"')
    assert (error.reason.code, error.passing) == (ReasonCode.CHANGED_WHILE_READ, True)
    assert commands.fails('rm "$1"').reason.code is ReasonCode.FILE_GONE


def test_types_of_a_preset_are_patterns_of_names(commands: Commands) -> None:
    assert commands.run("true", types=("*.TXT",)).values == {"exit_code": 0}
    with pytest.raises(FileError) as refused:
        commands.run("true", types=("*.png", "*.jpg"))
    assert refused.value.reason.code is ReasonCode.NO_PROCESSOR


def test_options_in_the_row_are_refused(commands: Commands) -> None:
    registry = ProcessorRegistry([CommandProcessor(Preset("test", argv=("true",)), commands.runner, commands.outputs)])
    with pytest.raises(FileError) as refused:
        registry.process(str(commands.file), commands.watch, processor="command:test", options='{"argv": ["rm"]}')
    assert refused.value.reason.code is ReasonCode.BAD_OPTIONS


def test_supervisor_that_is_killed_takes_its_command_along(commands: Commands) -> None:
    error = commands.fails("kill -9 $PPID; sleep 1000")
    assert (error.reason.code, error.passing) == (ReasonCode.CRASHED, True)
    assert commands.shell("true").values == {"exit_code": 0}


def test_idle_supervisor_that_was_killed_is_replaced(commands: Commands) -> None:
    pid = int(str(commands.shell("echo $PPID").values["printed"]))
    again = int(str(commands.shell("echo $PPID").values["printed"]))
    assert pid == again
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    assert int(str(commands.shell("echo $PPID").values["printed"])) != pid


def fake(commands: Commands, *answers: list[Any], then: str = "") -> None:
    """Replace the supervisor by a program that gives some answers to the first request."""
    text = "".join(json.dumps(answer) + "\n" for answer in answers)
    code = f"import sys, time\nsys.stdin.readline()\nsys.stdout.write({text!r})\nsys.stdout.flush()\n{then}"
    commands.runner = CommandRunner([sys.executable, "-c", code])


def test_supervisor_that_can_not_be_started_is_reported(commands: Commands) -> None:
    commands.runner = CommandRunner(["/no/such/program"])
    error = commands.fails("true")
    assert (error.reason.code, error.passing) == (ReasonCode.CRASHED, True)
    assert "can't be started" in error.detail


def test_unknown_answer_of_the_supervisor_is_a_bug(commands: Commands) -> None:
    fake(commands, ["opened", 1], ["odd", 1])
    with pytest.raises(ValueError, match="odd"):
        commands.shell("true")


def test_supervisor_that_does_not_end_is_killed(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TERM_SECONDS", "KILL_SECONDS"):
        monkeypatch.setattr(child_process, name, -0.9)
    fake(commands, ["opened", 1], ["odd", 1], then="while True: time.sleep(1)")
    with pytest.raises(ValueError, match="odd"):
        commands.shell("true")


def test_command_that_can_not_be_ended_is_reported_and_its_supervisor_not_used_again(commands: Commands) -> None:
    """A process that waits for a disk or share can't be ended; `end` returns False then."""
    code = (
        "import sys\nfrom desktop_app.processing import supervisor\nend = supervisor._Family.end\n"
        "supervisor._Family.end = lambda self: end(self) and False\n"
        "supervisor.serve_commands(sys.stdin, sys.stdout)"
    )
    commands.runner = CommandRunner([sys.executable, "-c", code])
    error = commands.fails("sleep 1000", time_limit_s=1)
    assert error.reason.code is ReasonCode.TOO_LONG
    (idle,) = commands.runner._idle
    wait_until(lambda: idle.poll() is not None)
    assert commands.shell("true").values == {"exit_code": 0}
    commands.runner.close()


def test_processes_that_are_kept_are_ended_on_request(commands: Commands) -> None:
    commands.shell("true")
    (idle,) = commands.runner._idle
    registry = ProcessorRegistry([CommandProcessor(Preset("test", argv=("true",)), commands.runner, commands.outputs)])
    registry.end_idle()
    assert idle.poll() == 0
    assert commands.shell("true").values == {"exit_code": 0}


def test_two_commands_can_run_at_once(commands: Commands) -> None:
    one, two = (commands.file.with_name(name) for name in ("one", "two"))
    results: list[FileResult] = []

    def run(mine: Path, other: Path) -> None:
        results.append(commands.shell(f"touch '{mine}'; while [ ! -e '{other}' ]; do sleep 0.01; done; echo done"))

    threads = [threading.Thread(target=run, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [result.values["printed"] for result in results] == ["done", "done"]

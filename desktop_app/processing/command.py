"""Run a command of the user for each file; see `config/presets.py`."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from desktop_app.config.child_environment import child_environment
from desktop_app.config.presets import filled, is_batch_file
from desktop_app.domain.errors import FileError
from desktop_app.domain.fields import BadResultError, Field, Value, stored_lines, stored_result
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import display_text, foreign_text, mark
from desktop_app.processing.child_process import CommandEnd, CommandRunner, SupervisorDiedError
from desktop_app.processing.lines import LINES_COUNT
from desktop_app.processing.outputs import Outputs, Staged, create_destination, not_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from desktop_app.config.presets import Preset
    from desktop_app.domain.fields import Option
    from desktop_app.processing.processor import Limits, Watch

log = logging.getLogger(__name__)

EXIT_CODE = Field("exit_code", int, mark("Exit code"))
PRINTED = Field("printed", str, mark("Last line printed"))
OUTPUT = Field("output", str, mark("Output"))
OUTPUT_FILES = Field("output_files", int, mark("Output files"))
WARNING = Field("warning", str, mark("Warning"))
_LOGGED_CHARACTERS = 8 * 1024
_LOGGED_LINES = 50
_MEGABYTE = 1_000_000


class CommandResult(NamedTuple):
    """The result of a command.

    Attributes:
        file_size: The size of the file in bytes.
        lines_count: The number of lines, if the command has printed one.
        values: The fields of the result.
        staged: The files that it has written, which are to be published or discarded; None if there are none.
    """

    file_size: int
    lines_count: int | None
    values: dict[str, Value]
    staged: Staged | None


class CommandProcessor:
    """Runs the command of a preset. It gets the path of the file, which is not opened here. All threads share it.

    Attributes:
        name, version, title, fields, options, limits: See `Processor`. A result can have further fields, which the
            command determines.

    Args:
        preset: The preset.
        runner: Runs the command.
        outputs: The output folders.
    """

    fields = (EXIT_CODE, PRINTED, OUTPUT, OUTPUT_FILES, WARNING)
    options: tuple[Option, ...] = ()
    limits: Limits | None = None

    def __init__(self, preset: Preset, runner: CommandRunner, outputs: Outputs) -> None:
        self.preset = preset
        self.name = preset.processor
        self.version = preset.version
        self.title = preset.shown_title
        self._runner = runner
        self._outputs = outputs

    @property
    def unavailable(self) -> str:
        """Why this computer can't run the command; empty if it can."""
        program = self.preset.argv[0]
        return "" if find_program(program) else f"the program “{display_text(program)}” is not installed"

    def accepts(self, path: str) -> bool:
        """Return whether the name of a file has one of the types of the preset."""
        name = os.path.basename(path).lower()  # noqa: PTH119 - a Path would change some names
        return not self.preset.types or any(fnmatch(name, pattern.lower()) for pattern in self.preset.types)

    def run(self, path: str, watch: Watch) -> CommandResult:
        """Run the command for one file.

        Args:
            path: The path as decoded by `os.fsdecode`.
            watch: Receives the progress, and can cancel the command.

        Raises:
            FileError: If the command fails, exceeds its limits or writes what is not allowed.
            Cancelled: If `watch` has cancelled it.
        """
        with self._working_folder(path, watch) as (folder, staged):
            end = run_command(self.preset, self._runner, path, folder, watch)
            values = judged(self.preset, end, watch.attempt_id)
            lines = _popped_lines(values)
            if staged is None:
                if count := len(os.listdir(folder)):  # noqa: PTH208 - only their number is needed
                    values.setdefault(WARNING.name, _deleted_text(count))
            else:
                files = self._outputs.check(staged, most_bytes=self.preset.most_output_mb * _MEGABYTE)
                values[OUTPUT_FILES.name] = len(files)
                if files:
                    place = staged.destination / files[0] if len(files) == 1 else staged.destination
                    values[OUTPUT.name] = output_text(place)
            try:
                stored_result(values)
            except BadResultError as error:
                raise _bad_result(str(error)) from error
        return CommandResult(end.file_size, lines, values, staged)

    def end_idle(self) -> None:
        """See `CommandRunner.end_idle`."""
        self._runner.end_idle()

    @contextmanager
    def _working_folder(self, path: str, watch: Watch) -> Iterator[tuple[Path, Staged | None]]:
        """Enter a context with the working folder, and the output folder, which is kept unless an error occurs."""
        if not self.preset.output:
            with temporary_folder() as folder:
                yield folder, None
            return
        watch.on_access(begins=True)
        try:
            destination = create_destination(self.preset.output, _values(path, watch.attempt_id))
            staged = self._outputs.begin(watch.attempt_id, destination, replaces=self.preset.conflict == "replace")
        finally:
            watch.on_access(begins=False)
        try:
            yield staged.folder, staged
        except BaseException:
            try:
                self._outputs.discard(staged)
            except OSError as error:
                log.info("job %s: its output is discarded later: %s", staged.job_id, error)
            raise


def _deleted_text(count: int) -> str:
    files = "the file that the command has written was" if count == 1 else f"the {count} files it has written were"
    return f"{files} deleted, since the command has no output folder"


def output_text(place: Path) -> str:
    """Return the value of the field `OUTPUT`.

    Args:
        place: The file, or the folder of several files.
    """
    return foreign_text(str(place))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Enter a context with an empty folder, which is deleted at the end with its content.

    Raises:
        FileError: If it can't be created.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="filemill-"))
    except OSError as error:
        raise not_written(error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_program(program: str) -> str | None:
    """Return the absolute path of a program; None if it is not installed, or is a batch file.

    A name is not searched in folders of PATH that are relative, which would be those of the file or of the output.
    """
    folders = filter(os.path.isabs, child_environment().get("PATH", os.defpath).split(os.pathsep))
    found = shutil.which(program, path=os.pathsep.join(folders))
    return None if found is None or is_batch_file(found) else found


def _values(path: str, attempt_id: str) -> dict[str, str]:
    """Return the values of the placeholders, except the output folder."""
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - the stem of a Path can be "..", as in "...txt"
    job_id = attempt_id.rpartition("-")[0]
    return {"path": path, "name": name, "stem": stem, "ext": suffix[1:], "folder": folder, "id": job_id}


def command_arguments(preset: Preset, path: str, folder: Path, attempt_id: str) -> list[str]:
    """Return the arguments of the command for a file, without the program.

    An argument that would begin with the `-` of a file's name begins with `./`, so that it is not taken for an option.
    """
    values = {**_values(path, attempt_id), "out": str(folder)}
    arguments = []
    for template in preset.argv[1:]:
        argument = filled(template, values)
        is_value = template.startswith("{") and not template.startswith("{{")
        arguments.append(f".{os.sep}{argument}" if is_value and argument.startswith("-") else argument)
    return arguments


def run_command(preset: Preset, runner: CommandRunner, path: str, folder: Path, watch: Watch) -> CommandEnd:
    """Run the command of a preset for a file.

    Raises:
        FileError: If the program is not installed, or as for `CommandRunner.run`.
        Cancelled: If `watch` has cancelled it.
    """
    program = find_program(preset.argv[0])
    if program is None:
        why = f"the program “{display_text(preset.argv[0])}” is not installed"
        raise FileError(Reason(ReasonCode.NOT_AVAILABLE, {"processor": preset.processor, "why": why}))
    try:
        return runner.run(
            [program, *command_arguments(preset, path, folder, watch.attempt_id)],
            path,
            folder=folder,
            variables=preset.environment,
            time_limit_s=preset.time_limit_s,
            quiet_limit_s=preset.quiet_limit_s,
            watch=watch,
        )
    except SupervisorDiedError as error:
        raise FileError(Reason(ReasonCode.CRASHED), passing=True, detail=str(error)) from error


def judged(preset: Preset, end: CommandEnd, attempt_id: str) -> dict[str, Value]:
    """Return the result of a command that has ended, from its exit code and the last line that it has printed.

    Raises:
        FileError: If it has failed, or its result can't be stored.
    """
    error = _failure(preset, end)
    if error is not None or end.code not in preset.ok_codes:
        _log_tail(end, attempt_id)
    if error is not None:
        raise error
    values = {**_printed(end), EXIT_CODE.name: end.code}
    if end.code not in preset.ok_codes:
        values[WARNING.name] = end.failure or _last_line(end.err) or f"exit code {end.code}"
        values[WARNING.name] = foreign_text(str(values[WARNING.name]))
    return values


def _failure(preset: Preset, end: CommandEnd) -> FileError | None:
    if end.stopped == "time":
        return FileError(Reason(ReasonCode.TOO_LONG, {"seconds": preset.time_limit_s}))
    if end.stopped:
        return FileError(Reason(ReasonCode.COMMAND_QUIET, {"seconds": preset.quiet_limit_s}))
    if end.code in preset.ok_codes or end.code in preset.warn_codes:
        return None
    why = foreign_text(end.failure or _last_line(end.err))
    if end.code < 0 and not why:
        reason = Reason(ReasonCode.COMMAND_KILLED, {"signal": _signal_name(-end.code)})
    elif why:
        reason = Reason(ReasonCode.COMMAND_FAILED, {"exit_code": end.code, "why": why})
    else:
        reason = Reason(ReasonCode.COMMAND_EXIT_CODE, {"exit_code": end.code})
    return FileError(reason, passing=end.code in preset.retry_codes)


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return str(number)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _printed(end: CommandEnd) -> dict[str, Value]:
    """Return the fields in the last line of the output if it is a JSON object; otherwise, the line itself."""
    lines = [line.strip() for line in end.out.split("\n")]
    line = next((line for line in reversed(lines) if line and not line.startswith("openjd_")), "")
    if line == lines[0] and line.endswith("}") and not end.is_out_whole:
        raise _bad_result("the last line is too long")
    try:
        found = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return _fields_in(found)
    return {PRINTED.name: foreign_text(line)} if line else {}


def _fields_in(found: Mapping[str, object]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, value in found.items():
        if isinstance(value, bool | int | float | str):
            values[name] = value
        elif value is not None:
            raise _bad_result(f"the field “{foreign_text(name)}” is neither a number nor a text")
    return values


def _popped_lines(values: dict[str, Value]) -> int | None:
    """Remove the number of lines from the values, and return it; None if there is none."""
    lines = values.pop(LINES_COUNT.name, None)
    try:
        return None if lines is None else stored_lines(lines)
    except BadResultError as error:
        raise _bad_result(str(error)) from error


def _bad_result(why: str) -> FileError:
    return FileError(Reason(ReasonCode.BAD_RESULT, {"why": why}))


def _log_tail(end: CommandEnd, attempt_id: str) -> None:
    """Write the end of what a command has printed into the log, where the details of the file show it."""
    lines = [display_text(line) for line in end.err[-_LOGGED_CHARACTERS:].splitlines()[-_LOGGED_LINES:]]
    if end.status:
        lines.insert(0, display_text(end.status))
    job_id = attempt_id.rpartition("-")[0]
    log.info("job %s: the command ended with exit code %d%s", job_id, end.code, "".join(f"\n{line}" for line in lines))

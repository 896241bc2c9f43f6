"""Try a command on one file, before it is run for thousands: what is run, what it prints, its result and its files."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.errors import FileError, KnownError
from desktop_app.domain.sentences import mark
from desktop_app.processing.child_process import CommandRunner
from desktop_app.processing.command import OUTPUT_FILES, command_arguments, find_program, judged, run_command
from desktop_app.processing.outputs import check_content, not_written
from desktop_app.processing.processor import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_app.config.presets import Preset
    from desktop_app.domain.fields import Value
    from desktop_app.domain.reasons import Reason
    from desktop_app.processing.child_process import CommandEnd

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What a command has done for one file. `close` deletes the files that it has written.

    Attributes:
        argv: The program and its arguments, as they were run.
        folder: The temporary folder into which it has written.
        end: How it has ended; None if it was not started.
        reason: The reason for which the file would be FAILED; None if it would be PROCESSED.
        values: The fields of its result.
        files: The files that it has written, as paths relative to `folder`.
    """

    argv: tuple[str, ...]
    folder: Path
    end: CommandEnd | None = None
    reason: Reason | None = None
    values: dict[str, Value] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    def close(self) -> None:
        """Delete what the command has written. Can be called more than once."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _TrialWatch:
    """Cancels a trial. Its progress is not shown."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self.attempt_id = f"{uuid.uuid4()}-0"
        self.cancelled = cancelled

    def on_progress(self, bytes_done: int, bytes_total: int) -> None:
        """Do nothing."""

    def on_access(self, *, begins: bool) -> None:
        """Do nothing."""


def try_preset(preset: Preset, path: str, cancelled: Callable[[], bool] = lambda: False) -> Trial:
    """Run the command of a preset for a file. Its output goes into a temporary folder. Any thread; takes its time.

    Args:
        preset: The preset.
        path: The absolute path of the file.
        cancelled: Returns whether to end the command; asked several times per second.

    Raises:
        KnownError: If it was cancelled, or there can't be a temporary folder.
    """
    watch, runner = _TrialWatch(cancelled), CommandRunner()
    try:
        folder = Path(tempfile.mkdtemp(prefix="filemill-"))
    except OSError as error:
        raise not_written(error) from error
    argv = _command(preset, path, folder, watch.attempt_id)
    end: CommandEnd | None = None
    values: dict[str, Value] = {}
    files: list[str] = []
    try:
        end = run_command(preset, runner, path, folder, watch)
        values = judged(preset, end, watch.attempt_id)
        if preset.output:
            files = check_content(folder, most_bytes=preset.most_output_mb * _MEGABYTE)
            values[OUTPUT_FILES.name] = len(files)
        else:
            files = sorted(path.name for path in folder.iterdir())
    except FileError as error:
        return Trial(argv, folder, end, error.reason)
    except Cancelled as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise KnownError(mark("The command was stopped.")) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        runner.close()
    return Trial(argv, folder, end, None, values, tuple(files))


def example_command(preset: Preset, path: str) -> tuple[str, ...]:
    """Return the command of a preset as it would run for a file, which does not have to exist.

    The program is an absolute path if it is installed.
    """
    return _command(preset, path, Path(tempfile.gettempdir()) / "filemill-output", f"{uuid.UUID(int=0)}-0")


def _command(preset: Preset, path: str, folder: Path, attempt_id: str) -> tuple[str, ...]:
    program = find_program(preset.argv[0]) or preset.argv[0]
    return program, *command_arguments(preset, path, folder, attempt_id)

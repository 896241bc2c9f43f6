"""Command presets: the programs that the user wants to run for files.

They are in the tables `[[command]]` of the settings file and nowhere else: a message or a row of the database contains
only the name of a preset, so that nobody else decides what is run on this computer.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from desktop_app.config.child_environment import can_be_passed
from desktop_app.config.settings import change_document, locked_settings, read_table
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.sentences import Sentence, display_text, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tomlkit import TOMLDocument

log = logging.getLogger(__name__)

PLACEHOLDERS = ("path", "name", "stem", "ext", "folder", "out", "id")
OUTPUT_PLACEHOLDERS = ("folder", "name", "stem", "ext", "id")
"""The placeholders in the output folder."""
FOLDER = "{folder}"
LONGEST_LIMIT_S = 7 * 24 * 3600
MOST_OUTPUT_MB = 1_000_000
_TABLES = "command"
_MOST_ARGUMENTS = 200
_MOST_IMPORTED_BYTES = 1 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_()]{0,99}")
_PART = re.compile(r"\{\{|\}\}|\{([a-z]+)\}|[{}]")
"""A doubled brace, a placeholder, or a brace that is neither."""
_BATCH_FILE = re.compile(r".*\.(bat|cmd)[. ]*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Preset:
    """A command that is run for each file, after its fields were checked.

    Attributes:
        name: The name; the processor is called `command:` and this name.
        title: The title for the user; by default, the name.
        argv: The program, as an absolute path or a name that is searched in PATH, and its arguments, which can contain
            `PLACEHOLDERS`. No shell is involved.
        output: The folder into which the files are published that the command writes into `{out}`, with
            `OUTPUT_PLACEHOLDERS`; empty if the command writes none.
        ok_codes: The exit codes of success.
        warn_codes: The exit codes after which the file is processed, but with a warning.
        retry_codes: The exit codes after which the file is tried again later.
        time_limit_s: The longest time for a file, in seconds.
        quiet_limit_s: The longest time for which the command may print nothing, in seconds; 0 for no limit.
        environment: The names of further environment variables that the command gets.
        conflict: What to do if a file exists in the output folder: `number` the new one, or `replace` the old one.
        types: Patterns of the names of files for which the command can be used, such as `*.png`; empty for all files.
        most_output_mb: The maximum size of all files that the command writes for a file, in megabytes.
        version: The version, which is stored with each result; `save_preset` increases it when anything else changes.

    Raises:
        SettingsError: If a field is not valid. The text names the preset.
    """

    name: str
    title: str = ""
    argv: tuple[str, ...] = ()
    output: str = ""
    ok_codes: tuple[int, ...] = (0,)
    warn_codes: tuple[int, ...] = ()
    retry_codes: tuple[int, ...] = (75,)
    time_limit_s: int = 3600
    quiet_limit_s: int = 0
    environment: tuple[str, ...] = ()
    conflict: str = "number"
    types: tuple[str, ...] = ()
    most_output_mb: int = 10_000
    version: int = 1

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                Sentence(
                    "“{name}” is not a valid name of a command: use up to 40 small letters, digits, - and _.",
                    name=self.name,
                )
            )
        if (problem := self._problem()) is not None:
            raise _not_valid(self.name, problem)

    @property
    def processor(self) -> str:
        """The name of the processor that runs the command."""
        return f"command:{self.name}"

    @property
    def shown_title(self) -> str:
        """The title, or the name if there is no title."""
        return self.title or self.name

    def _problem(self) -> Sentence | None:
        numbers = (
            ("time_limit_s", self.time_limit_s, 1, LONGEST_LIMIT_S),
            ("quiet_limit_s", self.quiet_limit_s, 0, LONGEST_LIMIT_S),
            ("most_output_mb", self.most_output_mb, 1, MOST_OUTPUT_MB),
            ("version", self.version, 1, 2**31 - 1),
        )
        for key, value, least, most in numbers:
            if not least <= value <= most:
                return Sentence(
                    "{key} must be between {least} and {most}, not {value}",
                    key=key,
                    least=least,
                    most=most,
                    value=value,
                )
        if self.conflict not in {"number", "replace"}:
            return Sentence("conflict must be “number” or “replace”, not “{value}”", value=self.conflict)
        if display_text(self.title) != self.title:
            return Sentence("its title contains control characters")
        for pattern in self.types:
            if not pattern or "/" in pattern:
                return Sentence("“{pattern}” is not a pattern of file names", pattern=pattern)
        for variable in self.environment:
            if not _VARIABLE.fullmatch(variable) or not can_be_passed(variable):
                return Sentence("the variable “{variable}” can't be passed to a command", variable=variable)
        return self._program_problem() or self._arguments_problem() or self._output_problem()

    def _program_problem(self) -> Sentence | None:
        if not self.argv or not self.argv[0].strip():
            return Sentence("argv must contain a program")
        program = self.argv[0]
        if is_batch_file(program):
            return Sentence("“{program}” is a batch file, whose arguments can't be passed safely", program=program)
        if _PART.search(program):
            return Sentence("the program itself can't contain braces: “{program}”", program=program)
        if re.search(r"[/\\]", program) and not Path(program).is_absolute():
            return Sentence(
                "the program must be an absolute path, or a name that is searched in PATH, not “{program}”",
                program=program,
            )
        return None

    def _arguments_problem(self) -> Sentence | None:
        if len(self.argv) > _MOST_ARGUMENTS:
            return Sentence("argv has more than {most} elements", most=_MOST_ARGUMENTS)
        for argument in self.argv:
            if "\0" in argument:
                return Sentence("an argument contains a NUL character")
            if (problem := _template_problem(argument, PLACEHOLDERS)) is not None:
                return problem
            if not self.output and "out" in placeholders_in(argument):
                return Sentence("it uses {out}, but has no output folder", out="{out}")
        return None

    def _output_problem(self) -> Sentence | None:
        if not self.output:
            return None
        if (problem := _template_problem(self.output, OUTPUT_PLACEHOLDERS)) is not None:
            return problem
        first, *others = re.split(r"[/\\]", self.output)
        if first not in {FOLDER, "~"} and not Path(self.output).is_absolute():
            return Sentence(
                "the output folder must be an absolute path, or begin with {folder} or ~, not “{output}”",
                folder=FOLDER,
                output=self.output,
            )
        if any("folder" in placeholders_in(part) for part in others) or "\0" in self.output:
            return Sentence("the output folder can contain {folder} only at its beginning", folder=FOLDER)
        return None


def _not_valid(name: str, problem: Sentence) -> SettingsError:
    return SettingsError(Sentence("The command “{name}” is not valid: {problem}.", name=name, problem=problem))


def _template_problem(template: str, known: Iterable[str]) -> Sentence | None:
    for part in _PART.finditer(template):
        if part[0] not in {"{{", "}}"} and part[1] not in known:
            return Sentence(
                "“{text}” contains {part}, which is not one of {known}; write {{{{ and }}}} for braces",
                text=template,
                part=part[0],
                known=" ".join(f"{{{name}}}" for name in known),
            )
    return None


def placeholders_in(template: str) -> list[str]:
    """Return the names of the placeholders in a template."""
    return [part[1] for part in _PART.finditer(template) if part[1]]


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a template of a preset with its placeholders replaced once, so that a value can contain anything.

    Args:
        template: The template.
        values: The values of the placeholders by name.
    """
    return _PART.sub(lambda part: values[part[1]] if part[1] else part[0][0], template)


def is_batch_file(program: str) -> bool:
    """Return whether a program is a batch file of Windows, to which arguments can't be passed safely."""
    return _BATCH_FILE.fullmatch(program) is not None


class Presets(NamedTuple):
    """The presets in a file.

    Attributes:
        valid: The valid presets by name.
        problems: What is wrong with the others.
    """

    valid: dict[str, Preset]
    problems: tuple[SettingsError, ...] = ()


def load_presets(path: Path) -> Presets:
    """Read the presets in a settings file, or in a file that was exported. Unknown keys are ignored.

    Raises:
        SettingsError: If the file can't be read or is not valid TOML.
    """
    tables = read_table(path).get(_TABLES, [])
    if not isinstance(tables, list):
        return Presets({}, (SettingsError(Sentence("[command] must be written as [[command]].")),))
    valid: dict[str, Preset] = {}
    problems = []
    for table in tables:
        try:
            preset = _preset_of(table)
            if preset.name in valid:
                raise _not_valid(preset.name, Sentence("there are two commands of this name"))
            valid[preset.name] = preset
        except SettingsError as error:
            problems.append(error)
    return Presets(valid, tuple(problems))


def _preset_of(table: object) -> Preset:
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise SettingsError(Sentence("A [[command]] has no name."))
    given: dict[str, Any] = {}
    for field in fields(Preset):
        if field.name in table:
            given[field.name] = _value_of(table["name"], field.name, table[field.name])
    return Preset(**given)


_NUMBERS = ("ok_codes", "warn_codes", "retry_codes")
_TEXTS = ("argv", "environment", "types")


def _value_of(name: str, key: str, value: object) -> object:
    """Return the value of a field in the settings file, with lists as tuples.

    Raises:
        SettingsError: If it is of another type than that of the field.
    """
    if key in _NUMBERS + _TEXTS:
        kind, wanted = (int, Sentence("a list of numbers")) if key in _NUMBERS else (str, Sentence("a list of texts"))
        if isinstance(value, list) and all(type(each) is kind for each in value):
            return tuple(value)
    else:
        is_number = key in {"time_limit_s", "quiet_limit_s", "most_output_mb", "version"}
        kind, wanted = (int, Sentence("a whole number")) if is_number else (str, Sentence("text in quotes"))
        if type(value) is kind:
            return value
    raise _not_valid(name, Sentence("{key} must be {wanted}", key=key, wanted=wanted))


class PresetFile:
    """The presets in a settings file, which is read again when it has changed. One thread at a time.

    Args:
        path: The settings file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, ...] = ()
        self._presets: tuple[Preset, ...] | None = None

    def read_changed(self) -> tuple[Preset, ...] | None:
        """Return the presets, or None if they are the same as the last time.

        Presets that are not valid are logged and left out. If the file can't be read, nothing has changed.
        """
        try:
            about = self._path.stat()
            mark: tuple[int, ...] = (about.st_ino, about.st_mtime_ns, about.st_size)
        except OSError as error:  # there is no file, or reading it says what is wrong
            mark = (error.errno or 0,)
        if mark == self._mark:
            return None
        self._mark = mark  # first, since the file can change while it is read
        try:
            valid, problems = load_presets(self._path)
        except SettingsError as error:
            log.info("the commands stay unchanged: %s", error.text)
            return None
        for problem in problems:
            log.info("%s", problem.text)
        presets = tuple(valid.values())
        if presets == self._presets:
            return None
        self._presets = presets
        return presets


def read_preset_file(path: Path) -> list[Preset]:
    """Return the presets in a file that was exported.

    Raises:
        SettingsError: If the file can't be read, is not valid, or contains no preset.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SettingsError(Sentence("{file} can't be read: {why}.", file=path, why=error.strerror or error)) from error
    if size > _MOST_IMPORTED_BYTES:
        raise SettingsError(Sentence("{file} is too large to be a file of commands.", file=path))
    presets = load_presets(path)
    if presets.problems:
        raise presets.problems[0]
    if not presets.valid:
        raise SettingsError(Sentence("{file} contains no command.", file=path))
    return list(presets.valid.values())


def preset_text(presets: Iterable[Preset]) -> str:
    """Return the text of a file with presets, which `read_preset_file` reads."""
    import tomlkit  # takes long

    document = tomlkit.document()
    _put(document, presets)
    return tomlkit.dumps(document)


def save_preset(path: Path, preset: Preset) -> Preset:
    """Add a preset to the settings file, or change the one of its name. Comments and unknown keys are kept.

    Args:
        path: The settings file.
        preset: The preset.

    Returns:
        The preset with its version, which is increased if the preset differs from the one of its name.

    Raises:
        SettingsError: If the file can't be read or written. It is then left unchanged.
    """
    with locked_settings(path):
        before = load_presets(path).valid.get(preset.name)
        if before is not None:
            preset = replace(preset, version=before.version)
            if preset == before:
                return before
            preset = replace(preset, version=before.version + 1)
        change_document(path, lambda document: _put(document, [preset]))
    return preset


def remove_preset(path: Path, name: str) -> bool:
    """Remove a preset from the settings file; return whether it was there.

    Raises:
        SettingsError: If the file can't be read or written. It is then left unchanged.
    """

    def remove(document: TOMLDocument) -> None:
        tables: Any = document.get(_TABLES, [])
        for place in reversed(range(len(tables))):
            if _is_named(tables[place], name):
                del tables[place]
        if not len(tables):
            document.pop(_TABLES, None)

    with locked_settings(path):
        tables = read_table(path).get(_TABLES)
        if not isinstance(tables, list) or not any(_is_named(table, name) for table in tables):
            return False
        change_document(path, remove)
    return True


def _is_named(table: object, name: str) -> bool:
    return isinstance(table, dict) and table.get("name") == name


def _put(document: TOMLDocument, presets: Iterable[Preset]) -> None:
    """Write presets into a document; fields that have their default are left out."""
    import tomlkit

    if not isinstance(document.get(_TABLES, []), list):
        raise SettingsError(Sentence("[command] must be written as [[command]]."))
    if _TABLES not in document:
        document[_TABLES] = tomlkit.aot()
    tables: Any = document[_TABLES]
    for preset in presets:
        table = next((table for table in tables if _is_named(table, preset.name)), None)
        if table is None:
            tables.append(tomlkit.table())
            table = tables[-1]
        for field in fields(Preset):
            value = getattr(preset, field.name)
            if field.default is not dataclasses.MISSING and value == field.default:
                table.pop(field.name, None)
            else:
                table[field.name] = list(value) if isinstance(value, tuple) else value


OFFERED = (
    Preset(
        "words",
        mark("Count words (wc)"),
        ("wc", "-w", "{path}"),
        types=("*.txt", "*.md", "*.csv", "*.log", "*.tex", "*.html"),
    ),
    Preset(
        "media",
        mark("Check audio and video, and find their duration (ffprobe)"),
        (
            *("ffprobe", "-v", "error", "-show_entries", "format=format_name,duration,bit_rate"),
            *("-of", "compact=print_section=0", "-i", "file:{path}"),
        ),
        time_limit_s=600,
        types=("*.mp3", "*.m4a", "*.ogg", "*.flac", "*.wav", "*.mp4", "*.mkv", "*.mov", "*.avi", "*.webm"),
    ),
    Preset(
        "metadata",
        mark("Write the metadata into a text file (exiftool)"),
        ("exiftool", "-json", "-w", "./%f.%e.json", "{path}"),
        output="{folder}/metadata",
        time_limit_s=600,
        types=("*.jpg", "*.jpeg", "*.png", "*.tif", "*.tiff", "*.heic", "*.pdf", "*.mp4", "*.mov"),
    ),
    Preset(
        "html",
        mark("Convert to HTML (pandoc)"),
        ("pandoc", "--standalone", "--sandbox", "--output", "{out}/{stem}.html", "{path}"),
        output="{folder}/html",
        types=("*.md", "*.rst", "*.docx", "*.odt", "*.tex", "*.epub", "*.org"),
    ),
    Preset(
        "recognize-text",
        mark("Recognize the text in pictures (tesseract)"),
        ("tesseract", "{path}", "{out}/{stem}"),
        output="{folder}/text",
        types=("*.png", "*.jpg", "*.jpeg", "*.tif", "*.tiff", "*.bmp", "*.webp"),
    ),
)
"""Presets for programs that many people have; they are offered if the program is installed."""


def offered_presets(known: Iterable[str], path: str | None = None) -> list[Preset]:
    """Return the presets in `OFFERED` whose program is installed, except those whose name is taken.

    Args:
        known: The names of the presets that exist.
        path: The folders to search, as in PATH; None for those in the environment.
    """
    taken = set(known)
    return [one for one in OFFERED if one.name not in taken and shutil.which(one.argv[0], path=path)]

"""Plug-ins: processors that others have written, and that run in child processes only.

The parent process never imports a plug-in. It knows only its description, which a child process has made and which is
checked here. A child process loads only the code that the parent names with its digest.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from desktop_app.domain.errors import FileError, KnownError
from desktop_app.domain.fields import FIELD_NAME, PROCESSOR_NAME, VALUE_KINDS, Field, Option, Value
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence, display_text
from desktop_app.processing.processor import Limits, PluginCode
from desktop_app.processing.registry import BUILT_IN, ProcessorRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from desktop_app.processing.processor import Watch
    from desktop_app.sources.local import Source

API = 1
"""The version of the interface that plug-ins are written for."""
GROUP = "filemill.processors"
"""The group of the entry points of installed packages."""
FILE, ENTRY_POINT = "file", "entry point"
"""The kinds of plug-ins: a file in the plug-in folder, or an installed package."""
MOST_SECONDS = 24 * 3600.0
MOST_MEMORY_BYTES = 16 << 30
_MOST_FILE_BYTES = 4 << 20
_MOST_FIELDS = 100
_MOST_TEXT = 300
_CODE_SUFFIXES = (".py", *importlib.machinery.EXTENSION_SUFFIXES)


class PluginError(KnownError):
    """A plug-in can't be used. The text says why."""


# --- the code


def digest_of(kind: str, source: str) -> str:
    """Return the SHA-256 of the code of a plug-in, as hexadecimal digits.

    Raises:
        PluginError: If the code can't be found or read.
    """
    return hashlib.sha256(_read(source)).hexdigest() if kind == FILE else _digest_of_package(source)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise PluginError(Sentence("It can't be read: {why}.", why=error.strerror or error)) from error
    if len(content) > _MOST_FILE_BYTES:
        raise PluginError(Sentence("It is too large for a plug-in."))
    return content


def _digest_of_package(entry_point: str) -> str:
    """Return the digest of the files of the package that an entry point leads to, without importing anything."""
    place = package_of(entry_point)
    files = [place]
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.name.endswith(_CODE_SUFFIXES))
    whole = hashlib.sha256()
    for file in files:
        name = file.relative_to(place.parent).as_posix()
        whole.update(f"{name}\0{hashlib.sha256(_read(str(file))).hexdigest()}\n".encode())
    return whole.hexdigest()


def package_of(entry_point: str) -> Path:
    """Return the file or folder of the outermost package of an entry point such as `words = words_plugin:Words`.

    Raises:
        PluginError: If it can't be found.
    """
    module = entry_point.partition("=")[2].strip().partition(":")[0]
    found = importlib.machinery.PathFinder.find_spec(module.partition(".")[0])
    if found is None or (found.origin is None and not found.submodule_search_locations):
        raise PluginError(Sentence("The file of {module} can't be found.", module=module))
    folders = list(found.submodule_search_locations or ())
    return Path(folders[0] if folders else str(found.origin))


@cache
def entry_points() -> tuple[str, ...]:
    """Return the entry points of installed packages, each as `name = module:object`. Reads the metadata only once."""
    if getattr(sys, "frozen", False):
        return ()
    from importlib.metadata import entry_points as installed  # takes long, and is needed only for this

    found = installed(group=GROUP)
    return tuple(sorted({f"{one.name} = {one.value}" for one in found}))


# --- in the child process


class _LoadedPlugin:
    """A plug-in in the child process that has loaded it; see `Processor`. What it may leave out is added.

    Args:
        known: What it says about itself.
        plugin: The object that was loaded.
    """

    def __init__(self, known: PluginProcessor, plugin: Any) -> None:  # noqa: ANN401 - a plug-in can define anything
        self.name, self.version, self.title = known.name, known.version, known.title
        self.fields, self.options, self.limits = known.fields, known.options, known.limits
        self.unavailable = ""
        self._plugin = plugin

    def accepts(self, path: str) -> bool:
        return bool(self._plugin.accepts(path))

    def process(self, source: Source, options: Mapping[str, Value], watch: Watch) -> Mapping[str, Value]:
        return cast("Mapping[str, Value]", self._plugin.process(source, options, watch))


@cache
def registry_of(code: PluginCode) -> ProcessorRegistry:
    """Return a registry that contains only a plug-in, whose code is executed. Only for child processes.

    Raises:
        FileError: If the code is not the one that was allowed.
        PluginError: If what it says about itself is not valid.
        Exception: Whatever the plug-in raises.
    """
    plugin = _load(code)
    return ProcessorRegistry([_LoadedPlugin(described(_description(plugin), code), plugin)])


def describe(code: PluginCode) -> dict[str, object]:
    """Return what a plug-in says about itself, after its code was executed. Only for child processes."""
    return _description(_load(code))


def _load(code: PluginCode) -> Any:  # noqa: ANN401
    found = _execute(code) if code.kind == FILE else _import(code)
    return found() if isinstance(found, type) else found


def _execute(code: PluginCode) -> Any:  # noqa: ANN401 - a plug-in can define anything
    content = _read(code.source)
    _require(code, hashlib.sha256(content).hexdigest())
    module = ModuleType(f"filemill_plugin_{Path(code.source).stem}")
    module.__file__ = code.source
    sys.modules[module.__name__] = module
    exec(compile(content, code.source, "exec"), module.__dict__)  # noqa: S102 - the bytes that the user has allowed
    try:
        return module.processor
    except AttributeError:
        raise ValueError("The file does not define “processor”.") from None


def _import(code: PluginCode) -> Any:  # noqa: ANN401
    from importlib.metadata import EntryPoint

    _require(code, _digest_of_package(code.source))
    name, _, value = (part.strip() for part in code.source.partition("="))
    return EntryPoint(name, value, GROUP).load()


def _require(code: PluginCode, digest: str) -> None:
    if digest != code.digest:
        about = {"processor": Path(code.source).name, "why": "its code has changed since it was allowed"}
        raise FileError(Reason(ReasonCode.NOT_AVAILABLE, about))


def _description(processor: Any) -> dict[str, object]:  # noqa: ANN401
    limits = getattr(processor, "limits", None) or Limits()
    return {
        "api": getattr(processor, "api", None),
        "name": processor.name,
        "version": processor.version,
        "title": processor.title,
        "fields": [[one.name, one.kind.__name__, one.title, one.unit] for one in processor.fields],
        "options": [
            {
                "name": one.name,
                "default": one.default,
                "title": one.title,
                "choices": list(one.choices),
                "least": one.least,
                "most": one.most,
                "hint": one.hint,
                "is_long": one.is_long,
            }
            for one in getattr(processor, "options", ())
        ],
        "seconds": limits.seconds,
        "memory_bytes": limits.memory_bytes,
    }


# --- in the parent process


@dataclass(frozen=True, slots=True)
class PluginProcessor:
    """A plug-in in the parent process, which can't process anything itself; see `Processor`."""

    name: str
    version: int
    title: str
    fields: tuple[Field, ...]
    options: tuple[Option, ...]
    limits: Limits
    unavailable: str = ""

    def accepts(self, path: str) -> bool:  # noqa: ARG002 - only the plug-in knows
        """Return True: the plug-in decides in the child process."""
        return True

    def process(
        self,
        source: Source,  # noqa: ARG002
        options: Mapping[str, Value],  # noqa: ARG002
        watch: Watch,  # noqa: ARG002
    ) -> Mapping[str, Value]:
        """Raise an error: plug-ins run in child processes only."""
        raise RuntimeError(f"the plug-in {self.name} must not run in this process")


def described(told: object, code: PluginCode, taken: Iterable[str] = ()) -> PluginProcessor:
    """Return a plug-in from its description, which is not trusted.

    Args:
        told: What `describe` has returned in a child process, or a stored copy of it.
        code: The code that was described.
        taken: The names of other plug-ins.

    Raises:
        PluginError: If the description is not valid.
    """
    if not isinstance(told, dict):
        raise PluginError(Sentence("It does not describe itself."))
    if type(told.get("api")) is not int or told.get("api") != API:
        raise PluginError(
            Sentence(
                "It is made for version {version} of the interface; this is version {own}.",
                version=str(told.get("api")),
                own=API,
            )
        )
    name = told.get("name")
    if not isinstance(name, str) or not PROCESSOR_NAME.fullmatch(name) or ":" in name:
        raise PluginError(Sentence("Its name is not valid: it needs small letters, digits, hyphens and underscores."))
    if name in {one.name for one in BUILT_IN} | set(taken):
        raise PluginError(Sentence("There is another processor with the name “{name}”.", name=name))
    try:
        return PluginProcessor(
            name,
            _number(told["version"], 0, 2**31 - 1),
            _text(told["title"]) or name,
            tuple(_field(one) for one in _some(told["fields"])),
            tuple(_option(one) for one in _some(told["options"])),
            Limits(
                float(min(MOST_SECONDS, max(1.0, _kind(told["seconds"], int, float)))),
                _number(told["memory_bytes"], 1, MOST_MEMORY_BYTES),
                code,
            ),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise PluginError(Sentence("Its description is not valid: {why}.", why=_text(str(error)))) from error


def _some(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST_FIELDS:
        raise ValueError("too many fields or options")
    return value


def _kind(value: Any, *kinds: type) -> Any:  # noqa: ANN401
    if type(value) not in kinds:
        raise TypeError(f"{value!r} has another type")
    return value


def _number(value: object, least: int, most: int) -> int:
    number = int(_kind(value, int))
    if not least <= number <= most:
        raise ValueError(f"{number} is not from {least} to {most}")
    return number


def _text(value: object) -> str:
    return display_text(str(_kind(value, str)))[:_MOST_TEXT]


def _named(value: object) -> str:
    if not FIELD_NAME.fullmatch(name := str(_kind(value, str))):
        raise ValueError(f"{name!r} is not a name")
    return name


def _field(told: list[object]) -> Field:
    name, kind, title, unit = told
    return Field(_named(name), VALUE_KINDS[str(kind)], _text(title), _text(unit))


def _option(told: dict[str, object]) -> Option:
    return Option(
        _named(told["name"]),
        cast("Value", _kind(told["default"], *VALUE_KINDS.values())),
        _text(told["title"]),
        tuple(_text(one) for one in _some(told["choices"])),
        _number(told["least"], -(2**63), 2**63 - 1),
        _number(told["most"], -(2**63), 2**63 - 1),
        _text(told["hint"]),
        is_long=bool(_kind(told["is_long"], bool)),
    )

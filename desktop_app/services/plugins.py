"""The plug-ins of this computer, and the user's consent to each of them.

The consent names the code by its SHA-256; if the code changes, it is asked for again. It is kept in a file in the home
folder, together with what the plug-in says about itself, so that nothing has to be executed to list the plug-ins.
"""

from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.config.atomic_write import write_whole
from desktop_app.config.private_files import create_private_folder, private_lock
from desktop_app.domain.errors import FileError, KnownError, SettingsError
from desktop_app.domain.sentences import Sentence, foreign_text
from desktop_app.processing.isolation import HelperProcess, ProcessDiedError, ProcessorBugError
from desktop_app.processing.plugins import (
    ENTRY_POINT,
    FILE,
    PluginError,
    described,
    digest_of,
    entry_points,
    package_of,
)
from desktop_app.processing.processor import PluginCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from desktop_app.processing.plugins import PluginProcessor

log = logging.getLogger(__name__)

WARNING = Sentence(
    "A plug-in can do anything that you can do on this computer: read, change and send all your files. Allow only code "
    "that you have read, or whose author you trust."
)
_LOCK_SECONDS = 5.0


class Consent(StrEnum):
    """Whether the user has allowed a plug-in."""

    ALLOWED = "allowed"
    CHANGED = "changed"
    """The code has changed since it was allowed, so it is not used."""
    MISSING = "not allowed"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that was found.

    Attributes:
        code: Its code; the digest is empty if the code can't be read.
        file: The path of its file or package.
        consent: Whether the user has allowed it.
        processor: What it can do; None if it was never allowed, or can't be used.
        problem: Why it can't be used; empty if nothing is known.
    """

    code: PluginCode
    file: str
    consent: Consent
    processor: PluginProcessor | None = None
    problem: str | Sentence = ""

    @property
    def name(self) -> str:
        """The name of its processor, or else of its file or entry point."""
        if self.processor is not None:
            return self.processor.name
        source = self.code.source
        return Path(source).name if self.code.kind == FILE else source.partition("=")[0].strip()


class Plugins:
    """Finds plug-ins, and keeps the user's consent. Any thread, but `allow` takes as long as the plug-in's import.

    Args:
        home: The home folder.
        found_entry_points: Returns the entry points of installed packages.
    """

    def __init__(self, home: Path, found_entry_points: Callable[[], Iterable[str]] = entry_points) -> None:
        self.folder = home / "plugins"
        """The plug-in folder."""
        self._file = home / "plugins.json"
        self._entry_points = found_entry_points

    def all(self) -> list[Plugin]:
        """Return the plug-ins in the folder and in installed packages. No code of theirs is executed."""
        allowed = self._allowed()
        sources = [(FILE, str(path)) for path in self._files()]
        sources += [(ENTRY_POINT, entry_point) for entry_point in self._entry_points()]
        found: list[Plugin] = []
        for kind, source in sources:
            taken = [one.processor.name for one in found if one.processor is not None]
            found.append(_looked_at(kind, source, allowed, taken))
        return found

    def processors(self) -> list[PluginProcessor]:
        """Return the processors of the plug-ins that are allowed and have not changed since."""
        if not self._file.exists():
            return []
        return [one.processor for one in self.all() if one.consent is Consent.ALLOWED and one.processor is not None]

    def find(self, name: str) -> Plugin:
        """Return the plug-in with a name, or with a file.

        Raises:
            PluginError: If there is none, or several.
        """
        path = str(Path(name).absolute())
        known = self.all()
        chosen = [one for one in known if name in {one.name, one.code.source, Path(one.file).name} or path == one.file]
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            raise PluginError(Sentence("There are several plug-ins “{name}”: give the whole path.", name=name))
        raise PluginError(
            Sentence(
                "There is no plug-in “{name}”. Plug-ins are in the folder {folder}.", name=name, folder=self.folder
            )
        )

    def allow(self, plugin: Plugin) -> Plugin:
        """Allow the code of a plug-in, and return what it says about itself. Its code is executed in a child process.

        If it can't be used, the consent is kept together with the reason.

        Raises:
            PluginError: If its code has changed since it was shown to the user, or can't be read.
            SettingsError: If the consent can't be saved.
        """
        if not plugin.code.digest or digest_of(plugin.code.kind, plugin.code.source) != plugin.code.digest:
            raise PluginError(Sentence("The plug-in has changed in the meantime. Look at it again."))
        told, problem = _told(plugin.code)
        entry = {"sha256": plugin.code.digest, "told": told, "problem": problem}
        self._save(lambda allowed: {**allowed, _key(plugin.code): entry})
        return next((one for one in self.all() if one.code == plugin.code), plugin)

    def forbid(self, plugin: Plugin) -> None:
        """Withdraw the consent to a plug-in.

        Raises:
            SettingsError: If that can't be saved.
        """
        self._save(lambda allowed: {key: entry for key, entry in allowed.items() if key != _key(plugin.code)})

    def _files(self) -> list[Path]:
        try:
            return sorted(file for file in self.folder.glob("*.py") if not file.name.startswith(("_", ".")))
        except OSError as error:
            log.info("the plug-in folder can't be read: %s", error)
            return []

    def _allowed(self) -> dict[str, dict[str, object]]:
        try:
            stored = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            log.info("no plug-in is allowed, because %s can't be read: %s", self._file, error)
            return {}
        entries = stored.get("allowed") if isinstance(stored, dict) else None
        return {key: entry for key, entry in (entries or {}).items() if isinstance(entry, dict)}

    def _save(self, change: Callable[[Mapping[str, object]], Mapping[str, object]]) -> None:
        try:
            with private_lock(self._file.with_name(f"{self._file.name}.lock"), timeout=_LOCK_SECONDS):
                text = json.dumps({"version": 1, "allowed": change(self._allowed())}, indent=1)
                write_whole(self._file, lambda stream: stream.write(text), is_private=True)
        except KnownError as error:
            raise SettingsError(error.text) from error
        except OSError as error:
            why = error.strerror or error
            raise SettingsError(Sentence("{file} can't be written: {why}.", file=self._file, why=why)) from error

    def create_folder(self) -> None:
        """Create the plug-in folder, to which only the user has access.

        Raises:
            SettingsError: If it can't be created.
        """
        try:
            create_private_folder(self.folder)
        except OSError as error:
            why = error.strerror or error
            raise SettingsError(Sentence("{file} can't be written: {why}.", file=self.folder, why=why)) from error


def _key(code: PluginCode) -> str:
    return f"{code.kind} {code.source}"


def _looked_at(kind: str, source: str, allowed: Mapping[str, Mapping[str, object]], taken: Iterable[str]) -> Plugin:
    """Return a plug-in with what is known about it."""
    code = PluginCode(kind, source, "")
    entry = allowed.get(_key(code))
    found = Plugin(code, source, Consent.MISSING if entry is None else Consent.CHANGED)
    try:
        if kind == ENTRY_POINT:
            found = replace(found, file=str(package_of(source)))
        code = PluginCode(kind, source, digest_of(kind, source))
        found = replace(found, code=code)
        if entry is None or entry.get("sha256") != code.digest:
            return found
        found = replace(found, consent=Consent.ALLOWED)
        if problem := entry.get("problem"):
            return replace(found, problem=str(problem))
        return replace(found, processor=described(entry.get("told"), code, taken))
    except PluginError as error:
        return replace(found, problem=error.text)


def _told(code: PluginCode) -> tuple[object, str]:
    """Return what a plug-in says about itself, and why it can't be used; one of them is empty."""
    with closing(HelperProcess()) as helper:
        try:
            return helper.describe(code), ""
        except ProcessorBugError as error:
            log.info("a plug-in can't be used: %s\n%s", error, "\n".join(error.__notes__))
            return None, foreign_text(str(error))
        except (FileError, ProcessDiedError) as error:
            return None, foreign_text(str(error))

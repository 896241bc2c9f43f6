"""Mask secrets and personal data in text: keys, account numbers, and names of people and files."""

from __future__ import annotations

import configparser
import getpass
import os
import platform
import re
import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_app.domain.secrets import mask_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


PATH = "[path]"

_SECRET_NAME = re.compile(r"(?i)secret|token|passw|pwd|credential|api_?key|access_?key|private_?key|auth")

_LEAST = 6
"""The minimum length of a value to mask; a shorter one could be part of an ordinary word."""

_RUN = re.compile(r"(?<![A-Za-z0-9/+_-])[A-Za-z0-9/+_-]{40,}={0,2}(?![A-Za-z0-9/+=_-])")

# The second lookbehind excludes the last group of a UUID.
_ACCOUNT = re.compile(r"(?<!\d)(?<![\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-)\d{12}(?!\d)")

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`")

_IS_FILE = re.compile(r"[/\\]|\.(?!fifo$)\w{1,8}$")
"""The name of a FIFO queue ends with `.fifo`. A file of the user that does so, too, is found by its name."""

_OWN = ("[program]", "[python]", "[data]", "<", "http://", "https://")

_BARE_PATH = re.compile(
    r"""(?x)(?<![\w:/\\.\]>-])(?:~|[A-Za-z]:)?[/\\]
    (?:[^\s"'“”<>|:*?]+(?:\ [^\s"'“”<>|:*?/\\]+){1,4}?\.[A-Za-z0-9]{1,5}\b  # with blanks, as far as it ends like a file
    |[^\s"'“”<>|:*?]*[^\s"'“”<>|:*?.,;)])"""
)


class Masked(StrEnum):
    """A kind of masked data, with its description in a report."""

    SECRETS = "keys, passwords and tokens"
    ACCOUNTS = "account numbers"
    PEOPLE = "names of the user and the computer, and e-mail addresses"
    FILES = "names and paths of files"


class Masker:
    """Masks secrets and personal data in texts. One thread at a time.

    Each AWS account ID is replaced by the same placeholder in all texts.

    Args:
        secrets: Secret values.
        people: The names of the user and of the computer.
        folders: The placeholders of folders, by path; they are applied in order.
        names: The names and paths of the user's files.

    Attributes:
        counts: The number of replacements for each kind of data.
    """

    def __init__(
        self,
        *,
        secrets: Iterable[str] = (),
        people: Iterable[str] = (),
        folders: Mapping[str, str] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        self._secrets = sorted({value for value in secrets if len(value) >= _LEAST}, key=len, reverse=True)
        self._people = [
            re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE)
            for name in sorted({name for name in people if len(name) > 1}, key=len, reverse=True)
        ]
        self._folders = [
            (spelling, mark) for folder, mark in (folders or {}).items() for spelling in _spellings(folder)
        ]
        # A name that is an ordinary word could occur in any text.
        own = {name for name in names if len(name) >= _LEAST and not name.isalnum()}
        self._names = sorted(own, key=len, reverse=True)
        self._accounts: dict[str, str] = {}
        self.counts: Counter[Masked] = Counter()

    def mask(self, text: str, *, names: bool) -> str:
        """Return a text with secrets and personal data masked.

        Args:
            text: The text.
            names: Whether to keep the names and paths of files.
        """
        text, secrets = mask_secrets(text, self._secrets, runs=_RUN)
        self.counts[Masked.SECRETS] += secrets
        text = self._sub(_ACCOUNT, text, Masked.ACCOUNTS, self._account)
        for folder, mark in self._folders:
            text = text.replace(folder, mark)
        text = self._sub(_ADDRESS, text, Masked.PEOPLE, lambda _: "[e-mail]")
        for person in self._people:
            text = self._sub(person, text, Masked.PEOPLE, lambda _: "[name]")
        return text if names else self._without_names(text)

    def _account(self, found: re.Match[str]) -> str:
        return self._accounts.setdefault(found[0], f"[account {len(self._accounts) + 1}]")

    def _without_names(self, text: str) -> str:
        for name in self._names:
            if name in text:
                self.counts[Masked.FILES] += text.count(name)
                text = text.replace(name, PATH)
        text = self._sub(_QUOTED, text, Masked.FILES, _quoted)
        return self._sub(_BARE_PATH, text, Masked.FILES, lambda _: PATH)

    def _sub(self, pattern: re.Pattern[str], text: str, what: Masked, put: _Put) -> str:
        def change(found: re.Match[str]) -> str:
            made = put(found)
            self.counts[what] += made != found[0]
            return made

        return pattern.sub(change, text)


if TYPE_CHECKING:
    _Put = Callable[[re.Match[str]], str]


def _quoted(found: re.Match[str]) -> str:
    inner = found[0][1:-1]
    if inner.startswith(_OWN) or not _IS_FILE.search(inner) or inner == PATH:
        return found[0]
    return f"{found[0][0]}{PATH}{found[0][-1]}"


def _spellings(folder: str) -> Iterator[str]:
    """Yield the spellings of a folder's path: unchanged, with forward slashes, and with escaped backslashes."""
    if len(folder.strip("/\\")) > 1:
        yield from dict.fromkeys((folder, folder.replace("\\", "/"), folder.replace("\\", "\\\\")))


def masker_for(environment: Mapping[str, str], data_folder: Path, names: Iterable[str] = ()) -> Masker:
    """Return a masker for the secrets, names and folders of this computer.

    Args:
        environment: The environment variables.
        data_folder: The folder that contains the settings, the database and the logs.
        names: The names and paths of the user's files.
    """
    program = Path(__file__).resolve().parents[3]
    home = str(Path.home())
    folders = {str(data_folder): "[data]", str(program): "[program]"}
    folders |= dict.fromkeys((sys.prefix, sys.base_prefix), "[python]")
    folders |= dict.fromkeys((home, os.path.realpath(home)), "~")
    people = {Path(home).name, platform.node(), platform.node().partition(".")[0], _user()}
    return Masker(
        secrets={*secrets_of(environment), *_stored_secrets(environment)}, people=people, folders=folders, names=names
    )


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """Return the values of environment variables whose names suggest a secret."""
    return {value for name, value in environment.items() if _SECRET_NAME.search(name)}


def _stored_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the secrets in the AWS configuration files. Unreadable files are skipped; they can't leak into a report."""
    for variable, usual in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(Path(environment.get(variable) or f"~/.aws/{usual}").expanduser(), encoding="utf-8")
        except (configparser.Error, OSError, ValueError, RuntimeError):
            continue
        for section in parser.sections():
            yield from (value for name, value in parser.items(section) if _SECRET_NAME.search(name))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""

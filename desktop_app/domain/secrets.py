"""Mask secrets in the texts of libraries and services, and remember the secrets that this process uses.

Everything that a library or a service says passes `masked` before it reaches the log, the terminal, the database or the
window. Secrets are recognized by their form, by the name in front of them and, for the keys in use, by their value.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable


SECRET = "[secret]"  # noqa: S105 - the placeholder

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)

_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*")

_KEY_ID = re.compile(r"\b(?:A3T[A-Z0-9]|ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|APKA|AROA|ASCA|ASIA)[A-Z0-9]{12,}\b")

_SECRET_KEY = re.compile(
    r"(?<![A-Za-z0-9/+])(?=\S{0,39}[a-z])(?=\S{0,39}[A-Z])(?=\S{0,39}\d)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
"""An AWS secret access key consists of 40 letters, digits, slashes and plus signs."""

_LOGIN = re.compile(r"(?<=://)(?:[^/\s]+|[^/\s:]{1,100}:[^\s@]{1,200})(?=@)")
"""The user name and password in a URL. The password can contain an at sign, or a slash that is not encoded."""

_SIGNED = re.compile(r"AWS4-[A-Z0-9-]+ Credential=[^\r\n\"']*")
"""The value of the `Authorization` header of a signed request."""

_AUTHORIZATION = re.compile(r"(?i)(authorization[\"']?\s*[=:]\s*[\"']?)[^\r\n\"']+")

_NAMED = re.compile(
    r"""(?ix)
    (?<![\w-])(?P<name>[\w-]{0,100}(?:secret|token|passw(?:or)?d|pwd|credential|signature|api[_-]?key|access[_-]?key(?:[_-]?id)?
        |private[_-]?key)[\w-]{0,100}["']?\s{0,9}[=:]\s{0,9}["']?)
    (?P<value>[^\s"',;&)\]}]{4,})"""
)

_PROSE = "Error loading SSO "
"""The beginning of a message of botocore, in which “Token: ” is followed by an explanation."""

_LONG_RUN = re.compile(r"(?<![A-Za-z0-9/+_=%-])[A-Za-z0-9/+_=%-]{100,}")
"""Possibly a session token. Names and paths are rarely this long without a dot or a blank."""

_STRAIGHT = re.compile(r"[A-Za-z0-9+]{16,}")

_LEAST = 8
"""The minimum length of a known secret; a shorter one could be part of an ordinary word."""

_MOST_KNOWN = 64


@dataclass(frozen=True, slots=True, repr=False)
class AccessKeys:
    """Access keys that the user has typed. They are kept in memory only, and never appear in the text of an object.

    Attributes:
        key_id: The access key ID.
        secret: The secret access key.
    """

    key_id: str
    secret: str

    def __repr__(self) -> str:
        """Return a text without the keys."""
        return f"AccessKeys({SECRET})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, since the keys must not reach another process or a file."""
        raise TypeError("access keys can't be pickled")


class _KnownSecrets:
    """The secrets that this process uses, so that they are found in any text. Thread-safe.

    The secrets become known on many threads and are needed by every log handler; like the configuration of `logging`,
    they therefore belong to the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: list[str] = []
        self.values: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Add a value in the notations that occur in texts: as it is, as in `repr`, and as in a URL."""
        pieces = [value, repr(value)[1:-1], quote(value, safe="", errors="replace"), *value.split()]
        with self._lock:
            fresh = [piece for piece in dict.fromkeys(pieces) if len(piece) >= _LEAST and piece not in self.values]
            self._newest = [*fresh, *self._newest][:_MOST_KNOWN]
            self.values = tuple(sorted(self._newest, key=len, reverse=True))


_known = _KnownSecrets()


def remember_secret(value: str) -> None:
    """Mask a value in all texts from now on. Values with fewer than eight characters are ignored. Any thread."""
    _known.add(value)


def without_known_secrets(text: str) -> str:
    """Mask the secrets that were passed to `remember_secret`. Any thread."""
    for value in _known.values:
        if value in text:
            text = text.replace(value, SECRET)
    return text


def masked(text: str, known: Iterable[str] = ()) -> str:
    """Mask everything in the text of a library or a service that is, or looks like, a secret. Any thread.

    Args:
        text: The text.
        known: Further secret values, longest first.
    """
    return mask_secrets(text, known)[0]


def mask_secrets(text: str, known: Iterable[str] = (), *, runs: re.Pattern[str] = _LONG_RUN) -> tuple[str, int]:
    """Mask secrets by their form, by their names, and by their values. Any thread.

    Args:
        text: The text.
        known: Secret values, longest first, in addition to those that were passed to `remember_secret`.
        runs: Matches sequences of characters that are long enough to be a token.

    Returns:
        The masked text, and the number of replacements.
    """
    count = 0

    def put(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return SECRET

    def put_value(found: re.Match[str]) -> str:
        is_prose = found.string.startswith(_PROSE, found.start() - len(_PROSE))
        return found[0] if found["value"].startswith("[") or is_prose else f"{found['name']}{put(found)}"

    for value in (*_known.values, *known):
        count += text.count(value)
        text = text.replace(value, SECRET)
    for pattern in (_PRIVATE_KEY, _JWT, _SIGNED, _KEY_ID, _SECRET_KEY, _LOGIN):
        text = pattern.sub(put, text)
    text = _AUTHORIZATION.sub(lambda found: f"{found[1]}{put(found)}", text)
    text = _NAMED.sub(put_value, text)
    return runs.sub(lambda found: put(found) if _is_random(found[0]) else found[0], text), count


def _is_random(text: str) -> bool:
    """Return whether a long sequence of characters looks like a key or token rather than a path or a digest."""
    pieces = [piece for piece in _STRAIGHT.findall(text) if any(map(str.isdigit, piece))]
    mixed = "".join(pieces)
    return any(map(str.isupper, mixed)) and any(map(str.islower, mixed))

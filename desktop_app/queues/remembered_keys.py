"""Keep the access keys of servers other than AWS in the system's keyring, if the user wants that.

`keyring` is imported in the functions, since finding its backends takes time. The keyring may ask the user for a
password, so never call these functions on the main thread.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from desktop_app.domain.assurances import joined
from desktop_app.domain.errors import Cause, KnownError
from desktop_app.domain.secrets import AccessKeys, masked
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.errors import SignInError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.backend import KeyringBackend

_SERVICE = "Filemill"
"""The name of our entries in the keyring; their user name is the address of the server."""
_LEAST_PRIORITY = 1
"""The priority of a backend that `keyring` recommends. One below it could store the keys unencrypted."""


def keyring_problem() -> str:
    """Return why the system's keyring can't be used; empty if it can."""
    try:
        _backend()
    except KnownError as error:
        return error.text
    return ""


def remember_keys(server: str, keys: AccessKeys) -> None:
    """Store the access keys of a server in the system's keyring, in place of any previous ones.

    Args:
        server: The address of the server, as in `Connection.place`.
        keys: The keys.

    Raises:
        KnownError: If the keyring can't be used, or the user has refused access to it.
    """
    text = json.dumps({"access_key_id": keys.key_id, "secret_access_key": keys.secret})
    backend = _backend()
    with _failures():
        backend.set_password(_SERVICE, server, text)


def forget_keys(server: str) -> None:
    """Remove the access keys of a server from the system's keyring, if it contains any.

    Raises:
        KnownError: If the keyring can't be used, or the user has refused access to it.
    """
    backend = _backend()
    with _failures():
        if backend.get_password(_SERVICE, server) is not None:
            backend.delete_password(_SERVICE, server)


def recalled_keys(server: str) -> AccessKeys:
    """Return the access keys of a server from the system's keyring.

    Raises:
        SignInError: If the keyring can't be used, or does not contain the keys.
    """
    advice = Sentence("Type the keys of the server in Connection…, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    try:
        backend = _backend()
        with _failures():
            text = backend.get_password(_SERVICE, server)
    except KnownError as error:
        raise SignInError(joined(error.text, advice)) from error
    try:
        found = json.loads(text or "")
        return AccessKeys(str(found["access_key_id"]), str(found["secret_access_key"]))
    except (ValueError, TypeError, KeyError) as error:
        text = Sentence(
            "The system's keyring does not contain the keys for {server}. {advice}", server=server, advice=advice
        )
        raise SignInError(text) from error


def _backend() -> KeyringBackend:
    """Return the system's keyring.

    Raises:
        KnownError: If there is none that encrypts what it stores.
    """
    with _failures():
        import keyring

        found = keyring.get_keyring()
        if found.priority >= _LEAST_PRIORITY:
            return found
    raise KnownError(
        Sentence("This system has no keyring that is running, such as GNOME Keyring or KWallet."), cause=Cause.SETUP
    )


@contextmanager
def _failures() -> Iterator[None]:
    """Convert the exceptions of the backends, which have no common class, to `KnownError`."""
    try:
        yield
    except Exception as error:
        why = " ".join(masked(str(error)).split()).rstrip(".") or type(error).__name__
        raise KnownError(Sentence("The system's keyring can't be used: {why}.", why=why), cause=Cause.SETUP) from error

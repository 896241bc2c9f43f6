"""Create boto3 sessions that never prompt, never hang, and report every error of the credential chain as one kind.

The chain is botocore's own, with three changes. The program of `credential_process` runs with limits. A profile that
requires an MFA code fails instead of prompting for it. All credentials are checked before they are used, since keys
with line breaks or other unsuitable characters would otherwise end up in the text of an exception.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleProvider,
    CanonicalNameCredentialSourcer,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    EnvProvider,
    ProcessProvider,
    ProfileProviderBuilder,
    create_credential_resolver,
)
from botocore.utils import create_nested_client

from desktop_app.domain.assurances import KEEPS_TRYING, joined
from desktop_app.domain.secrets import masked, remember_secret
from desktop_app.domain.sentences import Sentence, display_text
from desktop_app.queues.credential_program import ProgramError, ProgramRunner, not_started
from desktop_app.queues.errors import SignInError, explains_itself, is_endpoint_error, profile_label
from desktop_app.queues.identity import session_of
from desktop_app.queues.remembered_keys import recalled_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from botocore.credentials import ReadOnlyCredentials

    from desktop_app.config.settings import Connection


# When a session has expired, these loggers write a traceback for each request, although the error is reported anyway.
for _logger in ("botocore.tokens", "botocore.credentials"):
    logging.getLogger(_logger).setLevel(logging.ERROR)

CONNECT_SECONDS = 4

READ_SECONDS = 8

_RETRY_SECONDS = 60.0
"""How long to wait before a program that has failed is run again while the previous credentials are still valid."""

_MOST_REASON = 200

SOURCES = {
    "env": Sentence("environment variables"),
    "shared-credentials-file": Sentence("credentials file"),
    "config-file": Sentence("configuration file"),
    "sso": Sentence("single sign-on"),
    "login": Sentence("console sign-in"),
    "assume-role": Sentence("assumed role"),
    "assume-role-with-web-identity": Sentence("web identity"),
    "custom-process": Sentence("a program"),
    "iam-role": Sentence("this computer's role"),
    "container-role": Sentence("this container's role"),
    "typed-keys": Sentence("typed keys"),
    "system-keyring": Sentence("the system's keyring"),
}
"""The sources of credentials, by the names that botocore uses."""


_KEYS = ("AccessKeyId", "SecretAccessKey")
_UNREACHED = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ReadTimeoutError,
    boto.ConnectionClosedError,
)
"""Failed requests to STS or single sign-on, whose general text would name the queue's server."""


def make_session(connection: Connection, programs: ProgramRunner) -> boto3.Session:
    """Create a session for a connection's profile and region. Makes no requests.

    Args:
        connection: The connection.
        programs: Runs the program of a `credential_process` setting, and waits for the system's keyring.

    Raises:
        BotoCoreError: If the profile or the configuration files can't be used.
    """
    core = session_of(connection)
    session = boto3.Session(
        botocore_session=core, profile_name=connection.profile or None, region_name=connection.region or None
    )
    own = connection.has_own_keys
    core.register_component("credential_provider", _OwnKeys(connection, programs) if own else _Chain(core, programs))
    # The clients for STS and single sign-on, which botocore creates, would otherwise wait for up to five minutes.
    core.set_default_client_config(
        Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 2})
    )
    return session


@contextlib.contextmanager
def configuration_errors() -> Iterator[None]:
    """Convert exceptions that botocore raises for malformed settings to `InvalidConfigError`."""
    try:
        yield
    except Exception as error:
        if explains_itself(error) or isinstance(error, (boto.BotoCoreError, OSError)) or is_endpoint_error(error):
            raise
        raise boto.InvalidConfigError(error_msg=_reason(error)) from error


class _OwnKeys(CredentialProvider):
    """The credential provider of a connection whose access keys are typed or in the system's keyring."""

    def __init__(self, connection: Connection, programs: ProgramRunner) -> None:
        super().__init__()
        self._connection = connection
        self._programs = programs
        self.METHOD = "typed-keys" if connection.keys is not None else "system-keyring"
        self.CANONICAL_NAME = None

    def load(self) -> Credentials:
        """Return the keys.

        Raises:
            SignInError: If the system's keyring can't be used, or does not contain them.
            ProgramError: If waiting for it was given up.
        """
        server = self._connection.place[0]
        keys = self._connection.keys or self._programs.call(
            lambda: recalled_keys(server), Sentence("The system's keyring")
        )
        return Credentials(keys.key_id, keys.secret, method=self.METHOD)

    def load_credentials(self) -> Credentials | None:
        """Return the keys, which are checked before they are used. For the errors, see `load`."""
        return _CheckedProvider(self).load()


class _Chain:
    """The credential provider of a session. Its parts are created on use, since botocore reads files for them."""

    def __init__(self, session: botocore.session.Session, programs: ProgramRunner) -> None:
        self._session = session
        self._programs = programs

    def load_credentials(self) -> Credentials | None:
        """Return the credentials of the first source that has any.

        Raises:
            BotoCoreError: If a source can't be used.
        """
        session, cache = self._session, dict[str, Any]()
        profile = str(session.get_config_variable("profile") or "")
        region = str(session.get_config_variable("region") or "us-east-1")
        resolver = create_credential_resolver(session, cache=cache, region_name=region)
        named = ("container-role", "iam-role")
        role = AssumeRoleProvider(
            load_config=lambda: session.full_config,
            client_creator=lambda name, **more: create_nested_client(session, name, **{"region_name": region, **more}),
            cache=cache,
            profile_name=profile or "default",
            prompter=_refuse_to_prompt,
            credential_sourcer=CanonicalNameCredentialSourcer(
                [_CheckedProvider(one) for one in (EnvProvider(), *map(resolver.get_provider, named))]
            ),
            profile_provider_builder=_ProfileProviders(session, self._programs, cache=cache, region_name=region),
        )
        checked: list[CredentialProvider] = [
            _limited(role if isinstance(one, AssumeRoleProvider) else one, profile, session, self._programs)
            for one in resolver.providers
        ]
        return CredentialResolver(checked).load_credentials()


class _ProfileProviders(ProfileProviderBuilder):
    """Creates the providers of a profile that is the source of a role."""

    def __init__(
        self, session: botocore.session.Session, programs: ProgramRunner, *, cache: dict[str, Any], region_name: str
    ) -> None:
        super().__init__(session, cache=cache, region_name=region_name)
        self._core = session
        self._programs = programs

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[CredentialProvider]:  # noqa: FBT001, FBT002 - botocore's
        found = super().providers(profile_name, disable_env_vars)
        return [_limited(one, profile_name, self._core, self._programs) for one in found]


def _limited(
    provider: CredentialProvider, profile: str, session: botocore.session.Session, programs: ProgramRunner
) -> CredentialProvider:
    """Return a provider that checks the credentials of another one, and that runs a program with limits."""
    if isinstance(provider, ProcessProvider):
        return _CheckedProvider(_ProgramProvider(profile, session, programs))
    return _CheckedProvider(provider)


def _refuse_to_prompt(_: str) -> NoReturn:
    """Raise the error that botocore raises when it can't prompt for an MFA code."""
    raise boto.RefreshWithMFAUnsupportedError


class _ProgramProvider(ProcessProvider):
    """botocore's provider for `credential_process`, which runs the program by means of a `ProgramRunner`."""

    def __init__(self, profile: str, session: botocore.session.Session, programs: ProgramRunner) -> None:
        super().__init__(profile or "default", lambda: session.full_config, popen=self._run)
        self._label = profile_label(profile)
        self._programs = programs
        self._has_printed = False
        self._failure: Sentence | None = None
        self._failed_at = 0.0

    def title(self, name: str = "") -> Sentence:
        """Return the program as the subject of a sentence. Its arguments are left out, since they can be secret."""
        words = str(self.profile_config.get("credential_process", "")).split() or [""]
        shown = name or words[0].strip("\"'")
        return Sentence("The program “{name}” of {profile}", name=shown, profile=self._label)

    def _run(self, command: Sequence[str], **_: object) -> _Finished:
        """Run the program, in place of `subprocess.Popen`."""
        self._has_printed = False
        if self._failure is not None and time.monotonic() - self._failed_at < _RETRY_SECONDS:
            raise ProgramError(self._failure)
        title = self.title(command[0]) if command else self.title()
        try:
            output = self._programs.run(command, title)
            _check_output(output, title)
        except ProgramError as error:
            self._failure, self._failed_at = error.text, time.monotonic()
            raise
        self._has_printed = True
        return _Finished(output)

    def problem(self, reason: str) -> Sentence:
        """Return the sentence about an exception of botocore, which interprets the setting and then the output."""
        if not self._has_printed:
            return not_started(self.title(), reason)
        return _no_credentials(self.title(), Sentence("“{name}” is not a time with a time zone", name="Expiration"))


class _Finished:
    """A program that has exited successfully, with the part of the interface of `Popen` that botocore uses."""

    returncode = 0

    def __init__(self, output: bytes) -> None:
        self._output = output

    def communicate(self) -> tuple[bytes, bytes]:
        """Return the output and the error output."""
        return self._output, b""


def _check_output(output: bytes, title: Sentence) -> None:
    """Raise `ProgramError` unless a program's output has the format that AWS specifies. The output is never shown."""
    try:
        parsed = json.loads(output.decode())
    except (ValueError, RecursionError):
        reason = Sentence("the output is not JSON")
    else:
        if not isinstance(parsed, dict):
            reason = Sentence("the output is not a JSON object")
        elif parsed.get("Version") != 1:
            reason = Sentence("“{name}” is not {value}", name="Version", value=1)
        elif missing := [name for name in _KEYS if parsed.get(name) is None]:
            reason = Sentence("“{name}” is missing", name=missing[0])
        else:
            return
    raise ProgramError(_no_credentials(title, reason))


def _no_credentials(title: Sentence, reason: Sentence) -> Sentence:
    return Sentence(
        "{program} did not print credentials: {reason}. Run it in a terminal to see what it prints.",
        program=title,
        reason=reason,
    )


class _CheckedProvider(CredentialProvider):
    """A provider whose credentials are checked, and whose exceptions are all about the sign-in."""

    def __init__(self, provider: CredentialProvider) -> None:
        super().__init__()
        self._provider = provider
        self.METHOD, self.CANONICAL_NAME = provider.METHOD, provider.CANONICAL_NAME

    def load(self) -> Credentials | None:
        """Return the credentials; None if the source has none."""
        with self.errors():
            found = self._provider.load()
        return None if found is None else _CheckedCredentials(found, self)

    @property
    def source(self) -> Sentence:
        """The source of the credentials."""
        if isinstance(self._provider, _ProgramProvider):
            return Sentence("program “{name}” of {profile}", **self._provider.title().values)
        return SOURCES.get(self.METHOD or "") or Sentence("AWS configuration")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Convert exceptions for which there is no better text to `SignInError`."""
        try:
            yield
        except ProgramError as error:
            raise SignInError(error.text) from error
        except Exception as error:
            if explains_itself(error) and not isinstance(error, _UNREACHED):
                raise
            raise SignInError(self._text(error)) from error

    def _text(self, error: Exception) -> str:
        if isinstance(error, boto.ClientError):
            return Sentence(
                "AWS did not issue credentials ({action}): {said}", action=error.operation_name, said=_reason(error)
            )
        if isinstance(error, _UNREACHED):
            text = Sentence("The service that provides them can't be reached: {reason}.", reason=_reason(error))
            return joined(text, KEEPS_TRYING)
        if type(error) is RuntimeError:  # botocore has no class of its own for this
            return Sentence("They have expired, and no new ones were provided (source: {source}).", source=self.source)
        if isinstance(self._provider, _ProgramProvider):
            return self._provider.problem(_reason(error))
        return Sentence(
            "They can't be read (source: {source}): {reason}. Correct the AWS configuration, or choose another "
            "profile.",
            source=self.source,
            reason=_reason(error),
        )


def _reason(error: Exception) -> str:
    """Return the text of an exception in one line, without secrets."""
    if isinstance(error, boto.ClientError):
        text = str(error.response.get("Error", {}).get("Message", ""))
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    else:
        text = str(error)
    return display_text(" ".join(masked(text).split()))[:_MOST_REASON].rstrip(".") or type(error).__name__


class _CheckedCredentials(Credentials):
    """Credentials that are checked each time they have been refreshed. Thread-safe."""

    def __init__(self, found: Credentials, provider: _CheckedProvider) -> None:
        # The constructor of the base class is not called, since it would set attributes that can become outdated.
        self._found = found
        self._provider = provider
        self._checked: object = None
        self.method = found.method

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the current credentials, refreshed if necessary.

        Raises:
            BotoCoreError: If the credentials can't be refreshed or used.
        """
        with self._provider.errors():
            frozen = self._found.get_frozen_credentials()
        if frozen != self._checked:
            parts = (frozen.access_key, frozen.secret_key, frozen.token)
            for value in parts:
                if isinstance(value, str):
                    remember_secret(value)
            _check_keys(parts, self._provider.source)
            self._checked = frozen
        return frozen

    def __getattr__(self, name: str) -> object:
        """Return a part of the current credentials, such as `account_id`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.get_frozen_credentials(), name)


def _check_keys(parts: tuple[object, object, object], source: Sentence) -> None:
    """Raise `SignInError` for keys and tokens that can't be sent. The text never contains their values."""
    for number, value in enumerate(parts):
        problem = _problem(value)
        if not problem or (number == 2 and not value):  # noqa: PLR2004 - a session token is optional
            continue
        match number:
            case 0:
                text = Sentence("The access key ID {problem} (source: {source}).", problem=problem, source=source)
            case 1:
                text = Sentence("The secret access key {problem} (source: {source}).", problem=problem, source=source)
            case _:
                text = Sentence("The session token {problem} (source: {source}).", problem=problem, source=source)
        raise SignInError(Sentence("{what} Correct it, or choose another profile.", what=text))


def _problem(value: object) -> Sentence | None:
    """Return what is wrong with a key or token; None if it can be used."""
    if not isinstance(value, str):
        return Sentence("is not text")
    if not value:
        return Sentence("is empty")
    if "\n" in value or "\r" in value:
        return Sentence("contains a line break")
    if " " in value or "\t" in value:
        return Sentence("contains a space or a tab")
    if not value.isascii():
        return Sentence("contains characters that are not ASCII")
    return None if value.isprintable() else Sentence("contains control characters")

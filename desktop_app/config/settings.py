"""The settings file, and the connection that is determined by the settings and environment variables."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import Timeout as LockTimeout

from desktop_app.config.atomic_write import NotWrittenError, write_whole
from desktop_app.config.private_files import private_lock
from desktop_app.config.server_address import is_server_url, queue_url, server_url
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.queue_key import PARTITION_DOMAINS, UNKNOWN_REGION, QueueKey, account_of, aws_region, place_of
from desktop_app.domain.secrets import AccessKeys, masked
from desktop_app.domain.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument


log = logging.getLogger(__name__)

LOCAL_QUEUE = "local"
MAX_CONCURRENCY = 64
MAX_KEEP_DAYS = 3650
LOCK_SECONDS = 10.0

_HOST_WITH_REGION = re.compile(r"(?:^|\.)sqs\.(?P<region>[a-z]{2,5}(?:-[a-z]+)+-\d+)\.")
"""The hosts of emulators that have a region in their name."""
_DEFAULT_HOST = re.compile(r"(?:sqs\.[a-z0-9-]+|(?:[a-z0-9-]+\.)?queue)\.amazonaws\.(?:com(?:\.cn)?|eu)")
"""The default endpoints of boto3 in each region. Those with `queue` are legacy endpoints."""
_KINDS = {bool: Sentence("true or false"), int: Sentence("a whole number"), str: Sentence("text in quotes")}
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):sqs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Connection:
    """A queue and how to reach it. `queues.identity.resolve` fills in what boto3 determines.

    Attributes:
        queue: The name or URL of the queue; empty for the embedded queue.
        profile: The profile in the AWS configuration files.
        region: The region, such as `eu-west-1`; with an AWS queue URL, the region in the URL.
        endpoint_url: The endpoint if it is not the default of the region: a server other than AWS, or a FIPS,
            dual-stack or VPC endpoint of AWS.
        access_keys: A fingerprint of the access keys that are typed, in the system's keyring, or in the environment
            variables; empty without them.
        keys: The access keys typed for this session; they are never written. None without them.
        uses_keyring: Whether the access keys are in the system's keyring, under the server's address.
        account: The account of the queue; empty if it is unknown.
        has_responded: Whether the queue has responded to these credentials before.
        typed: The connection as entered by the user, before `resolve`; None if it has not been resolved.
    """

    queue: str = ""
    profile: str = ""
    region: str = ""
    endpoint_url: str = ""
    access_keys: str = ""
    account: str = ""
    has_responded: bool = False
    typed: Connection | None = None
    keys: AccessKeys | None = dataclasses.field(default=None, repr=False)
    uses_keyring: bool = False

    @property
    def saved_fields(self) -> dict[str, Any]:
        """The fields to store in the settings, by their names there."""
        saved = {name: getattr(self, name) for name in ("queue", "profile", "region", "endpoint_url")}
        return {**saved, "remembered_keys": self.access_keys if self.uses_keyring else ""}

    def with_keys(self, keys: AccessKeys | None) -> Connection:
        """Return the connection with typed access keys, which replace all others, or unchanged without any."""
        if keys is None:
            return self
        return replace(self, keys=keys, access_keys=fingerprint(keys.key_id), uses_keyring=False)

    def without_keys(self) -> Connection:
        """Return the connection as it is in programs that do not have the typed access keys."""
        typed = None if self.typed is None else self.typed.without_keys()
        return replace(self, keys=None, access_keys="", uses_keyring=False, typed=typed)

    @property
    def has_own_keys(self) -> bool:
        """Whether the access keys are typed or in the system's keyring, so that no profile applies."""
        return self.keys is not None or self.uses_keyring

    @property
    def is_local(self) -> bool:
        """Whether the queue is the embedded queue on this computer."""
        return not self.queue

    @property
    def queue_name(self) -> str:
        """The queue's name; `local` for the embedded queue."""
        return self.queue.rstrip("/").rsplit("/", 1)[-1] if self.queue else LOCAL_QUEUE

    @property
    def is_fifo(self) -> bool:
        """Whether the queue is a FIFO queue, whose name always ends in `.fifo`."""
        return self.queue_name.endswith(".fifo")

    @property
    def entered(self) -> Connection:
        """The connection as entered by the user, without what boto3 determines."""
        return self.typed or self

    @property
    def key(self) -> str:
        """The identifier of the queue, stored with each job so that its message is sent to no other queue.

        It does not depend on how the user has specified the queue; see `domain.queue_key`.
        """
        if self.is_local:
            return LOCAL_QUEUE
        if self.typed is not None and (self.account or self.has_responded):
            return str(self._key_of(self.endpoint_url, account=self.account))
        return self.unanswered_key

    @property
    def may_have_another_key(self) -> bool:
        """Whether the key may change as soon as the queue responds."""
        return not self.is_local and self.key == self.unanswered_key

    def may_use(self, key: str) -> bool:
        """Return whether a job's key may mean this connection's queue, because an account is not known yet."""
        other = QueueKey.parse(key)
        if other is None or self.is_local or other.name != self.queue_name or (self.account and other.account):
            return False
        server, region = self.place
        if self.typed is None:  # only what was entered is known
            return server in {"", other.server} and region in {"", other.region}
        return other.region == UNKNOWN_REGION or (other.server in {"", server} and other.region == region)

    @property
    def unanswered_key(self) -> str:
        """The key that the queue has until it responds for the first time.

        An endpoint in the profile's configuration is not a part of it, so files that are waiting for a server that has
        never responded follow the profile when its endpoint is corrected.
        """
        return str(self._key_of(self.entered.endpoint_url, credentials=self._credentials))

    @property
    def permission_key(self) -> str:
        """The identifier for the permission to process the queue's files here.

        It changes with the queue, server, region, account and credentials, but not when the queue responds for the
        first time.
        """
        if self.is_local:
            return LOCAL_QUEUE
        account = "" if self.has_responded else self.account
        return str(self._key_of(self.endpoint_url, account=account, credentials=self._credentials))

    @property
    def _credentials(self) -> str:
        if self.profile:
            return f"profile {self.profile}"
        return f"access keys {self.access_keys}" if self.access_keys else "default credentials"

    def _key_of(self, endpoint_url: str, *, account: str = "", credentials: str = "") -> QueueKey:
        server, region = place_of(endpoint_url, self.region)
        return QueueKey(region or UNKNOWN_REGION, self.queue_name, server, account, credentials)

    @property
    def place(self) -> tuple[str, str]:
        """The server, which is empty for AWS, and the region."""
        return place_of(self.endpoint_url, self.region)

    @property
    def is_on_aws(self) -> bool:
        """Whether the queue is on AWS, at any of its endpoints; otherwise, it is local or on another server."""
        return not self.is_local and not self.place[0]

    @property
    def label(self) -> str:
        """A short description for the title bar and the status bar."""
        return Sentence("Local queue") if self.is_local else self._key_of(self.endpoint_url).label


PREFERENCES: Mapping[str, Container[object]] = {
    "theme": ("system", "light", "dark"),
    "duplicates": ("ask", "skip", "add"),
    "notifications": ("all", "problems", "none"),
    "log_level": ("normal", "debug"),
    "keep_days": range(MAX_KEEP_DAYS + 1),
    "brake": (True, False),
}
"""The settings for which a value that is not valid, such as one of a newer version, is replaced by the default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the settings file.

    Attributes:
        queue, profile, region, endpoint_url: The connection; see `Connection`.
        concurrency: The number of files to process at once, 1 to 64; 0 for one per processor core, but at most 4.
        process_queue: The SQS queue whose files the window may process on this computer, as
            `Connection.permission_key`. The embedded queue needs no permission.
        fifo_order: How messages are grouped on a FIFO queue. `parallel` sends each file in a separate group; `strict`
            sends all files in one group, so that they are processed one by one in the order in which they were added.
        language: The language of the window as a code such as `de`; empty for the system's language.
        paused: Whether the window is paused; `filemill worker` ignores it.
        remembered_keys: A fingerprint of the access keys for `endpoint_url` in the system's keyring; empty if it
            contains none. The keys themselves are never in the settings.
        theme: The colours of the window: `system`, `light` or `dark`.
        duplicates: What to do with files that are on the list already and unchanged: `ask`, `skip` or `add`. Where
            nobody can be asked, `ask` skips them.
        notifications: What to show on the desktop: `all`, `problems` or `none`.
        log_level: How much to log: `normal` or `debug`.
        keep_days: The number of days after which processed files are removed from the list; 0 to keep them.
        type_rules: The rules by which processors are chosen by the types of files; see `services/adding/type_rules.py`.
        brake: Whether a batch is paused when many of its files fail for the same reason.
    """

    queue: str = ""
    profile: str = ""
    region: str = ""
    endpoint_url: str = ""
    concurrency: int = 0
    process_queue: str = ""
    fifo_order: str = "parallel"
    language: str = ""
    paused: bool = False
    remembered_keys: str = ""
    theme: str = "system"
    duplicates: str = "ask"
    notifications: str = "all"
    log_level: str = "normal"
    keep_days: int = 0
    type_rules: str = ""
    brake: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.concurrency <= MAX_CONCURRENCY:
            raise SettingsError(
                Sentence(
                    "{key} must be between {least} and {most}, not {value}.",
                    key="concurrency",
                    least=0,
                    most=MAX_CONCURRENCY,
                    value=self.concurrency,
                )
            )
        if self.fifo_order not in {"parallel", "strict"}:
            raise SettingsError(
                Sentence(
                    "{key} must be “parallel” or “strict”, not “{value}”.", key="fifo_order", value=self.fifo_order
                )
            )
        for name, allowed in PREFERENCES.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(
                    Sentence("“{value}” is not a valid value for {key}.", key=name, value=getattr(self, name))
                )

    @property
    def workers(self) -> int:
        """The number of files to process at once, never 0."""
        return self.concurrency or min(4, os.cpu_count() or 1)


def load_settings(path: Path) -> Settings:
    """Read the settings file. Unknown keys are ignored; if the file does not exist, the defaults are returned.

    Preferences that are not valid are logged and ignored, too.

    Raises:
        SettingsError: If the file can't be read or is not valid TOML, or another value is of the wrong type or out of
            range.
    """
    table = read_table(path)
    try:
        return Settings(**_checked(table))
    except SettingsError as error:
        raise SettingsError(
            Sentence(
                "{file}: {reason} Fix the file, or delete it to start with the defaults.", file=path, reason=error.text
            )
        ) from error


def read_table(path: Path) -> dict[str, Any]:
    """Return what is in a settings file, whose keys and values are not checked; empty if the file does not exist.

    Raises:
        SettingsError: If the file can't be read or is not valid TOML.
    """
    try:
        text = _read(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(Sentence("{file} can't be read: {why}.", file=path, why=error.strerror or error)) from error
    import tomllib  # takes milliseconds, and is needed only if there is a file

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(path, error) from error


def _read(path: Path) -> str:
    """Return the text of a file, without the byte order mark that some editors add.

    Raises:
        SettingsError: If it is not a regular file, or not UTF-8. Reading a pipe or a device could last forever.
        OSError: If the file can't be read.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SettingsError(Sentence("{file} is not a regular file. Delete it to start with the defaults.", file=path))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            Sentence("{file} is not UTF-8 text. Fix the file, or delete it to start with the defaults.", file=path),
            detail=str(error),
        ) from error


def _not_toml(path: Path, error: Exception) -> SettingsError:
    place = re.search(r"at line (\d+)", str(error))
    if place is None:
        text = Sentence("{file} is not valid TOML. Fix the file, or delete it to start with the defaults.", file=path)
    else:
        text = Sentence(
            "{file} is not valid TOML (line {line}). Fix the file, or delete it to start with the defaults.",
            file=path,
            line=place[1],
        )
    return SettingsError(text, detail=str(error))


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    """Return the settings in a table after checking that each value has the same type as its default."""
    known = [field for field in fields(Settings) if field.name in table]
    for field in list(known):
        value, kind = table[field.name], type(field.default)
        if field.name in PREFERENCES and (type(value) is not kind or value not in PREFERENCES[field.name]):
            log.info("the setting %s can't be %r; using %r", field.name, value, field.default)
            known.remove(field)
        elif type(value) is not kind:
            raise SettingsError(
                Sentence("{key} must be {wanted}, not {value}.", key=field.name, wanted=_KINDS[kind], value=repr(value))
            )
    return {field.name: table[field.name] for field in known}


def update_settings(path: Path, **changes: Any) -> Settings:  # noqa: ANN401 - the values of any field
    """Change settings in the settings file, preserving comments and unknown keys.

    The file is locked against other threads and programs, and is written only if a value changes.

    Args:
        path: The settings file.
        changes: The new values, keyed by the attribute names of `Settings`. Default values are removed from the file.

    Returns:
        The settings as saved.

    Raises:
        SettingsError: If the file can't be read or written, or is not valid. The file is then left unchanged.
    """
    with locked_settings(path):
        saved = load_settings(path)
        updated = replace(saved, **changes)
        if updated != saved:
            change_document(path, lambda document: _change(document, updated, changes))
        return updated


@contextmanager
def locked_settings(path: Path) -> Iterator[None]:
    """Enter a context in which no other thread or program changes the settings file.

    Raises:
        SettingsError: If the file can't be locked, or can't be written in the context.
    """
    try:
        with private_lock(path.with_name(f"{path.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except LockTimeout as error:
        raise _not_writable(path, Sentence("another program is changing it")) from error
    except NotWrittenError as error:
        raise SettingsError(error.text) from error
    except OSError as error:
        raise _not_writable(path, error.strerror or str(error)) from error


def change_document(path: Path, change: Callable[[TOMLDocument], object]) -> None:
    """Change the settings file, which must contain valid TOML if it exists, in the context `locked_settings`."""
    import tomlkit  # takes long, and is only needed to keep the comments in the file

    document = tomlkit.parse(_read(path)) if path.exists() else tomlkit.document()
    change(document)
    write_whole(path, lambda stream: stream.write(tomlkit.dumps(document)), is_private=True)


def _change(document: TOMLDocument, settings: Settings, names: Iterable[str]) -> None:
    """Write the named settings into a document."""
    defaults = Settings()
    for name in names:
        value = getattr(settings, name)
        if value != getattr(defaults, name):
            document[name] = value
        else:
            document.pop(name, None)


def _not_writable(path: Path, why: str) -> SettingsError:
    return SettingsError(Sentence("{file} can't be written: {why}.", file=path, why=why))


def connection_from(settings: Settings, environment: Mapping[str, str]) -> Connection:
    """Return the connection to use. Environment variables take precedence over the settings, as in the AWS CLI.

    Args:
        settings: The settings.
        environment: The environment variables FILEMILL_QUEUE, AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION,
            AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and AWS_ACCESS_KEY_ID.

    Raises:
        SettingsError: If the queue is neither a valid name nor a URL, or the endpoint is not a valid URL.
    """
    queue = queue_url(environment.get("FILEMILL_QUEUE", "") or settings.queue)
    if not queue:
        return Connection()
    ignores_endpoints = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").strip().lower() == "true"
    variables = () if ignores_endpoints else ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")
    endpoints = (environment.get(name, "").strip() for name in variables)
    regions = (environment.get(name, "").strip() for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    connection = Connection(
        queue=queue,
        profile=environment.get("AWS_PROFILE", "") or settings.profile,
        region=next(filter(None, regions), settings.region),
        endpoint_url=server_url(next(filter(None, endpoints), settings.endpoint_url)),
    )
    _refuse_login(connection)
    if not connection.profile:  # boto3 ignores these keys if a profile is specified
        connection = replace(connection, access_keys=fingerprint(environment.get("AWS_ACCESS_KEY_ID", "")))
        is_servers = connection.endpoint_url == server_url(settings.endpoint_url) != ""
        if is_servers and settings.remembered_keys and not connection.access_keys:
            connection = replace(connection, access_keys=settings.remembered_keys, uses_keyring=True)
    _check_endpoint(connection.endpoint_url)
    queue = _without_arn(queue, has_endpoint=bool(connection.endpoint_url))
    connection = replace(connection, queue=queue)
    if "://" in queue:
        return _with_url_parts(connection)
    if not _QUEUE_NAME.fullmatch(queue):
        raise SettingsError(
            Sentence(
                "“{name}” is not a valid queue name: use up to 80 letters, digits, - and _, with .fifo at the end for "
                "a FIFO queue. A queue URL is accepted too.",
                name=masked(queue),
            )
        )
    return connection


def fingerprint(access_key_id: str) -> str:
    """Return a short digest by which an access key ID is recognized without being stored.

    Characters that can't be in an access key ID do not count, so that the files keep their queue when they are removed.
    """
    access_key_id = re.sub(r"[^!-~]", "", access_key_id)
    return hashlib.sha256(f"filemill {access_key_id}".encode()).hexdigest()[:8] if access_key_id else ""


def _refuse_login(connection: Connection) -> None:
    """Raise SettingsError for a user name or password in a URL, which would be stored, shown and logged with it."""
    if "@" in connection.endpoint_url:
        raise SettingsError(
            Sentence(
                "The server URL contains a user name or password, which SQS does not use. Remove it from "
                "AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, or endpoint_url in the settings."
            )
        )
    if "@" in connection.queue:
        raise SettingsError(
            Sentence("The queue URL contains a user name or password, which SQS does not use. Remove it from the URL.")
        )


def _without_arn(queue: str, *, has_endpoint: bool) -> str:
    """Convert a queue's ARN to its URL or, if an endpoint is set, to its name. Return any other text unchanged."""
    found = _ARN.fullmatch(queue)
    if found is None:
        return queue
    if has_endpoint:
        return found["name"]
    domain = PARTITION_DOMAINS.get(found["partition"], PARTITION_DOMAINS["aws"])
    return f"https://sqs.{found['region']}.{domain}/{found['account']}/{found['name']}"


def _check_endpoint(url: str) -> None:
    """Raise SettingsError for a URL that can't be the endpoint of a service."""
    if url and not is_server_url(url):
        raise SettingsError(
            Sentence(
                "“{url}” is not a valid server URL. Correct AWS_ENDPOINT_URL_SQS, "
                "AWS_ENDPOINT_URL, or endpoint_url in the settings.",
                url=masked(url),
            )
        )


def _with_url_parts(connection: Connection) -> Connection:
    """Return the connection with the region or the endpoint taken from its queue URL."""
    try:
        parts = urlsplit(connection.queue)
        is_url = parts.scheme in {"http", "https"} and parts.hostname and parts.path.strip("/") and parts.port != 0
    except ValueError:  # unbalanced brackets, or a port that is not a number
        is_url = False
    if not is_url or parts.query or parts.fragment:
        raise SettingsError(Sentence("“{url}” is not a valid queue URL.", url=masked(connection.queue)))
    _check_name_in_url(connection.queue, parts.path)
    connection = replace(connection, queue=connection.queue.rstrip("/"), account=account_of(connection.queue))
    host = parts.hostname or ""
    named = _HOST_WITH_REGION.search(host)
    region = aws_region(host) or (named["region"] if named else connection.region)
    connection = replace(connection, region=region)
    if _DEFAULT_HOST.fullmatch(host):
        return connection
    return replace(connection, endpoint_url=connection.endpoint_url or f"{parts.scheme}://{parts.netloc}")


def _check_name_in_url(url: str, path: str) -> None:
    """Raise SettingsError for the path of a queue URL that does not end in a queue name."""
    *before, name = path.strip("/").split("/")
    is_account = bool(_ACCOUNT.fullmatch(name)) and not (before and _ACCOUNT.fullmatch(before[-1]))
    if is_account or not _QUEUE_NAME.fullmatch(name):
        raise SettingsError(
            Sentence("The queue URL “{url}” does not end in a queue name. Add the name at the end.", url=url)
        )

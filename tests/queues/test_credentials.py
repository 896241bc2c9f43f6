"""Looking up credentials: programs that misbehave, profiles that would prompt, and keys that can't be used."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.queues import credential_program
from desktop_app.queues.checks import probe
from desktop_app.queues.connector import ClientMaker, SqsConnector
from desktop_app.queues.discovery import list_queues
from tests.helpers import is_running, wait_until
from tests.helpers.sqs.internet import Internet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")

ID, KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GOOD = {"Version": 1, "AccessKeyId": ID, "SecretAccessKey": KEY}
CONNECTION = Connection(queue="work", profile="p", region="eu-west-1")


class Aws:
    """The AWS configuration of the user, and the programs that it names."""

    def __init__(self, home: Path) -> None:
        self.folder = home / ".aws"
        self.folder.mkdir()
        self.programs = home / "programs"
        self.programs.mkdir()

    def configure(self, text: str, *, file: str = "config") -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def program(self, script: str, name: str = "helper") -> str:
        """Create a shell script and return its path."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o700)
        return str(path)

    def use_program(self, script: str, *, profile: str = "p") -> str:
        """Make a script provide the credentials of a profile, and return its path."""
        path = self.program(script)
        self.configure(f"[profile {profile}]\nregion = eu-west-1\ncredential_process = {path}\n")
        return path


@pytest.fixture
def aws(isolated_environment: Path) -> Aws:
    return Aws(isolated_environment)


@pytest.fixture
def internet(sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Internet:
    made = Internet(sim)
    made.install(monkeypatch)
    sim.simulator.create_queue("work")
    return made


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_program, "LIMIT_SECONDS", 0.6)
    monkeypatch.setattr(credential_program, "_HELD_OPEN_SECONDS", 0.3)


def refusal(connection: Connection = CONNECTION) -> QueueError:
    with pytest.raises(QueueError) as refused:
        SqsConnector(connection).connect()
    error = refused.value
    assert error.trouble is QueueTrouble.SIGNED_OUT
    assert error.cause is Cause.NO_SIGN_IN
    return error


class Connecting(threading.Thread):
    """A thread that connects to the queue, with the error that this raises."""

    def __init__(self, connector: SqsConnector) -> None:
        super().__init__()
        self._connector = connector
        self.error: QueueError | None = None

    def run(self) -> None:
        try:
            self._connector.connect()
        except QueueError as error:
            self.error = error


def printing(**changes: Any) -> str:
    return f"printf %s {shlex.quote(json.dumps({**GOOD, **changes}))}"


NOT_JSON = "did not print credentials: the output is not JSON"
NO_TIME = "did not print credentials: “Expiration” is not a time with a time zone"
SCRIPTS = {
    "prints text": ("echo Please sign in first", NOT_JSON),
    "prints nothing": ("true", NOT_JSON),
    "prints bytes that are not UTF-8": (r"printf '\377\376\000'", NOT_JSON),
    "prints very deep JSON": ("head -c 200000 /dev/zero | tr '\\0' '['", NOT_JSON),
    "prints a list": ("echo '[1]'", "is not a JSON object"),
    "prints null": ("echo null", "is not a JSON object"),
    "prints an object without keys": ("echo '{}'", "“Version” is not 1"),
    "prints another version": (printing(Version=2), "“Version” is not 1"),
    "prints no access key": ("echo '{\"Version\": 1}'", "“AccessKeyId” is missing"),
    "prints no secret key": (printing(SecretAccessKey=None), "“SecretAccessKey” is missing"),
    "prints a number as a key": (printing(SecretAccessKey=7), "secret access key is not text"),
    "prints a list as a token": (printing(SessionToken=["x"]), "session token is not text"),
    "prints an empty key": (printing(AccessKeyId=""), "access key ID is empty"),
    "prints a key with a line break": (printing(SecretAccessKey=f"{KEY}\n"), "contains a line break"),
    "prints credentials that have expired": (printing(SessionToken="t", Expiration="2020-01-01T00:00:00Z"), "expired"),
    "prints a time without a zone": (printing(SessionToken="t", Expiration="2020-01-01T00:00:00"), NO_TIME),
    "prints a word as a time": (printing(SessionToken="t", Expiration="tomorrow-ish"), NO_TIME),
    "prints a number as a time": (printing(SessionToken="t", Expiration=5), NO_TIME),
    "fails": ("echo it is $0 >&2; exit 3", "failed with exit code 3"),
    "fails after printing keys": (f"{printing()}; exit 1", "failed with exit code 1"),
    "is killed": ("kill -9 $$", "was ended by the signal SIGKILL"),
    "crashes": ("kill -SEGV $$", "was ended by the signal SIGSEGV"),
    "is ended by a signal without a name": ("kill -40 $$", "was ended by the signal 40"),
    "prints megabytes": ("head -c 3000000 /dev/zero", "printed more than 1048576 bytes"),
    "prints endlessly": ("yes", "printed more than 1048576 bytes"),
    "hangs": ("sleep 60", "did not finish within"),
    "ignores signals": ("trap '' TERM INT HUP; sleep 60; sleep 60", "did not finish within"),
    "closes its output and hangs": ("exec >&-; sleep 60", "did not finish within"),
    "hangs after printing keys": (f"{printing()}; sleep 60", "did not finish within"),
    "reads its input": ("cat; exit 4", "failed with exit code 4"),
    "prompts on the terminal": ("read x </dev/tty || exit 5", "failed with exit code"),
}


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize(("script", "what"), SCRIPTS.values(), ids=SCRIPTS)
def test_program_without_usable_credentials_is_named(aws: Aws, script: str, what: str) -> None:
    path = aws.use_program(script)
    error = refusal()
    assert error.title == "The credentials of profile “p” can't be used"
    assert f"program “{path}” of profile “p”" in error.text
    assert what in error.text
    for told in (error.text, error.detail):
        assert ID not in told
        assert KEY not in told
        assert "sign in first" not in told


COMMANDS = {
    "an unclosed quote": '{program} "unclosed',
    "an unclosed apostrophe": "{program} it's",
    "a missing program": "/nowhere/helper --token {secret}",
    "a program that is not in PATH": "no-such-helper-anywhere {secret}",
    "a file that is not executable": "{plain} {secret}",
    "a folder": "/tmp {secret}",
    "a file that is no program": "{garbage} {secret}",
    "nothing": "",
    "a null byte": "/bin/echo \0",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_program_that_can_not_be_started_is_named(aws: Aws, command: str) -> None:
    plain, garbage = aws.programs / "plain", aws.programs / "garbage"
    plain.write_text("x")
    garbage.write_bytes(b"\x7fELF\0\0")
    garbage.chmod(0o700)
    command = command.format(program=aws.program(printing()), plain=plain, garbage=garbage, secret="hushhush123")
    aws.configure(f"[profile p]\ncredential_process = {command}\n")
    error = refusal()
    assert "program “" in error.text
    assert "of profile “p”" in error.text
    assert "could not be started" in error.text
    assert "hushhush123" not in error.text + error.detail


ARN = "arn:aws:iam::111122223333:role/x"
SETTINGS = {
    "a program with nested values": "credential_process =\n  a = b",
    "a role without a source": f"role_arn = {ARN}",
    "a role that is too short": "role_arn = x\nsource_profile = base",
    "a role that is too brief": f"role_arn = {ARN}\nsource_profile = base\nduration_seconds = 1",
    "a role with nested values": "role_arn =\n  a = b\nsource_profile = base",
    "a missing source": f"role_arn = {ARN}\nsource_profile = gone",
    "sources in a circle": f"role_arn = {ARN}\nsource_profile = circle",
    "an unknown place": f"role_arn = {ARN}\ncredential_source = Elsewhere",
    "an empty place": f"role_arn = {ARN}\ncredential_source = Environment",
    "a missing token file": f"role_arn = {ARN}\nweb_identity_token_file = /nowhere/token",
    "a folder as token file": f"role_arn = {ARN}\nweb_identity_token_file = /tmp",
    "half of the keys": f"aws_access_key_id = {ID}",
    "an incomplete SSO profile": "sso_account_id = 123456789012",
    "a missing SSO session": "sso_session = gone\nsso_account_id = 123456789012\nsso_role_name = x",
}
OTHERS = (
    f"[profile base]\naws_access_key_id = {ID}\naws_secret_access_key = {KEY}\n"
    "[profile circle]\nrole_arn = arn:aws:iam::111122223333:role/y\nsource_profile = p\n"
)


@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_profile_that_can_not_be_used_is_about_the_sign_in(aws: Aws, text: str) -> None:
    aws.configure(f"[profile p]\n{text}\n{OTHERS}")
    with pytest.raises(QueueError) as refused:
        SqsConnector(CONNECTION).connect()
    assert refused.value.cause is Cause.NO_SIGN_IN
    assert KEY not in refused.value.text + refused.value.detail


@pytest.mark.usefixtures("internet")
def test_service_for_a_role_that_can_not_be_reached_is_not_the_queue(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    aws.configure(f"[profile p]\nrole_arn = {ARN}\nsource_profile = base\n{OTHERS}")
    error = refusal()
    assert error.title == "The credentials of profile “p” can't be used"
    assert 'can\'t be reached: Could not connect to the endpoint URL: "http://127.0.0.1:1/"' in error.text
    assert "queue server" not in error.text


@pytest.mark.usefixtures("internet", "aws")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AWS_PROFILE", "", "AWS_PROFILE is set but empty"),
        ("AWS_DEFAULT_PROFILE", "gone", "There is no profile “gone”"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "nowhere", "Invalid endpoint EC2 Instance Metadata endpoint: nowhere."),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5", "Invalid EC2 Instance Metadata endpoint mode: ipv5"),
    ],
)
def test_variable_for_the_sign_in_is_not_about_the_queue(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(QueueError) as refused:
        SqsConnector(Connection(queue="work", region="eu-west-1", endpoint_url="http://127.0.0.1:1")).connect()
    assert refused.value.cause is Cause.NO_SIGN_IN
    assert expected in refused.value.text


VARIABLES = {
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_RETRY_MODE": "often",
    "AWS_METADATA_SERVICE_TIMEOUT": "soon",
    "AWS_STS_REGIONAL_ENDPOINTS": "nearby",
    "AWS_CREDENTIAL_EXPIRATION": "tomorrow-ish",
}


@pytest.mark.usefixtures("internet", "aws")
@pytest.mark.parametrize(("name", "value"), VARIABLES.items(), ids=VARIABLES)
def test_variable_with_an_invalid_value_is_no_bug(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, content in {name: value, "AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": KEY}.items():
        monkeypatch.setenv(variable, content)
    try:
        SqsConnector(Connection(queue="work", region="eu-west-1")).connect().close()
    except QueueError as error:
        assert error.cause is Cause.NO_SIGN_IN  # noqa: PT017 - botocore accepts some of the values


# Programs that work


@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize(
    "script",
    [
        printing(),
        printing(SessionToken="x" * 400),
        f"head -c 300000 /dev/zero >&2; {printing()}",
        f"sleep 5 >/dev/null 2>&1 & {printing()}",
        f"setsid sleep 5 & {printing()}",
    ],
    ids=["keys", "keys and a token", "with much error output", "with a child", "with a child that holds the pipe open"],
)
def test_credentials_of_a_program_are_used(aws: Aws, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_program, "_HELD_OPEN_SECONDS", 0.3)
    aws.use_program(script)
    connector = SqsConnector(CONNECTION)
    assert connector.connect().info.name == "work"
    connector.close()


MFA = "mfa_serial = arn:aws:iam::111122223333:mfa/me\n"
ROLE = f"role_arn = {ARN}\nsource_profile = base\nregion = eu-west-1\n"


@pytest.mark.usefixtures("short_limit")
def test_program_behind_a_role_is_named(aws: Aws) -> None:
    path = aws.program("sleep 60")
    aws.configure(f"[profile p]\n{ROLE}[profile base]\ncredential_process = {path}\n")
    error = refusal()
    assert error.title == "The credentials of profile “p” can't be used"
    assert f"The program “{path}” of profile “base” did not finish" in error.text


def test_keys_behind_a_role_are_checked(aws: Aws) -> None:
    path = aws.program(printing(SecretAccessKey=f"{KEY} "))
    aws.configure(f"[profile p]\n{ROLE}[profile base]\ncredential_process = {path}\n")
    assert (
        f"The secret access key contains a space or a tab (source: program “{path}” of profile “base”)"
        in refusal().text
    )


@pytest.mark.usefixtures("short_limit")
def test_several_threads_wait_for_a_hanging_program_only_once(aws: Aws) -> None:
    count = aws.programs / "count"
    aws.use_program(f"echo x >>{count}; sleep 60")
    connector = SqsConnector(CONNECTION)
    threads = [Connecting(connector) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(thread.error is not None for thread in threads)
    assert count.read_text().count("x") == 1


# Ending


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
@pytest.mark.parametrize("child", ["sleep 60", "setsid sleep 60", "sh -c 'sleep 60; true'"])
def test_hanging_program_is_killed_with_its_children(aws: Aws, child: str) -> None:
    pids = aws.programs / "pids"
    aws.use_program(f"{child} & echo $! $$ >{pids}.new; mv {pids}.new {pids}; wait")
    connector = SqsConnector(CONNECTION)
    thread = Connecting(connector)
    thread.start()
    wait_until(pids.exists)
    began = time.monotonic()
    connector.interrupt()
    thread.join()
    assert time.monotonic() - began < 3
    assert thread.error is not None
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()))
    with pytest.raises(QueueError):
        connector.connect()  # does not start the program again
    connector.close()


def _list_queues(should_stop: Callable[[], bool]) -> Iterator[object]:
    return iter(list_queues(CONNECTION, should_stop))


def _probe(should_stop: Callable[[], bool]) -> Iterator[object]:
    return probe(CONNECTION, Path("queue"), should_stop)


@pytest.mark.parametrize("work", [_list_queues, _probe])
def test_work_of_the_dialog_ends_while_a_program_hangs(
    aws: Aws, work: Callable[[Callable[[], bool]], Iterator[object]]
) -> None:
    aws.use_program("sleep 60")
    stop = threading.Event()
    ended: list[object] = []

    def run() -> None:
        try:
            ended.extend(work(stop.is_set))
        except QueueError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    began = time.monotonic()
    stop.set()
    thread.join()
    assert time.monotonic() - began < 3
    assert ended


@pytest.mark.usefixtures("short_limit")
def test_program_that_takes_long_is_announced(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_program, "SLOW_SECONDS", 0.1)
    path = aws.use_program("sleep 60")
    told: list[str] = []
    with pytest.raises(QueueError):
        SqsConnector(CONNECTION, told.append).connect()
    assert told == [f"The program “{path}” of profile “p” has not provided credentials yet. Waiting for it …"]


# Refreshing


def expiring_in(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.mark.usefixtures("internet")
def test_program_that_fails_later_ends_no_call_while_its_keys_are_valid(aws: Aws) -> None:
    # botocore tries to refresh credentials 15 minutes before they expire, but does not have to until 10 minutes before.
    keys, count = aws.programs / "keys", aws.programs / "count"
    keys.write_text(json.dumps({**GOOD, "SessionToken": "t", "Expiration": expiring_in(12)}))
    aws.use_program(f"echo x >>{count}; cat {keys} && rm {keys}")
    client = SqsConnector(CONNECTION).connect()
    for _ in range(3):
        client.state()
    assert count.read_text().count("x") == 2  # the failure is remembered
    client.close()


@pytest.mark.usefixtures("internet")
def test_program_that_fails_when_keys_have_expired_is_named(aws: Aws) -> None:
    keys = aws.programs / "keys"
    keys.write_text(json.dumps({**GOOD, "SessionToken": "t", "Expiration": expiring_in(60)}))
    path = aws.use_program(f"cat {keys}")
    maker = ClientMaker(CONNECTION)
    found: Any = maker.credentials()
    found._found._expiry_time = datetime.now(UTC)
    keys.write_text("no JSON")
    with pytest.raises(Exception, match=f"The program “{path}” of profile “p” did not print credentials"):
        found.get_frozen_credentials()


# Prompts


@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize(
    "text",
    [
        f"[profile p]\n{ROLE}{MFA}{OTHERS}",
        f"[profile p]\n{ROLE.replace('base', 'middle')}[profile middle]\n{ROLE}{MFA}{OTHERS}",
        f"[profile p]\n{ROLE.replace('base', 'p')}{MFA}aws_access_key_id = {ID}\naws_secret_access_key = {KEY}\n",
    ],
    ids=["a role", "a role behind a role", "a role of its own keys"],
)
def test_profile_that_requires_an_mfa_code_does_not_prompt(
    aws: Aws, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prompt(*_: object, **__: object) -> str:
        raise AssertionError("prompted")

    for name in ("getpass.getpass", "builtins.input", "botocore.credentials.getpass.getpass"):
        monkeypatch.setattr(name, prompt)
    aws.configure(text)
    assert "An MFA code is required for profile “p”" in refusal().text


# Keys

KEYS = {
    "\n": "contains a line break",
    "\r": "contains a line break",
    "\r\n": "contains a line break",
    " ": "contains a space or a tab",
    "\t": "contains a space or a tab",
    "\x1b[31m": "contains control characters",
    "\x00": "contains control characters",
    "\x7f": "contains control characters",
    "ü": "contains characters that are not ASCII",
    "\N{NO-BREAK SPACE}": "contains characters that are not ASCII",
    "\N{ZERO WIDTH SPACE}": "contains characters that are not ASCII",
    "\udcff": "contains characters that are not ASCII",
}
PARTS = {
    "AccessKeyId": ("AWS_ACCESS_KEY_ID", "access key ID"),
    "SecretAccessKey": ("AWS_SECRET_ACCESS_KEY", "secret access key"),
    "SessionToken": ("AWS_SESSION_TOKEN", "session token"),
}
WHOLE = {**GOOD, "SessionToken": "IQoJb3JpZ2luX2VjEJr" + "aB3xY9" * 20}


@pytest.mark.parametrize(
    ("part", "character", "cut"),
    [
        *((part, character, 7) for part in PARTS for character in KEYS if character != "\x00"),
        *((part, "\n", cut) for part in PARTS for cut in (0, 400)),
    ],
)
def test_unsuitable_character_in_a_key_is_named(
    part: str, character: str, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = str(WHOLE[part])
    bad = value[:cut] + character + value[cut:]
    for name, (variable, _) in PARTS.items():
        monkeypatch.setenv(variable, bad if name == part else str(WHOLE[name]))
    error = refusal(Connection(queue="work", region="eu-west-1"))
    assert f"The {PARTS[part][1]} {KEYS[character]} (source: environment variables)" in error.text
    for piece in (value, value[:12], value[-12:]):
        assert piece not in error.text + error.detail


@pytest.mark.parametrize("character", KEYS)
def test_unsuitable_character_in_the_keys_of_a_program_is_named(aws: Aws, character: str) -> None:
    path = aws.use_program(printing(SecretAccessKey=KEY[:9] + character + KEY[9:]))
    text = refusal().text
    assert f"The secret access key {KEYS[character]} (source: program “{path}” of profile “p”)" in text


@pytest.mark.parametrize(("file", "source"), [("credentials", "credentials file"), ("config", "configuration file")])
def test_unsuitable_character_in_a_file_is_named(aws: Aws, file: str, source: str) -> None:
    section = "p" if file == "credentials" else "profile p"
    aws.configure(f"[{section}]\naws_access_key_id = {ID}\naws_secret_access_key = {KEY[:9]} {KEY[9:]}\n", file=file)
    assert f"The secret access key contains a space or a tab (source: {source})" in refusal().text


def test_program_that_the_user_gives_up_waiting_for_is_not_run_again_until_asked(aws: Aws) -> None:
    runs = aws.programs / "runs"
    aws.use_program(f"echo run >> {runs}\nexec sleep 100")
    tries = 0
    connector = SqsConnector(CONNECTION, tries=lambda: tries)

    def give_up_once_it_runs(count: int) -> None:
        wait_until(lambda: runs.exists() and runs.read_text().count("run") == count)
        connector.give_up()

    for count in (1, 2):
        thread = threading.Thread(target=give_up_once_it_runs, args=(count,))
        thread.start()
        for _ in range(2):
            with pytest.raises(QueueError, match="was ended before it provided credentials"):
                connector.connect()
        thread.join()
        assert runs.read_text().count("run") == count
        tries += 1
    connector.close()

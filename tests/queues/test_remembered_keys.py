"""Access keys of servers other than AWS: typed for the session, in the system's keyring, or none at all."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Connection, Settings, connection_from
from desktop_app.domain.connection_checks import Check, Verdict
from desktop_app.domain.errors import Cause, KnownError
from desktop_app.domain.secrets import AccessKeys, masked
from desktop_app.queues import credential_program
from desktop_app.queues.checks import probe
from desktop_app.queues.connector import ClientMaker, SqsConnector, no_retry_config
from desktop_app.queues.errors import SignInError
from desktop_app.queues.identity import resolve
from desktop_app.queues.remembered_keys import forget_keys, keyring_problem, recalled_keys, remember_keys

if TYPE_CHECKING:
    from tests.helpers.keyring import MemoryKeyring

pytest_plugins = ["tests.helpers.keyring"]

SERVER = "http://127.0.0.1:9324"
KEYS = AccessKeys("server-user-7", "a-typed-secret-of-a-server")
TYPED = Connection("work", endpoint_url=SERVER).with_keys(KEYS)


def keys_in_use(connection: Connection) -> tuple[str | None, str | None]:
    found = ClientMaker(connection).credentials()
    assert found is not None
    frozen = found.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key


def test_typed_keys_are_used_instead_of_all_others(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    connection = resolve(TYPED)
    assert connection.typed == TYPED
    assert connection.profile == ""
    assert keys_in_use(connection) == (KEYS.key_id, KEYS.secret)


def test_keys_never_appear_in_texts_settings_or_pickles() -> None:
    connection = resolve(TYPED)
    ClientMaker(connection).sqs(no_retry_config()).close()
    keys_in_use(connection)
    for text in (repr(connection), str(KEYS), f"{TYPED!r}", repr(TYPED.saved_fields), connection.unanswered_key):
        assert KEYS.key_id not in text
        assert KEYS.secret not in text
    assert masked(f"the server says {KEYS.secret} of {KEYS.key_id}").count("[secret]") == 2
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(connection)


def test_other_keys_are_another_connection() -> None:
    other = TYPED.with_keys(AccessKeys("another-user", KEYS.secret))
    assert other.unanswered_key != TYPED.unanswered_key
    assert replace(TYPED, keys=AccessKeys(KEYS.key_id, "another secret")) != TYPED
    assert TYPED.with_keys(None) is TYPED


def test_keys_that_cannot_be_sent_are_refused() -> None:
    connection = TYPED.with_keys(AccessKeys("server user", "secret"))
    findings = list(probe(connection, Path("not used"), lambda: False))
    assert [finding.check for finding in findings] == [Check.CREDENTIALS]
    assert "contains a space or a tab (source: typed keys)" in findings[0].text
    assert findings[0].text.startswith(f"The access keys for the queue server at {SERVER} can't be used.")


@pytest.mark.parametrize("server", ["http://localhost:1", "http://queues.example:9324", "http://192.0.2.1"])
def test_any_keys_are_sent_to_a_server_for_which_none_are_known(server: str) -> None:
    maker = ClientMaker(resolve(Connection("work", endpoint_url=server)))
    assert maker.may_check_no_keys
    client = maker.sqs(no_retry_config())
    assert client.meta.endpoint_url == server
    client.close()


@pytest.mark.parametrize("url", ["", "https://sqs.eu-west-1.amazonaws.com", "https://sqs-fips.us-east-1.amazonaws.com"])
def test_aws_never_gets_made_up_keys(url: str) -> None:
    connection = resolve(Connection("work", region="eu-west-1", endpoint_url=url))
    assert not ClientMaker(connection).may_check_no_keys


# --- the system's keyring


def remembered() -> Connection:
    settings = Settings(queue="work", endpoint_url=SERVER, remembered_keys=TYPED.access_keys)
    return resolve(connection_from(settings, {}))


def test_remembered_keys_are_the_same_connection_as_typed_ones(ring: MemoryKeyring) -> None:
    remember_keys(SERVER, KEYS)
    connection = remembered()
    assert connection.uses_keyring
    assert connection.unanswered_key == resolve(TYPED).unanswered_key
    assert connection.permission_key == resolve(TYPED).permission_key
    assert keys_in_use(connection) == (KEYS.key_id, KEYS.secret)
    assert connection.entered.saved_fields["remembered_keys"] == TYPED.access_keys


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_PROFILE": "work"},
        {"AWS_ACCESS_KEY_ID": "another"},
        {"AWS_ENDPOINT_URL_SQS": "http://another.example"},
    ],
)
def test_variables_take_precedence_over_remembered_keys(environment: dict[str, str]) -> None:
    settings = Settings(queue="work", endpoint_url=SERVER, remembered_keys=TYPED.access_keys)
    assert not connection_from(settings, environment).uses_keyring


def test_forgotten_keys_are_gone(ring: MemoryKeyring) -> None:
    remember_keys(SERVER, KEYS)
    remember_keys(SERVER, AccessKeys("second", "secret"))
    assert recalled_keys(SERVER) == AccessKeys("second", "secret")
    forget_keys(SERVER)
    forget_keys(SERVER)
    assert ring.entries == {}
    with pytest.raises(SignInError, match="does not contain the keys for http://127"):
        recalled_keys(SERVER)


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"access_key_id": "a"}'])
def test_entry_of_another_form_is_as_none(ring: MemoryKeyring, text: str) -> None:
    ring.entries["Filemill", SERVER] = text
    with pytest.raises(SignInError, match="does not contain the keys"):
        recalled_keys(SERVER)


def test_locked_keyring_is_reported(ring: MemoryKeyring) -> None:
    ring.is_locked = True
    with pytest.raises(KnownError, match="The system's keyring can't be used: the user refused to unlock it"):
        remember_keys(SERVER, KEYS)
    with pytest.raises(KnownError, match="refused"):
        forget_keys(SERVER)
    with pytest.raises(KnownError) as caught:
        SqsConnector(remembered()).connect()
    assert caught.value.cause is Cause.NO_SIGN_IN
    assert "refused to unlock it. Type the keys of the server in Connection…" in caught.value.text


def test_system_without_a_keyring_is_reported() -> None:
    assert keyring_problem() == "This system has no keyring that is running, such as GNOME Keyring or KWallet."
    findings = list(probe(remembered(), Path("not used"), lambda: False))
    assert [finding.verdict for finding in findings] == [Verdict.TROUBLE]
    assert "no keyring that is running" in findings[0].text


def test_keyring_that_stores_texts_unencrypted_is_not_used(
    ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keyring_problem() == ""
    monkeypatch.setattr(type(ring), "priority", 0.5)
    assert keyring_problem()
    with pytest.raises(KnownError):
        remember_keys(SERVER, KEYS)
    assert ring.entries == {}


def test_keyring_is_imported_only_when_it_is_used() -> None:
    code = "import sys, desktop_app.queues.connector, desktop_app.queues.checks; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_keyring_that_asks_for_a_password_is_waited_for_and_named(
    ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_program, "SLOW_SECONDS", 0.0)
    remember_keys(SERVER, KEYS)
    ring.answered.clear()
    said: list[str] = []

    def notify(text: str) -> None:
        said.append(text)
        ring.answered.set()

    found = ClientMaker(replace(TYPED, keys=None, uses_keyring=True), notify=notify).credentials()
    assert found is not None
    assert found.get_frozen_credentials().secret_key == KEYS.secret
    assert said == ["The system's keyring has not provided credentials yet. Waiting for it …"]


def test_waiting_for_the_keyring_can_be_stopped(ring: MemoryKeyring) -> None:
    remember_keys(SERVER, KEYS)
    ring.answered.clear()
    with pytest.raises(SignInError, match="The system's keyring has not provided credentials"):
        ClientMaker(replace(TYPED, keys=None, uses_keyring=True), lambda: True).credentials()

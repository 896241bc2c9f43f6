"""Files are sent to the queue that they were added for, on a server with several regions and accounts."""

from __future__ import annotations

import json
import signal
import sys
import uuid
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from desktop_app.__main__ import main
from desktop_app.bootstrap import connect_queue, open_program, send_all
from desktop_app.config.settings import Connection, Settings, connection_from
from desktop_app.domain.job import NewFile
from desktop_app.domain.secrets import AccessKeys
from desktop_app.queues.connector import SqsConnector
from desktop_app.store.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.helpers.sqs.fixtures"]

NOWHERE = "http://127.0.0.1:1"
OWN, OTHER = "123456789012", "222222222222"
CONFIG = """
[profile eu]
region = eu-west-1
services = here
[profile us]
region = us-east-1
services = here
[profile also-eu]
region = eu-west-1
services = here
[services here]
sqs =
  endpoint_url = {url}
"""
KEYS = "[eu]\n{own}[us]\n{own}[also-eu]\n{own}[other]\n{other}"


class Queues:
    """Queues of one name in two regions and two accounts of a server, and an AWS configuration that leads to them."""

    def __init__(self, home: Path, url: str) -> None:
        self.name = f"q-{uuid.uuid4().hex[:8]}"
        self.url = url
        self._home = home
        sts = boto3.client("sts", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b")
        role = sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/x", RoleSessionName="test")["Credentials"]
        own, other = (
            {"aws_access_key_id": "a", "aws_secret_access_key": "b"},
            {
                "aws_access_key_id": role["AccessKeyId"],
                "aws_secret_access_key": role["SecretAccessKey"],
                "aws_session_token": role["SessionToken"],
            },
        )
        self._clients = {
            (region, account): boto3.client("sqs", region, endpoint_url=url, **keys)
            for region in ("eu-west-1", "us-east-1")
            for account, keys in ((OWN, own), (OTHER, other))
        }
        for client in self._clients.values():
            client.create_queue(QueueName=self.name)
        (home / ".aws").mkdir()
        lines = {
            name: "".join(f"{key}={value}\n" for key, value in keys.items())
            for name, keys in (("own", own), ("other", other))
        }
        (home / ".aws" / "credentials").write_text(KEYS.format(**lines))
        self.own, self.other = ({name.upper(): value for name, value in keys.items()} for keys in (own, other))
        self.configure()

    def configure(self, url: str = "", more: str = "") -> None:
        """Write the configuration, with another URL of the server if one is given."""
        (self._home / ".aws" / "config").write_text(CONFIG.format(url=url or self.url) + more)

    def use_one_region(self) -> None:
        """Remove all other profiles than `eu`."""
        config, credentials = self._home / ".aws" / "config", self._home / ".aws" / "credentials"
        config.write_text(CONFIG.format(url=self.url).replace("us-east-1", "eu-west-1"))
        credentials.write_text(credentials.read_text().partition("[us]")[0])

    def use_other_account(self, profile: str) -> None:
        """Give a profile the keys of the other account."""
        file = self._home / ".aws" / "credentials"
        file.write_text(file.read_text().replace(f"[{profile}]", "[before]").replace("[other]", f"[{profile}]"))

    def count(self, region: str, account: str = OWN) -> int:
        """Return the number of messages in a queue."""
        url = f"{self.url}/{account}/{self.name}"
        attributes = self._clients[region, account].get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture
def queues(isolated_environment: Path, moto_url: str) -> Iterator[Queues]:
    made = Queues(isolated_environment, moto_url)
    yield made
    made.close()


class Terminal:
    """Starts one program after another on the same database, as `filemill submit` does."""

    def __init__(self, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
        self._queues = queues
        self._monkeypatch = monkeypatch

    def submit(self, files: int, **environment: str) -> int:
        """Add files and send all messages that can be sent; return the number of those that are still waiting."""
        with self._monkeypatch.context() as patch:
            for name, value in {"FILEMILL_QUEUE": self._queues.name, **environment}.items():
                patch.setenv(name, value)
            with closing(open_program()) as program, closing(connect_queue(program)) as connector:
                program.editor.add([NewFile(f"/{uuid.uuid4()}", 1, 1) for _ in range(files)])
                send_all(program, connector, deadline_s=10)
                return sum(Outbox(program.database).waiting(key) for key in program.jobs.unfinished_by_queue())


@pytest.fixture
def terminal(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(queues, monkeypatch)


def test_files_follow_the_region_of_their_profile(queues: Queues, terminal: Terminal) -> None:
    queues.configure(NOWHERE)
    assert terminal.submit(2, AWS_PROFILE="eu") == 2
    queues.configure()
    assert terminal.submit(1, AWS_PROFILE="us") == 2
    assert (queues.count("eu-west-1"), queues.count("us-east-1")) == (0, 1)
    assert terminal.submit(0, AWS_PROFILE="eu") == 0
    assert (queues.count("eu-west-1"), queues.count("us-east-1")) == (2, 1)


SAME_QUEUE = [
    # how the file is added while the server can't be reached, and how the same queue is used later
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "AWS_REGION": "eu-west-1"}),
    ({"AWS_PROFILE": "eu", "AWS_DEFAULT_REGION": "eu-west-1"}, {"AWS_PROFILE": "eu"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "AWS_ENDPOINT_URL": "{url}"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "AWS_ENDPOINT_URL_SQS": "{localhost}/"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "FILEMILL_QUEUE": "{url}/123456789012/{name}"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "FILEMILL_QUEUE": "{localhost}/123456789012/{name}/"}),
    ({"AWS_PROFILE": "gone"}, {"AWS_PROFILE": "gone"}),
    ({"AWS_PROFILE": "gone", "AWS_REGION": "eu-west-1"}, {"AWS_PROFILE": "gone"}),
    ({"AWS_PROFILE": "gone"}, {"AWS_PROFILE": "gone", "AWS_REGION": "eu-west-1"}),
]
ANOTHER_QUEUE = [
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "us"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}),
    ({"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}, {"AWS_PROFILE": "eu"}),
    ({"AWS_PROFILE": "eu", "AWS_ENDPOINT_URL": NOWHERE}, {"AWS_PROFILE": "eu"}),
    ({"AWS_PROFILE": "eu", "FILEMILL_QUEUE": f"{NOWHERE}/123456789012/{{name}}"}, {"AWS_PROFILE": "eu"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "other", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "{url}"}),
    ({"AWS_PROFILE": "eu"}, {"AWS_PROFILE": "eu", "FILEMILL_QUEUE": "{url}/222222222222/{name}"}),
    ({"AWS_PROFILE": "gone"}, {"AWS_PROFILE": "us"}),
    ({"AWS_REGION": "eu-west-1"}, {"AWS_PROFILE": "eu"}),
]


def filled_in(environment: dict[str, str], queues: Queues) -> dict[str, str]:
    localhost = queues.url.replace("127.0.0.1", "localhost")
    return {
        name: value.format(url=queues.url, localhost=localhost, name=queues.name) for name, value in environment.items()
    }


@pytest.mark.parametrize(("added", "used"), SAME_QUEUE)
def test_files_are_sent_however_their_queue_is_specified_later(
    added: dict[str, str], used: dict[str, str], queues: Queues, terminal: Terminal
) -> None:
    queues.configure(NOWHERE)
    assert terminal.submit(1, **filled_in(added, queues)) == 1
    queues.configure(
        more="[profile gone]\nregion=eu-west-1\nservices=here\naws_access_key_id=a\naws_secret_access_key=b\n"
    )
    assert terminal.submit(0, **filled_in(used, queues)) == 0
    assert (queues.count("eu-west-1"), queues.count("us-east-1")) == (1, 0)


@pytest.mark.parametrize(("added", "used"), ANOTHER_QUEUE)
def test_files_wait_while_another_queue_of_the_same_name_is_used(
    added: dict[str, str], used: dict[str, str], queues: Queues, terminal: Terminal
) -> None:
    queues.configure(NOWHERE)
    assert terminal.submit(1, **filled_in(added, queues)) == 1
    queues.configure()
    assert terminal.submit(0, **filled_in(used, queues)) == 1
    assert {queues.count(region, account) for region in ("eu-west-1", "us-east-1") for account in (OWN, OTHER)} == {0}


def test_queue_is_the_same_with_all_profiles_of_its_account(queues: Queues, terminal: Terminal) -> None:
    """After the first response the account is known, and the credentials are no longer a part of the key."""
    for profile in ("eu", "also-eu"):
        assert terminal.submit(1, AWS_PROFILE=profile) == 0
    queues.configure(queues.url.replace("127.0.0.1", "localhost"))
    in_use = {"FILEMILL_QUEUE": f"{queues.url}/{OWN}/{queues.name}", "AWS_REGION": "eu-west-1", **queues.own}
    assert terminal.submit(1, **in_use) == 0
    assert keys(terminal) == {f"{queues.url} eu-west-1 {OWN}/{queues.name}"}


def keys(terminal: Terminal) -> set[str]:
    with closing(open_program({})) as program:
        return set(program.jobs.unfinished_by_queue())


def test_files_are_never_sent_to_a_queue_of_the_same_name_in_another_account(
    queues: Queues, terminal: Terminal
) -> None:
    place = {"AWS_ENDPOINT_URL": queues.url, "AWS_REGION": "eu-west-1"}
    # Both accounts by the keys in the environment variables, first without and then with a connection to the server.
    assert terminal.submit(1, **{**place, **queues.own, "AWS_ENDPOINT_URL": NOWHERE}) == 1
    for more in range(2):
        assert terminal.submit(1, **place, **queues.own) == 1
        assert terminal.submit(2, **place, **queues.other) == 1
        assert (queues.count("eu-west-1", OWN), queues.count("eu-west-1", OTHER)) == (1 + more, 2 + 2 * more)


def test_profile_that_leads_to_another_account_by_now_gets_another_queue(queues: Queues, terminal: Terminal) -> None:
    assert terminal.submit(1, AWS_PROFILE="eu") == 0
    queues.configure(NOWHERE)
    assert terminal.submit(1, AWS_PROFILE="eu", AWS_ENDPOINT_URL=NOWHERE) == 1
    queues.configure()
    queues.use_other_account("eu")
    assert terminal.submit(3, AWS_PROFILE="eu") == 4  # the key is corrected, for the next start
    assert (queues.count("eu-west-1", OWN), queues.count("eu-west-1", OTHER)) == (1, 0)
    assert terminal.submit(3, AWS_PROFILE="eu") == 4
    assert (queues.count("eu-west-1", OWN), queues.count("eu-west-1", OTHER)) == (1, 3)


SIGN_IN_LATER = """
[profile late]
region = eu-west-1
services = here
credential_process = {program}
"""


def test_worker_takes_its_files_once_a_sign_in_fault_is_over(
    queues: Queues,
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One file has the key with the account, one the key that it got before the queue responded."""
    script, signed_in = tmp_path / "sign_in.py", tmp_path / "signed-in"
    keys = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}
    script.write_text(f"import pathlib\nif pathlib.Path({str(signed_in)!r}).exists():\n    print({json.dumps(keys)!r})")
    queues.configure(more=SIGN_IN_LATER.format(program=f'"{sys.executable}" "{script}"'))
    assert terminal.submit(1, AWS_PROFILE="eu") == 0
    assert terminal.submit(1, AWS_PROFILE="late") == 1

    def sign_in(*_: object) -> float:
        signed_in.touch()
        return 0.0

    monkeypatch.setattr("desktop_app.services.loops.Backoff.next", sign_in)
    monkeypatch.setenv("FILEMILL_QUEUE", queues.name)
    monkeypatch.setenv("AWS_PROFILE", "late")
    assert main(["worker", "--until-idle"]) == 0
    said = capsys.readouterr()
    assert "Waiting: The credentials of profile “late” can't be used" in said.err
    assert "filemill: Running again.\n" in said.err
    assert "left waiting" not in said.err
    assert said.out == "2 files: 0 PENDING, 0 PROCESSING, 0 PROCESSED, 2 FAILED\n"


def test_worker_that_is_stopped_during_a_sign_in_fault_counts_the_files_that_may_be_its_own(
    queues: Queues, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.configure(more=SIGN_IN_LATER.format(program="/bin/false"))
    assert terminal.submit(1, AWS_PROFILE="eu") == 0

    def stop(*_: object) -> float:
        signal.raise_signal(signal.SIGTERM)
        return 0.0

    monkeypatch.setattr("desktop_app.services.loops.Backoff.next", stop)
    monkeypatch.setenv("FILEMILL_QUEUE", queues.name)
    monkeypatch.setenv("AWS_PROFILE", "late")
    assert main(["worker"]) == 0
    said = capsys.readouterr()
    assert "1 file left waiting for the queue q" in said.err
    assert said.out == "1 file: 1 PENDING, 0 PROCESSING, 0 PROCESSED, 0 FAILED\n"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("eu-west-1 123456789012/q", True),
        ("eu-west-1 q with profile other", True),
        ("? q with profile gone", True),
        ("us-east-1 123456789012/q", False),
        ("http://127.0.0.1:4566 eu-west-1 123456789012/q", False),
        ("eu-west-1 123456789012/other", False),
        ("local", False),
    ],
)
def test_queue_whose_account_is_unknown_may_be_another_one_of_its_name(key: str, *, expected: bool) -> None:
    before = Connection("q", profile="p", region="eu-west-1")
    before = replace(before, typed=before)
    assert before.may_use(key) is expected
    after = replace(before, account="222222222222", has_responded=True)
    assert after.may_use(key) is (expected and "123456789012" not in key)


def test_keys_with_a_line_break_belong_to_the_same_queue_once_it_is_removed() -> None:
    environment = {"FILEMILL_QUEUE": "q", "AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "b"}
    faulty, cured, others = (
        connection_from(Settings(), {**environment, "AWS_ACCESS_KEY_ID": key}).key for key in ("a\r\n", "a", "c")
    )
    assert faulty == cured != others


OLD = [
    # the configuration, the old key of a waiting file, how its queue is used now, and whether the file is sent
    ("one region", "aws {name}", {"AWS_PROFILE": "eu"}, True),
    ("one region", "eu-west-1 {name}", {"AWS_PROFILE": "eu"}, True),
    ("one region", "{url} {name}", {"AWS_PROFILE": "eu"}, True),
    ("one region", "{localhost} {name}", {"AWS_PROFILE": "eu"}, True),
    ("one region", "aws {name}", {"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}, False),
    ("one region", "eu-west-1 {name}", {"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}, False),
    ("one region", "{url} {name}", {"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}, False),
    ("one region", "http://127.0.0.1:1 {name}", {"AWS_PROFILE": "eu"}, False),
    ("one region", "https://sqs-fips.eu-west-1.amazonaws.com {name}", {"AWS_PROFILE": "eu"}, False),
    ("one region", "eu-west-1 other", {"AWS_PROFILE": "eu"}, False),
    ("two regions", "aws {name}", {"AWS_PROFILE": "eu"}, False),
    ("two regions", "aws {name}", {"AWS_PROFILE": "us"}, False),
    ("two regions", "eu-west-1 {name}", {"AWS_PROFILE": "eu"}, False),  # on AWS with the profile `other`
    ("two regions", "eu-west-1 {name}", {"AWS_PROFILE": "us"}, False),
    ("two regions", "{url} {name}", {"AWS_PROFILE": "eu"}, False),
]


@pytest.mark.parametrize(("configuration", "key", "used", "is_sent"), OLD)
def test_files_of_0_1_0_are_sent_only_if_their_key_can_mean_no_other_queue(
    configuration: str, key: str, used: dict[str, str], is_sent: bool, queues: Queues, terminal: Terminal
) -> None:
    if configuration == "one region":
        queues.use_one_region()
    (old,) = filled_in({"key": key}, queues).values()
    with closing(open_program({})) as program:
        program.editor.use_queue(old)
        program.editor.add([NewFile("/old", 1, 1)])
    assert terminal.submit(0, **used) == (0 if is_sent else 1)
    assert queues.count("eu-west-1") + queues.count("us-east-1") == (1 if is_sent else 0)


def test_files_submitted_without_the_keys_typed_in_the_window_belong_to_its_queue(
    queues: Queues, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated_environment / ".aws" / "credentials").unlink()
    monkeypatch.setenv("FILEMILL_QUEUE", queues.name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", queues.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with closing(open_program()) as window:
        keys = AccessKeys(queues.own["AWS_ACCESS_KEY_ID"], queues.own["AWS_SECRET_ACCESS_KEY"])
        entered = window.connection.entered.with_keys(keys)
        learnt: list[Connection] = []
        with closing(SqsConnector(window.queues.resolve(entered))) as connector:
            window.queues.update(window.queues.resolve(entered), connector, learnt.append)
            with closing(open_program()) as terminal:
                terminal.editor.add([NewFile("/submitted", 1, 1)])
                assert list(terminal.jobs.unfinished_by_queue()) != [learnt[0].key]
            window.queues.update(learnt[0], connector, learnt.append)
        assert window.jobs.unfinished_by_queue() == {learnt[0].key: 1}


def test_files_submitted_with_other_keys_keep_waiting_for_their_own_account(
    queues: Queues, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = isolated_environment / ".aws" / "credentials"
    file.write_text(file.read_text().replace("[other]", "[default]"))
    monkeypatch.setenv("FILEMILL_QUEUE", queues.name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", queues.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with closing(open_program()) as program, closing(connect_queue(program)) as connector:
        program.editor.add([NewFile("/submitted", 1, 1)])
        program.queues.learn(program.connection, connector)
        waiting_for = program.jobs.unfinished_by_queue()
        keys = AccessKeys(queues.own["AWS_ACCESS_KEY_ID"], queues.own["AWS_SECRET_ACCESS_KEY"])
        connection = program.queues.resolve(program.connection.entered.with_keys(keys))
        with closing(SqsConnector(connection)) as other_connector:
            program.queues.update(connection, other_connector, program.queues.adopt)
        assert program.jobs.unfinished_by_queue() == waiting_for

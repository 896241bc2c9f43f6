"""The results of a connection test, step by step; the test changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_app.config.settings import Connection, Settings, connection_from
from desktop_app.domain.connection_checks import Check, Finding, Verdict
from desktop_app.domain.errors import Cause, QueueError
from desktop_app.queues.checks import probe
from tests.helpers.sqs.faults import service_error
from tests.helpers.sqs.internet import Internet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.sqs.kit import SimulatedSqs

pytest_plugins = ["tests.helpers.sqs.fixtures"]

AWS = Connection(queue="work", region="eu-west-1")
RIGHTS = {
    Check.SEND: "SendMessageBatch",
    Check.RECEIVE: "ReceiveMessage",
    Check.EXTEND: "ChangeMessageVisibility",
    Check.DELETE: "DeleteMessage",
}


@pytest.fixture
def internet(sim: SimulatedSqs, monkeypatch: pytest.MonkeyPatch) -> Internet:
    sim.simulator.create_queue("work")
    made = Internet(sim)
    made.install(monkeypatch)
    return made


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")


def found(connection: Connection = AWS) -> list[Finding]:
    from pathlib import Path

    return list(probe(connection, Path(), lambda: False))


def verdicts(findings: list[Finding]) -> dict[Check, Verdict]:
    return {finding.check: finding.verdict for finding in findings}


def cause_of(finding: Finding) -> Cause:
    assert finding.error is not None
    return finding.error.cause


@pytest.mark.usefixtures("signed_in")
def test_working_queue_passes_every_check(internet: Internet) -> None:
    internet.sim.simulator.create_queue("work-dlq")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:work-dlq", "maxReceiveCount": 5}
    internet.sim.boto().set_queue_attributes(
        QueueUrl=internet.sim.simulator.queue("work").url, Attributes={"RedrivePolicy": json.dumps(policy)}
    )
    findings = found()
    assert [finding.check for finding in findings] == list(Check)
    assert {finding.verdict for finding in findings} == {Verdict.FINE}
    texts = [str(finding.text) for finding in findings]
    assert texts[0] == "Credentials found: environment variables"
    assert texts[1] == "Signed in as arn:aws:sts::123456789012:assumed-role/Ops/me (account 123456789012)"
    assert texts[2].startswith("sqs.eu-west-1.amazonaws.com responded in ")
    assert texts[3] == "“work” is a standard queue; messages available: about 0"
    assert texts[-1] == "Dead-letter queue: “work-dlq”, after 5 deliveries"


@pytest.mark.usefixtures("signed_in")
def test_nothing_is_sent_received_or_deleted(internet: Internet) -> None:
    queue = internet.sim.boto()
    url = internet.sim.simulator.queue("work").url
    queue.send_message(QueueUrl=url, MessageBody="somebody else's")
    found()
    assert internet.sim.simulator.bodies("work") == ["somebody else's"]
    (message,) = queue.receive_message(QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"])[
        "Messages"
    ]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("check", "operation"), RIGHTS.items())
def test_each_missing_permission_is_reported(internet: Internet, check: Check, operation: str) -> None:
    internet.sim.faults.always(operation, service_error("AccessDenied", "no", status=403))
    findings = found()
    troubles = [finding for finding in findings if finding.verdict is Verdict.TROUBLE]
    assert [finding.check for finding in troubles] == [check]
    error = troubles[0].error
    assert isinstance(error, QueueError)
    assert error.right is not None
    assert error.right.action == f"sqs:{operation.removesuffix('Batch')}"


@pytest.mark.usefixtures("signed_in")
def test_queue_without_permission_to_read_attributes_can_be_used(internet: Internet) -> None:
    internet.sim.faults.always("GetQueueAttributes", service_error("AccessDenied", "no", status=403))
    by_check = verdicts(found())
    assert by_check[Check.QUEUE] is Verdict.NOTE
    assert by_check[Check.SEND] is Verdict.FINE
    assert Check.DEAD_LETTERS not in by_check


@pytest.mark.usefixtures("signed_in", "internet")
def test_dead_letter_queue_that_does_not_exist_is_reported(internet: Internet) -> None:
    policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:work-dlq", "maxReceiveCount": 5}
    internet.sim.simulator.create_queue("work-dlq")
    url = internet.sim.simulator.queue("work").url
    internet.sim.boto().set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    internet.sim.boto().delete_queue(QueueUrl=internet.sim.simulator.queue("work-dlq").url)
    last = found()[-1]
    assert (last.check, last.verdict) == (Check.DEAD_LETTERS, Verdict.TROUBLE)
    assert "The dead-letter queue “work-dlq” does not exist" in last.text


@pytest.mark.usefixtures("signed_in")
def test_dead_letter_queue_without_permission_is_named(internet: Internet) -> None:
    url = internet.sim.simulator.queue("work").url
    internet.sim.simulator.create_queue("rest")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:rest", "maxReceiveCount": 5}
    internet.sim.boto().set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    internet.sim.faults.always("GetQueueUrl", service_error("AccessDenied", "no", status=403))
    last = found(replace(AWS, queue=url))[-1]
    assert (last.check, last.verdict) == (Check.DEAD_LETTERS, Verdict.NOTE)
    assert "sqs:GetQueueUrl on “rest”" in last.text


def target(arn: object) -> str:
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    ("policy", "verdict", "what"),
    [
        (target("arn:aws:sqs:us-east-1:123456789012:rest"), Verdict.TROUBLE, "is not in the region and account of"),
        (target("arn:aws:sqs:eu-west-1:999999999999:rest"), Verdict.TROUBLE, "is not in the region and account of"),
        (target("arn:aws:sqs:eu-west-1:123456789012:work"), Verdict.TROUBLE, "is its own dead-letter queue"),
        (target("rest"), Verdict.NOTE, "redrive policy can't be read"),
        (target(None), Verdict.NOTE, "redrive policy can't be read"),
        ("{", Verdict.NOTE, "redrive policy can't be read"),
        ("[]", Verdict.NOTE, "redrive policy can't be read"),
        ('{"maxReceiveCount": 5}', Verdict.NOTE, "redrive policy can't be read"),
        ("[" * 100_000, Verdict.NOTE, "redrive policy can't be read"),
        ("{}", Verdict.NOTE, "has no dead-letter queue"),
    ],
)
def test_dead_letter_queue_that_can_not_be_used_is_reported(
    internet: Internet, policy: str, verdict: Verdict, what: str
) -> None:
    internet.sim.simulator.create_queue("rest")
    internet.sim.simulator.queue("work").attributes["RedrivePolicy"] = policy
    last = found()[-1]
    assert (last.check, last.verdict) == (Check.DEAD_LETTERS, verdict)
    assert what in last.text


@pytest.mark.usefixtures("signed_in", "internet")
def test_queue_without_a_dead_letter_queue_is_reported() -> None:
    assert found()[-1].verdict is Verdict.NOTE


@pytest.mark.usefixtures("internet")
def test_nothing_else_is_checked_without_a_sign_in() -> None:
    (finding,) = found()
    assert (finding.check, finding.verdict) == (Check.CREDENTIALS, Verdict.TROUBLE)
    assert cause_of(finding) is Cause.NO_SIGN_IN


@pytest.mark.usefixtures("internet", "signed_in")
def test_missing_profile_ends_the_test_and_no_other_is_used() -> None:
    (finding,) = found(Connection(queue="work", region="eu-west-1", profile="gone"))
    assert "There is no profile “gone”" in finding.text


@pytest.mark.usefixtures("internet")
def test_profile_is_named_where_its_keys_come_from(isolated_environment: Path) -> None:
    (isolated_environment / ".aws").mkdir()
    keys = "[team]\naws_access_key_id = A\naws_secret_access_key = B\n"
    (isolated_environment / ".aws" / "credentials").write_text(keys)
    first = found(Connection(queue="work", region="eu-west-1", profile="team"))[0]
    assert first.text == "Credentials found: credentials file, profile “team”"


@pytest.mark.usefixtures("signed_in")
def test_refused_keys_end_it_where_they_are_refused(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    internet.refuses_keys = True
    findings = found()
    assert findings[-1].check is Check.IDENTITY
    assert cause_of(findings[-1]) is Cause.KEYS_REFUSED


@pytest.mark.usefixtures("signed_in")
def test_network_that_allows_only_the_queue_is_sufficient(internet: Internet) -> None:
    internet.has_sts = False
    by_check = verdicts(found())
    assert by_check[Check.IDENTITY] is Verdict.NOTE
    assert by_check[Check.DELETE] is Verdict.FINE


@pytest.mark.usefixtures("signed_in", "internet")
def test_missing_or_invalid_region_is_reported() -> None:
    assert cause_of(found(Connection(queue="work"))[-1]) is Cause.NO_REGION
    assert cause_of(found(Connection(queue="work", region="eu west"))[-1]) is Cause.NO_REGION


@pytest.mark.usefixtures("signed_in")
def test_missing_queue_is_reported_after_the_server_has_responded(internet: Internet) -> None:
    findings = found(Connection(queue="gone", region="eu-west-1"))
    assert findings[-2].check is Check.SERVER
    assert findings[-1].check is Check.QUEUE
    assert cause_of(findings[-1]) is Cause.NO_QUEUE


@pytest.mark.usefixtures("signed_in")
def test_queue_of_another_account_is_reported(internet: Internet) -> None:
    internet.identity = "arn:aws:iam::999999999999:user/me"
    notes = [finding for finding in found() if finding.error is not None]
    assert [cause_of(note) for note in notes] == [Cause.OTHER_ACCOUNT]
    assert "You are signed in to account 999999999999, but the queue is in account 123456789012." in notes[0].text


def test_server_that_does_not_respond_is_reported() -> None:
    findings = found(Connection(queue="work", endpoint_url="http://127.0.0.1:1"))
    assert [finding.check for finding in findings] == [Check.CREDENTIALS, Check.SERVER]
    assert findings[0].verdict is Verdict.NOTE  # a server on this computer accepts any keys
    assert cause_of(findings[1]) is Cause.OFFLINE


def test_other_server_is_not_asked_for_the_identity(moto_url: str) -> None:
    import boto3

    boto3.client(
        "sqs", endpoint_url=moto_url, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    ).create_queue(QueueName="probe.fifo", Attributes={"FifoQueue": "true"})
    settings = Settings(queue="probe.fifo", region="eu-west-1", endpoint_url=moto_url)
    findings = found(connection_from(settings, {}))
    assert Check.IDENTITY not in verdicts(findings)
    assert "“probe.fifo” is a FIFO queue; messages available: about 0" in [str(finding.text) for finding in findings]
    assert Verdict.TROUBLE not in verdicts(findings).values()


def test_local_queue_is_opened_for_it(tmp_path: Path) -> None:
    findings = list(probe(Connection(), tmp_path / "queue", lambda: False))
    assert [finding.check for finding in findings] == [Check.SERVER, Check.QUEUE]
    assert findings[0].text.startswith("The local queue responded in ")


def test_unusable_local_queue_is_reported(tmp_path: Path) -> None:
    (tmp_path / "queue").write_text("in the way")
    (finding,) = probe(Connection(), tmp_path / "queue", lambda: False)
    assert cause_of(finding) is Cause.LOCAL_QUEUE


@pytest.mark.usefixtures("signed_in", "internet")
def test_cancelled_test_ends() -> None:
    from pathlib import Path

    assert len(list(probe(AWS, Path(), lambda: True))) == 1

"""Test a connection step by step. No message is sent, received or deleted.

Each permission is checked with an invalid request, such as an empty batch or an invalid receipt handle. If the
permission is granted, SQS rejects the request because of its content; otherwise, because of the missing permission.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from desktop_app.domain.assurances import text_in_test
from desktop_app.domain.connection_checks import Check, Finding, Verdict
from desktop_app.domain.errors import Cause, KnownError, QueueError, QueueTrouble
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.connector import ClientMaker, no_retry_config
from desktop_app.queues.credentials import SOURCES
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.messages import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_app.config.settings import Connection


log = logging.getLogger(__name__)

_FAILURES = (BotoCoreError, ClientError, OSError, ValueError)

_NO_POLICY = {"", "{}", "null"}

_NO_HANDLE = "filemill-permission-check"

_RIGHTS: tuple[tuple[Check, Sentence, str, str, dict[str, object]], ...] = (
    (Check.SEND, Sentence("Can send messages"), "SendMessage", "send_message_batch", {"Entries": []}),
    (
        Check.RECEIVE,
        Sentence("Can receive messages"),
        "ReceiveMessage",
        "receive_message",
        {"MaxNumberOfMessages": MAX_ENTRIES + 1, "VisibilityTimeout": 0},
    ),
    (
        Check.EXTEND,
        Sentence("Can extend visibility timeouts"),
        "ChangeMessageVisibility",
        "change_message_visibility",
        {"ReceiptHandle": _NO_HANDLE, "VisibilityTimeout": 0},
    ),
    (Check.DELETE, Sentence("Can delete messages"), "DeleteMessage", "delete_message", {"ReceiptHandle": _NO_HANDLE}),
)
"""The permissions to check, each with its step, text, API action, and invalid request (a method and its parameters)."""


def probe(
    connection: Connection,
    queue_file: Path,
    should_stop: Callable[[], bool],
    notify: Callable[[str], object] = log.info,
) -> Iterator[Finding]:
    """Test a connection and yield the findings. Steps that depend on a failed step are skipped. Any thread.

    Args:
        connection: The connection to test.
        queue_file: The file of the embedded queue.
        should_stop: Called after each step; the test ends when it returns True.
        notify: Called with a sentence if a program that provides credentials takes a long time.
    """
    steps = _local(queue_file) if connection.is_local else _Probe(connection, should_stop, notify).findings()
    for finding in steps:
        yield finding
        if should_stop():
            return


def _local(queue_file: Path) -> Iterator[Finding]:
    connector = EmbeddedQueue(queue_file)
    begun = time.monotonic()
    try:
        connector.connect().state()
        yield _fine(Check.SERVER, Sentence("The local queue responded in {ms} ms", ms=_ms_since(begun)))
    except QueueError as error:
        yield _trouble(Check.SERVER, error)
        return
    finally:
        connector.close()
    yield _fine(Check.QUEUE, Sentence("No account and no permissions are needed"))


class _Probe:
    """A test of a connection to SQS or a compatible server."""

    def __init__(
        self, connection: Connection, should_stop: Callable[[], bool], notify: Callable[[str], object]
    ) -> None:
        self._connection = connection
        self._should_stop = should_stop
        self._notify = notify
        self._account = ""
        self._url = ""
        self._attributes: dict[str, str] | None = None
        self._failed = False
        """Whether a step has failed, so that all remaining steps are skipped."""

    def findings(self) -> Iterator[Finding]:
        try:
            maker = ClientMaker(self._connection, self._should_stop, self._notify)
        except _FAILURES as error:
            yield _trouble(Check.CREDENTIALS, self._known(error, "GetCallerIdentity"))
            return
        yield self._credentials(maker)
        if not self._failed and not self._connection.endpoint_url:
            yield self._identity(maker)
        if self._failed:
            return
        try:
            client: Any = maker.sqs(no_retry_config())
        except _FAILURES as error:
            yield _trouble(Check.SERVER, self._known(error, "GetQueueUrl"))
            return
        try:
            yield from self._look_up_and_check(client)
        finally:
            client.close()

    def _known(self, error: Exception, action: str) -> QueueError:
        return as_queue_error(error, self._connection, action)

    def _end(self, check: Check, error: QueueError) -> Finding:
        self._failed = True
        return _trouble(check, error)

    def _credentials(self, maker: ClientMaker) -> Finding:
        try:
            found = maker.credentials()
            if found is None and maker.may_check_no_keys:
                text = Sentence("No access keys are set; that is enough for a server that checks none")
                return _note(Check.CREDENTIALS, text)
            if found is None:
                raise NoCredentialsError
            found.get_frozen_credentials()  # fails if the session has expired or the credential process fails
        except _FAILURES as error:
            return self._end(Check.CREDENTIALS, self._known(error, "GetCallerIdentity"))
        source = SOURCES.get(found.method, found.method)
        if self._connection.profile:
            text = Sentence(
                "Credentials found: {source}, profile “{name}”", source=source, name=self._connection.profile
            )
        else:
            text = Sentence("Credentials found: {source}", source=source)
        return _fine(Check.CREDENTIALS, text)

    def _identity(self, maker: ClientMaker) -> Finding:
        try:
            arn = maker.caller_arn()
        except _FAILURES as error:
            known = self._known(error, "GetCallerIdentity")
            if known.trouble is QueueTrouble.SIGNED_OUT:
                return self._end(Check.IDENTITY, known)
            arn = ""  # some networks allow access to SQS only
        if not arn:
            return _note(Check.IDENTITY, Sentence("AWS did not return your identity; the queue may still work"))
        self._account = "".join(arn.split(":")[4:5])
        return _fine(Check.IDENTITY, Sentence("Signed in as {arn} (account {account})", arn=arn, account=self._account))

    def _look_up_and_check(self, client: Any) -> Iterator[Finding]:  # noqa: ANN401 - boto3-stubs want literal types
        begun = time.monotonic()
        error = self._look_up(client)
        if error is not None and not error.was_answered:
            yield _trouble(Check.SERVER, error)
            return
        server = client.meta.endpoint_url.partition("://")[2]
        yield _fine(Check.SERVER, Sentence("{server} responded in {ms} ms", server=server, ms=_ms_since(begun)))
        if error is not None:
            yield _trouble(Check.QUEUE, error)
            return
        yield from self._queue()
        for check, text, action, method, parameters in _RIGHTS:
            yield self._right(check, text, action, partial(getattr(client, method), QueueUrl=self._url, **parameters))
        yield from self._dead_letters(client)

    def _look_up(self, client: Any) -> QueueError | None:  # noqa: ANN401
        """Look up the queue and read its attributes, as `SqsConnector` does; return the error, if any."""
        queue = self._connection.queue
        try:
            self._url = queue if "://" in queue else client.get_queue_url(QueueName=queue)["QueueUrl"]
        except _FAILURES as error:
            return self._known(error, "GetQueueUrl")
        try:
            answer = client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])
        except _FAILURES as error:
            known = self._known(error, "GetQueueAttributes")
            return None if known.trouble is QueueTrouble.NO_RIGHT else known
        self._attributes = answer["Attributes"]
        return None

    def _queue(self) -> Iterator[Finding]:
        name = self._connection.queue_name
        if self._attributes is None:
            yield _note(
                Check.QUEUE,
                Sentence(
                    "“{name}” exists, but you don't have permission to read its attributes (GetQueueAttributes)",
                    name=name,
                ),
            )
        else:
            waiting = self._attributes.get("ApproximateNumberOfMessages", "0")
            is_fifo = self._attributes.get("FifoQueue", "false").lower() == "true"
            if is_fifo:
                text = Sentence("“{name}” is a FIFO queue; messages available: about {count}", name=name, count=waiting)
            else:
                text = Sentence(
                    "“{name}” is a standard queue; messages available: about {count}", name=name, count=waiting
                )
            yield _fine(Check.QUEUE, text)
        owner = self._url.rstrip("/").split("/")[-2]
        if self._account and owner.isdigit() and owner != self._account:
            body = Sentence(
                "You are signed in to account {mine}, but the queue is in account {theirs}. You can "
                "use it if its owner has granted you access.",
                mine=self._account,
                theirs=owner,
            )
            error = KnownError(body, title=Sentence("This queue belongs to another account"), cause=Cause.OTHER_ACCOUNT)
            yield Finding(Check.QUEUE, Verdict.NOTE, error.text, error)

    def _right(self, check: Check, text: str, action: str, request: Callable[[], object]) -> Finding:
        try:
            request()
        except _FAILURES as error:
            known = self._known(error, action)
            if known.trouble not in {QueueTrouble.REFUSED, QueueTrouble.LEASE_LOST}:
                return _trouble(check, known)
        return _fine(check, text)

    def _dead_letters(self, client: Any) -> Iterator[Finding]:  # noqa: ANN401
        if self._attributes is None:
            return
        policy = self._attributes.get("RedrivePolicy", "")
        if policy.strip() in _NO_POLICY:
            text = Sentence("It has no dead-letter queue: messages that can't be processed are received repeatedly")
            yield _note(Check.DEAD_LETTERS, text)
            return
        try:
            values = json.loads(policy)
            arn, most = str(values["deadLetterTargetArn"]), int(values["maxReceiveCount"])
            _, _, _, _, account, name = arn.split(":")
        except (ValueError, KeyError, TypeError, RecursionError):
            text = Sentence(
                "Its redrive policy can't be read, so its dead-letter queue is not known. Correct the policy."
            )
            yield _note(Check.DEAD_LETTERS, text)
            return
        if why := self._why_unusable(arn):
            yield Finding(Check.DEAD_LETTERS, Verdict.TROUBLE, why, KnownError(why, cause=Cause.SETUP))
            return
        try:
            client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        except _FAILURES as error:
            yield self._dead_letters_not_found(error, name)
            return
        yield _fine(
            Check.DEAD_LETTERS, Sentence("Dead-letter queue: “{name}”, after {count} deliveries", name=name, count=most)
        )

    def _why_unusable(self, arn: str) -> str:
        """Return why the queue with an ARN can't be this queue's dead-letter queue; empty if nothing is known."""
        own = (self._attributes or {}).get("QueueArn", "")
        if arn == own:
            return Sentence(
                "The queue is its own dead-letter queue, so messages that can't be processed are received repeatedly. "
                "Choose another one in its redrive policy."
            )
        # GetQueueUrl would find a queue of the same name in this region instead.
        if own and arn.split(":")[3:5] != own.split(":")[3:5]:
            return Sentence(
                "The dead-letter queue {arn} is not in the region and account of the queue. Choose one that is in its "
                "redrive policy. Until then, messages that can't be processed are received repeatedly.",
                arn=arn,
            )
        return ""

    def _dead_letters_not_found(self, error: Exception, name: str) -> Finding:
        known = as_queue_error(error, replace(self._connection, queue=name), "GetQueueUrl")
        if known.trouble is not QueueTrouble.NO_QUEUE:
            return Finding(Check.DEAD_LETTERS, Verdict.NOTE, text_in_test(known), known)
        text = Sentence(
            "The dead-letter queue “{name}” does not exist: create it, or remove it from the queue's redrive "
            "policy. Until then, messages that can't be processed are received repeatedly.",
            name=name,
        )
        return Finding(Check.DEAD_LETTERS, Verdict.TROUBLE, text, KnownError(text, cause=Cause.NO_QUEUE))


def _ms_since(begun: float) -> int:
    return max(1, round((time.monotonic() - begun) * 1000))


def _fine(check: Check, text: str) -> Finding:
    return Finding(check, Verdict.FINE, text)


def _note(check: Check, text: str) -> Finding:
    return Finding(check, Verdict.NOTE, text)


def _trouble(check: Check, error: QueueError) -> Finding:
    return Finding(check, Verdict.TROUBLE, text_in_test(error), error)

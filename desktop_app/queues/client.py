"""The interface of a queue client, and an implementation that uses boto3.

Batch calls return one result per entry, in the same order. The id of each entry is its position, since a redelivered
message can be in a batch twice. An entry that the response does not mention is treated as failed.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.domain.secrets import masked
from desktop_app.domain.sentences import foreign_text
from desktop_app.queues.answers import UNREADABLE, check_answers, md5_of
from desktop_app.queues.errors import MalformedAnswerError, as_queue_error, trouble_of_code
from desktop_app.queues.messages import (
    DEFAULT_RETENTION_SECONDS,
    EntryResult,
    Outgoing,
    QueueInfo,
    QueueState,
    Received,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.config.settings import Connection


log = logging.getLogger(__name__)

_QUEUE_ARN = re.compile(r"arn:[!-9;-~]+:sqs:[!-9;-~]*:([0-9]+):([\w.-]+)", re.ASCII)

_NOT_MENTIONED = EntryResult(trouble=QueueTrouble.OFFLINE, text="the queue's response does not mention this entry")


class QueueClient(Protocol):
    """A client for one queue. Any thread."""

    info: QueueInfo

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        """Send one batch; see `plan_batches`.

        Messages that fail can be resent with the same deduplication id, unless `trouble` is REFUSED.

        Raises:
            QueueError: If the call fails. Even so, some messages may have been sent.
        """
        ...

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:
        """Receive messages with one long poll.

        Args:
            limit: The maximum number of messages, 1 to 10.
            wait_s: The maximum time to wait for a message, 0 to 20 seconds.
            visibility_s: The visibility timeout in seconds.
            attempt_id: An id for this call to a FIFO queue. If the response is lost, another call with the same id
                within five minutes returns the same messages (AWS: ReceiveRequestAttemptId).

        Raises:
            QueueError: If the call fails. If only its response was lost, the messages become visible again after the
                visibility timeout.
        """
        ...

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """Delete up to ten messages. A standard queue reports success even if the receipt handle is outdated.

        Raises:
            QueueError: If the call fails.
        """
        ...

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        """Change the visibility timeout of up to ten messages.

        Args:
            changes: Pairs of a receipt handle and a timeout in seconds from now, 0 to 43,200. A timeout of 0 makes the
                message visible immediately.

        Raises:
            QueueError: If the call fails.
        """
        ...

    def state(self) -> QueueState:
        """Return the attributes of the queue.

        Raises:
            QueueError: If the call fails.
        """
        ...

    def dead_letters(self) -> QueueClient | None:
        """Return a client for the queue's dead-letter queue; None if there is none.

        Uses the response to the last `state` call, but only once, so that calling both methods takes one request.

        Raises:
            QueueError: If the attributes of this queue can't be read, or the dead-letter queue can't be found.
        """
        ...


class BotoClient:
    """A client for an SQS queue. Any thread: boto3's clients are thread-safe (its sessions are not).

    Args:
        control: The boto3 client for everything except receiving. It retries failed requests.
        receiving: The boto3 client for receiving. It does not retry, because that would start another poll, and its
            read timeout is longer than a poll.
        info: The queue.
        connection: The connection to mention in error messages.
    """

    def __init__(self, control: SQSClient, receiving: SQSClient, info: QueueInfo, connection: Connection) -> None:
        for client in (control, receiving):
            check_answers(client)
        self._control = control
        self._receiving = receiving
        self.info = info
        self._connection = connection
        self._dead_letters: dict[str, BotoClient] = {}
        self._fresh_state: QueueState | None = None
        self._unreadable: list[str] = []

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        """See `QueueClient.send`."""
        results = self._batch("SendMessage", self._control.send_message_batch, map(self._entry, messages))
        return [_with_checked_body(result, message) for result, message in zip(results, messages, strict=True)]

    def _entry(self, message: Outgoing) -> dict[str, str]:
        entry = {"MessageBody": message.body}
        if self.info.is_fifo:
            entry |= {"MessageGroupId": message.group_id, "MessageDeduplicationId": message.deduplication_id}
        return entry

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:
        """See `QueueClient.receive`."""
        repeatable = {"ReceiveRequestAttemptId": attempt_id} if attempt_id and self.info.is_fifo else {}
        answer = _call(
            self._connection,
            "ReceiveMessage",
            self._receiving.receive_message,
            QueueUrl=self.info.url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=visibility_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
            **repeatable,
        )
        messages, unreadable = answer.get("Messages", []), answer[UNREADABLE]
        if unreadable and not messages:
            raise self._malformed("ReceiveMessage", unreadable[0])
        if unreadable and unreadable != self._unreadable:
            log.info("%d messages can't be read and are skipped: %s", len(unreadable), unreadable[0])
        self._unreadable = unreadable
        return [_received(message) for message in messages]

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """See `QueueClient.delete`."""
        entries = ({"ReceiptHandle": handle} for handle in receipt_handles)
        return self._batch("DeleteMessage", self._control.delete_message_batch, entries)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        """See `QueueClient.change_visibility`."""
        entries = ({"ReceiptHandle": handle, "VisibilityTimeout": seconds} for handle, seconds in changes)
        return self._batch("ChangeMessageVisibility", self._control.change_message_visibility_batch, entries)

    def state(self) -> QueueState:
        """See `QueueClient.state`."""
        answer = _call(
            self._connection,
            "GetQueueAttributes",
            self._control.get_queue_attributes,
            QueueUrl=self.info.url,
            AttributeNames=["All"],
        )
        self._fresh_state = _state(answer["Attributes"])
        return self._fresh_state

    def dead_letters(self) -> BotoClient | None:
        """See `QueueClient.dead_letters`."""
        state, self._fresh_state = self._fresh_state or self.state(), None
        arn = state.dead_letter_arn
        if not arn:
            return None
        if arn not in self._dead_letters:
            self._dead_letters = {arn: self._at(arn)}
        return self._dead_letters[arn]

    def _at(self, arn: str) -> BotoClient:
        match = _QUEUE_ARN.fullmatch(arn)
        if match is None:
            raise self._malformed("GetQueueAttributes", "Attributes.RedrivePolicy has an invalid deadLetterTargetArn")
        account, name = match.groups()
        connection = replace(self._connection, queue=name)  # errors are about the dead-letter queue
        answer = _call(
            connection, "GetQueueUrl", self._control.get_queue_url, QueueName=name, QueueOwnerAWSAccountId=account
        )
        info = QueueInfo(answer["QueueUrl"], name, self.info.is_fifo, self.info.max_message_bytes)
        return BotoClient(self._control, self._receiving, info, connection)

    def _batch(
        self, action: str, method: Callable[..., Any], entries: Iterable[Mapping[str, object]]
    ) -> list[EntryResult]:
        numbered = [{"Id": str(position), **entry} for position, entry in enumerate(entries)]
        answer = _call(self._connection, action, method, QueueUrl=self.info.url, Entries=numbered)
        results: dict[str, EntryResult] = {}
        for entry in answer.get("Successful", []):
            result = EntryResult(entry.get("MessageId", ""), entry.get("MD5OfMessageBody", ""))
            # Two results that contradict each other confirm nothing.
            results[entry["Id"]] = result if results.get(entry["Id"], result) == result else _NOT_MENTIONED
        results |= {entry["Id"]: _failed(entry) for entry in answer.get("Failed", [])}
        known = [results.get(str(position), _NOT_MENTIONED) for position in range(len(numbered))]
        if all(result is _NOT_MENTIONED for result in known):
            raise self._malformed(action, *answer[UNREADABLE][:1] or ["Successful is missing"])
        return known

    def _malformed(self, action: str, why: str) -> QueueError:
        field, _, why = why.partition(" ")
        return as_queue_error(MalformedAnswerError(field=field, why=why), self._connection, action)

    def close(self) -> None:
        """Close the connections. A long poll in progress still completes."""
        self._control.close()
        self._receiving.close()


def _call(connection: Connection, action: str, method: Callable[..., Any], **parameters: object) -> dict[str, Any]:
    """Call a method of a boto3 client, and return the response.

    Raises:
        QueueError: If the call fails; the text is about the given connection.
    """
    try:
        answer: dict[str, Any] = method(**parameters)
    except (ClientError, BotoCoreError, OSError) as error:
        raise as_queue_error(error, connection, action) from error
    return answer


def _state(attributes: dict[str, str]) -> QueueState:
    try:
        redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    except (ValueError, RecursionError):
        redrive = {}
    return QueueState(
        visible=int(attributes.get("ApproximateNumberOfMessages", 0)),
        in_flight=int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0)),
        delayed=int(attributes.get("ApproximateNumberOfMessagesDelayed", 0)),
        created_at_ms=int(float(attributes.get("CreatedTimestamp", 0)) * 1000),
        retention_s=int(attributes.get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS)),
        dead_letter_arn=str(redrive.get("deadLetterTargetArn", "")) if isinstance(redrive, dict) else "",
        delay_s=int(attributes.get("DelaySeconds", 0)),
    )


def _failed(entry: dict[str, Any]) -> EntryResult:
    code, text = entry["Code"], entry.get("Message", "")
    trouble = trouble_of_code(code, text)
    if entry.get("SenderFault") and trouble is QueueTrouble.OFFLINE:
        trouble = QueueTrouble.REFUSED
    return EntryResult(trouble=trouble, text=foreign_text(masked(text or code)))


def _with_checked_body(result: EntryResult, message: Outgoing) -> EntryResult:
    """Return the result, or a failure if the digest shows that the body was altered (AWS: MD5OfMessageBody)."""
    if not result.is_done:
        return result
    if result.body_md5 == md5_of(message.body):
        return result
    return EntryResult(trouble=QueueTrouble.OFFLINE, text="the queue received a different body")


def _received(message: Any) -> Received:  # noqa: ANN401
    attributes = message.get("Attributes", {})
    return Received(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        group_id=attributes.get("MessageGroupId", ""),
    )

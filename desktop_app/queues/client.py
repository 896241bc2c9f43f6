"""The interface of a queue client, and its implementation over boto3: batches with a result for each entry.

Entry ids are positions, never message ids: a redelivered message can be in one batch twice. An entry that the response
does not mention counts as failed. Results are in the order of the entries.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from desktop_app.domain.errors import QueueTrouble
from desktop_app.queues.errors import as_queue_error, refuse_other_answers, trouble_of_code
from desktop_app.queues.messages import (
    DEFAULT_RETENTION_SECONDS,
    EntryResult,
    Outgoing,
    QueueInfo,
    QueueState,
    Received,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.config.settings import Connection

_NOT_NAMED = EntryResult(trouble=QueueTrouble.OFFLINE, text="the queue's response does not mention this entry")


class QueueClient(Protocol):
    """A queue, whatever implements it. Any thread."""

    info: QueueInfo

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        """Send one batch of up to `MAX_ENTRIES` messages within the byte limit; see `plan_batches`.

        An entry that failed with REFUSED must not be sent again; any other may, with the same deduplication id.

        Raises:
            QueueError: If the call as a whole failed; some messages may have been sent nevertheless.
        """
        ...

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:
        """Receive messages with one long poll.

        Args:
            limit: The maximum number of messages, 1…10.
            wait_s: How long the queue waits for the first message, 0…20 s.
            visibility_s: The visibility timeout in seconds; extended by `change_visibility`.
            attempt_id: On a FIFO queue, repeating a poll with the same id within five minutes returns the same messages
                if its response was lost (AWS: ReceiveRequestAttemptId).

        Raises:
            QueueError: If the call failed. Messages of a lost response become visible again by themselves.
        """
        ...

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """Delete up to ten messages. Success proves nothing: a standard queue ignores an outdated receipt handle.

        Raises:
            QueueError: If the call as a whole did not succeed.
        """
        ...

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        """Hide up to ten messages for 0…43,200 seconds from now; 0 makes them visible at once.

        Raises:
            QueueError: If the call as a whole did not succeed.
        """
        ...

    def state(self) -> QueueState:
        """Return the queue's message counts and attributes.

        Raises:
            QueueError: If the call failed.
        """
        ...

    def dead_letters(self) -> QueueClient | None:
        """Return a client for this queue's dead-letter queue; None if it has none.

        The response of the last `state` call is used once, so that calling both regularly needs one request.

        Raises:
            QueueError: If the attributes of the queues can't be read.
        """
        ...


class BotoClient:
    """An SQS queue. Any thread: boto3's clients are thread-safe (its sessions are not).

    Args:
        control: Sends, deletes and changes visibility; retries in botocore's standard mode.
        receiving: Only receives, with retries off (a retried receive silently polls again) and a read timeout
            above the longest poll.
        info: The queue.
        connection: For error texts.
    """

    def __init__(self, control: SQSClient, receiving: SQSClient, info: QueueInfo, connection: Connection) -> None:
        for client in (control, receiving):
            refuse_other_answers(client)
        self._control = control
        self._receiving = receiving
        self.info = info
        self._connection = connection
        self._dead_letters: dict[str, BotoClient] = {}
        self._fresh_state: QueueState | None = None

    def send(self, messages: Sequence[Outgoing]) -> list[EntryResult]:
        """See `QueueClient.send`."""
        entries = [self._entry(position, message) for position, message in enumerate(messages)]
        answer = self._call(
            "SendMessage", lambda: self._control.send_message_batch(QueueUrl=self.info.url, Entries=entries)
        )
        results = self._results(answer, len(messages))
        return [_with_checked_body(result, message) for result, message in zip(results, messages, strict=True)]

    def _entry(self, position: int, message: Outgoing) -> Any:  # noqa: ANN401 - boto3-stubs' type is not importable at run time
        entry = {"Id": str(position), "MessageBody": message.body}
        if self.info.is_fifo:
            entry["MessageGroupId"] = message.group_id
            entry["MessageDeduplicationId"] = message.deduplication_id
        return entry

    def receive(self, *, limit: int, wait_s: int, visibility_s: int, attempt_id: str = "") -> list[Received]:
        """See `QueueClient.receive`."""
        repeatable: Any = {"ReceiveRequestAttemptId": attempt_id} if attempt_id and self.info.is_fifo else {}
        answer = self._call(
            "ReceiveMessage",
            lambda: self._receiving.receive_message(
                QueueUrl=self.info.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=visibility_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
                **repeatable,
            ),
        )
        return [_received(message) for message in answer.get("Messages", [])]

    def delete(self, receipt_handles: Sequence[str]) -> list[EntryResult]:
        """See `QueueClient.delete`."""
        entries: Any = [{"Id": str(at), "ReceiptHandle": handle} for at, handle in enumerate(receipt_handles)]
        answer = self._call(
            "DeleteMessage", lambda: self._control.delete_message_batch(QueueUrl=self.info.url, Entries=entries)
        )
        return self._results(answer, len(entries))

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[EntryResult]:
        """See `QueueClient.change_visibility`."""
        entries: Any = [
            {"Id": str(at), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for at, (handle, seconds) in enumerate(changes)
        ]
        answer = self._call(
            "ChangeMessageVisibility",
            lambda: self._control.change_message_visibility_batch(QueueUrl=self.info.url, Entries=entries),
        )
        return self._results(answer, len(entries))

    def state(self) -> QueueState:
        """See `QueueClient.state`."""
        answer = self._call(
            "GetQueueAttributes",
            lambda: self._control.get_queue_attributes(QueueUrl=self.info.url, AttributeNames=["All"]),
        )
        self._fresh_state = _state(answer.get("Attributes", {}))
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
        *_, account, name = arn.split(":")
        answer = self._call(
            "GetQueueUrl",
            lambda: self._control.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account),
        )
        info = QueueInfo(answer["QueueUrl"], name, self.info.is_fifo, self.info.max_message_bytes)
        return BotoClient(self._control, self._receiving, info, self._connection)

    def _call(self, action: str, call: Callable[[], Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = call()
        except (ClientError, BotoCoreError, OSError) as error:
            raise as_queue_error(error, self._connection, action) from error
        return answer

    @staticmethod
    def _results(answer: dict[str, Any], count: int) -> list[EntryResult]:
        results = [_NOT_NAMED] * count
        for entry in answer.get("Successful", []):
            if _is_position(entry.get("Id"), count):
                results[int(entry["Id"])] = EntryResult(
                    message_id=entry.get("MessageId", ""), body_md5=entry.get("MD5OfMessageBody", "")
                )
        for entry in answer.get("Failed", []):
            if _is_position(entry.get("Id"), count):
                results[int(entry["Id"])] = _failed(entry)
        return results

    def close(self) -> None:
        """Close the connections; a running long poll ends by itself."""
        self._control.close()
        self._receiving.close()


def _state(attributes: dict[str, str]) -> QueueState:
    try:
        redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    except ValueError:
        redrive = {}
    return QueueState(
        visible=int(attributes.get("ApproximateNumberOfMessages", 0)),
        in_flight=int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0)),
        delayed=int(attributes.get("ApproximateNumberOfMessagesDelayed", 0)),
        created_at_ms=int(float(attributes.get("CreatedTimestamp", 0)) * 1000),
        retention_s=int(attributes.get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS)),
        dead_letter_arn=str(redrive.get("deadLetterTargetArn", "")) if isinstance(redrive, dict) else "",
    )


def _is_position(text: object, count: int) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit() and int(text) < count


def _failed(entry: dict[str, Any]) -> EntryResult:
    code, text = str(entry.get("Code", "")), str(entry.get("Message", ""))
    trouble = trouble_of_code(code, text)
    if entry.get("SenderFault") and trouble is QueueTrouble.OFFLINE:
        trouble = QueueTrouble.REFUSED
    return EntryResult(trouble=trouble, text=text or code)


def _with_checked_body(result: EntryResult, message: Outgoing) -> EntryResult:
    """Return a result that is a failure if the queue received another body than was sent (AWS: MD5OfMessageBody)."""
    if not result.is_done:
        return result
    digest = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
    if result.body_md5 == digest:
        return result
    return EntryResult(trouble=QueueTrouble.OFFLINE, text="the queue received another body than was sent")


def _received(message: Any) -> Received:  # noqa: ANN401
    attributes = message.get("Attributes", {})
    return Received(
        message_id=message.get("MessageId", ""),
        receipt_handle=message["ReceiptHandle"],
        body=message.get("Body", ""),
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        group_id=attributes.get("MessageGroupId", ""),
    )

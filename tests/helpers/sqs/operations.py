"""The actions of SQS that Filemill and its tests use. Not thread-safe; the simulator holds a lock."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.helpers.sqs.attributes import ALL_NAMES, checked, initial_attributes, redrive_target, unknown_attribute
from tests.helpers.sqs.checks import (
    MAX_ENTRIES,
    MAX_VISIBILITY,
    check_batch,
    check_batch_size,
    check_fifo_ids,
    check_message,
    check_range,
)
from tests.helpers.sqs.errors import PREFIX, SqsError, no_such_queue
from tests.helpers.sqs.fifo import FifoQueue
from tests.helpers.sqs.queue import Behaviour, StandardQueue
from tests.helpers.sqs.wire import failed_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.sqs.messages import StoredMessage

    EntryAction = Callable[[StandardQueue, dict[str, Any]], dict[str, Any]]
    Refusals = Callable[[str], dict[int, SqsError]]

PURGE_SECONDS = 60
REST_SECONDS = 60
"""The seconds for which the name of a deleted queue can't be used again."""


class Operations:
    """All queues of one account in one region.

    Args:
        time: Returns the seconds since 1970.
        behaviour: The behaviour that the test requests.
        next_refusals: Called once for each batch; returns the errors to inject, by position of the entry.
        region, account: For URLs and ARNs.
    """

    def __init__(
        self, time: Callable[[], float], behaviour: Behaviour, next_refusals: Refusals, *, region: str, account: str
    ) -> None:
        self._time = time
        self._behaviour = behaviour
        self._next_refusals = next_refusals
        self._region = region
        self._account = account
        self.queues: dict[str, StandardQueue] = {}
        self._deleted_at: dict[str, float] = {}

    def run(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Execute an action; ReceiveMessage does not wait here.

        Raises:
            SqsError: The error to respond with.
            AssertionError: If the action is not simulated.
        """
        action = getattr(self, f"_do_{operation}", None)
        assert action is not None, f"the simulator does not know {operation}; teach it"
        result: dict[str, Any] = action(parameters)
        return result

    def queue_of(self, parameters: dict[str, Any]) -> StandardQueue:
        """Return a queue by its URL or its name, which AWS accepts too."""
        queue = self.queues.get(parameters["QueueUrl"].rsplit("/", 1)[-1])
        if queue is None:
            raise no_such_queue()
        return queue

    def _by_arn(self, arn: str) -> StandardQueue | None:
        return next((queue for queue in self.queues.values() if queue.arn == arn), None)

    # Queues

    def _do_CreateQueue(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the action's name
        name, given = parameters["QueueName"], parameters.get("Attributes", {})
        attributes = initial_attributes(name, given)
        existing = self.queues.get(name)
        if existing is not None:
            for key in given:
                if existing.attributes.get(key) != attributes.get(key):
                    text = f"A queue already exists with the same name and a different value for attribute {key}"
                    raise SqsError("QueueAlreadyExists", text)
            return {"QueueUrl": existing.url}
        if self._time() - self._deleted_at.get(name, -REST_SECONDS) < REST_SECONDS:
            text = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
            raise SqsError(f"{PREFIX}QueueDeletedRecently", text)
        url = f"https://sqs.{self._region}.amazonaws.com/{self._account}/{name}"
        arn = f"arn:aws:sqs:{self._region}:{self._account}:{name}"
        kind = FifoQueue if "FifoQueue" in attributes else StandardQueue
        queue = kind(name, url, arn, attributes, self._behaviour, self._by_arn)
        self._check_dead_letters(attributes, is_fifo=queue.is_fifo)
        self._stamp(queue, "CreatedTimestamp", "LastModifiedTimestamp")
        self.queues[name] = queue
        return {"QueueUrl": url}

    def _check_dead_letters(self, attributes: dict[str, str], *, is_fifo: bool) -> None:
        if not attributes.get("RedrivePolicy"):
            return
        target = self._by_arn(redrive_target(attributes["RedrivePolicy"])[0])
        if target is None or target.is_fifo != is_fifo:
            reason = "Dead letter target does not exist." if target is None else "Dead-letter queue must be same type."
            text = f"Value {attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: {reason}"
            raise SqsError("InvalidParameterValue", text)

    def _stamp(self, queue: StandardQueue, *names: str) -> None:
        queue.attributes |= dict.fromkeys(names, str(int(self._time())))

    def _do_GetQueueUrl(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"QueueUrl": self.queue_of({"QueueUrl": parameters["QueueName"]}).url}

    def _do_ListQueues(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        prefix = parameters.get("QueueNamePrefix", "")
        urls = [queue.url for name, queue in sorted(self.queues.items()) if name.startswith(prefix)]
        most = parameters.get("MaxResults")
        if most is None:
            return {"QueueUrls": urls} if urls else {}
        # As on AWS, the response contains a token only if the request contains MaxResults.
        start = int(parameters.get("NextToken", "0"))
        token = {"NextToken": str(start + most)} if start + most < len(urls) else {}
        return {"QueueUrls": urls[start : start + most]} | token

    def _do_GetQueueAttributes(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue, asked = self.queue_of(parameters), set(parameters.get("AttributeNames", []))
        for name in asked - ALL_NAMES - {"All"}:
            raise unknown_attribute(name)
        there = {**queue.attributes, **queue.counts(self._time()), "QueueArn": queue.arn}
        found = {name: value for name, value in there.items() if value and ("All" in asked or name in asked)}
        return {"Attributes": found} if found else {}

    def _do_SetQueueAttributes(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.queue_of(parameters)
        changes = checked(parameters["Attributes"], is_fifo=queue.is_fifo)
        self._check_dead_letters(changes, is_fifo=queue.is_fifo)
        queue.attributes |= changes
        self._stamp(queue, "LastModifiedTimestamp")
        return {}

    def _do_DeleteQueue(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.queue_of(parameters)
        del self.queues[queue.name]
        self._deleted_at[queue.name] = self._time()
        return {}

    def _do_PurgeQueue(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue, now = self.queue_of(parameters), self._time()
        if queue.purged_at is not None and now - queue.purged_at < PURGE_SECONDS:
            text = f"Only one PurgeQueue operation on {queue.name} is allowed every {PURGE_SECONDS} seconds."
            raise SqsError(f"{PREFIX}PurgeQueueInProgress", text, status=403)
        queue.purge(now)
        return {}

    # Single messages

    def _do_SendMessage(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.queue_of(parameters)
        self._check_ids(queue, parameters)
        return self._send(queue, parameters)

    def _check_ids(self, queue: StandardQueue, entry: dict[str, Any]) -> None:
        is_content_based = queue.attributes.get("ContentBasedDeduplication") == "true"
        check_fifo_ids(entry, is_fifo=queue.is_fifo, is_content_based=is_content_based)

    def _send(self, queue: StandardQueue, entry: dict[str, Any]) -> dict[str, Any]:
        check_message(entry, max_bytes=queue.setting("MaximumMessageSize"), is_fifo=queue.is_fifo)
        return {**queue.send(entry, self._time()), "MD5OfMessageBody": _md5(entry["MessageBody"])}

    def _do_ReceiveMessage(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.queue_of(parameters)
        limit = parameters.get("MaxNumberOfMessages", 1)
        visibility = parameters.get("VisibilityTimeout", queue.setting("VisibilityTimeout"))
        check_range(limit, "MaxNumberOfMessages", 1, MAX_ENTRIES, "Must be between 1 and 10, if provided.")
        check_range(visibility, "VisibilityTimeout", 0, MAX_VISIBILITY, "Must be >= 0 and <= 43200, if provided.")
        check_range(self.wait_seconds(parameters), "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided.")
        attempt = parameters.get("ReceiveRequestAttemptId", "")
        taken = queue.receive(limit, visibility, self._time(), attempt)
        messages = [_received(message, handle, parameters) for message, handle in taken]
        return {"Messages": messages} if messages else {}

    def wait_seconds(self, parameters: dict[str, Any]) -> int:
        """Return how long a ReceiveMessage may wait for the first message."""
        default = self.queue_of(parameters).setting("ReceiveMessageWaitTimeSeconds")
        return int(parameters.get("WaitTimeSeconds", default))

    def _do_DeleteMessage(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._delete(self.queue_of(parameters), parameters)

    def _delete(self, queue: StandardQueue, entry: dict[str, Any]) -> dict[str, Any]:
        queue.delete(entry["ReceiptHandle"], self._time())
        return {}

    def _do_ChangeMessageVisibility(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._change(self.queue_of(parameters), parameters)

    def _change(self, queue: StandardQueue, entry: dict[str, Any]) -> dict[str, Any]:
        queue.change_visibility(entry["ReceiptHandle"], entry["VisibilityTimeout"], self._time())
        return {}

    # Batches

    def _do_SendMessageBatch(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue, entries = self.queue_of(parameters), parameters["Entries"]
        check_batch(entries, "SendMessageBatch")
        for entry in entries:
            self._check_ids(queue, entry)
        check_batch_size(entries)
        return self._each("SendMessageBatch", queue, entries, self._send)

    def _do_DeleteMessageBatch(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        check_batch(parameters["Entries"], "DeleteMessageBatch")
        return self._each("DeleteMessageBatch", self.queue_of(parameters), parameters["Entries"], self._delete)

    def _do_ChangeMessageVisibilityBatch(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        check_batch(parameters["Entries"], "ChangeMessageVisibilityBatch")
        queue = self.queue_of(parameters)
        return self._each("ChangeMessageVisibilityBatch", queue, parameters["Entries"], self._change)

    def _each(
        self, operation: str, queue: StandardQueue, entries: list[dict[str, Any]], action: EntryAction
    ) -> dict[str, Any]:
        done, failed = [], []
        refusals = self._next_refusals(operation)
        for position, entry in enumerate(entries):
            try:
                if position in refusals:
                    raise refusals[position]
                done.append({"Id": entry["Id"], **action(queue, entry)})
            except SqsError as error:
                failed.append(failed_entry(entry["Id"], error))
        return {name: entries for name, entries in (("Successful", done), ("Failed", failed)) if entries}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _received(message: StoredMessage, handle: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a message of a response, with only the requested attributes."""
    answer = {
        "MessageId": message.message_id,
        "ReceiptHandle": handle,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
    }
    asked = {*parameters.get("AttributeNames", []), *parameters.get("MessageSystemAttributeNames", [])}
    system = {name: value for name, value in message.system_attributes().items() if "All" in asked or name in asked}
    wanted = set(parameters.get("MessageAttributeNames", []))
    given = {name: value for name, value in message.attributes.items() if wanted & {"All", ".*", name}}
    return answer | ({"Attributes": system} if system else {}) | ({"MessageAttributes": given} if given else {})

"""The FIFO queue: order within a group, one receiver per group, deduplication for five minutes."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tests.helpers.sqs.errors import handle_expired
from tests.helpers.sqs.messages import Receipt, StoredMessage
from tests.helpers.sqs.queue import StandardQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_SECONDS = 300
_sequence_numbers = itertools.count(18_850_000_000_000_000_000, 256)


class FifoQueue(StandardQueue):
    """A FIFO queue with deduplication for five minutes; groups take turns."""

    is_fifo = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups: OrderedDict[str, dict[int, StoredMessage]] = OrderedDict()
        self._sent: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._attempts: dict[str, tuple[float, list[tuple[StoredMessage, str]]]] = {}

    # Sending

    def send(self, entry: dict[str, Any], now: float) -> dict[str, Any]:
        """Store a message, unless one with its deduplication id was sent less than five minutes ago.

        A message is still a duplicate if the first one has been received and deleted.
        """
        per_group = self.attributes["DeduplicationScope"] == "messageGroup"
        deduplication_id = (
            entry.get("MessageDeduplicationId") or hashlib.sha256(entry["MessageBody"].encode()).hexdigest()
        )
        key = (entry["MessageGroupId"] if per_group else "", deduplication_id)
        sent_at, answer = self._sent.get(key, (-MEMORY_SECONDS, {}))
        if now - sent_at < MEMORY_SECONDS:
            return answer
        # A delay per message has been rejected before; 0 stands for the queue's delay.
        message = self._new_message({**entry, "DelaySeconds": self.setting("DelaySeconds")}, str(uuid.uuid4()), now)
        message.deduplication_id = deduplication_id
        message.sequence_number = str(next(_sequence_numbers))
        self._keep(message)
        answer = {"MessageId": message.message_id, "SequenceNumber": message.sequence_number}
        self._sent[key] = (now, answer)
        return answer

    def take_over(self, message: StoredMessage, source_arn: str, now: float) -> None:
        """Store a dead-lettered message: its age starts again, and its id becomes its deduplication id."""
        message.sent_at = now
        message.deduplication_id = message.message_id
        super().take_over(message, source_arn, now)

    def _keep(self, message: StoredMessage) -> None:
        super()._keep(message)
        self._groups.setdefault(message.group_id, {})[message.number] = message

    def _drop(self, message: StoredMessage) -> None:
        super()._drop(message)
        group = self._groups[message.group_id]
        del group[message.number]
        if not group:
            del self._groups[message.group_id]

    # Receiving

    def receive(
        self, limit: int, visibility_s: int, now: float, attempt_id: str = ""
    ) -> list[tuple[StoredMessage, str]]:
        """Return messages; for an attempt id repeated within five minutes, the same ones if they have not changed."""
        tried_at, before = self._attempts.get(attempt_id, (-MEMORY_SECONDS, []))
        if before and now - tried_at < MEMORY_SECONDS and all(self._is_untouched(*taken, now) for taken in before):
            for message, _ in before:
                message.hidden_until = now + visibility_s
            return before
        taken = super().receive(limit, visibility_s, now)
        for message, _ in taken:
            if message.group_id in self._groups:
                self._groups.move_to_end(message.group_id)
        if attempt_id:
            self._attempts[attempt_id] = (now, taken)
        return taken

    def _is_untouched(self, message: StoredMessage, handle: str, now: float) -> bool:
        receipt = Receipt.decode(handle)
        is_held = self._messages.get(receipt.number) is message and receipt.receive == message.receives
        return is_held and message.is_hidden(now)

    def _candidates(self, now: float) -> Iterator[StoredMessage]:
        """Yield the messages of each group up to its first hidden message, behind which the others wait."""
        for group in list(self._groups.values()):
            for message in list(group.values()):
                if message.is_hidden(now):
                    break
                yield message

    # Deleting and changing the visibility

    def _may_delete(self, receipt: Receipt, message: StoredMessage, now: float) -> bool:
        if receipt.receive != message.receives or not message.is_hidden(now):
            raise handle_expired(receipt.encode())
        return True

    def _may_change(self, receipt: Receipt, message: StoredMessage) -> bool:
        return receipt.receive == message.receives

    def purge(self, now: float) -> None:
        """Delete all messages and deduplication ids."""
        super().purge(now)
        self._sent.clear()

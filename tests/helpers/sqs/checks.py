"""The checks of SQS before it accepts a message."""

from __future__ import annotations

import re
from typing import Any

from tests.helpers.sqs.errors import PREFIX, SqsError, invalid_value, missing

MAX_ENTRIES = 10
MAX_BATCH_BYTES = 1_048_576
MAX_ATTRIBUTES = 10
MAX_DELAY = 900
MAX_VISIBILITY = 43_200
_LEGAL_BODY = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_LEGAL_ID = re.compile(r"[!-~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def entry_size(entry: dict[str, Any]) -> int:
    """Return the bytes that count towards the limits: the body in UTF-8, and the attributes with names and types."""
    size = len(entry.get("MessageBody", "").encode("utf-8", "surrogatepass"))
    for name, attribute in entry.get("MessageAttributes", {}).items():
        value = attribute.get("StringValue", "") + attribute.get("BinaryValue", "")
        size += len(name.encode()) + len(attribute["DataType"].encode()) + len(value.encode())
    return size


def check_batch(entries: list[dict[str, Any]], kind: str) -> None:
    """Check a batch as a whole.

    Raises:
        SqsError: If it has no or too many entries, or their ids are invalid or not distinct.
    """
    if not entries:
        raise SqsError(f"{PREFIX}EmptyBatchRequest", f"There should be at least one {kind}RequestEntry in the request.")
    if len(entries) > MAX_ENTRIES:
        text = f"Maximum number of entries per request are {MAX_ENTRIES}. You have sent {len(entries)}."
        raise SqsError(f"{PREFIX}TooManyEntriesInBatchRequest", text)
    seen: set[str] = set()
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            text = (
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long."
            )
            raise SqsError(f"{PREFIX}InvalidBatchEntryId", text)
        if entry["Id"] in seen:
            raise SqsError(f"{PREFIX}BatchEntryIdsNotDistinct", f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])


def check_batch_size(entries: list[dict[str, Any]]) -> None:
    """Raise BatchRequestTooLong if all messages together are too large."""
    size = sum(map(entry_size, entries))
    if size > MAX_BATCH_BYTES:
        text = f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {size} bytes."
        raise SqsError(f"{PREFIX}BatchRequestTooLong", text)


def check_fifo_ids(entry: dict[str, Any], *, is_fifo: bool, is_content_based: bool) -> None:
    """Check group and deduplication ids; if one is missing, the whole batch is rejected, as on AWS.

    Raises:
        SqsError: If one is missing, invalid, or not for this kind of queue.
    """
    if is_fifo and "MessageGroupId" not in entry:
        raise missing("MessageGroupId")
    if is_fifo and "MessageDeduplicationId" not in entry and not is_content_based:
        text = (
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
        raise SqsError("InvalidParameterValue", text)
    if not is_fifo and "MessageDeduplicationId" in entry:
        raise _wrong_kind(entry, "MessageDeduplicationId")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if name in entry and not _LEGAL_ID.fullmatch(entry[name]):
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise invalid_value(entry[name], name, reason)


def check_message(entry: dict[str, Any], *, max_bytes: int, is_fifo: bool) -> None:
    """Check one message, of a single call or of a batch.

    Raises:
        SqsError: If it is empty, has characters that XML does not allow, is too large, or has an invalid delay.
    """
    body = entry.get("MessageBody", "")
    if not body:
        raise missing("MessageBody")
    if not _LEGAL_BODY.fullmatch(body):
        raise SqsError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            "#xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    if entry_size(entry) > max_bytes:
        text = f"One or more parameters are invalid. Reason: Message must be shorter than {max_bytes} bytes."
        raise SqsError("InvalidParameterValue", text)
    if len(entry.get("MessageAttributes", {})) > MAX_ATTRIBUTES:
        text = f"Number of message attributes [{len(entry['MessageAttributes'])}] exceeds the allowed maximum [10]."
        raise SqsError("InvalidParameterValue", text)
    delay = entry.get("DelaySeconds", 0)
    if is_fifo and delay:
        raise _wrong_kind(entry, "DelaySeconds")
    if not 0 <= delay <= MAX_DELAY:
        raise invalid_value(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {MAX_DELAY}.")


def check_range(value: int, parameter: str, low: int, high: int, reason: str) -> None:
    """Raise InvalidParameterValue if a number is out of range."""
    if not low <= value <= high:
        raise invalid_value(value, parameter, reason)


def _wrong_kind(entry: dict[str, Any], parameter: str) -> SqsError:
    reason = "The request include parameter that is not valid for this queue type."
    return invalid_value(entry[parameter], parameter, reason)

"""The attributes of queues: defaults, ranges, and invalid combinations."""

from __future__ import annotations

import json
import re

from tests.helpers.sqs.errors import SqsError

_DEFAULTS = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_RANGES = {
    "VisibilityTimeout": (0, 43_200),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
}
_CHOICES = {
    "ContentBasedDeduplication": {"true", "false"},
    "DeduplicationScope": {"queue", "messageGroup"},
    "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
    "SqsManagedSseEnabled": {"true", "false"},
}
_FREE = {"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}
_ONLY_READ = {
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
}
ALL_NAMES = {*_DEFAULTS, *_FIFO_DEFAULTS, "FifoQueue", *_FREE, *_ONLY_READ}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


def unknown_attribute(name: str) -> SqsError:
    return SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")


def initial_attributes(name: str, given: dict[str, str]) -> dict[str, str]:
    """Return the attributes of a new queue.

    Raises:
        SqsError: If the name, kind and attributes do not fit together.
    """
    is_fifo = given.get("FifoQueue", "false").lower() == "true"
    if not _NAME.fullmatch(name.removesuffix(".fifo") if is_fifo else name) or (is_fifo and not name.endswith(".fifo")):
        text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length" + (
            " and must end with the .fifo suffix." if is_fifo else "."
        )
        raise SqsError("InvalidParameterValue", text)
    if "FifoQueue" in given and not is_fifo:
        raise unknown_attribute("FifoQueue")
    attributes = {**_DEFAULTS, **(_FIFO_DEFAULTS if is_fifo else {})}
    attributes |= checked({key: value for key, value in given.items() if key != "FifoQueue"}, is_fifo=is_fifo)
    return attributes | ({"FifoQueue": "true"} if is_fifo else {})


def checked(given: dict[str, str], *, is_fifo: bool) -> dict[str, str]:
    """Check and return attributes to set.

    Raises:
        SqsError: If a name is unknown for this kind of queue, or a value is out of range.
    """
    for name, value in given.items():
        if name in _ONLY_READ or name not in ALL_NAMES or (name in _FIFO_DEFAULTS and not is_fifo):
            raise unknown_attribute(name)
        if name == "FifoQueue":
            raise _invalid(name, "Modifying queue type is not supported.")
        if name in _RANGES:
            low, high = _RANGES[name]
            if not value.isdecimal() or not low <= int(value) <= high:
                raise _invalid(name)
        if name in _CHOICES and value.lower() not in {choice.lower() for choice in _CHOICES[name]}:
            raise _invalid(name)
        if name == "RedrivePolicy" and value:
            redrive_target(value)
    return {name: value.lower() if value.lower() in {"true", "false"} else value for name, value in given.items()}


def redrive_target(policy: str) -> tuple[str, int]:
    """Return the ARN of the dead-letter queue and the maximum receive count.

    Raises:
        SqsError: If the policy is not valid.
    """
    try:
        fields = json.loads(policy)
        arn, count = str(fields["deadLetterTargetArn"]), int(fields["maxReceiveCount"])
    except (ValueError, TypeError, KeyError) as error:
        raise _invalid("RedrivePolicy") from error
    if not 1 <= count <= 1_000:
        raise _invalid("RedrivePolicy", "Invalid value for maxReceiveCount: Must be between 1 and 1000.")
    return arn, count


def _invalid(name: str, reason: str = "") -> SqsError:
    text = f"Invalid value for the parameter {name}." + (f" Reason: {reason}" if reason else "")
    return SqsError("InvalidAttributeValue", text)

"""The errors of SQS: code, shape, message and HTTP status, as AWS returns them."""

from __future__ import annotations

PREFIX = "AWS.SimpleQueueService."
# The JSON protocol returns the shape; a header contains the code of the older protocol, which boto3 shows.
_SHAPES = {
    "NonExistentQueue": "QueueDoesNotExist",
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "QueueAlreadyExists": "QueueNameExists",
}


class SqsError(Exception):
    """An error response.

    Args:
        code: The code that boto3 shows, with the prefix `AWS.SimpleQueueService.` if AWS has it.
        message: The message of AWS.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    @property
    def shape(self) -> str:
        """Return the name of the error in the JSON protocol."""
        plain = self.code.removeprefix(PREFIX)
        return _SHAPES.get(plain, plain)

    @property
    def is_senders_fault(self) -> bool:
        return self.status < 500


def no_such_queue() -> SqsError:
    return SqsError(f"{PREFIX}NonExistentQueue", "The specified queue does not exist.")


def invalid_value(value: object, parameter: str, reason: str) -> SqsError:
    return SqsError("InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> SqsError:
    return SqsError("MissingParameter", f"The request must contain the parameter {parameter}.")


def not_a_handle(handle: str) -> SqsError:
    return SqsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')


def handle_expired(handle: str) -> SqsError:
    return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")


def not_available(handle: str) -> SqsError:
    return invalid_value(
        handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change."
    )


def over_twelve_hours(seconds: int) -> SqsError:
    return invalid_value(
        seconds,
        "VisibilityTimeout",
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
    )


def over_limit() -> SqsError:
    return SqsError("OverLimit", "Too many messages in flight.", status=403)

"""Check the responses of a server strictly, before botocore parses them.

botocore trusts a response: it passes on values of any type, and fails with an `AttributeError` or a `TypeError` if a
list or an object has the wrong type. After this check, a response contains only the fields of the service model, with
values of the right types and in the right form.

An entry of a list, such as a message, that can't be used is left out, so that the other entries can be used. It is
described in the list `UNREADABLE` of the response. Any other field that can't be used makes the call fail.
"""

from __future__ import annotations

import hashlib
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from desktop_app.queues.errors import MalformedAnswerError, NotSqsError

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_sqs.client import SQSClient


UNREADABLE = "Unreadable"

_ERROR_FIELDS = ("__type", "message", "Message")

_REQUIRED = {
    "Message": ("MessageId", "ReceiptHandle", "Body"),
    "SendMessageBatchResultEntry": ("Id", "MessageId", "MD5OfMessageBody"),
    "DeleteMessageBatchResultEntry": ("Id",),
    "ChangeMessageVisibilityBatchResultEntry": ("Id",),
    "BatchResultErrorEntry": ("Id", "Code"),
    "GetQueueUrlResult": ("QueueUrl",),
    "GetQueueAttributesResult": ("Attributes",),
}
"""The required members by the name of the structure. The service model does not list all of them."""

_NAME = re.compile(r"[A-Za-z.]{1,50}")

_COUNT = re.compile(r"[0-9]{1,9}")

_URL = re.compile(r"https?://[!-.0-~]+(?:/[!-.0-~]+)+/?")

_SIZE = re.compile(r"[1-9][0-9]{1,8}")

_FORMS = {
    "MessageId": re.compile(r"[!-~]{1,200}"),
    "ReceiptHandle": re.compile(r"[!-~]{1,20000}"),
    "QueueUrl": _URL,
    "QueueUrls": _URL,
    "MessageGroupId": re.compile(r"[!-~]{1,128}"),
    "ApproximateReceiveCount": _COUNT,
    "ApproximateNumberOfMessages": _COUNT,
    "ApproximateNumberOfMessagesNotVisible": _COUNT,
    "ApproximateNumberOfMessagesDelayed": _COUNT,
    "DelaySeconds": _COUNT,
    "MessageRetentionPeriod": _SIZE,
    "MaximumMessageSize": _SIZE,
    "CreatedTimestamp": re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?"),
    "FifoQueue": re.compile(r"true|false", re.IGNORECASE),
}
"""The forms of members and attributes. A number is a string of digits; other strings may have any form."""

_SHOWN_CHARS = 40


def check_answers(client: SQSClient) -> None:
    """Make a client check all responses. Can be called more than once for the same client.

    The calls of the client then raise `NotSqsError` or `MalformedAnswerError` for responses that can't be used.
    """
    client.meta.events.register("before-parse.sqs", _check, unique_id="filemill-checked-answers")


def _check(
    *,
    operation_model: OperationModel,
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    **_: object,
) -> None:
    body, status, shape = response_dict["body"], response_dict["status_code"], operation_model.output_shape
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        response_dict["body"] = _checked_error(body, status)
    elif shape is not None:
        unreadable: list[str] = []
        answer = _checked(_parsed(body, status), shape, "", unreadable)
        response_dict["body"] = json.dumps(answer).encode()
        customized_response_dict[UNREADABLE] = unreadable
    elif body:
        _parsed(body, status)


def _parsed(body: bytes, status: int) -> dict[str, Any]:
    """Parse the body of a response. botocore would take any web page with status 200 for an empty response."""
    try:
        answer = json.loads(body.decode())
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NotSqsError(status=status, start=body[:60])
    return answer


def _checked_error(body: bytes, status: int) -> bytes:
    """Return the body of an error with only those fields that botocore reads. A web page is a valid error."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotSqsError(status=status, start=body[:60]) from None
    try:
        error = json.loads(text)
    except ValueError:
        return body  # its text can tell what has answered instead of SQS
    except RecursionError:
        return b""
    if not isinstance(error, dict):
        raise NotSqsError(status=status, start=body[:60])
    return json.dumps({name: error[name] for name in _ERROR_FIELDS if _is_text(error.get(name))}).encode()


def _checked(value: object, shape: Any, field: str, unreadable: list[str]) -> object:  # noqa: ANN401 - untyped
    """Return a value with only those members that its shape describes.

    Args:
        value: The parsed value.
        shape: The shape of the value in the service model.
        field: The name of the field in error messages; empty for the whole response.
        unreadable: The descriptions of the entries that have been left out, to which this function adds its own.

    Raises:
        MalformedAnswerError: If the value can't be used.
    """
    match shape.type_name, value:
        case "structure", dict():
            return _checked_structure(value, shape, field, unreadable)
        case "list", list():
            return _checked_list(value, shape, field, unreadable)
        case "map", dict():
            return {
                name: _checked(one, shape.value, f"{field}.{name if _NAME.fullmatch(name) else '?'}", unreadable)
                for name, one in value.items()
            }
        case "string", str():
            _check_text(value, field)
            return value
        case (("integer" | "long"), int()) if not isinstance(value, bool):
            return value
        case "boolean", bool():
            return value
        case "blob", _:
            return None  # Filemill reads no binary values
    raise MalformedAnswerError(field=field, why=f"is {_kind(value)} instead of {_article(shape.type_name)}")


def _checked_structure(
    value: dict[str, Any],
    shape: Any,  # noqa: ANN401
    field: str,
    unreadable: list[str],
) -> dict[str, object]:
    prefix = f"{field}." if field else ""
    checked = {
        name: _checked(value[name], member, f"{prefix}{name}", unreadable)
        for name, member in shape.members.items()
        if value.get(name) is not None
    }
    for name in _REQUIRED.get(shape.name, ()):
        if name not in checked:
            raise MalformedAnswerError(field=f"{prefix}{name}", why="is missing")
    digest = checked.get("MD5OfBody")
    if digest and digest != md5_of(value["Body"]):
        raise MalformedAnswerError(field=f"{prefix}MD5OfBody", why="does not match the body")
    return checked


def _checked_list(value: list[Any], shape: Any, field: str, unreadable: list[str]) -> list[object]:  # noqa: ANN401
    checked = []
    for position, entry in enumerate(value):
        try:
            checked.append(_checked(entry, shape.member, f"{field}[{position}]", unreadable))
        except MalformedAnswerError as error:
            unreadable.append(str(error))
    return checked


def _check_text(text: str, field: str) -> None:
    if not _is_text(text):
        raise MalformedAnswerError(field=field, why="is not valid Unicode text")
    form = _FORMS.get(field.rpartition(".")[2].partition("[")[0])
    if form is not None and not form.fullmatch(text):
        raise MalformedAnswerError(field=field, why=f"has an invalid value: {text[:_SHOWN_CHARS]!a}")


def _is_text(value: object) -> bool:
    """Return whether a value is a string that can be encoded. JSON can contain half a surrogate pair."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def md5_of(body: str) -> str:
    """Return the digest of a body, as in `MD5OfBody` and `MD5OfMessageBody`."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def _kind(value: object) -> str:
    """Return the JSON type of a value, with an article."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")


def _article(type_name: str) -> str:
    return {
        "structure": "an object",
        "map": "an object",
        "integer": "a number",
        "long": "a number",
    }.get(type_name, f"a {type_name}")

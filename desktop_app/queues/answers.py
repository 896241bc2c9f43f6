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
from collections.abc import Callable
from functools import lru_cache, partial
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
        try:
            answer = _checker(shape)(_parsed(body, status), unreadable)
        except _InvalidValueError as error:
            raise error.as_known() from None
        # botocore adds this to the response that it parses, which takes longer than the check (measured).
        response_dict["body"] = b"{}"
        customized_response_dict.update(answer)
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


class _InvalidValueError(ValueError):
    """A value can't be used; its position is completed from the inside out.

    Args:
        why: What is wrong with it.
        field: Its position in the response, such as `Messages[0].Body`.
    """

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.field = field

    def within(self, name: str) -> _InvalidValueError:
        """Return the error for a value of which this one is a part."""
        return _InvalidValueError(self.why, f"{name}.{self.field}" if self.field else name)

    def __str__(self) -> str:
        return str(self.as_known())

    def as_known(self) -> MalformedAnswerError:
        return MalformedAnswerError(field=self.field, why=self.why)


_Check = Callable[[Any, list[str]], Any]
"""Return a value with only those members that its shape describes.

The arguments are the parsed value, and the descriptions of the entries that have been left out, to which it adds its
own.

Raises:
    _InvalidValueError: If the value can't be used.
"""


@lru_cache(maxsize=64)
def _checker(shape: Any, name: str = "") -> _Check:  # noqa: ANN401 - untyped
    """Return the function that checks the values of a shape. It is made once, since each message has many values.

    Args:
        shape: The shape in the service model.
        name: The name of the member; for an entry of a list, that of the list.
    """
    match shape.type_name:
        case "structure":
            return _structure_checker(shape)
        case "list":
            return _list_checker(shape, name)
        case "map":
            return _map_checker(shape)
        case "string":
            return partial(_check_text, _FORMS.get(name))
        case "boolean":
            return partial(_check_kind, bool, shape.type_name)
        case "blob":
            return lambda _value, _unreadable: None
    return partial(_check_kind, int, shape.type_name)


def _structure_checker(shape: Any) -> _Check:  # noqa: ANN401
    members = {  # Filemill reads no binary values
        name: _checker(member, name) for name, member in shape.members.items() if member.type_name != "blob"
    }
    required = _REQUIRED.get(shape.name, ())
    has_digest = "MD5OfBody" in members

    def check(value: Any, unreadable: list[str]) -> dict[str, object]:  # noqa: ANN401
        _check_kind(dict, "structure", value, unreadable)
        checked = {}
        for name, one in value.items():
            if one is not None and name in members:
                try:
                    checked[name] = members[name](one, unreadable)
                except _InvalidValueError as error:
                    raise error.within(name) from None
        for name in required:
            if name not in checked:
                raise _InvalidValueError("is missing", name)
        if has_digest and (digest := checked.get("MD5OfBody")) and digest != md5_of(value["Body"]):
            raise _InvalidValueError("does not match the body", "MD5OfBody")
        return checked

    return check


def _list_checker(shape: Any, name: str) -> _Check:  # noqa: ANN401
    check_entry = _checker(shape.member, name)

    def check(value: Any, unreadable: list[str]) -> list[object]:  # noqa: ANN401
        _check_kind(list, "list", value, unreadable)
        checked = []
        for position, entry in enumerate(value):
            try:
                checked.append(check_entry(entry, unreadable))
            except _InvalidValueError as error:
                unreadable.append(str(error.within(f"{name}[{position}]")))
        return checked

    return check


def _map_checker(shape: Any) -> _Check:  # noqa: ANN401
    def check(value: Any, unreadable: list[str]) -> dict[str, object]:  # noqa: ANN401
        _check_kind(dict, "map", value, unreadable)
        checked = {}
        for name, one in value.items():
            try:
                checked[name] = _checker(shape.value, name)(one, unreadable)
            except _InvalidValueError as error:
                raise error.within(name if _NAME.fullmatch(name) else "?") from None
        return checked

    return check


def _check_kind(kind: type, type_name: str, value: object, _: list[str]) -> object:
    if type(value) is not kind:
        raise _InvalidValueError(f"is {_kind(value)} instead of {_article(type_name)}")
    return value


def _check_text(form: re.Pattern[str] | None, value: object, unreadable: list[str]) -> object:
    if not isinstance(value, str):
        return _check_kind(str, "string", value, unreadable)
    if not (value.isascii() or _is_text(value)):
        raise _InvalidValueError("is not valid Unicode text")
    if form is not None and not form.fullmatch(value):
        raise _InvalidValueError(f"has an invalid value: {value[:_SHOWN_CHARS]!a}")
    return value


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

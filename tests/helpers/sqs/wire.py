"""Convert between botocore's requests and responses in SQS's JSON protocol and plain dictionaries."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.helpers.sqs.errors import PREFIX, SqsError

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/x-amz-json-1.0"
_TARGET = "AmazonSQS."


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def operation_of(request: AWSPreparedRequest) -> str:
    """Return the operation of a request, such as `ReceiveMessage`."""
    target: Any = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.removeprefix(_TARGET)


def parameters_of(request: AWSPreparedRequest) -> dict[str, Any]:
    """Return the parameters of a request."""
    return cast("dict[str, Any]", json.loads(cast("bytes", request.body)))


def with_parameters(request: AWSPreparedRequest, parameters: dict[str, Any]) -> AWSPreparedRequest:
    """Return the request with another body; its signature no longer matches, which servers in tests do not check."""
    body = json.dumps(parameters).encode()
    changed = AWSPreparedRequest(request.method, request.url, request.headers, body, request.stream_output)
    changed.headers["Content-Length"] = str(len(body))
    return changed


def answer(url: str, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    """Return an HTTP response."""
    return AWSResponse(url, status, cast("Any", headers), _Raw(body))


def json_answer(url: str, result: dict[str, Any], status: int = 200) -> AWSResponse:
    """Return a response of SQS."""
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": JSON}
    return answer(url, status, headers, json.dumps(result).encode())


def error_answer(url: str, error: SqsError, *, with_query_code: bool = True) -> AWSResponse:
    """Return an error of SQS: the shape in the body and, for clients that request it, the older code in a header."""
    body = {"__type": f"com.amazonaws.sqs#{error.shape}", "message": error.message}
    response = json_answer(url, body, error.status)
    if with_query_code:
        fault = "Sender" if error.is_senders_fault else "Receiver"
        response.headers["x-amzn-query-error"] = f"{error.code};{fault}"
    return response


def failed_entry(entry_id: str, error: SqsError) -> dict[str, Any]:
    """Return the result of a batch entry that failed."""
    code = error.code.removeprefix(PREFIX)
    return {"Id": entry_id, "SenderFault": error.is_senders_fault, "Code": code, "Message": error.message}

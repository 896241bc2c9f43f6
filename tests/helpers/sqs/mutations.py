"""Mutate responses of SQS as faulty and hostile servers, proxies and networks do."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Headers = list[tuple[str, str]]

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, math.nan, math.inf, 10**30, "", " ", "many", "NaN", "-1", "1e9", "9" * 400, "true",
    [], [[[]]], ["x"], {}, {"a": 1}, "\ud800", "a\x00b", "\x1b]0;title\x07\r\nFORGED LINE", "\u202efdp.exe", "é" * 10,
    "A" * 50_000, "https://example.com", "file:///etc/passwd", "arn:aws:sqs:::",
)  # fmt: skip
"""The values that replace a part of a response: of all types, sizes and forms."""

ERROR_CODES: tuple[Any, ...] = (
    "com.amazonaws.sqs#A\x1b[31mPWN\x1b]0;title\x07\r\nFORGED LINE", "#", ":", "", 7, None, ["x"], {"a": 1}, "é" * 500,
    "RequestThrottled", "com.amazonaws.sqs#ReceiptHandleIsInvalid", "{0}{place}%s",
)  # fmt: skip

STATUSES = (201, 202, 299, 300, 301, 302, 307, 400, 401, 403, 404, 413, 418, 429, 500, 502, 503, 504, 599, 700)

PAGES = (
    b"", b" ", b"null", b"[]", b"0", b'"text"', b"{", b"{}", b"caf\xe9", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}",
    b"\x00" * 64, b"[" * 100_000, b'{"Messages":' + b"[" * 5_000, b"<html><body>Sign in</body></html>",
    b"<?xml version='1.0'?><Response/>", b'{"Messages":[{}]}', b'{"Messages":{}}', b'{"QueueUrl":[]}',
    b'{"Successful":7,"Failed":"no"}', b'{"Attributes":[]}',
)  # fmt: skip


class Mutator:
    """Mutates responses at random.

    Args:
        chance: The random generator.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ways: tuple[Callable[[int, Headers, bytes], tuple[int, Headers, bytes, bytes | None]], ...] = (
            *[self._with_changed_value] * 8,
            *[self._without_a_value] * 4,
            *[self._with_double_entries] * 2,
            self._with_double_keys,
            self._as_page,
            self._as_bytes,
            self._as_error,
            self._with_status,
            self._with_headers,
            self._on_the_wire,
        )

    def mutate(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, bytes | None]:
        """Return a changed status, changed headers and a changed body, or bytes to send instead of all of them."""
        return self._chance.choice(self._ways)(status, headers, body)

    # The content

    def _with_changed_value(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        value = copy.deepcopy(self._chance.choice(VALUES))

        def change(owner: Any, key: Any) -> None:
            owner[key] = value

        return status, headers, self._changed(body, change), None

    def _without_a_value(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        def change(owner: Any, key: Any) -> None:
            del owner[key]

        return status, headers, self._changed(body, change), None

    def _with_double_entries(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        def change(owner: Any, key: Any) -> None:
            if isinstance(owner, list):
                owner.extend(copy.deepcopy(owner[key]) for _ in range(self._chance.randrange(1, 30)))
            else:
                owner[f"{key}{key}"] = owner[key]

        return status, headers, self._changed(body, change), None

    def _changed(self, body: bytes, change: Callable[[Any, Any], None]) -> bytes:
        """Apply a change to a random part of a body, where the whole body counts as one part."""
        root = [json.loads(body or b"{}")]
        parts = list(_parts(root))
        change(*self._chance.choice(parts))
        return json.dumps(root[0] if root else None).encode()

    def _with_double_keys(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        return status, headers, body.replace(b"{", b'{"Id":"0","MessageId":7,"Body":[],'), None

    def _as_page(self, status: int, headers: Headers, _: bytes) -> tuple[int, Headers, bytes, None]:
        return status, headers, self._chance.choice(PAGES), None

    def _as_bytes(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        changed = bytearray(body or b" ")
        for _ in range(self._chance.randrange(1, 5)):
            place = self._chance.randrange(len(changed))
            if self._chance.random() < 0.5:
                changed[place] = self._chance.randrange(256)
            else:
                changed[place:place] = self._chance.randbytes(3)
        return status, headers, bytes(changed[: self._chance.randrange(len(changed)) + 1]), None

    # The status and the headers

    def _as_error(self, _: int, headers: Headers, __: bytes) -> tuple[int, Headers, bytes, None]:
        code, text = self._chance.choice(ERROR_CODES), self._chance.choice(VALUES)
        query = self._chance.choice(["", ";", "A;B;C", "\u00e9;Sender", "RequestThrottled;Sender"])
        headers = [*headers, ("x-amzn-query-error", query)] if query else headers
        return self._chance.choice(STATUSES), headers, json.dumps({"__type": code, "message": text}).encode(), None

    def _with_status(self, _: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        return self._chance.choice(STATUSES), headers, body, None

    def _with_headers(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, None]:
        odd = [
            ("Content-Encoding", "gzip"), ("Content-Type", "text/html"), ("x-amz-crc32", "many"), ("Date", "yesterday"),
            ("Location", "https://example.com/"), ("x-amzn-requestid", "\x1b[31m"), ("Retry-After", "-1"),
        ]  # fmt: skip
        return status, [*headers, self._chance.choice(odd)], body, None

    # The connection

    def _on_the_wire(self, status: int, _: Headers, body: bytes) -> tuple[int, Headers, bytes, bytes | None]:
        body = body or b"{}"
        start = f"HTTP/1.1 {status} OK\r\nContent-Type: application/x-amz-json-1.0\r\n".encode()
        chunked = start + b"Transfer-Encoding: chunked\r\n\r\n"
        whole_chunk = f"{len(body):x}\r\n".encode() + body
        raw = self._chance.choice(
            [
                b"",
                b"\x00\x01\x02\x03",
                b"SSH-2.0-OpenSSH_9.6\r\n",
                b"HTTP/1.1 many OK\r\n\r\n",
                start,
                start + b"Content-Length: 0\r\n\r\n" + body,
                start + b"Content-Length: many\r\n\r\n" + body,
                start + b"Content-Length: -5\r\n\r\n" + body,
                start + f"Content-Length: {len(body) + 50}\r\n\r\n".encode() + body,
                start + f"Content-Length: {len(body) // 2}\r\n\r\n".encode() + body,
                start + b"\r\n" + body,
                chunked + whole_chunk,
                chunked + whole_chunk[: len(whole_chunk) // 2],
                chunked + b"many\r\n" + body,
                chunked + f"{len(body) + 9:x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
                start + b"A: " + b"a" * 100_000 + b"\r\n\r\n",
            ]
        )
        return status, [], body, raw


def _parts(value: Any) -> Any:
    """Yield the owner and the key of each part of a JSON value, recursively."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, part in items:
        yield value, key
        yield from _parts(part)

"""Messages are encoded exactly as specified; anything else is foreign, and does no harm."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_app.queues.messages import (
    MAX_BODY_CHARS,
    MAX_GENERATION,
    FileMessage,
    ForeignMessageError,
    ForeignReason,
    decode,
    encode,
)

ID = "0123abcd-0123-4abc-8def-0123456789ab"
SNS = json.dumps(
    {
        "Type": "Notification",
        "MessageId": ID,
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": f'{{"file_id":"{ID}"}}',
    }
)
S3 = json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "a.txt"}}}]})


def body(**changes: Any) -> str:
    """Return a valid message with changes; None removes a field."""
    fields = {"v": 1, "file_id": ID, "generation": 1, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def why_foreign(text: str) -> ForeignReason:
    with pytest.raises(ForeignMessageError) as foreign:
        decode(text)
    assert str(foreign.value) == foreign.value.why
    return foreign.value.why


@settings(deadline=None)
@given(st.uuids().map(str), st.integers(1, MAX_GENERATION))
def test_encoded_message_is_decoded(file_id: str, generation: int) -> None:
    message = FileMessage(file_id, generation)
    assert decode(encode(message)) == message


def test_message_is_small_and_ascii() -> None:
    text = encode(FileMessage(str(uuid.uuid4()), MAX_GENERATION))
    assert text.isascii()
    assert len(text) < 100


def test_only_ids_travel() -> None:
    assert json.loads(encode(FileMessage(ID, 7))) == {"v": 1, "file_id": ID, "generation": 7}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ForeignReason.NOT_JSON),
        ("hello", ForeignReason.NOT_JSON),
        ("\ufeff{}", ForeignReason.NOT_JSON),
        ("{", ForeignReason.NOT_JSON),
        ("NaN", ForeignReason.NOT_JSON),
        ("[1]" * 2, ForeignReason.NOT_JSON),
        ('{"v":1,"v":1,"file_id":"' + ID + '","generation":1}', ForeignReason.NOT_JSON),
        (f'{{"v":1,"file_id":"{ID}","generation":NaN}}', ForeignReason.NOT_JSON),
        (f'{{"v":1,"file_id":"{ID}","generation":-Infinity}}', ForeignReason.NOT_JSON),
        ("[" * 500 + "]" * 500, ForeignReason.WRONG_SHAPE),
        ("[" * MAX_BODY_CHARS, ForeignReason.NOT_JSON),
        ("null", ForeignReason.WRONG_SHAPE),
        ("1", ForeignReason.WRONG_SHAPE),
        ('"text"', ForeignReason.WRONG_SHAPE),
        ("[]", ForeignReason.WRONG_SHAPE),
        ("{}", ForeignReason.WRONG_SHAPE),
        (SNS, ForeignReason.WRONG_SHAPE),
        (S3, ForeignReason.WRONG_SHAPE),
        (body(v=None), ForeignReason.WRONG_SHAPE),
        (body(file_id=None), ForeignReason.WRONG_SHAPE),
        (body(generation=None), ForeignReason.WRONG_SHAPE),
        (body(extra=1), ForeignReason.WRONG_SHAPE),
        (body(v=2, extra=1), ForeignReason.NEWER_VERSION),
        (body(v=MAX_GENERATION, generation=None), ForeignReason.NEWER_VERSION),
        (body(v=2, file_id=None), ForeignReason.WRONG_SHAPE),
        (json.dumps({"v": 2, "event": "another program's"}), ForeignReason.WRONG_SHAPE),
    ],
)
def test_foreign_message_has_a_reason(text: str, why: ForeignReason) -> None:
    assert why_foreign(text) is why


@pytest.mark.parametrize("value", [True, False, 0, -1, 1.0, 1e400, "1", [1], {}, 2**31, 2**63, -(2**63), 10**300])
def test_generation_is_a_count(value: object) -> None:
    text = body(generation=value).replace("Infinity", "1e999")
    assert why_foreign(text) is ForeignReason.WRONG_SHAPE


@pytest.mark.parametrize("value", [True, 0, -1, 1.0, 1.5, "1", [1], 2**31, 2**63])
def test_version_is_a_count(value: object) -> None:
    assert why_foreign(body(v=value)) is ForeignReason.WRONG_SHAPE


@pytest.mark.parametrize(
    "value",
    [
        1,
        True,
        [ID],
        "",
        "../../etc/passwd",
        ID.upper(),
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f"{ID}\n",
        f" {ID}",
        f"{ID}\u0000",
        ID.replace("0", "\N{ARABIC-INDIC DIGIT ZERO}"),
        "\ud800" + ID[1:],
    ],
)
def test_file_id_is_a_lower_case_uuid(value: object) -> None:
    assert why_foreign(body(file_id=value)) is ForeignReason.WRONG_SHAPE


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000 + "]" * 100_000, '{"v":' * 100_000, "\ud800" * 2_000, "9" * 5_000, body(extra="x" * MAX_BODY_CHARS)],
    ids=["lists", "objects", "surrogates", "digits", "filler"],
)
def test_too_long_body_is_not_parsed(text: str) -> None:
    assert why_foreign(text) is ForeignReason.TOO_LONG


def test_longest_body_is_parsed() -> None:
    ours = body()
    assert decode(ours + " " * (MAX_BODY_CHARS - len(ours))) == FileMessage(ID, 1)
    assert why_foreign(ours + " " * (MAX_BODY_CHARS - len(ours) + 1)) is ForeignReason.TOO_LONG


def decode_or_foreign(text: str) -> None:
    """Decode a body; any exception other than the one for foreign messages fails the test."""
    try:
        message = decode(text)
    except ForeignMessageError:
        return
    assert decode(encode(message)) == message


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_no_text_crashes_the_decoder(text: str) -> None:
    decode_or_foreign(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([1, 2, ID]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "file_id", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["v", "file_id", "generation", "path"]), JSON_VALUES, max_size=4) | JSON_VALUES,
    st.booleans(),
)
def test_no_json_crashes_the_decoder(value: object, ensure_ascii: bool) -> None:
    decode_or_foreign(json.dumps(value, ensure_ascii=ensure_ascii))

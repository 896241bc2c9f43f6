"""Everything that libraries and services say is masked, whatever it contains."""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectTimeoutError, HTTPClientError, ProxyConnectionError

from desktop_app.domain.secrets import masked, remember_secret, without_known_secrets

KEY_ID, KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr" + "aB3/xY9+" * 40 + "=="
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
HEADER = (
    f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20261127/eu-west-1/sqs/aws4_request, "
    f"SignedHeaders=content-type;host;x-amz-date, Signature={SIGNATURE}"
)
TEXTS = {
    "an invalid header": f"Invalid header value b'{HEADER}'",
    "an invalid header with an odd key": f"Invalid header value b'{HEADER.replace(KEY_ID, 'odd key')}'",
    "a signed URL": f"/q?X-Amz-Credential={KEY_ID}%2F20261127&X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token={TOKEN}",
    "a canonical request": f"should have been\n'POST\n/\n\nhost:x\nx-amz-security-token:{TOKEN}\n\nhost'",
    "a rejected header": f"not a valid key=value pair in Authorization header: '{HEADER}'.",
    "headers": f"{{'Authorization': b'{HEADER}', 'X-Amz-Security-Token': '{TOKEN}'}}",
    "a JSON document": f'{{"AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{KEY}", "SessionToken": "{TOKEN}"}}',
    "a line of a file": f"Source contains parsing errors: [line 2]: 'aws_secret_access_key {KEY}'",
    "a bearer token": f"x-amz-sso_bearer_token: {TOKEN}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_secret_in_the_text_of_a_library_is_masked(text: str) -> None:
    assert "[secret]" in masked(text)
    for secret in (KEY_ID, KEY, TOKEN, TOKEN[:60], SIGNATURE, "odd key"):
        assert secret not in masked(text)


@pytest.mark.parametrize(
    "error",
    [
        HTTPClientError(error=ValueError(f"Invalid header value b'{HEADER}'")),
        ProxyConnectionError(proxy_url="http://anna:hush@hush@proxy:3128", error="refused"),
        ConnectTimeoutError(endpoint_url=f"https://anna:hush@hush@sqs.example/?X-Amz-Signature={SIGNATURE}"),
    ],
)
def test_secret_in_an_exception_of_a_library_is_masked(error: Exception) -> None:
    text = masked(str(error))
    for secret in ("hush", KEY_ID, SIGNATURE):
        assert secret not in text


@pytest.mark.parametrize(
    "value", ["plain-and-unsuspicious", "with a blank inside", "ctrl\x1b\ninside", "ümlaut/ünd+so"]
)
def test_secret_in_use_is_masked_in_every_notation(value: str) -> None:
    remember_secret(value)
    for notation in ("{}", "{!r}", "key {}!"):
        assert masked(notation.format(value)).count("[secret]") == 1
        assert "inside" not in without_known_secrets(notation.format(value))


def test_short_value_is_not_masked() -> None:
    remember_secret("test")
    assert masked("a test") == "a test"


@pytest.mark.parametrize(
    "text",
    [
        'Could not connect to the endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"',
        "The specified queue does not exist.",
        "The security token included in the request is invalid.",
        "Error loading SSO Token: Token for https://x.awsapps.com/start does not exist",
        "Signature expired: 20261127T160000Z is now earlier than 20261127T161500Z (20261127T162000Z - 5 min.)",
        "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_abcdef0123456789/anna is not authorized",
        "[Errno 2] No such file or directory: '/home/anna/Documents/a very long folder/with 2026 Reports/x.csv'",
    ],
)
def test_useful_text_of_a_library_is_kept(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "part", ["x", "secret", ".", "-", "Authorization: ", "://a@", "aB1/", "-----BEGIN ", "eyJ", " \t"]
)
def test_masking_a_long_text_takes_time_in_proportion_to_its_length(part: str) -> None:
    """A pattern that backtracks would need minutes; pytest's time limit is the check."""
    assert isinstance(masked(part * (1_000_000 // len(part))), str)

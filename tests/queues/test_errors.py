"""Each code of SQS and each exception of botocore has one kind and one sentence."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import exceptions as boto

from desktop_app.config.settings import Connection
from desktop_app.domain.errors import QueueError, QueueTrouble
from desktop_app.domain.sentences import foreign_text
from desktop_app.queues.errors import NotSqsError, as_queue_error, trouble_of_code

if TYPE_CHECKING:
    from collections.abc import Callable

T = QueueTrouble
PREFIX = "AWS.SimpleQueueService."
CONNECTIONS = {
    "AWS": Connection(queue="work", region="eu-west-1", profile="team"),
    "AWS without more": Connection(queue="work"),
    "a URL": Connection(queue="https://sqs.eu-west-1.amazonaws.com/123456789012/work", region="eu-west-1"),
    "another server": Connection(queue="work", endpoint_url="https://queues.example:9324"),
}
AWS = CONNECTIONS["AWS"]
# The program's own sentences contain none of these words, whatever the text of AWS says.
ALARMING = re.compile(r"\b(error|failed|invalid|exception)\b", re.IGNORECASE)

CODES = {
    # The shapes of the service model …
    "BatchEntryIdsNotDistinct": T.REFUSED,
    "BatchRequestTooLong": T.REFUSED,
    "EmptyBatchRequest": T.REFUSED,
    "InvalidAddress": T.NO_QUEUE,
    "InvalidBatchEntryId": T.REFUSED,
    "InvalidMessageContents": T.REFUSED,
    "InvalidSecurity": T.SETUP,
    "KmsAccessDenied": T.NO_RIGHT,
    "KmsDisabled": T.SETUP,
    "KmsInvalidKeyUsage": T.SETUP,
    "KmsInvalidState": T.SETUP,
    "KmsNotFound": T.SETUP,
    "KmsOptInRequired": T.SETUP,
    "KmsThrottled": T.THROTTLED,
    "MessageNotInflight": T.LEASE_LOST,
    "OverLimit": T.THROTTLED,
    "QueueDeletedRecently": T.NO_QUEUE,
    "QueueDoesNotExist": T.NO_QUEUE,
    "ReceiptHandleIsInvalid": T.LEASE_LOST,
    "RequestThrottled": T.THROTTLED,
    "TooManyEntriesInBatchRequest": T.REFUSED,
    "UnsupportedOperation": T.SETUP,
    # … and their codes in the older protocol.
    "NonExistentQueue": T.NO_QUEUE,
    "InvalidParameterValue": T.REFUSED,
    "InvalidParameterValueException": T.REFUSED,
    "MissingParameter": T.REFUSED,
    "MissingRequiredParameterException": T.REFUSED,
    "KMS.AccessDeniedException": T.NO_RIGHT,
    "KMS.DisabledException": T.SETUP,
    "KMS.InvalidKeyUsageException": T.SETUP,
    "KMS.InvalidStateException": T.SETUP,
    "KMS.NotFoundException": T.SETUP,
    "KMS.OptInRequired": T.SETUP,
    "KMS.ThrottlingException": T.THROTTLED,
    # Errors common to all AWS services.
    "AccessDenied": T.NO_RIGHT,
    "AccessDeniedException": T.NO_RIGHT,
    "AuthFailure": T.SIGNED_OUT,
    "ExpiredToken": T.SIGNED_OUT,
    "ExpiredTokenException": T.SIGNED_OUT,
    "IncompleteSignature": T.SIGNED_OUT,
    "IncompleteSignatureException": T.SIGNED_OUT,
    "InvalidAccessKeyId": T.SIGNED_OUT,
    "InvalidAction": T.SETUP,
    "InvalidClientTokenId": T.SIGNED_OUT,
    "InvalidParameterCombination": T.REFUSED,
    "InvalidSignatureException": T.SIGNED_OUT,
    "MessageTooLong": T.REFUSED,
    "MissingAuthenticationToken": T.SIGNED_OUT,
    "MissingAuthenticationTokenException": T.SIGNED_OUT,
    "NotAuthorized": T.NO_RIGHT,
    "OptInRequired": T.SETUP,
    "RequestExpired": T.SIGNED_OUT,
    "RequestLimitExceeded": T.THROTTLED,
    "SignatureDoesNotMatch": T.SIGNED_OUT,
    "SlowDown": T.THROTTLED,
    "ThrottledException": T.THROTTLED,
    "Throttling": T.THROTTLED,
    "ThrottlingException": T.THROTTLED,
    "TooManyRequestsException": T.THROTTLED,
    "UnauthorizedOperation": T.NO_RIGHT,
    "UnknownOperationException": T.SETUP,
    "UnrecognizedClientException": T.SIGNED_OUT,
    "ValidationError": T.REFUSED,
    "ValidationException": T.REFUSED,
    # Errors of the service itself, codes that only stand for a status, and unknown codes.
    "InternalError": T.OFFLINE,
    "InternalFailure": T.OFFLINE,
    "ServiceUnavailable": T.OFFLINE,
    "RequestTimeout": T.OFFLINE,
    "500": T.OFFLINE,
    "502": T.OFFLINE,
    "SomethingNew": T.OFFLINE,
    "": T.OFFLINE,
}
# Errors of actions that Filemill never calls.
NEVER_ANSWERED = {
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidIdFormat",
    "PurgeQueueInProgress",
    "QueueNameExists",
    "ResourceNotFoundException",
}


@pytest.mark.parametrize(("code", "trouble"), CODES.items())
@pytest.mark.parametrize("spelling", ["{}", PREFIX + "{}", "com.amazonaws.sqs#{}"])
def test_code_has_one_kind_in_each_spelling(code: str, trouble: QueueTrouble, spelling: str) -> None:
    assert trouble_of_code(spelling.format(code)) is trouble


def test_every_error_of_the_service_model_is_in_the_table() -> None:
    model = botocore.session.Session().get_service_model("sqs")
    shapes = {name for name in model.shape_names if model.shape_for(name).metadata.get("exception")}
    assert shapes - NEVER_ANSWERED == shapes & set(CODES)


@pytest.mark.parametrize("code", ["InvalidParameterValue", "InvalidParameterValueException"])
@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("The receipt handle has expired.", T.LEASE_LOST),
        ("Message does not exist or is not available for visibility timeout change.", T.LEASE_LOST),
        ("Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", T.LEASE_LOST),
        ("Must be between 0 and 43200, if provided.", T.REFUSED),
        ("Message must be shorter than 1024 bytes.", T.REFUSED),
    ],
)
def test_message_distinguishes_a_lost_lease_from_an_invalid_parameter(
    code: str, reason: str, trouble: QueueTrouble
) -> None:
    assert trouble_of_code(code, f"Value x for parameter ReceiptHandle is invalid. Reason: {reason}") is trouble


def client_error(code: str, text: str = "AWS's text.") -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code, "Message": text}}, "ReceiveMessage")


def tls(text: str) -> boto.SSLError:
    return boto.SSLError(endpoint_url=URL, error=ssl.SSLError(text))


URL = "https://sqs.eu-west-1.amazonaws.com/"
REAL: Any = {"endpoint_url": URL, "proxy_url": URL, "error": "cut"}
EXCEPTIONS: list[tuple[Exception, QueueTrouble]] = [
    # No connection.
    (boto.EndpointConnectionError(**REAL), T.OFFLINE),
    (boto.ConnectionClosedError(**REAL), T.OFFLINE),
    (boto.ConnectTimeoutError(**REAL), T.OFFLINE),
    (boto.ReadTimeoutError(**REAL), T.OFFLINE),
    (boto.ProxyConnectionError(**REAL), T.OFFLINE),
    (boto.ResponseStreamingError(**REAL), T.OFFLINE),
    (boto.HTTPClientError(**REAL), T.OFFLINE),
    (boto.ConnectionError(**REAL), T.OFFLINE),
    (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), T.OFFLINE),
    (boto.MetadataRetrievalError(error_msg="no answer"), T.OFFLINE),
    (boto.CapacityNotAvailableError(), T.OFFLINE),
    (tls("EOF occurred in violation of protocol (_ssl.c:1006)"), T.OFFLINE),
    (tls("The handshake operation timed out"), T.OFFLINE),
    (ConnectionResetError("cut"), T.OFFLINE),
    (TimeoutError("too late"), T.OFFLINE),
    (NotSqsError(status=200, start="<html>"), T.OFFLINE),
    # Not signed in.
    (boto.NoCredentialsError(), T.SIGNED_OUT),
    (boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), T.SIGNED_OUT),
    (boto.CredentialRetrievalError(provider="process", error_msg="exit 1"), T.SIGNED_OUT),
    (boto.ProfileNotFound(profile="team"), T.SIGNED_OUT),
    (boto.UnauthorizedSSOTokenError(), T.SIGNED_OUT),
    (boto.SSOTokenLoadError(error_msg="none"), T.SIGNED_OUT),
    (boto.SSOError(), T.SIGNED_OUT),
    (boto.TokenRetrievalError(provider="sso", error_msg="expired"), T.SIGNED_OUT),
    (boto.RefreshWithMFAUnsupportedError(), T.SIGNED_OUT),
    (boto.LoginError(), T.SIGNED_OUT),
    (boto.LoginRefreshRequired(), T.SIGNED_OUT),
    # Invalid configuration.
    (boto.NoRegionError(), T.SETUP),
    (boto.InvalidRegionError(region_name="eu west"), T.SETUP),
    (boto.UnknownRegionError(region_name="moon-1", error_msg="not known"), T.SETUP),
    (boto.EndpointProviderError(msg="no rule"), T.SETUP),
    (boto.EndpointVariantError(tags="fips"), T.SETUP),
    (boto.InvalidEndpointConfigurationError(msg="both"), T.SETUP),
    (boto.InvalidHostLabelError(label="a b"), T.SETUP),
    (boto.UnsupportedSignatureVersionError(signature_version="v0"), T.SETUP),
    (tls("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"), T.SETUP),
    (tls("hostname 'x' doesn't match"), T.SETUP),
    (boto.InvalidConfigError(error_msg="no"), T.SETUP),
    (boto.ConfigParseError(path="/home/u/.aws/config"), T.SETUP),
    (boto.ConfigNotFound(path="/home/u/.aws/config"), T.SETUP),
    (boto.InvalidRetryModeError(provided_retry_mode="x", valid_modes="y"), T.SETUP),
    (boto.InvalidDefaultsMode(mode="x", valid_modes="y"), T.SETUP),
    (boto.InvalidChecksumConfigError(config_key="k", valid_options="o", config_value="v"), T.SETUP),
    (boto.InvalidSTSRegionalEndpointsConfigError(sts_regional_endpoints_config="x"), T.SETUP),
    (boto.InvalidProxiesConfigError(), T.SETUP),
    (boto.UnknownTokenProviderError(name="x"), T.SETUP),
    (boto.UnknownCredentialError(name="x"), T.SETUP),
    (boto.MissingDependencyException(msg="botocore[crt]"), T.SETUP),
    (ValueError("Invalid endpoint: queues.example"), T.SETUP),
    (PermissionError(13, "Permission denied", "/home/u/.aws/credentials"), T.SETUP),
]
ALL = EXCEPTIONS + [(client_error(code), trouble) for code, trouble in CODES.items()]


def name_of(error: object) -> str:
    if isinstance(error, boto.ClientError):
        return error.response["Error"]["Code"] or "no code"
    return type(error).__name__ if isinstance(error, Exception) else ""


@pytest.mark.parametrize(("error", "trouble"), ALL, ids=name_of)
def test_exception_has_one_kind(error: Exception, trouble: QueueTrouble) -> None:
    known = as_queue_error(error, AWS, "ReceiveMessage")
    assert known.trouble is trouble
    is_quoted = not known.detail and foreign_text(str(error)).rstrip(".") in known.text
    assert is_quoted or known.detail == str(error)


@pytest.mark.parametrize("error", [error for error, _ in ALL], ids=name_of)
def test_text_consists_of_plain_sentences_without_gaps(error: Exception) -> None:
    for connection in CONNECTIONS.values():
        text = as_queue_error(error, connection, "ReceiveMessage").text
        assert text[0].isupper()
        assert not re.search(r"“”|\bNone\b|[{}<>]|  |Traceback", text)
        assert len(text) < 250
        is_quote = str(error) in text or "AWS's text." in text
        assert is_quote or not ALARMING.search(text.replace(name_of(error), ""))


@pytest.mark.parametrize(
    ("code", "connection", "text"),
    [
        (
            "AccessDenied",
            "AWS",
            (
                "No permission to receive messages from “work”. You are signed in, but the queue's policy or your "
                "account does not allow sqs:ReceiveMessage. Ask the queue's administrator to allow it."
            ),
        ),
        (
            "QueueDoesNotExist",
            "AWS",
            (
                "The queue “work” does not exist on Amazon SQS in eu-west-1. It was deleted, or it is not in "
                "the region or account of profile “team”. Your files stay in the list."
            ),
        ),
        (
            "QueueDoesNotExist",
            "another server",
            (
                "The queue “work” does not exist on the queue server at https://queues.example:9324. It was deleted, "
                "or its name is different. Your files stay in the list."
            ),
        ),
        (
            "InvalidClientTokenId",
            "another server",
            (
                "The queue server at https://queues.example:9324 rejected the access keys. Use the access key ID and "
                "the secret access key that belong to this server."
            ),
        ),
        ("RequestThrottled", "AWS without more", "Amazon SQS is throttling requests."),
        (
            "InternalError",
            "AWS",
            (
                "Amazon SQS in eu-west-1 is temporarily unavailable (InternalError). "
                "Filemill will keep trying. No data has been lost."
            ),
        ),
        (
            "",
            "AWS",
            (
                "Amazon SQS in eu-west-1 is temporarily unavailable (no code). "
                "Filemill will keep trying. No data has been lost."
            ),
        ),
        ("InvalidSecurity", "a URL", "The queue “work” can't be used with its current configuration. AWS's text."),
        ("InvalidMessageContents", "AWS", "The queue “work” rejected the request: AWS's text."),
        ("ReceiptHandleIsInvalid", "AWS", "The queue “work” delivered the message to another consumer."),
        (
            "ExpiredToken",
            "AWS",
            (
                "Your AWS session has expired. Sign in again with profile “team”. "
                "Processing will then continue. No data has been lost."
            ),
        ),
        (
            "InvalidClientTokenId",
            "a URL",
            (
                "AWS rejected the access keys of the default profile. They may have been deleted, deactivated or "
                "mistyped. Choose another profile, or replace the keys."
            ),
        ),
    ],
)
def test_sentence_for_an_error_response(code: str, connection: str, text: str) -> None:
    assert as_queue_error(client_error(code), CONNECTIONS[connection], "ReceiveMessage").text == text


def test_without_a_text_the_code_is_quoted() -> None:
    text = as_queue_error(client_error("KmsDisabled", ""), AWS, "SendMessage").text
    assert text == "The queue “work” can't be used with its current configuration. KmsDisabled"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("InvalidSignatureException", "Signature expired: 20261124T060729Z is now earlier than 20261124T070229Z"),
        ("SignatureDoesNotMatch", "Signature not yet current: 20261124T080729Z is still later than 20261124T071229Z"),
        ("RequestExpired", "Request has expired."),
    ],
)
def test_wrong_clock_is_reported_as_such(code: str, text: str) -> None:
    assert "computer's clock" in as_queue_error(client_error(code, text), AWS, "SendMessage").text


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (boto.NoCredentialsError(), "No credentials were found for profile “team”."),
        (boto.ProfileNotFound(profile="team"), "There is no profile “team” in the AWS configuration."),
        (boto.UnauthorizedSSOTokenError(), "Your AWS session has expired. Sign in again with profile “team”."),
        (
            boto.NoRegionError(),
            "No region is set. Each queue belongs to one region. Choose its region, or set AWS_REGION.",
        ),
        (boto.InvalidRegionError(region_name="eu west"), "The region “eu west” does not exist."),
        (boto.ConfigParseError(path="/home/u/.aws/config"), "Unable to parse config file: /home/u/.aws/config"),
        (
            PermissionError(13, "Permission denied", "/x/.aws/credentials"),
            "can't be used. [Errno 13] Permission denied",
        ),
        (tls("certificate"), "is not trusted. Nothing will be sent over it."),
        (
            ValueError("Invalid endpoint: nonsense"),
            "Amazon SQS in eu-west-1 can't be used with its current configuration",
        ),
        (boto.EndpointConnectionError(endpoint_url=URL), "Can't reach Amazon SQS in eu-west-1. Your files stay"),
        (NotSqsError(status=200, start="<html>"), "The response did not come from Amazon SQS in eu-west-1."),
    ],
    ids=name_of,
)
def test_sentence_for_a_missing_response(error: Exception, part: str) -> None:
    assert part in as_queue_error(error, AWS, "ReceiveMessage").text


def test_region_set_only_in_the_profile_is_named() -> None:
    error = boto.UnknownRegionError(region_name="moon-1", error_msg="")
    assert "“moon-1”" in as_queue_error(error, CONNECTIONS["AWS without more"], "ReceiveMessage").text


@pytest.mark.parametrize("make", [boto.ConnectionClosedError, boto.ReadTimeoutError, boto.HTTPClientError])
def test_exception_without_a_response_is_handled(make: Callable[..., Any]) -> None:
    error = make(**REAL)
    assert error.response is None
    assert as_queue_error(error, AWS, "SendMessage").trouble is T.OFFLINE


def test_response_without_an_error_is_handled() -> None:
    known = as_queue_error(boto.ClientError({}, "ReceiveMessage"), AWS, "ReceiveMessage")
    assert known.trouble is T.OFFLINE


@pytest.mark.parametrize(
    "error",
    [
        boto.ParamValidationError(report="MaxNumberOfMessages"),
        boto.UnknownServiceError(service_name="sqz", known_service_names="sqs"),
        boto.DataNotFoundError(data_path="sqs"),
        boto.OperationNotPageableError(operation_name="x"),
        ValueError("something else"),
        KeyError("x"),
    ],
    ids=name_of,
)
def test_bug_stays_a_bug(error: Exception) -> None:
    with pytest.raises(type(error)) as again:
        as_queue_error(error, AWS, "ReceiveMessage")
    assert again.value is error
    assert not isinstance(again.value, QueueError)

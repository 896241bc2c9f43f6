"""One classifier for everything that a call to SQS can raise. What is said of it is in `failure_texts.py`.

The codes are those of the service model (AWS: Common Error Types, and each action's Errors section) in both spellings,
the JSON protocol's, which servers other than AWS may give alone, and the older `AWS.SimpleQueueService.` one. What is
unknown counts as OFFLINE: waited for, never fatal.
"""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import exceptions as boto

from desktop_app.errors import Cause, QueueError, QueueTrouble
from desktop_app.queues.failure_texts import Failure, queue_error

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from desktop_app.settings import Connection

_CODES: dict[QueueTrouble, frozenset[str]] = {
    QueueTrouble.THROTTLED: frozenset({
        "RequestThrottled", "Throttling", "Throttled", "OverLimit", "SlowDown", "TooManyRequests",
        "RequestLimitExceeded", "KmsThrottled", "KMS.Throttling",
    }),
    QueueTrouble.SIGNED_OUT: frozenset({
        "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "InvalidAccessKeyId",
        "AuthFailure", "MissingAuthenticationToken", "IncompleteSignature", "RequestExpired", "InvalidSignature",
    }),
    QueueTrouble.NO_RIGHT: frozenset({
        "AccessDenied", "KmsAccessDenied", "KMS.AccessDenied", "NotAuthorized", "UnauthorizedOperation",
    }),
    QueueTrouble.NO_QUEUE: frozenset({
        "QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently", "InvalidAddress",
    }),
    QueueTrouble.SETUP: frozenset({
        "InvalidSecurity", "OptInRequired", "UnsupportedOperation", "KmsDisabled", "KMS.Disabled", "KmsInvalidKeyUsage",
        "KMS.InvalidKeyUsage", "KmsInvalidState", "KMS.InvalidState", "KmsNotFound", "KMS.NotFound", "KmsOptInRequired",
        "KMS.OptInRequired",
    }),
    QueueTrouble.LEASE_LOST: frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight"}),
    QueueTrouble.REFUSED: frozenset({
        "InvalidMessageContents", "InvalidParameterValue", "InvalidParameterCombination", "MessageTooLong",
        "MissingParameter", "MissingRequiredParameter", "ValidationError", "Validation", "BatchRequestTooLong",
        "InvalidBatchEntryId", "BatchEntryIdsNotDistinct", "EmptyBatchRequest", "TooManyEntriesInBatchRequest",
    }),
}  # fmt: skip
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_TROUBLE_OF = {code: trouble for trouble, codes in _CODES.items() for code in codes}
_CUT_OFF_TEXTS = ("EOF", "timed out", "zero return", "reset by peer")
_CLOCK_TEXTS = ("Signature expired", "Signature not yet current", "Request has expired")
_LEASE_TEXTS = ("receipt handle has expired", "does not exist or is not available", "is beyond the limit")

_NO_SIGN_IN = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.RefreshWithMFAUnsupportedError,
)
_SESSION_ENDED = (
    boto.UnauthorizedSSOTokenError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.LoginError,
)
_NO_REGION = (boto.NoRegionError, boto.InvalidRegionError, boto.UnknownRegionError)
_SETUP = (
    boto.EndpointProviderError,
    boto.BaseEndpointResolverError,
    boto.InvalidEndpointConfigurationError,
    boto.InvalidHostLabelError,
    boto.UnsupportedSignatureVersionError,
)
_CONFIGURATION = (
    boto.InvalidConfigError,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.InvalidRetryConfigurationError,
    boto.InvalidDefaultsMode,
    boto.InvalidChecksumConfigError,
    boto.InvalidSTSRegionalEndpointsConfigError,
    boto.InvalidProxiesConfigError,
    boto.UnknownTokenProviderError,
    boto.UnknownCredentialError,
    boto.MissingDependencyException,
)
_OURS = (boto.ParamValidationError, boto.UnknownServiceError, boto.DataNotFoundError, boto.OperationNotPageableError)


class NotSqsError(boto.BotoCoreError):
    """Somebody else has answered: a network that wants a sign-in first, a proxy, a web server."""

    fmt = "the answer, with HTTP status {status}, is not one of SQS: {start}"


def refuse_other_answers(client: SQSClient) -> None:
    """Let what is not an answer of SQS raise `NotSqsError`; a second call changes nothing.

    botocore takes any page with status 200 for an empty answer, so a poll would come back at once, again and again;
    and over other things, such as a JSON list, its parser stumbles.
    """
    client.meta.events.register("before-parse.sqs", _check_answer, unique_id="filemill-only-sqs")


def _check_answer(response_dict: dict[str, Any], **_: object) -> None:
    body, status = response_dict["body"], response_dict["status_code"]
    try:
        is_readable = not body or isinstance(json.loads(body.decode()), dict)
    except UnicodeDecodeError:
        is_readable = False
    except (ValueError, RecursionError):
        # As an error, a page is good enough: it has its status.
        is_readable = status >= HTTPStatus.MULTIPLE_CHOICES
    if not is_readable:
        raise NotSqsError(status=status, start=body[:60])


def trouble_of_code(code: str, text: str = "") -> QueueTrouble:
    """The kind of trouble that an error code of the service means.

    Args:
        code: As it stands in the answer, with or without a name-space.
        text: The service's message, which alone tells an expired receipt handle from a wrong parameter.
    """
    plain = code.rsplit("#", 1)[-1].removeprefix("AWS.SimpleQueueService.").removesuffix("Exception")
    if plain == "InvalidParameterValue" and any(part in text for part in _LEASE_TEXTS):
        return QueueTrouble.LEASE_LOST
    return _TROUBLE_OF.get(plain, QueueTrouble.OFFLINE)


def as_queue_error(error: Exception, connection: Connection, action: str) -> QueueError:
    """What an exception of botocore means, in plain words.

    Args:
        error: What the call raised.
        connection: Which queue it was, for the text.
        action: The API action, such as `ReceiveMessage`, for the text of a missing right.

    Raises:
        Exception: The same one again if it is a mistake of ours.
    """
    if isinstance(error, _OURS):
        raise error
    if isinstance(error, boto.ClientError):
        answer = error.response.get("Error", {})
        code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
        trouble = trouble_of_code(code, text)
        failure = Failure(error, connection, action, code=code, service_text=text, was_answered=True)
        return queue_error(failure, trouble, _cause_of_answer(trouble, code, text))
    trouble, cause = _meaning(error, connection)
    return queue_error(Failure(error, connection, action), trouble, cause)


def _cause_of_answer(trouble: QueueTrouble, code: str, text: str) -> Cause:
    if trouble is QueueTrouble.SIGNED_OUT:
        if code == "RequestExpired" or any(part in text for part in _CLOCK_TEXTS):
            return Cause.CLOCK_WRONG
        return Cause.SESSION_ENDED if "Expired" in code else Cause.KEYS_REFUSED
    return {
        QueueTrouble.THROTTLED: Cause.THROTTLED,
        QueueTrouble.NO_RIGHT: Cause.NO_RIGHT,
        QueueTrouble.NO_QUEUE: Cause.NO_QUEUE,
        QueueTrouble.SETUP: Cause.SETUP,
        QueueTrouble.OFFLINE: Cause.OFFLINE,
    }.get(trouble, Cause.OTHER)


def _meaning(error: Exception, connection: Connection) -> tuple[QueueTrouble, Cause]:
    """What an exception means that is not an answer of the service."""
    for kinds, trouble, cause in (
        (_NO_SIGN_IN, QueueTrouble.SIGNED_OUT, Cause.NO_SIGN_IN),
        (_SESSION_ENDED, QueueTrouble.SIGNED_OUT, Cause.SESSION_ENDED),
        (_NO_REGION, QueueTrouble.SETUP, Cause.NO_REGION),
        (_CONFIGURATION, QueueTrouble.SETUP, Cause.NO_SIGN_IN),
        (_SETUP, QueueTrouble.SETUP, Cause.SETUP),
        (boto.ProxyConnectionError, QueueTrouble.OFFLINE, Cause.PROXY),
        (NotSqsError, QueueTrouble.OFFLINE, Cause.NOT_SQS),
    ):
        if isinstance(error, kinds):
            return trouble, cause
    # A connection that is cut while it is being made says nothing about its certificate.
    if isinstance(error, boto.SSLError) and not any(part in str(error) for part in _CUT_OFF_TEXTS):
        return QueueTrouble.SETUP, Cause.NOT_TRUSTED
    if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):
        return QueueTrouble.SETUP, Cause.SETUP
    if isinstance(error, OSError) and error.filename is not None:
        return QueueTrouble.SETUP, Cause.NO_SIGN_IN  # AWS's files
    if isinstance(error, boto.EndpointConnectionError) and _is_unknown_region(connection):
        return QueueTrouble.SETUP, Cause.NO_REGION
    if isinstance(error, (boto.BotoCoreError, OSError)):
        return QueueTrouble.OFFLINE, Cause.OFFLINE
    raise error


def _is_unknown_region(connection: Connection) -> bool:
    """Whether botocore has never heard of the region whose address does not answer."""
    return bool(connection.region) and not connection.endpoint_url and connection.region not in known_regions()


@cache
def known_regions() -> tuple[str, ...]:
    """Where SQS is, as botocore knows without asking anybody: one partition of AWS after the other."""
    session = botocore.session.Session()
    return tuple(name for partition in PARTITIONS for name in session.get_available_regions("sqs", partition))

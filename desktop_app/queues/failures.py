"""One classifier for everything that a call to SQS can raise.

The codes are those of the service model (AWS: Common Error Types, and each action's Errors section) in both spellings,
the JSON protocol's, which servers other than AWS may give alone, and the older `AWS.SimpleQueueService.` one. What is
unknown counts as OFFLINE: waited for, never fatal.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto

from desktop_app.errors import QueueError, QueueTrouble

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
_TROUBLE_OF = {code: trouble for trouble, codes in _CODES.items() for code in codes}
_CUT_OFF_TEXTS = ("EOF", "timed out", "zero return", "reset by peer")
_CLOCK_TEXTS = ("Signature expired", "Signature not yet current", "Request has expired")
_LEASE_TEXTS = ("receipt handle has expired", "does not exist or is not available", "is beyond the limit")

_SIGNED_OUT = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.UnauthorizedSSOTokenError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.RefreshWithMFAUnsupportedError,
    boto.LoginError,
)
_SETUP = (
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.UnknownRegionError,
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
    if isinstance(error, boto.ClientError):
        answer = error.response.get("Error", {})
        code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
        trouble = trouble_of_code(code, text)
        return QueueError(_service_text(trouble, code, text, connection, action), trouble=trouble, detail=str(error))
    if isinstance(error, _OURS):
        raise error
    if isinstance(error, _SIGNED_OUT):
        return QueueError(_sign_in_text(error, connection), trouble=QueueTrouble.SIGNED_OUT, detail=str(error))
    if _is_setup(error):
        return QueueError(_setup_text(error, connection), trouble=QueueTrouble.SETUP, detail=str(error))
    if isinstance(error, NotSqsError):
        text = (
            f"Something else answers in place of {_place(connection)}. "
            "If this network asks for a sign-in, open any web page; else check the proxy and the queue's address."
        )
        return QueueError(text, trouble=QueueTrouble.OFFLINE, detail=str(error))
    if isinstance(error, (boto.BotoCoreError, OSError)):
        text = f"Can't reach {_place(connection)}. Everything is kept here and goes on when the connection is back."
        return QueueError(text, trouble=QueueTrouble.OFFLINE, detail=str(error))
    raise error


def _is_setup(error: Exception) -> bool:
    if isinstance(error, boto.SSLError):
        # A connection that is cut while it is being made says nothing about its certificate.
        return not any(part in str(error) for part in _CUT_OFF_TEXTS)
    if isinstance(error, (*_SETUP, *_CONFIGURATION)):
        return True
    if isinstance(error, ValueError):
        return str(error).startswith("Invalid endpoint")
    return isinstance(error, OSError) and error.filename is not None


def _place(connection: Connection) -> str:
    if connection.is_local:
        return "the local queue"
    if connection.endpoint_url:
        return f"the queue server at {connection.endpoint_url}"
    return f"Amazon SQS in {connection.region}" if connection.region else "Amazon SQS"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _who(connection: Connection) -> str:
    return f"profile “{connection.profile}”" if connection.profile else "the default profile"


def _service_text(trouble: QueueTrouble, code: str, text: str, connection: Connection, action: str) -> str:
    name, place, said = connection.queue_name, _place(connection), text or code or "no code"
    if trouble is QueueTrouble.SIGNED_OUT:
        return _refused_keys_text(code, text, connection)
    return {
        QueueTrouble.THROTTLED: f"{_capital(place)} asks us to go slower.",
        QueueTrouble.NO_RIGHT: (
            f"You are signed in, but may not use sqs:{action} on “{name}”. Ask the queue's administrator for it."
        ),
        QueueTrouble.NO_QUEUE: (
            f"There is no queue “{name}” for {_who(connection)} at {place}. Check its name, region and account."
        ),
        QueueTrouble.SETUP: f"The queue “{name}” can't be used as it is set up: {said}",
        QueueTrouble.LEASE_LOST: f"The queue “{name}” gave the message to somebody else.",
        QueueTrouble.REFUSED: f"The queue “{name}” refuses the request: {said}",
        QueueTrouble.OFFLINE: f"{_capital(place)} has trouble of its own ({code or 'no code'}). Trying again.",
    }[trouble]


def _refused_keys_text(code: str, text: str, connection: Connection) -> str:
    if code == "RequestExpired" or any(part in text for part in _CLOCK_TEXTS):
        return "The clock of this computer is wrong, so AWS refuses the requests. Set the date and time."
    if "Expired" in code:
        return f"Your AWS session has ended ({_who(connection)}). Sign in again; nothing is lost meanwhile."
    return f"AWS does not accept the keys of {_who(connection)}. Choose another profile or renew the keys."


def _sign_in_text(error: Exception, connection: Connection) -> str:
    who = _who(connection)
    if isinstance(error, boto.ProfileNotFound):
        return f"There is no {who} in the AWS configuration. Choose another one, or set it up with “aws configure”."
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        return f"No sign-in was found for {who}. Set one up with “aws configure”, or name a profile (AWS_PROFILE)."
    return f"Your AWS session has ended ({who}). Sign in again, for example with “aws sso login”; nothing is lost."


def _setup_text(error: Exception, connection: Connection) -> str:
    if isinstance(error, boto.NoRegionError):
        return "No region is chosen. A queue lives in one region only: set AWS_REGION, or region in the settings."
    if isinstance(error, (boto.InvalidRegionError, boto.UnknownRegionError)):
        region = error.kwargs.get("region_name") or connection.region
        return f"There is no region “{region}”. Correct AWS_REGION, or region in the settings."
    if isinstance(error, boto.SSLError):
        return (
            f"The connection to {_place(connection)} is not trusted, so nothing is sent over it. Check its certificate."
        )
    if isinstance(error, (*_CONFIGURATION, OSError)):
        return f"The AWS configuration can't be used: {error}"
    return f"{_capital(_place(connection))} can't be used as it is set up: {error}"

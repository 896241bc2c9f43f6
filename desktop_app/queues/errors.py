"""Classify failed calls to SQS, and describe them to the user."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import botocore.session
from botocore import exceptions as boto

from desktop_app.domain.assurances import CONTINUES_ONLINE, CONTINUES_SIGNED_IN, FILES_STAY, LOSES_NOTHING, joined
from desktop_app.domain.errors import Cause, QueueError, QueueTrouble
from desktop_app.domain.iam_policy import MissingRight
from desktop_app.domain.queue_key import account_of
from desktop_app.domain.secrets import masked
from desktop_app.domain.sentences import Sentence, command_line, foreign_text
from desktop_app.queues.network_faults import network_fault
from desktop_app.queues.profiles import sign_in_command
from desktop_app.queues.routes import configured_endpoint, proxy_logins, region_setting

if TYPE_CHECKING:
    from desktop_app.config.settings import Connection


_STAMP = re.compile(r"\d{8}T\d{6}Z")

_PRINCIPAL = re.compile(r"User: (arn:\S+)")

_RESOURCE = re.compile(r"on resource: (arn:[^\s,]+)")

_ACTION = re.compile(r"perform: ([a-z]+:\w+)", re.IGNORECASE)

_KMS = re.compile(r"^(KMS\.|Kms)")

_WRONG_REGION = re.compile(r"scoped to a valid region|scoped to (?:the )?correct region|region '[^']*' is wrong")

_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]+)'")

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call to the API.

    Attributes:
        error: The exception that was raised.
        connection: The connection that was used.
        action: The API action, such as `ReceiveMessage`.
        code: The service's error code; empty if the service did not respond.
        service_text: The service's error message, without secrets; empty if the service did not respond.
        was_answered: Whether the service responded.
    """

    error: Exception
    connection: Connection
    action: str
    code: str = ""
    service_text: str = ""
    was_answered: bool = False

    @property
    def detail(self) -> str:
        """The text of the exception, without secrets; empty if the error's own text says the same."""
        # botocore does not always mask the user name and the password of a proxy.
        return "" if isinstance(self.error, SignInError) else masked(str(self.error), proxy_logins())


def _texts(failure: Failure, trouble: QueueTrouble, cause: Cause, command: tuple[str, ...]) -> tuple[str, str]:
    match cause:
        case Cause.NO_SIGN_IN:
            return _no_sign_in(failure)
        case Cause.SESSION_ENDED:
            return Sentence("Your AWS session has expired"), _session_ended(failure, command)
        case Cause.KEYS_REFUSED:
            return _keys_refused(failure.connection)
        case Cause.CLOCK_WRONG:
            return Sentence("This computer's clock is wrong"), _clock(failure.service_text)
        case Cause.NO_REGION:
            return _no_region(failure)
        case Cause.NO_RIGHT:
            return _no_right(failure)
        case Cause.NO_QUEUE:
            return _no_queue(failure.connection)
    return _unreachable(failure, trouble, cause)


def _keys_refused(connection: Connection) -> tuple[str, str]:
    if connection.is_on_aws:
        return (
            Sentence("AWS rejected the access keys of {who}", who=_who(connection)),
            Sentence(
                "They may have been deleted, deactivated or mistyped. Choose another profile, or replace the keys."
            ),
        )
    place = _place(connection, starts_sentence=True)
    if connection.profile:
        return (
            Sentence("{place} rejected the access keys of {who}", place=place, who=_who(connection)),
            Sentence("Choose another profile, or type the server's own keys."),
        )
    return (
        Sentence("{place} rejected the access keys", place=place),
        Sentence("Use the access key ID and the secret access key that belong to this server."),
    )


def _no_queue(connection: Connection) -> tuple[str, str]:
    title = Sentence(
        "The queue “{name}” does not exist on {place}", name=connection.queue_name, place=_place(connection)
    )
    if not connection.is_on_aws:
        body = Sentence("It was deleted, or its name is different.")
    else:
        body = Sentence("It was deleted, or it is not in the region or account of {who}.", who=_who(connection))
    return title, joined(body, FILES_STAY)


def _unreachable(failure: Failure, trouble: QueueTrouble, cause: Cause) -> tuple[str, str]:
    place = _place(failure.connection)
    match cause:
        case Cause.OFFLINE if failure.was_answered:
            return (
                Sentence(
                    "{place} is temporarily unavailable ({code})",
                    place=_place(failure.connection, starts_sentence=True),
                    code=_code(failure),
                ),
                LOSES_NOTHING,
            )
        case Cause.OFFLINE:
            return (
                Sentence("Can't reach {place}", place=place),
                CONTINUES_ONLINE,
            )
        case Cause.NOT_SQS:
            title = Sentence("The response did not come from {place}", place=place)
            if not failure.connection.is_on_aws:
                return title, Sentence("Another program responds there. Check the address and the port.")
            return (
                title,
                Sentence(
                    "If this network requires you to sign in, open any web page to do so; "
                    "otherwise, check the proxy and the queue's address."
                ),
            )
        case Cause.MALFORMED:
            return (
                Sentence(
                    "{place} sent a response that Filemill can't understand",
                    place=_place(failure.connection, starts_sentence=True),
                ),
                joined(Sentence("Its response is invalid: {why}.", why=failure.error), LOSES_NOTHING),
            )
        case Cause.NOT_TRUSTED:
            return (
                Sentence("The connection to {place} is not trusted", place=place),
                Sentence("Nothing will be sent over it. Check the server's certificate, or set AWS_CA_BUNDLE."),
            )
        case Cause.THROTTLED:
            return "", Sentence(
                "{place} is throttling requests.", place=_place(failure.connection, starts_sentence=True)
            )
    return _of_the_queue(failure, trouble)


def _of_the_queue(failure: Failure, trouble: QueueTrouble) -> tuple[str, str]:
    name, said = failure.connection.queue_name, failure.service_text or _code(failure)
    if trouble is QueueTrouble.LEASE_LOST:
        return "", Sentence("The queue “{name}” delivered the message to another consumer.", name=name)
    if trouble is QueueTrouble.REFUSED:
        return "", Sentence("The queue “{name}” rejected the request: {said}", name=name, said=said)
    if failure.was_answered:
        return Sentence("The queue “{name}” can't be used with its current configuration", name=name), said
    place = _place(failure.connection, starts_sentence=True)
    return Sentence("{place} can't be used with its current configuration", place=place), failure.detail


def _no_sign_in(failure: Failure) -> tuple[str, str]:
    who, error = _who(failure.connection), failure.error
    if isinstance(error, boto.ProfileNotFound):
        name = str(error.kwargs.get("profile", ""))
        if not name:
            advice = Sentence("AWS_PROFILE is set but empty. Set it to the name of a profile, or unset it.")
            return Sentence("The AWS configuration can't be used"), advice
        return (
            Sentence("There is no {who} in the AWS configuration", who=profile_label(name)),
            joined(Sentence("Choose another profile, or create this one with “aws configure”."), FILES_STAY),
        )
    if isinstance(error, boto.NoCredentialsError):
        return (
            Sentence("No credentials were found for {who}", who=who),
            joined(Sentence("Choose a profile, or create one with “aws configure”."), FILES_STAY),
        )
    if isinstance(error, SignInError) and failure.connection.has_own_keys:
        return Sentence("The access keys for {place} can't be used", place=_place(failure.connection)), error.text
    if isinstance(error, SignInError):
        return Sentence("The credentials of {who} can't be used", who=who), error.text
    if isinstance(error, (boto.PartialCredentialsError, boto.CredentialRetrievalError)):
        return Sentence("The credentials of {who} can't be used", who=who), _configuration(failure)
    if isinstance(error, boto.RefreshWithMFAUnsupportedError):
        return (
            Sentence("An MFA code is required for {who}", who=who),
            Sentence(
                "Filemill can't prompt for the code. Choose a profile that does not require one, such "
                "as a profile that uses SSO."
            ),
        )
    return Sentence("The AWS configuration can't be used"), _configuration(failure)


def _configuration(failure: Failure) -> Sentence:
    what = f"{foreign_text(failure.detail).rstrip('.')}."
    return Sentence("{what} Correct it, or choose another profile.", what=what)


def _session_ended(failure: Failure, command: tuple[str, ...]) -> str:
    who, text = _who(failure.connection), command_line(command)
    if command:
        advice = Sentence("Sign in again with {who}, for example with “{command}”.", who=who, command=text)
    else:
        advice = Sentence("Sign in again with {who}.", who=who)
    return joined(advice, CONTINUES_SIGNED_IN)


def _clock(said: str) -> Sentence:
    """Describe how wrong the clock is. AWS's message contains the time of the request first and its own time last."""
    stamps = [datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for stamp in _STAMP.findall(said)]
    minutes = round((stamps[-1] - stamps[0]).total_seconds() / _MINUTE) if len(stamps) > 1 else 0
    if minutes > 0:
        return Sentence(
            "It is about {minutes} min slow, so AWS is rejecting requests. Set the date and time.", minutes=minutes
        )
    if minutes < 0:
        return Sentence(
            "It is about {minutes} min fast, so AWS is rejecting requests. Set the date and time.", minutes=-minutes
        )
    return Sentence("Because of this, AWS is rejecting requests. Set the date and time.")


def _no_region(failure: Failure) -> tuple[str, str]:
    if failure.was_answered:
        return _wrong_region(failure)
    if isinstance(failure.error, boto.NoRegionError):
        return (
            Sentence("No region is set"),
            Sentence("Each queue belongs to one region. Choose its region, or set AWS_REGION."),
        )
    kwargs = getattr(failure.error, "kwargs", {})
    region = kwargs.get("region_name") or failure.connection.region
    return (
        Sentence("The region “{region}” does not exist", region=region),
        Sentence(
            "Each queue belongs to one region. Choose its region, or {remedy}.", remedy=_region_remedy(failure, region)
        ),
    )


def _region_remedy(failure: Failure, region: str) -> Sentence:
    source = region_setting(region, failure.connection.profile)
    return Sentence("correct {setting}", setting=source) if source else Sentence("set AWS_REGION")


def _wrong_region(failure: Failure) -> tuple[str, str]:
    """Describe a request signed for a region that the server rejects. The server may say which region it expects."""
    found = _EXPECTED_REGION.search(failure.service_text)
    region = failure.connection.region
    remedy = _region_remedy(failure, region)
    body = (
        Sentence("The server expects “{region}”. Choose this region, or {remedy}.", region=found[1], remedy=remedy)
        if found
        else Sentence("Choose the region of the queue and its server, or {remedy}.", remedy=remedy)
    )
    if region:
        return Sentence("The region “{region}” is not the region of the queue", region=region), body
    return Sentence("The requests are signed for the wrong region"), body


def _no_right(failure: Failure) -> tuple[str, str]:
    name, right = failure.connection.queue_name, _missing_right(failure)
    title = {
        "ReceiveMessage": Sentence("No permission to receive messages from “{name}”", name=name),
        "SendMessage": Sentence("No permission to send messages to “{name}”", name=name),
        "DeleteMessage": Sentence("No permission to delete messages from “{name}”", name=name),
    }.get(failure.action, Sentence("No permission for {action} on “{name}”", action=right.action, name=name))
    if _KMS.match(failure.code):
        return title, Sentence(
            "You don't have permission to use its encryption key ({action}). Ask the queue's "
            "administrator to grant it.",
            action=right.action,
        )
    return title, Sentence(
        "You are signed in, but the queue's policy or your account does not allow {action}. Ask "
        "the queue's administrator to allow it.",
        action=right.action,
    )


def _missing_right(failure: Failure) -> MissingRight:
    said, connection = failure.service_text, failure.connection
    principal, resource, action = (pattern.search(said) for pattern in (_PRINCIPAL, _RESOURCE, _ACTION))
    is_key = bool(_KMS.match(failure.code)) and action is not None
    return MissingRight(
        action=action[1] if is_key and action else f"sqs:{failure.action}",
        resource=resource[1] if resource else _arn(connection),
        principal=principal[1] if principal else "",
        service_text=said,
    )


def _arn(connection: Connection) -> str:
    account = connection.account or account_of(connection.queue) or "*"
    return f"arn:aws:sqs:{connection.region or '*'}:{account}:{connection.queue_name}"


def _code(failure: Failure) -> str:
    return failure.code or Sentence("no code")


def _who(connection: Connection) -> Sentence:
    return profile_label(connection.profile)


def profile_label(name: str) -> Sentence:
    """Return a profile as part of a sentence; an empty name means the default profile."""
    return Sentence("profile “{name}”", name=name) if name else Sentence("the default profile")


def _place(connection: Connection, *, starts_sentence: bool = False) -> Sentence:
    if url := connection.endpoint_url:
        if starts_sentence:
            return Sentence("The queue server at {url}", url=url)
        return Sentence("the queue server at {url}", url=url)
    return Sentence("Amazon SQS in {region}", region=connection.region) if connection.region else Sentence("Amazon SQS")


class NotSqsError(boto.BotoCoreError):
    """The response is not from SQS, but from a network's sign-in page, a proxy or another web server."""

    fmt = "the response, with HTTP status {status}, is not from SQS: {start}"


class SignInError(boto.BotoCoreError):
    """The credentials can't be found, refreshed or used.

    Attributes:
        text: One or two sentences that name what is wrong, such as the program or the key.
    """

    fmt = "{text}"

    def __init__(self, text: str) -> None:
        super().__init__(text=text)
        self.text = text


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
        "InvalidSecurity", "OptInRequired", "UnsupportedOperation", "InvalidAction", "UnknownOperation", "KmsDisabled",
        "KMS.Disabled", "KmsInvalidKeyUsage", "KMS.InvalidKeyUsage", "KmsInvalidState",
        "KMS.InvalidState", "KmsNotFound", "KMS.NotFound", "KmsOptInRequired", "KMS.OptInRequired",
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
    SignInError,
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
    boto.InvalidIMDSEndpointError,
    boto.InvalidIMDSEndpointModeError,
)

_OURS = (boto.ParamValidationError, boto.UnknownServiceError, boto.DataNotFoundError, boto.OperationNotPageableError)


class MalformedAnswerError(boto.BotoCoreError):
    """A response contains a field that can't be used.

    Args:
        field: The field, such as `Messages[0].ReceiptHandle`.
        why: What is wrong with it, such as "is missing".
    """

    fmt = "{field} {why}"

    def __init__(self, *, field: str, why: str) -> None:
        super().__init__(field=field, why=why)


def explains_itself(error: Exception) -> bool:
    """Return whether `as_queue_error` has a text for an error that occurred while credentials were looked up."""
    if isinstance(error, boto.ClientError):
        trouble = trouble_of_code(str(error.response.get("Error", {}).get("Code", "")))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return (
            trouble in {QueueTrouble.SIGNED_OUT, QueueTrouble.THROTTLED} or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
    if isinstance(error, boto.HTTPClientError):
        return not isinstance(error.kwargs.get("error"), (ValueError, TypeError))  # the request can't be built
    return isinstance(error, (*_NO_SIGN_IN, *_SESSION_ENDED, *_NO_REGION, *_CONFIGURATION, boto.ConnectionError))


def trouble_of_code(code: str, text: str = "") -> QueueTrouble:
    """Return the kind of error that an error code of the service indicates.

    Args:
        code: The code in the response, with or without a namespace.
        text: The service's error message, which distinguishes an expired receipt handle from an invalid parameter.
    """
    plain = code.rsplit("#", 1)[-1].removeprefix("AWS.SimpleQueueService.").removesuffix("Exception")
    if plain == "InvalidParameterValue" and any(part in text for part in _LEASE_TEXTS):
        return QueueTrouble.LEASE_LOST
    if _WRONG_REGION.search(text):
        return QueueTrouble.SETUP
    return _TROUBLE_OF.get(plain, QueueTrouble.OFFLINE)


def as_queue_error(error: Exception, connection: Connection, action: str) -> QueueError:
    """Convert an exception raised by botocore to a readable `QueueError`.

    Args:
        error: The exception.
        connection: The connection to mention in the text.
        action: The API action, such as `ReceiveMessage`, to mention if its permission is missing.

    Raises:
        Exception: The same exception, if it indicates a bug in Filemill.
    """
    if isinstance(error, _OURS):
        raise error
    if isinstance(error, boto.HTTPClientError) and isinstance(error.kwargs.get("error"), MalformedAnswerError):
        error = error.kwargs["error"]  # from `response_limits`
    if not connection.endpoint_url and (endpoint := configured_endpoint(connection)):
        connection = replace(connection, endpoint_url=endpoint.url)
    fault = network_fault(error, connection, partial(_place, connection))
    if fault is not None and fault.cause is Cause.OFFLINE and _is_unknown_region(connection):
        fault = None  # the address of an unknown region does not exist, whatever the way to it
    if fault is not None:
        failure = Failure(error, connection, action)
        trouble, cause = fault.trouble, fault.cause
    elif isinstance(error, boto.ClientError):
        answer = error.response.get("Error", {})
        code = foreign_text(str(answer.get("Code", "")))
        said = foreign_text(masked(str(answer.get("Message", ""))))
        failure = Failure(error, connection, action, code, said, was_answered=True)
        trouble = trouble_of_code(code, said)
        cause = _cause_of_answer(trouble, code, said)
    else:
        failure = Failure(error, connection, action, was_answered=isinstance(error, MalformedAnswerError))
        trouble, cause = _meaning(error, connection)
    command = sign_in_command(connection.profile) if cause is Cause.SESSION_ENDED else ()
    if fault is not None and fault.title:
        title, body = fault.title, fault.body
    else:
        title, body = _texts(failure, trouble, cause, command)
        body = joined(fault.note, body) if fault is not None else body
    return QueueError(
        body,
        title=title,
        trouble=trouble,
        cause=cause,
        detail="" if foreign_text(failure.detail).rstrip(".") in body else failure.detail,
        right=_missing_right(failure) if cause is Cause.NO_RIGHT else None,
        command=command,
        was_answered=failure.was_answered,
        said=failure.service_text or failure.code,
    )


def _cause_of_answer(trouble: QueueTrouble, code: str, text: str) -> Cause:
    if trouble is QueueTrouble.SIGNED_OUT:
        if code == "RequestExpired" or any(part in text for part in _CLOCK_TEXTS):
            return Cause.CLOCK_WRONG
        return Cause.SESSION_ENDED if "Expired" in code else Cause.KEYS_REFUSED
    if trouble is QueueTrouble.SETUP and _WRONG_REGION.search(text):
        return Cause.NO_REGION
    return {
        QueueTrouble.THROTTLED: Cause.THROTTLED,
        QueueTrouble.NO_RIGHT: Cause.NO_RIGHT,
        QueueTrouble.NO_QUEUE: Cause.NO_QUEUE,
        QueueTrouble.SETUP: Cause.SETUP,
        QueueTrouble.OFFLINE: Cause.OFFLINE,
    }.get(trouble, Cause.OTHER)


def _meaning(error: Exception, connection: Connection) -> tuple[QueueTrouble, Cause]:
    """Return the kind and the cause of an error that occurred without a response from the service."""
    for kinds, trouble, cause in (
        (_NO_SIGN_IN, QueueTrouble.SIGNED_OUT, Cause.NO_SIGN_IN),
        (_SESSION_ENDED, QueueTrouble.SIGNED_OUT, Cause.SESSION_ENDED),
        (_NO_REGION, QueueTrouble.SETUP, Cause.NO_REGION),
        (_CONFIGURATION, QueueTrouble.SETUP, Cause.NO_SIGN_IN),
        (_SETUP, QueueTrouble.SETUP, Cause.SETUP),
        (NotSqsError, QueueTrouble.OFFLINE, Cause.NOT_SQS),
        (MalformedAnswerError, QueueTrouble.OFFLINE, Cause.MALFORMED),
    ):
        if isinstance(error, kinds):
            return trouble, cause
    # A connection that breaks during the handshake does not mean that the certificate is invalid.
    if isinstance(error, boto.SSLError) and not any(part in str(error) for part in _CUT_OFF_TEXTS):
        return QueueTrouble.SETUP, Cause.NOT_TRUSTED
    if is_endpoint_error(error):
        return QueueTrouble.SETUP, Cause.SETUP
    if isinstance(error, OSError) and error.filename is not None:
        return QueueTrouble.SETUP, Cause.NO_SIGN_IN  # an AWS configuration file
    if isinstance(error, boto.EndpointConnectionError) and _is_unknown_region(connection):
        return QueueTrouble.SETUP, Cause.NO_REGION
    if isinstance(error, (boto.BotoCoreError, OSError)):
        return QueueTrouble.OFFLINE, Cause.OFFLINE
    raise error


def is_endpoint_error(error: Exception) -> bool:
    """Return whether botocore rejects the URL of an endpoint."""
    return isinstance(error, ValueError) and str(error).startswith("Invalid endpoint")


def _is_unknown_region(connection: Connection) -> bool:
    """Return whether the connection's region is unknown to botocore, and therefore probably mistyped."""
    return bool(connection.region) and not connection.endpoint_url and connection.region not in known_regions()


@cache
def known_regions() -> tuple[str, ...]:
    """Return the regions in which SQS is available, as far as botocore knows. Makes no requests."""
    session = botocore.session.Session()
    return tuple(name for partition in PARTITIONS for name in session.get_available_regions("sqs", partition))

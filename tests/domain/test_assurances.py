"""What errors say about the user's files is left out in tests of a connection."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProxyConnectionError

from desktop_app.config.settings import Connection
from desktop_app.domain.assurances import FILES_STAY, joined, text_in_test
from desktop_app.domain.errors import KnownError
from desktop_app.domain.sentences import Sentence
from desktop_app.queues.errors import as_queue_error

AWS = Connection("work", region="eu-west-1")
SERVER = Connection("work", endpoint_url="http://127.0.0.1:9324")


def of_code(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetQueueUrl")


@pytest.mark.parametrize(
    ("error", "connection", "text"),
    [
        (
            of_code("QueueDoesNotExist"),
            SERVER,
            (
                "The queue “work” does not exist on the queue server at http://127.0.0.1:9324. It was deleted, or "
                "its name is different."
            ),
        ),
        (
            of_code("ExpiredToken"),
            AWS,
            "Your AWS session has expired. Sign in again with the default profile.",
        ),
        (
            NoCredentialsError(),
            AWS,
            "No credentials were found for the default profile. Choose a profile, or create one with “aws configure”.",
        ),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9324"),
            SERVER,
            (
                "Can't reach the queue server at http://127.0.0.1:9324. Check the address and the network, and "
                "whether the server is running."
            ),
        ),
        (
            ProxyConnectionError(proxy_url="http://127.0.0.1:1"),
            SERVER,
            "The proxy refused the connection to the queue server at http://127.0.0.1:9324. Check the proxy settings.",
        ),
    ],
)
def test_error_of_a_test_says_nothing_about_the_users_files(
    error: Exception, connection: Connection, text: str
) -> None:
    known = as_queue_error(error, connection, "GetQueueUrl")
    assert known.text != text, "the banner also says what happens to the files"
    assert text_in_test(known) == text


def test_other_texts_stay_as_they_are() -> None:
    assert text_in_test(KnownError("It is broken.")) == "It is broken."
    assert text_in_test(KnownError("Do this.", title="It is broken")) == "It is broken. Do this."
    only = KnownError(joined(Sentence("Do this."), FILES_STAY), title=Sentence("It is broken"))
    assert text_in_test(only) == "It is broken. Do this."
    assert text_in_test(KnownError(FILES_STAY, title=Sentence("It is broken"))) == "It is broken."

"""Addresses of servers as people type and paste them."""

from __future__ import annotations

import pytest

from desktop_app.config.server_address import PastedQueue, pasted_queue, queue_url, server_url
from desktop_app.config.settings import Settings, connection_from

ADDRESSES = {
    "127.0.0.1:9324": "http://127.0.0.1:9324",
    "127.0.0.1": "http://127.0.0.1",
    "localhost:4566": "http://localhost:4566",
    "localhost": "http://localhost",
    "queues:9324": "http://queues:9324",
    "elasticmq": "http://elasticmq",
    "192.168.1.5": "http://192.168.1.5",
    "10.0.0.5:9324": "http://10.0.0.5:9324",
    "printer.local": "http://printer.local",
    "sqs.example.org": "https://sqs.example.org",
    "sqs.example.org/": "https://sqs.example.org",
    "sqs.example.org/base": "https://sqs.example.org/base",
    "sqs.example.org:9324": "http://sqs.example.org:9324",
    "sqs.example.org:443": "https://sqs.example.org:443",
    "localhost:8443": "https://localhost:8443",
    "1.1.1.1": "https://1.1.1.1",
    "::1": "http://[::1]",
    "[::1]:9324": "http://[::1]:9324",
    "fd00::5": "http://[fd00::5]",
    "2606:4700::1111": "https://[2606:4700::1111]",
    "[2606:4700::1111]:9324": "http://[2606:4700::1111]:9324",
    "  127.0.0.1:9324/ \n": "http://127.0.0.1:9324",
    "//localhost:9324//": "http://localhost:9324",
    "http://localhost:9324": "http://localhost:9324",
    "HTTPS://sqs.example.org/": "https://sqs.example.org",
    "http:/localhost:9324": "http://localhost:9324",
    "Https:/sqs.example.org": "https://sqs.example.org",
    "http//localhost:9324": "http://localhost:9324",
    "http:9324": "http://http:9324",
    "": "",
    "  ": "",
}


@pytest.mark.parametrize("typed", ADDRESSES)
def test_address_gets_the_scheme_that_a_person_means(typed: str) -> None:
    assert server_url(typed) == ADDRESSES[typed]
    assert server_url(server_url(typed)) == ADDRESSES[typed]


@pytest.mark.parametrize("typed", ["http://", "ftp://host", "localhost:port", "a b", "http://[::1", "anna@host"])
def test_what_is_no_address_is_left_to_the_check(typed: str) -> None:
    assert server_url(typed)
    assert server_url(server_url(typed)) == server_url(typed)


@pytest.mark.parametrize(
    "name", ["files", "files.fifo", "a/b", "../a", "arn:aws:sqs:eu-west-1:123456789012:work", "a b"]
)
def test_only_urls_get_a_scheme(name: str) -> None:
    assert queue_url(f" {name} ") == name


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", ""])
def test_address_in_the_settings_and_in_variables_needs_no_scheme(variable: str) -> None:
    settings = Settings(queue="work", endpoint_url="" if variable else "127.0.0.1:9324/")
    connection = connection_from(settings, {variable: "127.0.0.1:9324/"} if variable else {})
    assert connection.endpoint_url == "http://127.0.0.1:9324"
    assert connection.key == connection_from(Settings(queue="work", endpoint_url="http://127.0.0.1:9324"), {}).key


def test_queue_url_in_a_variable_needs_no_scheme() -> None:
    connection = connection_from(Settings(), {"FILEMILL_QUEUE": "127.0.0.1:9324/000000000000/work/"})
    assert connection.queue == "http://127.0.0.1:9324/000000000000/work"
    assert (connection.queue_name, connection.endpoint_url) == ("work", "http://127.0.0.1:9324")


PASTED = {
    "http://localhost:9324/000000000000/work": PastedQueue("http://localhost:9324", "work"),
    " localhost:9324/000000000000/work.fifo/ ": PastedQueue("http://localhost:9324", "work.fifo"),
    "localhost:9324/queue/work": PastedQueue("http://localhost:9324", "work"),
    "http://localhost:4566/queue/eu-west-1/000000000000/work": PastedQueue("http://localhost:4566", "work"),
    "https://sqs.example.org/123456789012/work": PastedQueue(
        "https://sqs.example.org", "https://sqs.example.org/123456789012/work"
    ),
    "sqs.eu-west-1.amazonaws.com/123456789012/work": PastedQueue(
        "", "https://sqs.eu-west-1.amazonaws.com/123456789012/work", "eu-west-1"
    ),
    "arn:aws:sqs:eu-west-1:123456789012:work": PastedQueue("", "arn:aws:sqs:eu-west-1:123456789012:work", "eu-west-1"),
    "127.0.0.1:9324": None,
    "https://sqs.example.org/base": None,
    "https://sqs.example.org/base/queue": None,
    "http://[::1/000000000000/work": None,
    "http://anna:hush@host/000000000000/work": None,
    "http://host/000000000000/work?token=1": None,
    "work": None,
    "": None,
}


@pytest.mark.parametrize("typed", PASTED)
def test_pasted_queue_is_taken_apart(typed: str) -> None:
    assert pasted_queue(typed) == PASTED[typed]

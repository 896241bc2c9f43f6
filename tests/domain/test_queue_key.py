"""The keys of queues: which places are the same, and what can be read from a stored key."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader

from desktop_app.domain.queue_key import QueueKey, account_of, aws_region, name_of, place_of, queue_label

PARTITIONS = Loader().load_data("partitions")["partitions"]
FORMS = (
    "sqs.{region}.{domain}",
    "sqs-fips.{region}.{domain}",
    "SQS.{region}.{domain}.",
    "vpce-0a1b2c-3d4e.sqs.{region}.vpce.{domain}",
    "vpce-0a1b2c-3d4e-{region}a.sqs-fips.{region}.vpce.{domain}",
    "{region}.queue.{domain}",
)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: partition["id"])
def test_every_endpoint_of_a_region_leads_to_the_same_place_in_all_partitions(partition: dict[str, Any]) -> None:
    regions = [name for name in partition["regions"] if not name.endswith("-global")]
    domains = {partition["outputs"]["dnsSuffix"], partition["outputs"]["dualStackDnsSuffix"]}
    assert regions
    for region in regions:
        for domain in domains:
            for form in FORMS:
                host = form.format(region=region, domain=domain)
                assert aws_region(host) == region, host
                assert place_of(f"https://{host}/", "eu-west-3") == ("", region)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "sqs.eu-west-1.localhost.localstack.cloud",
        "sqs.eu-west-1.amazonaws.com.example.com",
        "notsqs.eu-west-1.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
        "sqs.amazonaws.example.com",
    ],
)
def test_other_hosts_are_not_on_aws(host: str) -> None:
    assert aws_region(host) == ""
    assert place_of(f"http://{host}", "eu-west-3")[1] == "eu-west-3"


SAME_SERVER = [
    "http://127.0.0.1:9324",
    "http://127.0.0.1:9324/",
    "http://127.0.0.1:9324//",
    "HTTP://127.0.0.1:9324",
    "http://localhost:9324",
    "http://LocalHost:9324/",
    "http://localhost.:9324",
    "http://sqs.localhost:9324",
    "http://[::1]:9324",
    "http://[0:0:0:0:0:0:0:1]:9324/",
    "http://[::ffff:127.0.0.1]:9324",
    "http://user:password@localhost:9324",
]


@pytest.mark.parametrize("url", SAME_SERVER)
def test_all_urls_of_a_server_are_one_place(url: str) -> None:
    assert place_of(url, "eu-west-1") == ("http://127.0.0.1:9324", "eu-west-1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://queue.example.com", "http://queue.example.com:80/"),
        ("https://queue.example.com", "https://QUEUE.example.com:443"),
        ("http://[2001:db8::1]:9324", "http://[2001:DB8:0:0::1]:9324/"),
        ("http://10.0.0.7:9324/path", "http://10.0.0.7:9324/path/"),
    ],
)
def test_default_port_and_spelling_make_no_other_place(one: str, other: str) -> None:
    assert place_of(one, "eu-west-1") == place_of(other, "eu-west-1")


def test_another_port_scheme_host_path_or_region_is_another_place() -> None:
    urls = [
        "http://127.0.0.1:9324",
        "http://127.0.0.1:9325",
        "https://127.0.0.1:9324",
        "http://127.0.0.2:9324",
        "http://127.0.0.1:9324/other",
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://127.0.0.1:80",
    ]
    assert len({place_of(url, region) for url in urls for region in ("eu-west-1", "us-east-1")}) == 2 * len(urls)


KEYS = {
    "eu-west-1 123456789012/team": (
        QueueKey("eu-west-1", "team", account="123456789012"),
        "team · eu-west-1 · 123456789012",
    ),
    "http://127.0.0.1:4566 us-east-1 000000000000/a.fifo": (
        QueueKey("us-east-1", "a.fifo", "http://127.0.0.1:4566", "000000000000"),
        "a.fifo on 127.0.0.1:4566",
    ),
    "http://127.0.0.1:9324 elasticmq team": (
        QueueKey("elasticmq", "team", "http://127.0.0.1:9324"),
        "team on 127.0.0.1:9324",
    ),
    "? team with profile my work's": (
        QueueKey("?", "team", credentials="profile my work's"),
        "team · profile my work's",
    ),
    "http://127.0.0.1:1 eu-west-1 team with profile with team": (
        QueueKey("eu-west-1", "team", "http://127.0.0.1:1", credentials="profile with team"),
        "team on 127.0.0.1:1 · profile with team",
    ),
}


@pytest.mark.parametrize("key", KEYS)
def test_key_is_read_back_and_described(key: str) -> None:
    parts, label = KEYS[key]
    assert QueueKey.parse(key) == parts
    assert str(parts) == key
    assert queue_label(key) == label
    assert name_of(key) == parts.name


@pytest.mark.parametrize(
    ("key", "name", "label"),
    [
        ("local", "local", "local"),
        ("aws team", "team", "team · aws"),
        ("eu-west-1 team.fifo", "team.fifo", "team.fifo · eu-west-1"),
        ("http://127.0.0.1:5599 team", "team", "team on 127.0.0.1:5599"),
    ],
)
def test_keys_of_0_1_0_have_a_name_and_a_description(key: str, name: str, label: str) -> None:
    assert (name_of(key), queue_label(key)) == (name, label)


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/team", "123456789012"),
        ("http://localhost:4566/queue/eu-west-1/000000000000/team/", "000000000000"),
        ("http://localhost:9324/queue/team", ""),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/123456789012", "123456789012"),
        ("team", ""),
    ],
)
def test_account_is_read_from_the_queue_url(url: str, account: str) -> None:
    assert account_of(url) == account

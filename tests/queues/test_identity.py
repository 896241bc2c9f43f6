"""Which queue a connection leads to, by what boto3 resolves from the configuration and the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from desktop_app.config.settings import Connection, Settings, connection_from
from desktop_app.queues.connector import ClientMaker, no_retry_config
from desktop_app.queues.errors import as_queue_error
from desktop_app.queues.identity import means, resolve, unanswered_keys
from desktop_app.queues.routes import configured_endpoint

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[default]
region = eu-central-1
[profile eu]
region = eu-west-1
[profile also-eu]
region = eu-west-1
[profile us]
region = us-east-1
[profile fips]
region = us-east-1
use_fips_endpoint = true
[profile dual]
region = us-east-1
use_dualstack_endpoint = true
[profile server]
region = eu-west-1
services = here
[profile server-without-region]
services = here
[profile server-too]
region = eu-west-1
endpoint_url = http://localhost:4566/
[profile ignoring]
region = eu-west-1
services = here
ignore_configured_endpoint_urls = true
[profile vpc]
region = eu-west-1
endpoint_url = https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com
[profile sso]
region = eu-west-1
sso_account_id = 111111111111
[profile role]
region = eu-west-1
role_arn = arn:aws:iam::222222222222:role/x
source_profile = us
[profile role-on-server]
region = eu-west-1
role_arn = arn:aws:iam::222222222222:role/x
source_profile = us
services = here
[profile account]
region = eu-west-1
aws_account_id = 333333333333
[profile nowhere]
[profile lost-services]
region = eu-west-1
services = gone
[services here]
sqs =
  endpoint_url = http://127.0.0.1:4566
"""
NAME = {"FILEMILL_QUEUE": "team"}
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/team"
ON_AWS, ON_SERVER = "eu-west-1 team", "http://127.0.0.1:4566 eu-west-1 team"


@pytest.fixture(autouse=True)
def config(isolated_environment: Path) -> Path:
    (isolated_environment / ".aws").mkdir()
    file = isolated_environment / ".aws" / "config"
    file.write_text(CONFIG)
    return file


def connection(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], **settings: Any) -> Connection:
    """Return the connection that a program with these environment variables and settings uses."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return resolve(connection_from(Settings(**settings), os.environ))


PLACES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("eu-central-1 team", NAME, {}),
    (ON_AWS, {**NAME, "AWS_PROFILE": "eu"}, {}),
    (ON_AWS, NAME, {"profile": "also-eu"}),
    (ON_AWS, {**NAME, "AWS_REGION": "eu-west-1"}, {}),
    (ON_AWS, {**NAME, "AWS_DEFAULT_REGION": "eu-west-1"}, {"profile": "us"}),
    (ON_AWS, {**NAME, "AWS_PROFILE": "us"}, {"region": "eu-west-1"}),
    (ON_AWS, NAME, {"profile": "us", "endpoint_url": "https://sqs.eu-west-1.amazonaws.com/"}),
    (ON_AWS, {**NAME, "AWS_ENDPOINT_URL": "https://sqs.eu-west-1.api.aws"}, {}),
    (ON_AWS, {"FILEMILL_QUEUE": URL}, {}),
    (ON_AWS, {"FILEMILL_QUEUE": "arn:aws:sqs:eu-west-1:123456789012:team"}, {}),
    (ON_AWS, {"FILEMILL_QUEUE": URL.replace("sqs.eu-west-1", "eu-west-1.queue")}, {"profile": "us"}),
    (ON_AWS, {**NAME, "AWS_PROFILE": "ignoring"}, {}),
    (ON_AWS, {**NAME, "AWS_PROFILE": "server", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, {}),
    (ON_AWS, {**NAME, "AWS_PROFILE": "vpc"}, {}),
    ("us-east-1 team", {**NAME, "AWS_PROFILE": "us"}, {}),
    ("us-east-1 team", {**NAME, "AWS_PROFILE": "fips"}, {}),
    ("us-east-1 team", {**NAME, "AWS_PROFILE": "us", "AWS_USE_FIPS_ENDPOINT": "true"}, {}),
    ("us-east-1 team", {**NAME, "AWS_PROFILE": "dual"}, {}),
    (ON_SERVER, {**NAME, "AWS_PROFILE": "server"}, {}),
    (ON_SERVER, {**NAME, "AWS_PROFILE": "server-too"}, {}),
    (ON_SERVER, {**NAME, "AWS_PROFILE": "server-without-region", "AWS_REGION": "eu-west-1"}, {}),
    (ON_SERVER, {**NAME, "AWS_PROFILE": "eu", "AWS_ENDPOINT_URL": "http://LOCALHOST:4566"}, {}),
    (ON_SERVER, {**NAME, "AWS_PROFILE": "eu", "AWS_ENDPOINT_URL_SQS": "http://[::1]:4566/"}, {}),
    (ON_SERVER, {**NAME, "AWS_REGION": "eu-west-1"}, {"endpoint_url": "http://localhost:4566"}),
    (ON_SERVER, {"FILEMILL_QUEUE": "http://localhost:4566/queue/team", "AWS_REGION": "eu-west-1"}, {}),
    ("http://127.0.0.1:4566 us-east-1 team", {**NAME, "AWS_PROFILE": "server-without-region"}, {}),
]


@pytest.mark.parametrize(("place", "environment", "settings"), PLACES)
def test_place_is_what_boto3_resolves(
    place: str, environment: dict[str, str], settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = connection(monkeypatch, environment, **settings)
    server, region = found.place
    assert f"{server} {region} {found.queue_name}".strip() == place
    client = ClientMaker(found).sqs(no_retry_config())
    assert (found.endpoint_url or client.meta.endpoint_url) == client.meta.endpoint_url
    assert client.meta.region_name == found.region


@pytest.mark.expected_log("transforming region")
@pytest.mark.parametrize("name", ["fips-us-east-1", "us-east-1-fips"])
def test_fips_name_of_a_region_leads_to_the_queues_of_that_region(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = connection(monkeypatch, {**NAME, "AWS_REGION": name})
    assert found.place == ("", "us-east-1")
    assert ClientMaker(found).sqs(no_retry_config()).meta.endpoint_url == "https://sqs-fips.us-east-1.amazonaws.com"


@pytest.mark.parametrize("profile", ["eu", "us", "fips", "dual", "server", "server-too", "ignoring", "vpc"])
def test_requests_go_where_boto3_would_send_them(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = connection(monkeypatch, {**NAME, "AWS_PROFILE": profile})
    ours = ClientMaker(found).sqs(no_retry_config())
    theirs = boto3.Session(profile_name=profile).client("sqs", aws_access_key_id="a", aws_secret_access_key="b")
    assert (ours.meta.endpoint_url, ours.meta.region_name) == (theirs.meta.endpoint_url, theirs.meta.region_name)


@pytest.mark.parametrize(
    ("profile", "environment"),
    [
        ("server", {}),
        ("server-too", {}),
        ("server", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        ("server", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2"}),
        ("server", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
        ("ignoring", {}),
        ("ignoring", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ""}),
        ("eu", {}),
    ],
)
def test_address_in_messages_is_the_one_that_boto3_uses(
    profile: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    theirs = boto3.Session(profile_name=profile).client("sqs", aws_access_key_id="a", aws_secret_access_key="b")
    named = configured_endpoint(Connection("team", profile=profile))
    assert (named.url if named else "https://sqs.eu-west-1.amazonaws.com") == theirs.meta.endpoint_url


def test_requests_stay_at_the_resolved_place_when_the_configuration_changes(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = connection(monkeypatch, {**NAME, "AWS_PROFILE": "eu"})
    config.write_text("[profile eu]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n")
    assert ClientMaker(found).sqs(no_retry_config()).meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:2")
    error = as_queue_error(EndpointConnectionError(endpoint_url="https://sqs"), found, "GetQueueUrl")
    assert error.title == "Can't reach Amazon SQS in eu-west-1"


@pytest.mark.parametrize(
    ("profile", "account"),
    [
        ("sso", "111111111111"),
        ("role", "222222222222"),
        ("account", "333333333333"),
        ("role-on-server", ""),
        ("eu", ""),
    ],
)
def test_account_in_the_configuration_is_a_part_of_the_key_on_aws(
    profile: str, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = connection(monkeypatch, {**NAME, "AWS_PROFILE": profile})
    assert found.account == account
    assert found.key == (f"eu-west-1 {account}/team" if account else f"eu-west-1 team with profile {profile}")


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"AWS_PROFILE": "missing"}, "? team with profile missing"),
        ({"AWS_PROFILE": "missing", "AWS_REGION": "eu-west-1"}, "eu-west-1 team with profile missing"),
        ({"AWS_PROFILE": "nowhere"}, "? team with profile nowhere"),
        ({"AWS_PROFILE": "lost-services"}, "? team with profile lost-services"),
        (
            {"AWS_PROFILE": "missing", "AWS_ENDPOINT_URL": "http://localhost:1"},
            "http://127.0.0.1:1 ? team with profile missing",
        ),
        ({"AWS_CONFIG_FILE": "/nonexistent"}, "? team with default credentials"),
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}, "eu-central-1 team with access keys 73b0a417"),
    ],
)
def test_queue_without_a_known_place_or_account_is_named_by_the_credentials(
    environment: dict[str, str], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = connection(monkeypatch, {**NAME, **environment})
    assert found.key == found.unanswered_key == key
    assert "AKID" not in found.permission_key


def test_login_in_a_configured_endpoint_is_left_out(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("[profile a]\nregion = eu-west-1\nendpoint_url = http://user:secret@localhost:4566/\n")
    found = connection(monkeypatch, {**NAME, "AWS_PROFILE": "a"})
    assert found.endpoint_url == "http://localhost:4566/"
    assert "secret" not in f"{found.key}{found.permission_key}{found.label}"


@pytest.mark.parametrize("text", ["[profile eu\nregion=", "\xff\xfe".encode("latin-1").decode("latin-1"), "[a]\nx"])
def test_unreadable_configuration_leaves_the_connection_unresolved(
    config: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(text, encoding="latin-1")
    assert connection(monkeypatch, {**NAME, "AWS_PROFILE": "eu"}).key == "? team with profile eu"


def test_resolving_runs_no_credential_process(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    helper = f"credential_process = touch {ran}\n"
    config.write_text(f"[default]\nregion = eu-west-1\n{helper}[profile helper]\nregion = eu-west-1\n{helper}")
    for environment in (NAME, {**NAME, "AWS_PROFILE": "helper"}):
        found = connection(monkeypatch, environment)
        assert found.region == "eu-west-1"
        assert unanswered_keys(found)
        means("aws team", found)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("environment", "others"),
    [
        ({"AWS_PROFILE": "eu"}, {"? team with profile eu"}),
        ({"AWS_PROFILE": "eu", "AWS_REGION": "eu-west-1"}, {"? team with profile eu"}),
        ({"AWS_PROFILE": "eu", "AWS_REGION": "us-east-1"}, set()),
        ({"AWS_PROFILE": "nowhere", "AWS_REGION": "us-east-1"}, {"? team with profile nowhere"}),
        (
            {"AWS_PROFILE": "server"},
            {"http://127.0.0.1:4566 eu-west-1 team with profile server", "? team with profile server"},
        ),
        (
            {"AWS_PROFILE": "server", "AWS_ENDPOINT_URL": "http://localhost:4566"},
            {"eu-west-1 team with profile server", "http://127.0.0.1:4566 ? team with profile server"},
        ),
        (
            {"AWS_PROFILE": "eu", "AWS_ENDPOINT_URL": "http://localhost:4566"},
            {"http://127.0.0.1:4566 ? team with profile eu"},
        ),
        (
            {"AWS_PROFILE": "nowhere", "AWS_ENDPOINT_URL": "http://localhost:4566"},
            {"http://127.0.0.1:4566 ? team with profile nowhere"},
        ),
    ],
)
def test_keys_from_before_the_queue_responded_mean_the_same_credentials_and_place(
    environment: dict[str, str], others: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = connection(monkeypatch, {**NAME, **environment})
    assert unanswered_keys(found) == {found.unanswered_key, *others}


ONE_REGION = "[profile a]\nregion = eu-west-1\n[profile b]\nregion = eu-west-1\n[profile c]\n"
ONE_SERVER = "[profile a]\nregion = eu-west-1\nendpoint_url = http://localhost:4566\n"
OLD_KEYS: list[tuple[str, str, dict[str, str], set[str]]] = [
    # the configuration, the environment, and the old keys that can only mean this connection
    (
        "one region",
        ONE_REGION,
        {"AWS_PROFILE": "a"},
        {"aws team", "eu-west-1 team", "https://sqs-fips.eu-west-1.amazonaws.com team"},
    ),
    ("typed region", ONE_REGION, {"AWS_REGION": "us-east-1"}, {"us-east-1 team"}),
    ("exported region", ONE_REGION, {"AWS_DEFAULT_REGION": "us-east-1"}, {"us-east-1 team"}),
    ("two regions", CONFIG, {"AWS_PROFILE": "eu"}, {"https://sqs-fips.eu-west-1.amazonaws.com team"}),
    (
        "no configuration",
        "",
        {"AWS_REGION": "eu-west-1"},
        {"eu-west-1 team", "https://sqs-fips.eu-west-1.amazonaws.com team"},
    ),
    (
        "configured server",
        ONE_SERVER,
        {"AWS_PROFILE": "a"},
        {"aws team", "eu-west-1 team", "http://127.0.0.1:4566 team", "http://localhost:4566/ team"},
    ),
    (
        "typed server",
        "",
        {"AWS_ENDPOINT_URL": "http://localhost:4566"},
        {"http://127.0.0.1:4566 team", "http://localhost:4566/ team"},
    ),
    (
        "server and region",
        "",
        {"AWS_ENDPOINT_URL": "http://[::1]:4566", "AWS_REGION": "eu-west-1"},
        {"http://127.0.0.1:4566 team", "http://localhost:4566/ team"},
    ),
    (
        "server and another region",
        ONE_REGION,
        {"AWS_ENDPOINT_URL": "http://localhost:4566", "AWS_REGION": "us-east-1"},
        set(),
    ),
    ("another server", "", {"AWS_ENDPOINT_URL": "http://localhost:4567"}, set()),
]


@pytest.mark.parametrize(
    ("text", "environment", "keys"), [case[1:] for case in OLD_KEYS], ids=[case[0] for case in OLD_KEYS]
)
def test_key_of_0_1_0_means_a_queue_only_if_it_can_mean_no_other(
    text: str, environment: dict[str, str], keys: set[str], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(text)
    found = connection(monkeypatch, {**NAME, **environment})
    old = {
        "local",
        "aws team",
        "aws other",
        "eu-west-1 team",
        "us-east-1 team",
        "http://127.0.0.1:4566 team",
        "http://localhost:4566/ team",
        "https://sqs-fips.eu-west-1.amazonaws.com team",
    }
    assert {key for key in old if means(key, found)} == keys

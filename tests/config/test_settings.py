"""The settings: defaults, reading and writing, and the connection they describe."""

from __future__ import annotations

import errno
import os
import threading
import tomllib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from desktop_app.config.settings import (
    LOCAL_QUEUE,
    MAX_CONCURRENCY,
    Connection,
    Settings,
    connection_from,
    load_settings,
    update_settings,
)
from desktop_app.domain.errors import SettingsError
from desktop_app.domain.sentences import display_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = Settings(
    queue="https://sqs.eu-west-1.amazonaws.com/123456789012/files.fifo",
    profile="work “quoted”",
    region="eu-west-1",
    endpoint_url="http://localhost:4566",
    concurrency=8,
    process_queue="aws eu-west-1 - files",
    fifo_order="strict",
    language="de",
    paused=True,
    remembered_keys="0a1b2c3d",
    theme="dark",
    duplicates="skip",
    notifications="problems",
    log_level="debug",
    keep_days=30,
    type_rules="*.csv => table\n*.jpg => image",
    brake=False,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def save(path: Path, settings: Settings) -> None:
    update_settings(path, **asdict(settings))


def files(folder: Path) -> list[str]:
    """Return the files in the folder, without the lock."""
    return [file.name for file in folder.iterdir() if file.suffix != ".lock"]


def test_example_differs_from_every_default() -> None:
    assert all(getattr(FULL, field.name) != field.default for field in fields(Settings))


def test_missing_and_empty_files_give_the_defaults(path: Path) -> None:
    assert load_settings(path) == Settings()
    path.touch()
    assert load_settings(path) == Settings()


@pytest.mark.parametrize("settings", [Settings(), FULL, Settings(concurrency=1)])
def test_saved_settings_are_read_back(path: Path, settings: Settings) -> None:
    save(path, settings)
    assert load_settings(path) == settings
    save(path, settings)
    assert load_settings(path) == settings
    assert files(path.parent) == ([] if settings == Settings() else [path.name])


def test_only_changed_settings_are_written(path: Path) -> None:
    update_settings(path, concurrency=3)
    assert path.read_text() == "concurrency = 3\n"
    save(path, Settings())
    assert path.read_text() == ""


HANDWRITTEN = """\
# My settings
queue = "files"  # the team's
future_option = [1, 2]

[window]
width = 800
"""


def test_comments_and_unknown_keys_stay(path: Path) -> None:
    path.write_text(HANDWRITTEN)
    update_settings(path, concurrency=2, queue="other")
    text = path.read_text()
    assert "# My settings" in text
    assert "# the team's" in text
    table = tomllib.loads(text)
    assert table == {"queue": "other", "concurrency": 2, "future_option": [1, 2], "window": {"width": 800}}


def test_byte_order_mark_of_an_editor_does_no_harm(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfconcurrency = 2\r\n")
    assert load_settings(path).concurrency == 2
    update_settings(path, concurrency=3)
    assert load_settings(path).concurrency == 3


@pytest.mark.parametrize(
    "content", [b"queue = ", b"concurrency = 1\nconcurrency = 2\n", b"<xml/>", b"x = " + b"[" * 100_000]
)
def test_invalid_toml_is_reported_with_its_line_and_the_file_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for use in (lambda: load_settings(path), lambda: save(path, FULL)):
        with pytest.raises(SettingsError, match=r"is not valid TOML.*delete it to start with the defaults") as caught:
            use()
        assert str(path) in caught.value.text
        assert caught.value.detail
    assert path.read_bytes() == content
    assert files(path.parent) == [path.name]


def test_line_of_the_syntax_error_is_reported(path: Path) -> None:
    path.write_text("concurrency = 1\nqueue = files\n")
    with pytest.raises(SettingsError, match=r"\(line 2\)"):
        load_settings(path)


def test_file_in_another_encoding_is_reported_and_kept(path: Path) -> None:
    path.write_bytes(b"profile = 'caf\xe9'\n")
    for use in (lambda: load_settings(path), lambda: save(path, FULL)):
        with pytest.raises(SettingsError, match="is not UTF-8 text"):
            use()
    assert path.read_bytes() == b"profile = 'caf\xe9'\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "device"])
def test_pipe_or_device_in_place_of_the_file_is_refused_without_reading_it(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a pipe":
        os.mkfifo(path.with_name("pipe"))
        path.symlink_to("pipe")
    else:
        path.symlink_to("/dev/zero")

    words = r"settings\.toml is not a regular file\. Delete it"
    with pytest.raises(SettingsError, match=words):
        load_settings(path)
    with pytest.raises(SettingsError, match=words):
        update_settings(path, paused=True)
    assert not path.is_file()


def test_folder_in_place_of_the_file_is_reported(path: Path) -> None:
    path.mkdir()
    for use in (lambda: load_settings(path), lambda: save(path, FULL)):
        with pytest.raises(SettingsError, match="can't be read"):
            use()


def test_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(SettingsError, match="can't be written"):
        update_settings(tmp_path / "taken" / "settings.toml", concurrency=3)


def test_full_disk_is_reported_and_the_file_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("concurrency = 2\n")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="can't be written: No space left on device"):
        update_settings(path, concurrency=3)
    assert path.read_text() == "concurrency = 2\n"
    assert files(path.parent) == [path.name]


def test_nothing_is_written_if_nothing_changes(path: Path) -> None:
    update_settings(path, concurrency=3)
    before = path.stat()
    assert update_settings(path, concurrency=3) == Settings(concurrency=3)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_invalid_value_is_not_saved(path: Path) -> None:
    with pytest.raises(SettingsError, match="between 0 and 64"):
        update_settings(path, concurrency=65)
    assert not path.exists()


def test_concurrent_changes_of_different_settings_are_both_kept(path: Path) -> None:
    def count(name: str, step: Callable[[Settings], object]) -> None:
        for _ in range(50):
            update_settings(path, **{name: step(load_settings(path))})

    threads = [
        threading.Thread(target=count, args=("concurrency", lambda saved: saved.concurrency + 1)),
        threading.Thread(target=count, args=("queue", lambda saved: saved.queue + "x")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert load_settings(path) == Settings(concurrency=50, queue="x" * 50)


def test_file_that_another_program_changes_is_waited_for_and_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_app.config.settings.LOCK_SECONDS", 0.05)
    with (
        FileLock(f"{path}.lock", mode=0o600),
        pytest.raises(SettingsError, match="can't be written: another program is changing it"),
    ):
        update_settings(path, concurrency=3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("concurrency = '4'", "concurrency must be a whole number, not '4'"),
        ("concurrency = true", "concurrency must be a whole number, not True"),
        ("concurrency = 2.0", "concurrency must be a whole number, not 2.0"),
        ("queue = 7", "queue must be text in quotes, not 7"),
        ("region = ['eu']", "region must be text in quotes"),
        ("paused = 1", "paused must be true or false, not 1"),
        ("profile = false", "profile must be text in quotes, not False"),
        ("concurrency = -1", "concurrency must be between 0 and 64, not -1"),
        ("concurrency = 65", "concurrency must be between 0 and 64, not 65"),
        ("fifo_order = 'random'", "fifo_order must be “parallel” or “strict”, not “random”"),
    ],
)
def test_value_of_a_wrong_type_or_range_is_reported(path: Path, line: str, words: str) -> None:
    path.write_text(line)
    with pytest.raises(SettingsError, match="Fix the file, or delete it to start with the defaults") as caught:
        load_settings(path)
    assert words in caught.value.text
    assert caught.value.text.startswith(str(path))
    assert path.read_text() == line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("theme = 'high-contrast'", "the setting theme can't be 'high-contrast'; using 'system'"),
        ("duplicates = ['skip']", "the setting duplicates can't be ['skip']; using 'ask'"),
        ("notifications = true", "the setting notifications can't be True; using 'all'"),
        ("log_level = 'loud'", "the setting log_level can't be 'loud'; using 'normal'"),
        ("keep_days = -1", "the setting keep_days can't be -1; using 0"),
        ("keep_days = 3651", "the setting keep_days can't be 3651; using 0"),
        ("keep_days = true", "the setting keep_days can't be True; using 0"),
        ("keep_days = '30'", "the setting keep_days can't be '30'; using 0"),
    ],
)
def test_preference_of_a_newer_version_is_ignored_and_kept(
    path: Path, line: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(f"{line}\nconcurrency = 3\n")
    with caplog.at_level("INFO"):
        assert load_settings(path) == Settings(concurrency=3)
    assert [record.message for record in caplog.records] == [words]
    update_settings(path, concurrency=4, language="de")
    assert path.read_text() == f'{line}\nconcurrency = 4\nlanguage = "de"\n'


def test_preference_that_is_not_valid_is_not_saved(path: Path) -> None:
    with pytest.raises(SettingsError, match="“purple” is not a valid value for theme"):
        update_settings(path, theme="purple")
    assert not path.exists()


def test_number_of_workers_follows_the_computer_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((1, 1), (2, 2), (16, 4), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert Settings().workers == workers
        assert Settings(concurrency=MAX_CONCURRENCY).workers == MAX_CONCURRENCY


def test_default_is_the_embedded_queue() -> None:
    connection = connection_from(Settings(), {})
    assert connection == Connection()
    assert connection.is_local
    assert not connection.is_fifo
    assert (connection.queue_name, connection.key, connection.label) == (LOCAL_QUEUE, LOCAL_QUEUE, "Local queue")


def test_embedded_queue_has_no_other_place(path: Path) -> None:
    """AWS settings in the environment do not apply to the embedded queue."""
    environment = {"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://localhost:4566"}
    assert connection_from(Settings(region="eu-west-2"), environment) == Connection()
    assert connection_from(Settings(queue="  "), {"FILEMILL_QUEUE": " "}) == Connection()


def test_settings_apply_without_environment_variables() -> None:
    settings = Settings(queue="files", profile="work", region="eu-west-1", endpoint_url="http://localhost:4566")
    expected = Connection("files", "work", "eu-west-1", "http://localhost:4566")
    assert connection_from(settings, {}) == expected
    assert connection_from(settings, dict.fromkeys(("FILEMILL_QUEUE", "AWS_PROFILE", "AWS_REGION"), "")) == expected


@pytest.mark.parametrize(
    ("environment", "field", "value"),
    [
        ({"FILEMILL_QUEUE": " other\n"}, "queue", "other"),
        ({"AWS_PROFILE": "home"}, "profile", "home"),
        ({"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-east-2"}, "region", "us-west-2"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "region", "us-east-2"),
        ({"AWS_ENDPOINT_URL_SQS": "http://a:1", "AWS_ENDPOINT_URL": "http://b:2"}, "endpoint_url", "http://a:1"),
        ({"AWS_ENDPOINT_URL": "http://b:2"}, "endpoint_url", "http://b:2"),
    ],
)
def test_environment_overrides_the_settings(environment: dict[str, str], field: str, value: str) -> None:
    settings = Settings(queue="files", profile="work", region="eu-west-1", endpoint_url="http://localhost:4566")
    expected = Connection("files", "work", "eu-west-1", "http://localhost:4566")
    assert connection_from(settings, environment).saved_fields == {**expected.saved_fields, field: value}


ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("host", "region", "is_usual"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1", True),
        ("sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1", True),
        ("SQS.ap-southeast-5.AmazonAWS.com", "ap-southeast-5", True),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1", True),
        ("sqs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", True),
        ("eu-central-1.queue.amazonaws.com", "eu-central-1", True),
        ("cn-northwest-1.queue.amazonaws.com.cn", "cn-northwest-1", True),
        ("queue.amazonaws.com", "us-east-1", True),
        ("sqs.eu-west-1.api.aws", "eu-west-1", False),
        ("sqs.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1", False),
        ("sqs-fips.us-east-2.amazonaws.com", "us-east-2", False),
        ("sqs-fips.us-east-2.api.aws", "us-east-2", False),
        ("vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1", False),
        ("sqs.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", False),
        ("sqs.eu-central-1.localhost.localstack.cloud:4566", "eu-central-1", False),
    ],
)
def test_queue_url_that_names_its_region(host: str, region: str, is_usual: bool) -> None:
    """If the URL's host is not the one that boto3 would use, requests go to the URL's host."""
    url = f"https://{host}/{ACCOUNT}/files"
    for settings in (Settings(queue=url), Settings(queue=url, region="us-west-1", profile="work")):
        connection = connection_from(settings, {})
        endpoint = "" if is_usual else f"https://{host}"
        assert connection == Connection(url, settings.profile, region, endpoint, account=ACCOUNT)
        assert connection.queue_name == "files"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://localhost:9324/000000000000/files", "http://localhost:9324"),
        ("http://127.0.0.1:4566/queue/files", "http://127.0.0.1:4566"),
        ("http://[::1]:4566/0/files", "http://[::1]:4566"),
        ("https://queue.example.com/files", "https://queue.example.com"),
        ("https://sqs.eu-west-1.amazonaws.com.example.com/1/files", "https://sqs.eu-west-1.amazonaws.com.example.com"),
        ("https://notsqs.example.com/1/files", "https://notsqs.example.com"),
    ],
)
def test_queue_url_of_another_server_names_its_endpoint(url: str, endpoint: str) -> None:
    connection = connection_from(Settings(), {"FILEMILL_QUEUE": url})
    assert (connection.queue, connection.endpoint_url) == (url, endpoint)
    chosen = connection_from(
        Settings(endpoint_url="http://proxy:1"), {"FILEMILL_QUEUE": url, "AWS_REGION": "eu-west-3"}
    )
    assert chosen.endpoint_url == "http://proxy:1"


def test_region_of_the_settings_applies_to_a_server_without_one() -> None:
    connection = connection_from(Settings(queue="http://localhost:9324/0/files", region="eu-west-3"), {})
    assert connection.region == "eu-west-3"


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///files",
        "https://host",
        "https://host/",
        "ftp://host/files",
        "sqs://files",
        "://files",
        "http://[::1/files",
        "http://host:port/files",
        "http://host:99999/files",
        "http://host:0/files",
        "https://host/1/files?Action=SendMessage",
        "https://host/1/files#part",
    ],
)
def test_invalid_queue_url_is_reported(url: str) -> None:
    with pytest.raises(SettingsError, match="is not a valid queue URL") as caught:
        connection_from(Settings(queue=url), {})
    assert url in caught.value.text


@pytest.mark.parametrize(
    "text",
    [
        "http://anna:hush@127.0.0.1:9324",
        "http://anna@hush@127.0.0.1",
        "https://hush@host/",
        "https://anna:hu/sh@host",
        "https://anna:hu#sh@host",
        "http://:hush@[::1]:9324",
        "anna:hush@host",
    ],
)
@pytest.mark.parametrize(
    "where", ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", "endpoint_url", "FILEMILL_QUEUE", "queue"]
)
def test_password_in_a_url_is_refused_and_not_shown(text: str, where: str) -> None:
    settings: dict[str, Any] = {"queue": "files"} | ({where: text} if where.islower() else {})
    with pytest.raises(SettingsError, match="contains a user name or password") as caught:
        connection_from(Settings(**settings), {} if where.islower() else {where: text})
    assert "anna" not in caught.value.text + caught.value.detail
    assert "hu" not in caught.value.text + caught.value.detail


def test_key_in_the_query_of_a_url_is_not_shown() -> None:
    for settings in (
        Settings(queue="https://host/1/files?X-Amz-Signature=0a1b2c3d"),
        Settings(queue="files", endpoint_url="https://host/?token=0a1b2c3d"),
    ):
        with pytest.raises(SettingsError) as caught:
            connection_from(settings, {})
        assert "0a1b2c3d" not in caught.value.text


def test_blanks_around_the_region_and_the_endpoint_do_not_count() -> None:
    plain = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://localhost:9324"}
    padded = {name: f" {value}\n" for name, value in plain.items()}
    assert connection_from(Settings(queue="q"), padded) == connection_from(Settings(queue="q"), plain)
    assert connection_from(Settings(queue="q"), {"AWS_REGION": " ", "AWS_DEFAULT_REGION": "eu-west-1"}).region


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://host:port",
        "http://127.0.0.1:70000",
        "ftp://host",
        "http://",
    ],
)
def test_invalid_endpoint_url_is_reported(url: str) -> None:
    with pytest.raises(SettingsError, match="is not a valid server URL") as caught:
        connection_from(Settings(queue="files"), {"AWS_ENDPOINT_URL_SQS": url})
    assert url in caught.value.text


@pytest.mark.parametrize("name", ["files", "Files_2-b", "a" * 80, "a.fifo", "a" * 75 + ".fifo", "0"])
def test_valid_queue_name_is_accepted(name: str) -> None:
    connection = connection_from(Settings(), {"FILEMILL_QUEUE": name})
    assert connection.queue == connection.queue_name == name
    assert connection.is_fifo == name.endswith(".fifo")


@pytest.mark.parametrize(
    "name",
    [
        "a" * 81,
        "a" * 76 + ".fifo",
        ".fifo",
        "two words",
        "a.b",
        "files.FIFO",
        "a.fifo.fifo",
        "a/b",
        "ärger",
        "a\nb",
        "../a",
    ],
)
def test_invalid_queue_name_is_reported(name: str) -> None:
    with pytest.raises(SettingsError, match="is not a valid queue name") as caught:
        connection_from(Settings(queue=name), {})
    assert display_text(name) in caught.value.text


def test_fifo_queue_is_recognized_by_its_url() -> None:
    for url in ("https://sqs.eu-west-1.amazonaws.com/1/a.fifo", "https://sqs.eu-west-1.amazonaws.com/1/a.fifo/"):
        assert connection_from(Settings(queue=url), {}).is_fifo


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/123456789012",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/",
        "https://sqs.eu-west-1.amazonaws.com//123456789012//",
        "https://sqs-fips.us-east-1.amazonaws.com/123456789012/",
        "https://eu-west-1.queue.amazonaws.com/123456789012/",
        "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/",
        "http://127.0.0.1:4566/000000000000/",
        "http://127.0.0.1:4566/queue/eu-west-1/000000000000/",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/%20",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/two words",
    ],
)
def test_queue_url_without_a_name_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="does not end in a queue name") as caught:
        connection_from(Settings(queue=url), {})
    assert url in caught.value.text


def test_endpoints_that_boto3_ignores_are_ignored() -> None:
    environment = {"AWS_ENDPOINT_URL": "http://b:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}
    assert connection_from(Settings(queue="files"), environment).endpoint_url == ""


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        (Settings(queue="files"), "files"),
        (Settings(queue="files", region="eu-west-1"), "files · eu-west-1"),
        (Settings(queue="files", endpoint_url="http://localhost:4566"), "files on 127.0.0.1:4566"),
        (Settings(queue="https://sqs.eu-west-1.amazonaws.com/1/files"), "files · eu-west-1"),
        (Settings(queue="http://localhost:9324/0/files"), "files on 127.0.0.1:9324"),
    ],
)
def test_label_names_the_queue_and_its_place(settings: Settings, label: str) -> None:
    assert connection_from(settings, {}).label == label


@pytest.mark.parametrize(
    ("arn", "url", "region"),
    [
        (
            "arn:aws:sqs:eu-west-1:123456789012:work.fifo",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/work.fifo",
            "eu-west-1",
        ),
        (
            "arn:aws-cn:sqs:cn-north-1:123456789012:work",
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/work",
            "cn-north-1",
        ),
    ],
)
def test_arn_is_as_good_as_the_url(arn: str, url: str, region: str) -> None:
    connection = connection_from(Settings(queue=arn, region="us-east-1"), {})
    assert connection == connection_from(Settings(queue=url), {})
    assert connection.region == region


def test_other_server_gets_only_the_name_of_an_arn() -> None:
    arn = "arn:aws:sqs:us-east-1:000000000000:work"
    assert connection_from(Settings(queue=arn, endpoint_url="http://localhost:4566"), {}).queue == "work"

"""Opening the program: its folder, settings, queue and database."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import build_sender, connect_queue, open_program
from desktop_app.config.paths import Home, database_path
from desktop_app.config.settings import LOCAL_QUEUE, Settings, update_settings
from desktop_app.domain.errors import SettingsError, StoreError
from desktop_app.domain.job import NewFile
from desktop_app.services.loops import StopRequest
from tests.helpers import wait_until
from tests.helpers.rights import without_special_rights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.bootstrap import Program


def opened(environment: Mapping[str, str]) -> closing[Program]:
    return closing(open_program(environment))


def test_first_start_makes_the_home_and_an_empty_list(filemill_home: Path) -> None:
    with opened({}) as program:
        assert program.home.folder == filemill_home
        assert program.settings == Settings()
        assert program.connection.is_local
        assert program.database.path == filemill_home / "filemill.db"
        assert list(program.jobs.all()) == []
    assert (filemill_home / "filemill.db").stat().st_size > 0
    assert (filemill_home / "logs").is_dir()
    assert (filemill_home / "run").is_dir()


def test_next_start_shows_added_files(filemill_home: Path) -> None:
    with opened({}) as program:
        program.editor.add([NewFile("/data/a.txt", 1, None)])
        assert program.control.wait_to_send(0.1, StopRequest())
    with opened({}) as program:
        (job,) = program.jobs.all()
        assert (job.file_path, job.queue) == ("/data/a.txt", LOCAL_QUEUE)
        assert not program.control.wait_to_send(0.1, StopRequest())


def test_saved_settings_apply_and_the_environment_overrides_them(existing_home: Path) -> None:
    update_settings(existing_home / "settings.toml", queue="files", region="eu-west-1", concurrency=3)
    with opened({"AWS_REGION": "eu-west-2"}) as program:
        assert program.settings.concurrency == 3
        assert (program.connection.queue, program.connection.region) == ("files", "eu-west-2")
        program.editor.add([NewFile("/data/a.txt", 1, None)])
        assert {job.queue for job in program.jobs.all()} == {program.connection.key}


def test_other_connection_uses_the_settings_as_they_are_saved_then(filemill_home: Path) -> None:
    with opened({}) as program:
        update_settings(filemill_home / "settings.toml", concurrency=3)
        assert program.reconnected(program.connection).settings.concurrency == 3
        (filemill_home / "settings.toml").write_text("not = [toml")
        assert program.reconnected(program.connection).settings == program.settings


def test_database_may_lie_elsewhere(filemill_home: Path, tmp_path: Path) -> None:
    with opened({"FILEMILL_DATABASE": str(tmp_path / "shared" / "jobs.db")}) as program:
        program.editor.add([NewFile("/data/a.txt", 1, None)])
    assert (tmp_path / "shared" / "jobs.db").exists()
    assert not (filemill_home / "filemill.db").exists()


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"FILEMILL_QUEUE": "two words"}, SettingsError),
        ({"FILEMILL_DATABASE": "postgresql://host/jobs"}, SettingsError),
        ({"FILEMILL_DATABASE": "{home}/settings.toml/jobs.db"}, StoreError),
        ({"FILEMILL_DATABASE": "{home}/settings.toml"}, StoreError),
    ],
)
def test_unusable_folders_are_reported(
    filemill_home: Path, environment: dict[str, str], error: type[Exception]
) -> None:
    filemill_home.mkdir()
    (filemill_home / "settings.toml").write_text("concurrency = 2\n")
    given = {name: value.replace("{home}", str(filemill_home)) for name, value in environment.items()}
    with pytest.raises(error):
        open_program(given)
    assert (filemill_home / "settings.toml").read_text() == "concurrency = 2\n"


def test_invalid_settings_are_reported(filemill_home: Path) -> None:
    filemill_home.mkdir()
    (filemill_home / "settings.toml").write_text("concurrency = 'many'\n")
    with pytest.raises(SettingsError, match="concurrency must be a whole number"):
        open_program({})
    assert not (filemill_home / "filemill.db").exists()


def test_home_that_can_not_be_created_is_reported(filemill_home: Path) -> None:
    filemill_home.write_text("a file")
    with pytest.raises(SettingsError, match="it, or a part of its path, is not a folder"):
        open_program({})


@pytest.mark.parametrize("name", ["", "logs", "run"])
def test_folder_that_can_not_be_listed_does_not_prevent_the_start(existing_home: Path, name: str) -> None:
    """For example, the folder of the logs after a start with sudo."""
    Home(existing_home).create()
    folder = existing_home / name
    folder.chmod(0o300)
    try:
        with without_special_rights(), opened({}) as program:
            assert list(program.jobs.all()) == []
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("", "/home/filemill.db"),
        ("/data/jobs.db", "/data/jobs.db"),
        ("/data/with space & #1?.db", "/data/with space & #1?.db"),
        ("sqlite:///data/jobs.db", "/data/jobs.db"),
        ("sqlite:////data/jobs.db", "/data/jobs.db"),
        ("sqlite:///data/with%20space%23.db", "/data/with space#.db"),
    ],
)
def test_database_is_named_by_a_path_or_a_url(named: str, path: str) -> None:
    assert database_path(Home(Path("/home")), named) == Path(path)


def test_relative_path_starts_where_the_program_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    home = Home(Path("/home"))
    assert database_path(home, "jobs.db") == tmp_path / "jobs.db"
    assert database_path(home, "~/jobs.db") == tmp_path / "me" / "jobs.db"


@pytest.mark.parametrize(
    "named",
    ["postgresql://host/jobs", "mysql://host/jobs", "sqlite://host/jobs.db", "sqlite://", "sqlite:///", "http://a/b"],
)
def test_url_of_an_unsupported_database_is_reported(named: str) -> None:
    with pytest.raises(SettingsError, match="only a path or sqlite:///path is supported") as caught:
        database_path(Home(Path("/home")), named)
    assert named in caught.value.text


@pytest.mark.parametrize("url", ["postgresql://me:{}@host/jobs", "postgresql://host/jobs?user=me&password={}"])
@pytest.mark.parametrize("password", ["hush12", "hu@sh12", "hu/sh12"])
def test_password_in_the_url_of_an_unsupported_database_is_not_shown(url: str, password: str) -> None:
    with pytest.raises(SettingsError) as caught:
        database_path(Home(Path("/home")), url.format(password))
    assert "sh12" not in caught.value.text


def test_sender_of_window_and_worker_removes_files_that_were_processed_long_ago(filemill_home: Path) -> None:
    """The setting is read when the task runs, because a worker can run for months."""
    with opened({}) as program:
        old, new = program.editor.add([NewFile(f"/data/{name}", 1, None) for name in ("old", "new")]).job_ids
        with closing(sqlite3.connect(program.database.path)) as connection, connection:
            ended = "UPDATE job SET status = 2, finished_at = ? WHERE uuid = ?"
            connection.execute(ended, (program.clock.now_ms() - 8 * 24 * 3600 * 1000, old))
            connection.execute(ended, (program.clock.now_ms() - 6 * 24 * 3600 * 1000, new))
        update_settings(filemill_home / "settings.toml", keep_days=7)
        with closing(connect_queue(program)) as connector:
            sender = build_sender(program, connector, lambda _: None)
            stop = StopRequest()
            thread = threading.Thread(target=sender.run, args=(stop,))
            thread.start()
            wait_until(lambda: len(list(program.jobs.all())) < 2)
            stop.set()
            thread.join(60)
        assert [job.id for job in program.jobs.all()] == [new]

"""Fixtures for windows on real databases; loops only run if a test starts them."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QLocale, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent

from desktop_app.config.paths import Home
from desktop_app.config.settings import Connection, Settings
from desktop_app.domain.clock import SystemClock
from desktop_app.gui.connection.controller import ConnectionController, ConsumerThread, QueueLoops, SenderThread
from desktop_app.gui.desktop.ports import no_desktop
from desktop_app.gui.table import model as jobs_model
from desktop_app.gui.theme.theme import Theme
from desktop_app.gui.watching.controller import FolderWatching
from desktop_app.gui.window.list_controller import ListController
from desktop_app.gui.window.main_window import MainWindow, Place
from desktop_app.gui.window_memory import WindowMemory
from desktop_app.gui.wording import Wording
from desktop_app.services.adding.type_rules import TypeRules
from desktop_app.services.adding.watching import WatchingLoop
from desktop_app.services.consuming.foreign_messages import ForeignMessages
from desktop_app.services.control import ProcessingControl
from desktop_app.services.queue_identity import QueueIdentity
from desktop_app.services.support.connection_advisor import ConnectionAdvisor
from desktop_app.services.support.previews import Preview
from desktop_app.services.support.report import SupportSources
from desktop_app.store.adding import Intake
from desktop_app.store.job_list import JobList
from desktop_app.store.processors import WorkerProcessors
from desktop_app.store.watched_folders import WatchedFolders
from tests.gui.action_scene import ActionScene, open_urls_with
from tests.gui.jobs_database import JobsDatabase
from tests.gui.running_app import SOON, RunningApp
from tests.helpers.fakes import FakeClient, FakeConnector
from tests.helpers.processors import PROCESSORS

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from desktop_app.domain.connection_checks import Finding
    from desktop_app.gui.connection.status import ConnectionStatus
    from desktop_app.queues.connector import QueueConnector
    from desktop_app.services.loops import Loop, LoopState


def notice_text(window: MainWindow) -> str:
    """Return the text of the notice that the window shows; empty if there is none."""
    return window.notices.notice.text if window.notices.notice is not None else ""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the paths that the system is asked to open."""
    paths: list[str] = []

    def open_url(url: QUrl) -> bool:
        paths.append(url.toLocalFile())
        return True

    open_urls_with(monkeypatch, open_url)
    return paths


@pytest.fixture(scope="module", autouse=True)
def no_garbage_collector_on_other_threads() -> Iterator[None]:
    """See `gui.startup.qt_runtime`: the remains of one test's widgets would be destroyed on another test's thread."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    dress = Theme(qapp)
    dress.follow(qapp)
    return dress


OPENING_SIZE = (1100, 700)

ENGLISH = QLocale(QLocale.Language.English, QLocale.Country.UnitedStates)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Format numbers as `wording` does, whatever the machine's locale is."""
    before = QLocale()
    QLocale.setDefault(ENGLISH)
    yield
    QLocale.setDefault(before)


@pytest.fixture
def wording() -> Wording:
    return Wording(ENGLISH)


@pytest.fixture
def jobs_db(tmp_path: Path) -> Iterator[JobsDatabase]:
    made = JobsDatabase(tmp_path / "jobs.db")
    yield made
    made.database.release()


class FakeLoops(QueueLoops):
    """Loops that only record that they were started."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            ConsumerThread(_no_loop),
            SenderThread(_no_loop),
            foreign_messages=ForeignMessages(),
            give_up=lambda: None,
            interrupt=lambda: None,
            close=lambda: None,
        )
        self.starts = 0

    def start(self) -> None:
        self.starts += 1


def _no_loop(report: Callable[[LoopState], None]) -> Loop:
    raise AssertionError("the threads of fake loops are never started")


class CountingControl(ProcessingControl):
    """Counts the calls that let the loops try again at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    def try_now(self) -> None:
        self.tried += 1
        super().try_now()


class WindowFactory:
    """Makes windows on one database, and records their calls to the outside."""

    def __init__(self, jobs_db: JobsDatabase, theme: Theme, wording: Wording, folder: Path, qtbot: QtBot) -> None:
        self.desktop = no_desktop()
        self.jobs_db = jobs_db
        self.control = CountingControl()
        self.loops: list[FakeLoops] = []
        self.chosen: list[tuple[Connection, bool]] = []
        """The connections chosen in the window, and whether their files are processed here."""
        self.remembered: list[bool] = []
        self._theme = theme
        self._wording = wording
        self._file = folder / "window.ini"
        self.log_folder = folder / "logs"
        self.environment: dict[str, str] = {}
        self.settings_file = folder / "settings.toml"
        self.connection = ConnectionController(
            self._make_loops,
            self.control,
            ConnectionAdvisor(folder / "run"),
            resolve=QueueIdentity(jobs_db.database).resolve,
            connection=Connection(),
            settings_file=self.settings_file,
            clock=jobs_db.clock,
            environment=self.environment,
        )
        self.settings = Settings()
        self.findings: list[Finding] = []
        self.preview: Callable[[str, int], Preview] = lambda _path, _pixels: Preview()
        self.connector: QueueConnector = FakeConnector(FakeClient())
        self._qtbot = qtbot
        self._controllers: list[ListController] = []

    @property
    def states(self) -> ConnectionStatus:
        return self.connection.status

    @property
    def tried(self) -> int:
        return self.control.tried

    def _make_loops(self, connection: Connection) -> FakeLoops:
        if self.loops:
            self.chosen.append((connection.entered, self.control.is_permitted(connection.key)))
        self.loops.append(FakeLoops(connection))
        return self.loops[-1]

    def open(self, place: Place | None = None) -> MainWindow:
        """Open a window that has read the list, and that shows a place in it."""
        jobs_db = self.jobs_db
        jobs = ListController(
            jobs_db.jobs,
            jobs_db.intake,
            jobs_db.session,
            self._wording,
            queue=self.connection.connection.key,
            clock=jobs_db.clock,
            make_fast=WorkerProcessors(jobs_db.database).make_fast,
        )
        self._controllers.append(jobs)
        window = MainWindow(WindowMemory(self._file), self._theme)
        window.build(
            jobs,
            self.connection,
            control=self.control,
            save_paused=self.remembered.append,
            wording=self._wording,
            clock=jobs_db.clock,
            desktop=lambda _: self.desktop,
            support=self._support(),
            processors=lambda: PROCESSORS,
            type_rules=lambda: self.settings.type_rules,
            preview=self.preview,
            watching=self.watching(jobs),
        )
        self._qtbot.addWidget(window, before_close_func=self._end_looking_up)
        window.resize(*OPENING_SIZE)  # as on a large screen; that of the tests is small
        with self._qtbot.waitExposed(window):
            window.open(place)
        if place is None:
            self._qtbot.waitUntil(lambda: jobs.model.is_loaded and jobs.is_at_rest())
        return window

    def watching(self, jobs: ListController) -> FolderWatching:
        """Return the watched folders of a window, whose loop does not run."""
        store = WatchedFolders(self.jobs_db.database, Intake(self.jobs_db.database))

        def build(**functions: Any) -> WatchingLoop:
            return WatchingLoop(
                store,
                **functions,
                queue=lambda: "local",
                rules=lambda: TypeRules(""),
                own_paths=tuple,
                clock=SystemClock(),
                wake_sender=lambda: None,
                release=self.jobs_db.database.release,
            )

        return FolderWatching(build, store, jobs.tasks, jobs)

    def _end_looking_up(self, window: MainWindow) -> None:
        """End what the Connection dialog began, as a shutdown does before the window is destroyed.

        Qt waits for a pool that it destroys: for ever, if the next test's `waitExposed` destroys it, since that keeps
        Python's lock.
        """
        looking_up = window.connection.step()
        looking_up.begin()
        self._qtbot.waitUntil(looking_up.has_ended, timeout=SOON)

    def _support(self) -> SupportSources:
        return SupportSources(
            home=Home(self.log_folder.parent),
            environment=self.environment,
            settings=lambda: self.settings,
            connection=lambda: self.connection.connection,
            connect=lambda: self.connector,
            test=lambda _: iter(self.findings),
            database=self.jobs_db.database,
            jobs=self.jobs_db.jobs,
            clock=self.jobs_db.clock,
        )

    def open_active(self) -> MainWindow:
        """Open a window with the focus on its list."""
        window = self.open()
        window.activateWindow()
        self._qtbot.waitUntil(window.isActiveWindow)
        window.view.setFocus()
        return window

    def controller(self) -> ListController:
        """Return the list controller of the newest window."""
        return self._controllers[-1]

    def names(self) -> list[str]:
        """Return the names in the newest window's list."""
        model = self.controller().model
        return [str(model.index(row, 0).data()) for row in range(model.rowCount())]

    def settle(self) -> None:
        """Wait until no task is running."""
        self._qtbot.waitUntil(self.controller().is_at_rest)

    def close(self) -> None:
        for jobs in self._controllers:
            jobs.stop()
            assert jobs.close(10_000)


@pytest.fixture
def slow_reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Make reading all keys wait for an event; the first keys are read at once."""
    may_read = threading.Event()
    read = JobList.ids

    def ids(reader: JobList, *arguments: Any, limit: int | None = None) -> array[int]:
        is_of_test = threading.current_thread() is threading.main_thread()
        assert limit is not None or is_of_test or may_read.wait(20)
        return read(reader, *arguments, limit=limit)

    monkeypatch.setattr(jobs_model, "FIRST_ROWS", 3)
    monkeypatch.setattr(JobList, "ids", ids)
    yield may_read
    may_read.set()


@pytest.fixture
def windows(
    jobs_db: JobsDatabase, theme: Theme, wording: Wording, tmp_path: Path, qtbot: QtBot
) -> Iterator[WindowFactory]:
    made = WindowFactory(jobs_db, theme, wording, tmp_path, qtbot)
    yield made
    made.close()


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "B")


@pytest.fixture
def open_app(
    qtbot: QtBot, theme: Theme, tmp_path: Path, filemill_home: Path
) -> Iterator[Callable[[Settings], RunningApp]]:
    """Opens the window with these settings."""
    apps: list[RunningApp] = []

    def open_app_with(settings: Settings) -> RunningApp:
        apps.append(RunningApp(qtbot, theme, tmp_path, settings))
        return apps[-1]

    yield open_app_with
    for app in apps:
        if app.window.isVisible():
            app.close()
        app.window.deleteLater()
        assert app.running.left_over == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Messages of Qt's offscreen platform about minimum sizes, menus, dialogs and the tray.
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged"))


@pytest.fixture
def scene(windows: WindowFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ActionScene:
    folder = tmp_path / "in"
    folder.mkdir()
    return ActionScene(windows, folder, monkeypatch)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that are announced to screen readers."""
    texts: list[str] = []

    def hear(event: QAccessibleEvent) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            texts.append(event.message())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    return texts

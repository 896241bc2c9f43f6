"""The pictures: one function and one entry of `PICTURES` per picture."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QRadioButton, QTableView, QWidget

from desktop_app.domain.job import Status
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.gui.diagnostics.log_window import LogWindow
from desktop_app.gui.table.columns import COLUMN_OF_ID
from tests.gallery.scene import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QPixmap

    from tests.gallery.scene import Scene

GONE = Reason(ReasonCode.FILE_GONE)
NOT_YOURS = Reason(ReasonCode.MAY_NOT_READ)
MOVING = Reason(ReasonCode.CHANGED_WHILE_READ)
LOG = (
    "INFO    [4120 ConsumerThread] desktop_app.services.consuming.dispatcher: job 7f0c61f2 claimed, attempt 1",
    (
        "INFO    [4120 ConsumerThread] desktop_app.services.consuming.results: job 7f0c61f2 processed: 81437 lines, "
        "3014022 bytes"
    ),
    (
        "WARNING [4120 ConsumerThread] desktop_app.services.consuming.results: job 2b9a0c44"
        " failed: The file no longer exists"
    ),
)
PIPE = "This is a named pipe; only regular files can be processed"


def _sizes(count: int, seed: int) -> list[int]:
    dice = random.Random(seed)
    return [int(dice.lognormvariate(13, 1.6)) for _ in range(count)]


def _orders(count: int, start: int = 1) -> list[tuple[str, int | None]]:
    sizes = _sizes(count, start)
    return [(f"orders-{number:04}.csv", size) for number, size in enumerate(sizes, start)]


def fill(scene: Scene) -> list[int]:
    """Fill the list: most files are done, a few have failed. Return the keys of the waiting ones."""
    morning = scene.add(_orders(214), "Archive 2025", ago=5 * HOUR)
    scene.finish(morning[:210], ago=5 * HOUR - MINUTE)
    scene.fail(morning[210:], GONE, ago=5 * HOUR - 2 * MINUTE)
    logs = [(f"web-{day:02}.log", size) for day, size in enumerate(_sizes(31, 7), 1)]
    server = scene.add(logs, "Server logs", ago=2 * HOUR)
    scene.finish(server[:28], ago=2 * HOUR - MINUTE)
    scene.fail(server[28:30], NOT_YOURS, ago=2 * HOUR - MINUTE)
    scene.fail(server[30:], MOVING, ago=2 * HOUR - MINUTE, attempts=3)
    scene.try_thrice(server[30], MOVING)
    return scene.add(
        [*_orders(60, 5001), ("meeting notes.txt", 18_204), ("Größen & Maße.txt", 4_310)], "Today", ago=MINUTE
    )


def work(scene: Scene, fresh: list[int]) -> None:
    """Process most of the waiting files; three are being read and some are in the queue."""
    scene.look_at_the_clock()
    scene.finish(fresh[:38], ago=0)
    for place, part in enumerate((0.83, 0.42, 0.12)):
        size = 48_000_000 + place * 17_000_000
        scene.change(
            fresh[38 + place : 39 + place],
            status=Status.PROCESSING,
            file_size=size,
            bytes_done=int(size * part),
            attempts=1,
            sent_at=scene.now - 20 * SECOND,
            started_at=scene.now - (4 - place) * SECOND,
        )
    scene.change(fresh[41:50], sent_at=scene.now - 10 * SECOND)


def empty(scene: Scene) -> QPixmap:
    """Show the first start."""
    scene.open()
    scene.say_running()
    return scene.picture()


def _open_at_work(scene: Scene) -> None:
    """Open the window with a filled list, newest files first, as if its loops ran."""
    fresh = fill(scene)
    scene.open()
    scene.say_running()
    scene.settle()
    work(scene, fresh)
    scene.running.jobs.feed.look()
    scene.wait_for_progress()
    scene.window.view.sortByColumn(COLUMN_OF_ID["added"], Qt.SortOrder.DescendingOrder)
    scene.settle()


def busy(scene: Scene) -> QPixmap:
    """Show files being processed."""
    _open_at_work(scene)
    top = next(row for row in range(100) if scene.row_status(row) is Status.PROCESSED)
    scene.window.view.scrollTo(
        scene.window.view.model().index(max(0, top - 12), 0), scene.window.view.ScrollHint.PositionAtTop
    )
    return scene.picture()


def _show_usual_folder(dialog: QWidget, folder: str, usual: str = "/home/alex") -> None:
    """Show another folder in the texts of a dialog, since that of a scene has another name each time."""
    texts: list[QLineEdit | QLabel] = [*dialog.findChildren(QLineEdit), *dialog.findChildren(QLabel)]
    for text in texts:
        if folder in text.text():
            text.setText(text.text().replace(folder, usual))


def adding(scene: Scene) -> QPixmap:
    """Show the review of many files, some of them unusual."""
    _open_at_work(scene)
    folder = scene.folder / "Reports 2026"
    for month in range(1, 13):
        part = folder / f"{month:02}"
        part.mkdir(parents=True)
        for day in range(1, 29):
            (part / f"report-{day:02}.csv").write_bytes(b"x" * 1_371 * day)
            (part / f"notes-{day:02}.txt").write_bytes(b"x" * 210)
    os.mkfifo(folder / "live")
    scene.window.add([str(folder)])
    dialog = scene.wait_for_dialog()
    _show_usual_folder(dialog, str(scene.folder))
    return scene.picture(dialog)


def attempts(scene: Scene) -> QPixmap:
    """Show the attempts of a failed file."""
    _open_at_work(scene)
    scene.window.menu_actions.status_views[-1].trigger()
    scene.window.menu_actions.details.setChecked(True)
    scene.settle()
    scene.window.view.select_rows(0, 0)
    scene.window.details.show_tab("attempts")
    scene.settle()
    return scene.picture()


def paused(scene: Scene) -> QPixmap:
    """Show the paused window."""
    _open_at_work(scene)
    scene.window.menu_actions.pause.trigger()
    return scene.picture()


def exporting(scene: Scene) -> QPixmap:
    """Show the Export List dialog."""
    _open_at_work(scene)
    scene.window.menu_actions.export.trigger()
    dialog = scene.wait_for_dialog()
    _show_usual_folder(dialog, str(Path.home()))
    return scene.picture(dialog)


def connection(scene: Scene) -> QPixmap:
    """Show the Connection dialog."""
    _open_at_work(scene)
    scene.window.menu_actions.connection.trigger()
    dialog = scene.wait_for_dialog()
    place = next(button for button in dialog.findChildren(QRadioButton) if "Amazon" in button.text())
    place.setFocus()
    place.click()
    return scene.picture(dialog)


def problems(scene: Scene) -> QPixmap:
    """Show the failed files with one reason, and the advice."""
    _open_at_work(scene)
    scene.window.menu_actions.status_views[-1].trigger()
    scene.window.menu_actions.details.setChecked(True)
    scene.settle()
    scene.window.view.select_rows(1, 1)
    return scene.picture()


def nothing_matches(scene: Scene) -> QPixmap:
    """Show a filter without matches."""
    _open_at_work(scene)
    scene.window.filter.setText("status:failed invoice")
    controller = scene.running.jobs
    scene.wait(lambda: not controller.model.rowCount(), "the filter")
    return scene.picture()


def offline(scene: Scene) -> QPixmap:
    """Show an unreachable queue."""
    fill(scene)
    scene.start()
    scene.wait_for_trouble()
    return scene.picture()


def log(scene: Scene) -> QPixmap:
    """Show the log window."""
    _open_at_work(scene)
    folder = scene.program.home.logs
    folder.mkdir(exist_ok=True)
    lines = [f"2026-11-24T10:{minute:02}:07.0{minute}Z {what}" for minute in range(40) for what in LOG]
    (folder / "filemill.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    scene.window.menu_actions.log.trigger()
    window = next(found for found in QApplication.topLevelWidgets() if isinstance(found, LogWindow))
    [table] = window.findChildren(QTableView)
    scene.wait(lambda: table.model().rowCount() > len(LOG), "the log")
    return scene.picture(window)


def signed_out(scene: Scene) -> QPixmap:
    """Show an expired sign-in."""
    fill(scene)
    scene.start()
    scene.wait_for_trouble()
    return scene.picture()


def large_list(scene: Scene) -> QPixmap:
    """Show 100,000 files."""
    morning = scene.add(_orders(400), "Archive 2025", ago=5 * HOUR)
    scene.finish(morning, ago=5 * HOUR - MINUTE)
    scene.fail(morning[40:44], GONE, ago=5 * HOUR - MINUTE)
    scene.multiply(100_000)
    scene.open()
    scene.say_running()
    scene.window.view.select_rows(3, 5)
    return scene.picture()


def long_names(scene: Scene) -> QPixmap:
    """Show names that are longer than the column, and numbers of many digits."""
    names = [
        ("measurement of the northern station, second series, corrected by hand, copy (2) - final version.csv", 88_000),
        ("Jahresabschlussprüfungsunterlagenzusammenfassung für das Geschäftsjahr 2025 – überarbeitet.xlsx", 918_204),
        ("a" * 120 + ".txt", 4_310),
        ("東京都水道局 二〇二六年度 定期水質検査結果 速報値 訂正済み.csv", 120_000_000),
        ("short.txt", 1),
    ]
    keys = scene.add(names * 3, "A folder whose name is long enough to be cut off in the sidebar", ago=MINUTE)
    scene.finish(keys, ago=SECOND)
    scene.change(keys[:1], lines_count=12_345_678_901, file_size=987_654_321_000)
    scene.open()
    scene.say_running()
    return scene.picture()


def long_reasons(scene: Scene) -> QPixmap:
    """Show failed files whose reasons are long."""
    keys = scene.add(_orders(12), "Orders", ago=HOUR)
    scene.finish(keys[:4], ago=MINUTE)
    share = "/run/user/1000/gvfs/smb-share:server=files.example.com,share=accounting"
    reasons = (
        Reason(
            ReasonCode.MESSAGE_REFUSED, {"why": "the message must be shorter than 1,048,576 bytes, it has 1,048,577"}
        ),
        Reason(ReasonCode.DEAD_LETTERED, {"count": 5}),
        Reason(ReasonCode.SHARE_SILENT, {"place": share}),
        MOVING,
        NOT_YOURS,
    )
    for place, key in enumerate(keys[4:]):
        scene.fail([key], reasons[place % len(reasons)], ago=MINUTE, attempts=3)
    scene.open()
    scene.say_running()
    return scene.picture()


def settings(scene: Scene) -> QPixmap:
    """Show the Settings dialog."""
    _open_at_work(scene)
    scene.window.menu_actions.settings.trigger()
    dialog = scene.wait_for_dialog()
    _show_usual_folder(dialog, str(scene.program.database.path.parent), "/home/alex/.local/share/Filemill")
    return scene.picture(dialog)


def completions(scene: Scene) -> QPixmap:
    """Show what can be typed into the filter box."""
    _open_at_work(scene)
    box = scene.window.filter
    scene.window.activateWindow()
    scene.wait(scene.window.isActiveWindow, "the keyboard in the window")
    box.setFocus()
    QTest.keyClicks(box, "status:")
    scene.wait(box.popup.isVisible, "the completions")
    return scene.picture()


def batch_menu(scene: Scene) -> QPixmap:
    """Show the menu of a batch in the sidebar."""
    _open_at_work(scene)
    sidebar = scene.window.sidebar
    batch = scene.running.jobs.groups.counts.batches[0]
    entry = next(one for one in reversed(sidebar.entries()) if batch.name in one.accessibleName())
    corner = entry.mapTo(scene.window, entry.rect().center())
    sidebar.menu_requested.emit(sidebar._batch(batch.id), entry.mapToGlobal(entry.rect().center()))
    [menu] = [found for found in sidebar.findChildren(QMenu) if found.isVisible()]
    return scene.picture_with_menu(menu, corner)


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery.

    Attributes:
        take: Takes the picture.
        variants: The names of the variants in which it is taken; empty for the default variant.
        size: The size of the window, except where it opens with a size of its own.
        environment: Further environment variables.
    """

    take: Callable[[Scene], QPixmap]
    variants: tuple[str, ...] = ("",)
    size: tuple[int, int] = (1280, 800)
    environment: Mapping[str, str] = field(default_factory=dict)


NOWHERE = {"FILEMILL_QUEUE": "ingest", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"}
"""A queue that can't be reached."""
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
PROFILES = {"AWS_CONFIG_FILE": str(Path(__file__).with_name("aws-config"))}
SIGNED_OUT = {"FILEMILL_QUEUE": "ingest", "AWS_PROFILE": "prod", "AWS_REGION": "eu-west-1", **PROFILES}
TRANSLATED = ("", "german")
PICTURES = {
    "empty": Picture(empty, ("", "german", "200-percent")),
    "busy": Picture(busy, ("", "dark", "german", "200-percent", "right-to-left")),
    "narrow": Picture(busy, TRANSLATED, (640, 800)),
    "large-list": Picture(large_list),
    "long-names": Picture(long_names),
    "long-reasons": Picture(long_reasons, TRANSLATED),
    "problems": Picture(problems, ("", "dark", "german", "right-to-left")),
    "nothing-matches": Picture(nothing_matches),
    "completions": Picture(completions, ("", "dark")),
    "batch-menu": Picture(batch_menu),
    "attempts": Picture(attempts),
    "adding": Picture(adding, ("", "dark", "german")),
    "paused": Picture(paused),
    "exporting": Picture(exporting),
    "connection": Picture(connection, ("", "dark", "german", "200-percent"), environment=PROFILES),
    "settings": Picture(settings, ("", "dark", "german", "200-percent")),
    "log": Picture(log),
    "offline": Picture(offline, ("", "dark"), environment=NOWHERE | KEYS),
    "signed-out": Picture(signed_out, environment=SIGNED_OUT),
}

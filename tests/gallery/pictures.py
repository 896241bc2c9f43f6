"""What there is to see: one function a picture."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from desktop_app.jobs import Status
from tests.gallery.scene import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPixmap

    from tests.gallery.scene import Scene

GONE = "The file is no longer there"
NOT_YOURS = "You may not read this file"
MOVING = "The file changed while it was read, three times in a row"
PIPE = "This is a named pipe; only ordinary files can be processed"


def _sizes(count: int, seed: int) -> list[int]:
    dice = random.Random(seed)
    return [int(dice.lognormvariate(13, 1.6)) for _ in range(count)]


def _orders(count: int, start: int = 1) -> list[tuple[str, int | None]]:
    sizes = _sizes(count, start)
    return [(f"orders-{number:04}.csv", size) for number, size in enumerate(sizes, start)]


def fill(scene: Scene) -> None:
    """A list in the middle of a working day: done, in work, waiting, a few problems."""
    morning = scene.add(_orders(214), "Archive 2025", ago=5 * HOUR)
    scene.finish(morning[:210], ago=5 * HOUR - MINUTE)
    scene.fail(morning[210:], "missing", GONE, ago=5 * HOUR - 2 * MINUTE)
    logs = [(f"web-{day:02}.log", size) for day, size in enumerate(_sizes(31, 7), 1)]
    server = scene.add(logs, "Server logs", ago=2 * HOUR)
    scene.finish(server[:28], ago=2 * HOUR - MINUTE)
    scene.fail(server[28:30], "not_allowed", NOT_YOURS, ago=2 * HOUR - MINUTE)
    scene.fail(server[30:], "changed", MOVING, ago=2 * HOUR - MINUTE, attempts=3)
    fresh = scene.add(
        [*_orders(60, 5001), ("meeting notes.txt", 18_204), ("Größen & Maße.txt", 4_310)], "Today", ago=MINUTE
    )
    scene.finish(fresh[:38], ago=40 * SECOND)
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
    """The first start."""
    scene.open()
    return scene.picture()


def busy(scene: Scene) -> QPixmap:
    """Files are being processed."""
    fill(scene)
    scene.open()
    return scene.picture()


def problems(scene: Scene) -> QPixmap:
    """What has failed, for one reason, with what to do about it."""
    fill(scene)
    scene.open()
    scene.window.offers.status_views[-1].trigger()
    scene.window.offers.details.setChecked(True)
    scene.settle()
    scene.window.view.select_rows(1, 1)
    return scene.picture()


def nothing_matches(scene: Scene) -> QPixmap:
    """A filter that finds nothing."""
    fill(scene)
    scene.open()
    scene.window.filter.setText("status:failed invoice")
    bench = scene.running.workbench
    scene.wait(lambda: not bench.model.rowCount(), "the filter")
    return scene.picture()


def offline(scene: Scene) -> QPixmap:
    """The queue can't be reached."""
    fill(scene)
    scene.start()
    scene.wait(lambda: scene.window.banner.notice, "the banner")
    return scene.picture()


PICTURES: dict[str, Callable[[Scene], QPixmap]] = {
    "empty": empty,
    "busy": busy,
    "problems": problems,
    "nothing-matches": nothing_matches,
    "offline": offline,
}
NOWHERE = {"FILEMILL_QUEUE": "ingest", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"}
"""A queue that can't be reached."""
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "offline": NOWHERE | {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
}

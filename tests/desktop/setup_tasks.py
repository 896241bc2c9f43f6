"""Tasks on the program's setup, by keyboard, by mouse, and through the accessibility interface."""

from __future__ import annotations

import time
import tomllib
from typing import TYPE_CHECKING, Any

from tests.desktop.list_tasks import with_reader
from tests.desktop.screen import wait_for
from tests.helpers.sqs.moto_process import MotoProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.desktop.user import User

_LOOK_S = 0.6
_LAST_ENTRY = 17
"""The distance of the last entry of a menu from the bottom of the menu."""

# --- change the language and the theme


def set_up_by_keyboard(user: User) -> None:
    """Press Ctrl+comma, type the beginning of the language, Alt+T, the beginning of the theme, Escape."""
    user.start()
    user.hand.press("ctrl+comma")
    user.wait_for_window("Settings")
    user.hand.write("Deu")
    user.hand.press("alt+t")
    user.hand.write("Da")
    user.hand.press("Escape")
    _check_settings(user)


@with_reader
def set_up_by_mouse(user: User) -> None:
    """Click on the menu Edit, Settings…, then on each box and on its new value, and on Close."""
    user.start()
    user.click("menu item", "Edit")
    x, y, _, height = user.popup()
    user.hand.click((x + 40, y + height - _LAST_ENTRY))
    user.wait_for_window("Settings")
    for _ in ("the language", "the theme"):  # both have this value, and the first is the language
        user.click("combo box", "As the system")
        x, y, _, height = user.popup()
        user.hand.click((x + 40, y + height * 5 // 6))  # the last of three values
        time.sleep(_LOOK_S)
    user.click("push button", "Close")
    _check_settings(user)


@with_reader
def set_up_by_reader(user: User) -> None:
    """Use the entry Settings… of the menu, and choose the values in their lists."""
    user.start()
    user.use("menu item", "Settings")
    user.wait_for_window("Settings")
    user.use("list item", "Deutsch", "Toggle")
    user.use("list item", "Dark", "Toggle")
    _check_settings(user)


def _check_settings(user: User) -> None:
    def saved() -> dict[str, Any]:
        file = user.home / "filemill" / "settings.toml"
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    wait_for(lambda: (saved().get("language"), saved().get("theme")) == ("de", "dark"), "the language and the theme")


# --- connect to a server by its host and port alone


def connect_by_keyboard(user: User) -> None:
    """Press Ctrl+K, Alt+N for another server, type its host and port, press Alt+Q, type the queue, press Enter."""

    _connect(user, lambda address: type_connection(user, "alt+n", address))


def type_connection(user: User, place: str, text: str) -> None:
    """Open the dialog, choose a place with its key, type a text and the queue there, and press Enter."""
    user.hand.press("ctrl+k")
    user.wait_for_window("Connection")
    user.hand.press(place)
    user.hand.write(text)
    user.hand.press("alt+q")
    user.hand.write("ingest")
    user.hand.press("Return")


@with_reader
def connect_by_mouse(user: User) -> None:
    """Click on the connection, another server, the fields, which are then typed into, and Connect."""

    def do(address: str) -> None:
        user.click("push button", "Connection")
        user.wait_for_window("Connection")
        user.click("radio button", "Another")
        user.click("text", "Server")
        user.hand.write(address)
        user.click("text", "Queue")
        user.hand.write("ingest")
        user.click("push button", "Connect")

    _connect(user, do)


@with_reader
def connect_by_reader(user: User) -> None:
    """Press the connection, another server, set the fields' texts, and press Connect."""

    def do(address: str) -> None:
        user.use("push button", "Connection")
        user.wait_for_window("Connection")
        user.use("radio button", "Another", "Toggle")
        user.put("text", "Server", address)
        user.put("text", "Queue", "ingest")
        user.use("push button", "Connect")

    _connect(user, do)


def _connect(user: User, do: Callable[[str], None]) -> None:
    """Connect to a simulated queue server, whose keys are those of a profile."""
    with MotoProcess() as server:
        # The region with which requests are signed if none is chosen.
        user.client(server.endpoint_url, "us-east-1").create_queue(QueueName="ingest")
        user.environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        user.start()
        do(server.endpoint_url.removeprefix("http://"))
        wait_for(lambda: user.screen.title().startswith("ingest"), "the queue in the title")
        [path] = user.write("sent.txt")
        user.run("submit", str(path))
        wait_for(lambda: all(job["message_id"] for job in user.jobs()), "the message that is sent")
        user.close()

"""The states of a window that show different texts."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QRadioButton, QWidget

from desktop_app.domain.errors import QueueTrouble, StoreDamagedError, StoreError
from desktop_app.domain.reasons import Reason, ReasonCode
from desktop_app.domain.sentences import Sentence
from desktop_app.gui.adding.review_sheet import ReviewSheet, show_refused
from desktop_app.gui.diagnostics.crash import CrashDialog
from desktop_app.gui.diagnostics.log_window import LogWindow
from desktop_app.gui.filtering.syntax_help import SyntaxHelp
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.startup.dialogs import DamagedDatabaseDialog, StartErrorDialog
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.services.loops import LoopState, Phase
from desktop_app.sources.scan import Refusal
from tests.gallery.pictures import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.gallery.scene import Scene

UNREACHABLE = Sentence(
    "The disk that contains {file} is full or not writable. Free some space or check the disk, then try again.",
    file="/data/a",
)


def empty(scene: Scene) -> None:
    """Show an empty list."""
    scene.open()


def busy(scene: Scene) -> None:
    """Show a busy list."""
    fill(scene)
    scene.open()


def problems(scene: Scene) -> None:
    """Choose a reason and one of its files, with details."""
    busy(scene)
    window = scene.window
    window.menu_actions.status_views[-1].trigger()
    window.menu_actions.details.setChecked(True)
    scene.settle()
    window.view.select_rows(1, 1)
    window.sidebar.problems.entries["missing"].click()
    scene.settle()
    window.view.select_rows(0, 0)


def several(scene: Scene) -> None:
    """Select several files of all statuses."""
    busy(scene)
    scene.window.menu_actions.details.setChecked(True)
    scene.window.menu_actions.select_all.trigger()


def with_everything(scene: Scene) -> None:
    """Show the graphs and the details too."""
    busy(scene)
    scene.window.menu_actions.throughput.setChecked(True)
    scene.window.menu_actions.details.setChecked(True)


def nothing_matches(scene: Scene) -> None:
    """Set a filter and a choice without matches."""
    busy(scene)
    scene.window.menu_actions.status_views[-1].trigger()
    scene.window.filter.setText("invoice")
    scene.wait(lambda: not scene.running.jobs.model.rowCount(), "the filter")


def not_understood(scene: Scene) -> None:
    """Type a condition that there is not."""
    busy(scene)
    scene.window.filter.setText("colour:red")
    scene.wait(scene.window.filter.message.isVisible, "the message under the filter box")


def waiting(scene: Scene) -> None:
    """Show an unreachable queue after a change of the list."""
    busy(scene)
    state = LoopState(Phase.WAITING, UNREACHABLE, QueueTrouble.SIGNED_OUT, scene.now + 60_000, 2)
    scene.window.banner.show_notice(
        Notice(translated(state.text), Kind.WARNING, (NoticeAction(tr("Try Now"), lambda: None),))
    )
    scene.window.show_notice(
        Notice(tr("Added {moment}").format(moment="14:01"), actions=(NoticeAction(tr("&Undo"), lambda: None),))
    )


STATES: dict[str, Callable[[Scene], None]] = {
    "empty": empty,
    "busy": busy,
    "problems": problems,
    "several": several,
    "with everything": with_everything,
    "nothing matches": nothing_matches,
    "not understood": not_understood,
    "waiting": waiting,
}


def _menu_action(name: str) -> Callable[[Scene], QWidget | None]:
    def act(scene: Scene) -> QWidget | None:
        action = getattr(scene.window.menu_actions, name, None)
        if not isinstance(action, QAction):
            return None
        before = set(QApplication.topLevelWidgets())
        action.setEnabled(True)
        action.trigger()
        scene.settle()
        opened = [
            widget
            for widget in QApplication.topLevelWidgets()
            if widget not in before and isinstance(widget, QDialog | LogWindow)
        ]
        return next((widget for widget in opened if widget.isVisible()), None)

    return act


def _syntax(scene: Scene) -> QWidget:
    scene.window.filter.show_help()
    return next(popup for popup in scene.window.filter.findChildren(SyntaxHelp) if popup.isVisible())


def _refused(scene: Scene) -> QWidget:
    return show_refused(
        [Refusal("/data/in/a folder with a rather long name", Reason(ReasonCode.NAMED_FOLDER))], scene.window
    )


def _crash(scene: Scene) -> QWidget:
    dialog = CrashDialog("Traceback", Path("/home/somebody/.local/share/Filemill/logs"), scene.window)
    dialog.show()
    return dialog


def _damaged(scene: Scene) -> QWidget:
    dialog = DamagedDatabaseDialog(StoreDamagedError(UNREACHABLE, detail="x"), scene.now, QLocale())
    dialog.show()
    return dialog


def _start(scene: Scene) -> QWidget:
    dialog = StartErrorDialog(StoreError(UNREACHABLE, detail="x"), scene.folder)
    dialog.show()
    return dialog


def _connection(place: int) -> Callable[[Scene], QWidget | None]:
    def act(scene: Scene) -> QWidget | None:
        dialog = _menu_action("connection")(scene)
        if dialog is not None:
            dialog.findChildren(QRadioButton)[place].click()
        return dialog

    return act


def _review(scene: Scene) -> QWidget | None:
    folder = scene.folder / "many"
    (folder / "deeper").mkdir(parents=True)
    for number in range(60):
        (folder / f"{number}.csv").write_text("x")
    (folder / "link").symlink_to("nowhere")
    scene.running.jobs.adder.add([str(folder)], always_review=True)

    def sheet() -> QWidget | None:
        found = (widget for widget in QApplication.topLevelWidgets() if isinstance(widget, ReviewSheet))
        return next((widget for widget in found if widget.isVisible()), None)

    scene.wait(sheet, "the review sheet")
    return sheet()


_OF_MENUS = ("shortcuts", "about", "foreign", "export", "connection", "log", "report", "settings", "help")
DIALOGS: dict[str, Callable[[Scene], QWidget | None]] = {
    **{name: _menu_action(name) for name in _OF_MENUS},
    "connection to Amazon": _connection(1),
    "connection to a server": _connection(2),
    "what can be typed": _syntax,
    "review": _review,
    "refused": _refused,
    "crash": _crash,
    "damaged list": _damaged,
    "start problem": _start,
}
"""None where this version has no such dialog."""


@contextmanager
def opened(scene: Scene, name: str) -> Iterator[QWidget | None]:
    """Show and return a dialog."""
    dialog = DIALOGS[name](scene)
    scene.settle()
    yield dialog
    if dialog is not None:
        dialog.close()
        scene.settle()

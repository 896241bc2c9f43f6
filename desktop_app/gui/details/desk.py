"""Puts the details together: the pane, who fills it, and the fix that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_app.gui.details.fixes import LocateCommand
from desktop_app.gui.details.follower import DetailsFollower
from desktop_app.gui.details.pane import DetailsPane

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_app.gui.actions import Actions
    from desktop_app.gui.table.jobs_view import JobsView
    from desktop_app.gui.table.selection_sums import SelectedTotals
    from desktop_app.gui.window_needs import WindowNeeds


def make_details(
    actions: Actions, view: JobsView, selected: SelectedTotals, needs: WindowNeeds, window: QWidget
) -> DetailsPane:
    """The details of what is selected in a list."""
    pane = DetailsPane(actions, needs.look, needs.wording, window)
    DetailsFollower(pane, view, selected, needs)
    LocateCommand(actions.locate, view, needs.workbench, needs.memory, window)
    return pane

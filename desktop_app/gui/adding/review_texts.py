"""The texts of the review sheet and of the notice after an Add."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from desktop_app.domain.job import display_text
from desktop_app.gui.i18n import reason_text, tr, translated
from desktop_app.gui.widgets.notice import Kind, Notice, NoticeAction
from desktop_app.sources.scan import RefusalKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop_app.gui.adding.adder import AddReport, Proposal
    from desktop_app.gui.wording import Wording
    from desktop_app.services.adding.review import SelectionResult
    from desktop_app.sources.scan import Refusal


def title(proposal: Proposal, wording: Wording) -> str:
    """Return the question: `Add 3,118 files (3.2 GB) from “in”?`."""
    review = proposal.review
    size, count = wording.size(review.size), len(review.result.files)
    if len(proposal.places) > 1 or not review.result.folders:
        return tr("Add %Ln file(s) ({size})?", "", count).format(size=size)
    return tr("Add %Ln file(s) ({size}) from “{place}”?", "", count).format(size=size, place=proposal.name)


def place(proposal: Proposal) -> str:
    """Return the folder that contains everything; empty if there is none."""
    folders = proposal.review.result.folders
    if len(proposal.places) == 1 and folders:
        return display_text(folders[0].path)
    parents = {os.path.dirname(path) for path in proposal.places}  # noqa: PTH120 - a path may be an address
    parent = parents.pop() if len(parents) == 1 else ""
    return display_text(parent) if os.path.isabs(parent) else ""  # noqa: PTH117


def chosen(picked: SelectionResult, total: int, wording: Wording) -> str:
    """Return how many files match: `412 of 3,118 files, 1.1 GB`."""
    count = len(picked.places)
    if not count:
        return tr("None of %Ln file(s) (matches|match)", "", total)
    if count == total:
        return tr("All %Ln file(s), {size}", "", total).format(size=wording.size(picked.size))
    return tr("{chosen} of %Ln file(s), {size}", "", total).format(
        chosen=wording.number(count), size=wording.size(picked.size)
    )


def refused(things: Sequence[Refusal]) -> str:
    """Return in one line what can't be added."""
    if len(things) == 1:
        name = os.path.basename(things[0].path) if os.path.isabs(things[0].path) else ""  # noqa: PTH117, PTH119
        return tr("“{name}” can't be added: {why}.").format(
            name=display_text(name or things[0].path), why=reason_text(things[0].reason)
        )
    counts = Counter(kind_of(thing) for thing in things)
    parts = [_kind(kind, counts[kind]) for kind in RefusalKind if counts[kind]]
    return tr("Can't be added: {items}.").format(items=QLocale().createSeparatedList(parts))


def _kind(kind: RefusalKind, n: int) -> str:
    match kind:
        case RefusalKind.LINK:
            return tr("%Ln link(s)", "of the file system", n)
        case RefusalKind.MISSING:
            return tr("%Ln item(s) that (doesn't|don't) exist", "", n)
        case RefusalKind.NOT_ALLOWED:
            return tr("%Ln folder(s) without read permission", "", n)
        case RefusalKind.NOT_ORDINARY:
            return tr("%Ln pipe(s) or device(s)", "", n)
        case RefusalKind.ADDRESS:
            return tr("%Ln web address(es)", "", n)
        case RefusalKind.OTHER:
            return tr("%Ln other item(s)", "", n)


def notice_of(report: AddReport, wording: Wording, show: Callable[[], object], undo: Callable[[], object]) -> Notice:
    """Return the notice about an Add.

    Args:
        report: The result of the Add.
        wording: Formats the texts.
        show: Opens the list of refused items.
        undo: Undoes the Add.
    """
    undo_button = NoticeAction(tr("Undo"), undo)
    if report.problem and report.added:
        return Notice(translated(report.problem), Kind.PROBLEM, (undo_button,))
    if report.problem:
        return Notice(tr("Nothing was added: {why}").format(why=translated(report.problem)), Kind.PROBLEM)
    if report.cancelled:
        return Notice(tr("Stopped. Nothing was added."), passing=True)
    if report.added:
        text = tr("Added {files}.").format(files=wording.files(report.added))
        if report.listed:
            text = tr("{added} Already in the list: {listed}.").format(added=text, listed=wording.number(report.listed))
        return Notice(text, actions=(undo_button,), passing=True)
    if report.listed:
        text = tr("Nothing was added: %Ln file(s) (is|are) already in the list and unchanged.", "", report.listed)
        return Notice(text, passing=True)
    if not report.refused:
        return Notice(tr("Nothing was added: no files were found."), passing=True)
    if len(report.refused) == 1:
        return Notice(refused(report.refused), Kind.WARNING)
    text = tr("(This item can't|None of these %Ln items can) be added.", "", len(report.refused))
    return Notice(text, Kind.WARNING, (NoticeAction(tr("Show…"), show),))

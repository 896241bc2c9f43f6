"""The command `filemill continue`, and the sentence about a paused batch."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, emit, quoted
from desktop_app.cli.parser import Command
from desktop_app.domain.errors import KnownError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from desktop_app.domain.job import Batch


def paused_text(batch: Batch) -> str:
    """Return the sentences about a paused batch: why it is paused, and what to do."""
    held, counts, why = batch.held, batch.counts, ""
    if held is not None and held.reason is not None:
        reason = str(held.reason).removesuffix(".")
        why = f": {held.failed:,} of its {counted(counts.total, 'file')} failed for the same reason ({reason})"
    return (
        f"The batch {quoted(batch.name)} is paused{why}. Waiting: {counted(counts.pending, 'file')}. Continue with "
        "`filemill continue`, or in the window. Before that, `filemill retry` can process failed files differently."
    )


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="all paused batches")


def _continue(options: Namespace) -> int:
    if bool(options.names) == options.all:
        raise UsageError("Give either --all or the names of batches. See `filemill continue --help`.")
    from desktop_app.bootstrap import open_program

    with closing(open_program()) as program:
        paused = program.jobs.held_batches()
        if unknown := set(options.names) - {batch.name for batch in paused}:
            raise KnownError(
                f"No paused batch is called {', '.join(map(quoted, sorted(unknown)))}. Nothing was changed."
            )
        chosen = [batch.id for batch in paused if options.all or batch.name in options.names]
        count = program.editor.resume_batches(chosen)
        emit("Continued one batch." if count == 1 else f"Continued {count:,} batches.")
    return 0


CONTINUE = Command(
    name="continue",
    usage="(--all | BATCH …)",
    summary="continue batches that are paused because many files failed",
    details="A batch is paused when more than 20 percent and at least 20 of its files have failed for the same\n"
    "reason. After it has continued, it is not paused again for this reason.",
    names="BATCH",
    add_options=_options,
    run=_continue,
)

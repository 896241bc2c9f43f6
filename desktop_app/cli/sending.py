"""Sending messages from a command that ends at once."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from desktop_app.cli.output import counted, say
from desktop_app.domain.errors import QueueError

if TYPE_CHECKING:
    from desktop_app.bootstrap import Program

_SECONDS = 10.0
_SECONDS_A_MESSAGE = 0.05
LOCAL_HINT = "The files are processed while the window or `filemill worker` runs."


def send_now(program: Program, count: int) -> None:
    """Send what waits for the queue, for a bounded time; trouble is told and is no failure: it is sent later.

    The embedded queue lives only as long as a program that processes, so nothing is sent to it from here.

    Args:
        program: The program.
        count: How many messages were just added.

    Raises:
        StoreError: If the database can't be written.
    """
    if not count:
        return
    if program.connection.is_local:
        say(LOCAL_HINT)
        return
    from desktop_app.bootstrap import connect_queue, send_all

    try:
        with closing(connect_queue(program)) as connector:
            report = send_all(program, connector, deadline_s=_SECONDS + count * _SECONDS_A_MESSAGE)
    except QueueError as error:
        say(f"{error.text} The files are safe on the list; their messages are sent later.")
        return
    except KeyboardInterrupt:
        say("Stopped. The files are safe on the list; what was not sent is sent later.")
        return
    if report.trouble:
        say(f"{report.trouble} The files are safe on the list; their messages are sent later.")
    elif report.waiting:
        say(f"{counted(report.waiting, 'message')} could not be sent in time; the window or a worker sends them.")

"""The window's connection: makes the loops of the queue of now, and others when a person chooses another queue."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from desktop_app.bootstrap import build_gated_consumer, build_sender, connect_queue
from desktop_app.config.settings import Connection, connection_from, load_settings, update_settings
from desktop_app.gui.connection.controller import ConsumerThread, LoopManager, QueueLoops, SenderThread
from desktop_app.gui.connection.status import LoopStates
from desktop_app.services.support.connection_advisor import ConnectionAdvisor
from desktop_app.services.support.report import SupportSources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desktop_app.bootstrap import Program
    from desktop_app.services.consuming.foreign_messages import ForeignMessages

CHOOSERS = (
    "FILEMILL_QUEUE",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL",
)
"""The variables that decide over the connection, whatever was saved."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")


class Session:
    """What the window is connected to. Main thread.

    Attributes:
        program: The one of now: `connection` is the queue's.
        states: What its loops do.
        switchboard: Runs its loops.
        advisor: Helps who sets up a connection.

    Args:
        program: What the window began with.
        environment: Usually `os.environ`.
    """

    def __init__(self, program: Program, environment: Mapping[str, str] = os.environ) -> None:
        self.program = program
        self._environment = environment
        self.advisor = ConnectionAdvisor(program.queue_file)
        self.states = LoopStates(program.connection, program.clock)
        self.switchboard = LoopManager(_link(program), self.states)

    @property
    def connection(self) -> Connection:
        """The queue of now, and how it is reached."""
        return self.program.connection

    @property
    def processes_here(self) -> bool:
        """Whether this queue's files may be processed on this computer."""
        return self.program.control.is_permitted(self.connection.key)

    @property
    def foreign(self) -> ForeignMessages:
        """What came from the queue of now that is not ours."""
        return self.program.foreign

    @property
    def overrides(self) -> tuple[str, ...]:
        """The environment's variables that decide at the next start, whatever is chosen now."""
        return tuple(name for name in CHOOSERS if self._environment.get(name, "").strip())

    def support_sources(self) -> SupportSources:
        """What a support report tells of; each thing is asked for when one is made."""
        return SupportSources(
            home=self.program.home,
            environment=self._environment,
            settings=partial(load_settings, self.program.home.settings_file),
            connection=lambda: self.program.connection,
            connect=lambda: connect_queue(self.program),
            test=lambda should_stop: self.advisor.test(self.program.connection, should_stop),
            database=self.program.database,
            jobs=self.program.jobs,
            clock=self.program.clock,
        )

    def check(self, wanted: Connection) -> Connection:
        """What would be used for what a person has typed: with what a URL or an ARN says of itself.

        Raises:
            SettingsError: If it can't be a queue, or not the URL of a server.
        """
        # boto3 itself goes where these point, so they count now too, unless another server is asked for.
        given = {} if wanted.endpoint_url else {name: self._environment.get(name, "") for name in _ENDPOINTS}
        return connection_from(
            replace(
                self.program.settings,
                queue=wanted.queue,
                profile=wanted.profile,
                region=wanted.region,
                endpoint_url=wanted.endpoint_url,
            ),
            given,
        )

    def choose(self, wanted: Connection, *, process_here: bool) -> None:
        """Use another connection from now on, and at the next start.

        Args:
            wanted: As a person has typed it.
            process_here: Whether its files may be processed on this computer; the embedded queue's always may.

        Raises:
            SettingsError: If it can't be used, and nothing has changed; or if it can't be saved, and it holds for this
                time all the same.
        """
        connection = self.check(wanted)
        self.program = self.program.reconnected(connection, process_here=process_here)
        self.switchboard.switch(_link(self.program))
        self._save(wanted, connection, process_here=process_here)

    def _save(self, wanted: Connection, connection: Connection, *, process_here: bool) -> None:
        file = self.program.home.settings_file
        allowed = load_settings(file).process_queue
        if not connection.is_local:
            allowed = connection.key if process_here else ("" if allowed == connection.key else allowed)
        update_settings(file, **asdict(wanted), process_queue=allowed)

    def stop_processing(self) -> None:
        """Only send to this queue from now on, and receive nothing.

        Raises:
            SettingsError: If that can't be saved; it holds for this time all the same.
        """
        connection = self.program.connection
        self.program = self.program.reconnected(connection, process_here=False)
        self.switchboard.switch(_link(self.program))
        file = self.program.home.settings_file
        if load_settings(file).process_queue == connection.key:
            update_settings(file, process_queue="")

    def allow_processing(self) -> None:
        """Let this queue's files be processed on this computer, from now on.

        Raises:
            SettingsError: If that can't be saved; it holds for this time all the same.
        """
        self.program.control.permit(self.connection.key)
        update_settings(self.program.home.settings_file, process_queue=self.connection.key)

    def try_now(self) -> None:
        """Let what waits for the queue try at once."""
        self.program.control.try_now()

    def close(self) -> None:
        """Let go of the queue and of the program, after the loops have ended."""
        self.switchboard.close()
        self.program.close()


def _link(program: Program) -> QueueLoops:
    connector = connect_queue(program)
    return QueueLoops(
        program.connection,
        ConsumerThread(partial(build_gated_consumer, program, connector)),
        SenderThread(partial(build_sender, program, connector)),
        connector.close,
    )

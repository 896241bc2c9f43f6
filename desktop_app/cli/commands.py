"""The commands. They import what they need, which takes longer than finding out which one is meant."""

from __future__ import annotations

from desktop_app.cli.batches import CONTINUE
from desktop_app.cli.doctor import DOCTOR
from desktop_app.cli.export import EXPORT
from desktop_app.cli.jobs import REMOVE, RETRY, SUBMIT
from desktop_app.cli.processors import PROCESSORS
from desktop_app.cli.status import STATUS
from desktop_app.cli.watching import WATCH
from desktop_app.cli.worker import WORKER

COMMANDS = (SUBMIT, WATCH, WORKER, STATUS, RETRY, REMOVE, CONTINUE, EXPORT, PROCESSORS, DOCTOR)

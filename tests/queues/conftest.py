"""The embedded queue: a folder for a server of a test's own, and one server that a module's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.queues.local_programs import attach, no_server_left, sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop_app.queues.local import LocalQueue


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """Where a test starts servers; all have ended when it is over."""
    with no_server_left():
        yield tmp_path / "run"


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "run"


@pytest.fixture(scope="module")
def shared(shared_run: Path) -> Iterator[LocalQueue]:
    """One server for the tests of what it serves."""
    with no_server_left(), attach(shared_run) as queue:
        yield queue


@pytest.fixture
def client(shared: LocalQueue) -> Iterator[Any]:
    client = sqs(shared)
    yield client
    client.close()

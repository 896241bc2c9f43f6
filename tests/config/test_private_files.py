"""Files of other users in a folder in which everybody can create files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from desktop_app.bootstrap import MIGRATIONS
from desktop_app.config.private_files import private_lock
from desktop_app.domain.errors import QueueError, StoreError
from desktop_app.queues.embedded import EmbeddedQueue
from desktop_app.services.worker_identity import WorkerIdentity
from desktop_app.store.database import open_database

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can create files of other users"
)

NOBODY = 65534


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder like `/tmp`."""
    tmp_path.chmod(0o1777)
    return tmp_path


def plant(path: Path) -> None:
    path.touch(0o666)
    os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize("name", ["x.db", "x.db-wal", "x.db-shm", "x.db.lock"])
def test_database_of_another_user_in_a_shared_folder_is_refused(shared: Path, name: str) -> None:
    plant(shared / name)
    with pytest.raises(StoreError, match=rf"/{name} can't be opened: it belongs to another user\. Set"):
        open_database(shared / "x.db", MIGRATIONS)
    assert not (shared / name).stat().st_size


@pytest.mark.parametrize("name", ["x.db.queue", "x.db.queue-wal", "x.db.queue-shm"])
def test_queue_of_another_user_in_a_shared_folder_is_refused(shared: Path, name: str) -> None:
    plant(shared / name)
    with pytest.raises(QueueError, match="it belongs to another user"):
        EmbeddedQueue(shared / "x.db.queue").connect()


def test_folder_of_locks_of_another_user_is_refused(shared: Path) -> None:
    folder = shared / "x.db.workers"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(StoreError, match="it belongs to another user"):
        WorkerIdentity(shared / "x.db")


def test_lock_that_another_user_holds_is_refused_at_once(shared: Path) -> None:
    plant(shared / "x.lock")
    with pytest.raises(PermissionError, match="it belongs to another user"):
        private_lock(shared / "x.lock", timeout=60)


def test_files_of_other_users_elsewhere_are_used(tmp_path: Path) -> None:
    """On some file systems, all files belong to the user who mounted them."""
    plant(tmp_path / "x.lock")
    with private_lock(tmp_path / "x.lock", timeout=0):
        pass

"""Fixtures for the tests of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.kit import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "jobs.db")
    yield opened
    opened.database.release()


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """Open the same file as another program."""
    opened = Store(store.path)
    yield opened
    opened.database.release()

"""What a click in the sidebar makes of what was chosen: "and" between its sections, "or" inside one."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from desktop_app.jobs import ListQuery, Status

Key = TypeVar("Key")


def with_status(choice: ListQuery, status: Status | None, *, add: bool) -> ListQuery:
    """Another status; None is "All", which takes back everything that was chosen.

    Args:
        choice: What is chosen now.
        status: What was clicked.
        add: True to keep the other statuses, and to take this one away if it is chosen already.
    """
    if status is None:
        return ListQuery()
    statuses = choice.statuses ^ {status} if add else frozenset({status})
    # Only failed jobs have a problem: everything else would list nothing at all.
    problems = choice.problems if Status.FAILED in statuses or not statuses else frozenset[str]()
    return replace(choice, statuses=statuses, problems=problems)


def with_problem(choice: ListQuery, code: str, *, add: bool) -> ListQuery:
    """Another problem; see `with_status`. Clicked a second time, it is taken away."""
    statuses = choice.statuses if Status.FAILED in choice.statuses else frozenset[Status]()
    return replace(choice, statuses=statuses, problems=_clicked(choice.problems, code, add=add))


def with_batch(choice: ListQuery, batch: int, *, add: bool) -> ListQuery:
    """Another batch; see `with_problem`."""
    return replace(choice, batches=_clicked(choice.batches, batch, add=add))


def _clicked(keys: frozenset[Key], key: Key, *, add: bool) -> frozenset[Key]:
    if add:
        return keys ^ {key}
    return frozenset() if keys == {key} else frozenset({key})

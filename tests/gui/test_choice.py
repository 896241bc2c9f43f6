from __future__ import annotations

from desktop_app.domain.job import Status
from desktop_app.domain.query import Filter
from desktop_app.gui.filtering.sidebar import with_batch, with_problem, with_status

ALL = Filter()


def statuses(*chosen: Status) -> frozenset[Status]:
    return frozenset(chosen)


def test_click_on_a_status_replaces_or_adds_it() -> None:
    pending = with_status(ALL, Status.PENDING, add=False)
    assert pending.statuses == statuses(Status.PENDING)
    assert with_status(pending, Status.FAILED, add=False).statuses == statuses(Status.FAILED)
    both = with_status(pending, Status.FAILED, add=True)
    assert both.statuses == statuses(Status.PENDING, Status.FAILED)
    assert with_status(both, Status.PENDING, add=True).statuses == statuses(Status.FAILED)
    assert with_status(pending, Status.PENDING, add=False) == pending


def test_click_on_all_clears_the_choice() -> None:
    choice = with_batch(with_problem(ALL, "missing", add=False), 3, add=False)
    assert with_status(choice, None, add=False) == ALL
    assert with_status(choice, None, add=True) == ALL


def test_second_click_on_a_problem_or_batch_clears_it() -> None:
    one = with_problem(ALL, "missing", add=False)
    assert one.problems == {"missing"}
    assert with_problem(one, "missing", add=False) == ALL
    two = with_problem(one, "changed", add=True)
    assert two.problems == {"missing", "changed"}
    assert with_problem(two, "missing", add=False).problems == {"missing"}
    assert with_batch(with_batch(ALL, 1, add=False), 1, add=True) == ALL


def test_sections_are_combined() -> None:
    choice = with_batch(with_problem(with_status(ALL, Status.FAILED, add=False), "missing", add=False), 7, add=False)
    assert choice == Filter(statuses=statuses(Status.FAILED), problems=frozenset({"missing"}), batches=frozenset({7}))


def test_choices_that_exclude_each_other_are_not_combined() -> None:
    problem = with_problem(ALL, "missing", add=False)
    assert with_status(problem, Status.PENDING, add=False).problems == frozenset()
    assert with_status(problem, Status.FAILED, add=False).problems == {"missing"}
    pending = with_status(ALL, Status.PENDING, add=False)
    assert with_problem(pending, "missing", add=False).statuses == frozenset()

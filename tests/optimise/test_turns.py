"""Work ahead on threads: in order, and knowing the same whatever finishes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from siteselect.optimise.turns import in_turn


def told(order: list[int], *, ahead: int, workers: int, slow: int) -> list[tuple[int, int]]:
    """What each item knew when it began: how many had ended. Item ``slow`` takes longest."""
    known: list[int] = []

    def begin(item: int) -> Callable[[], int]:
        seen = len(known)

        def work() -> int:
            time.sleep(0.05 if item == slow else 0.001)
            return seen

        return work

    def end(item: int, seen: int) -> tuple[int, int]:
        known.append(item)
        return item, seen

    found = list(in_turn(order, begin, end, give_up=lambda: None, ahead=ahead, workers=workers))
    assert known == order
    return found


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("slow", [0, 3, 6])
def test_an_item_knows_those_that_far_before_it_and_no_more(workers: int, slow: int) -> None:
    """By hand: with three ahead the fourth knows the first, the fifth the first two."""
    found = told(list(range(7)), ahead=3, workers=workers, slow=slow)
    assert found == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 4)]


def test_nothing_to_do() -> None:
    assert told([], ahead=2, workers=2, slow=0) == []


def test_two_at_a_time() -> None:
    """Each waits until the other has begun: on one thread that would never end."""
    both = threading.Barrier(2, timeout=20)
    done = in_turn(
        range(2), lambda _: both.wait, lambda item, _: item, give_up=lambda: None, ahead=2,
        workers=2,
    )  # fmt: skip
    assert list(done) == [0, 1]


def test_what_fails_is_raised_in_its_turn() -> None:
    def begin(item: int) -> Callable[[], float]:
        return lambda: 1 / (item - 2)

    done = in_turn(
        range(5), begin, lambda item, _: item, give_up=lambda: None, ahead=4, workers=2
    )  # fmt: skip
    assert [next(done), next(done)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(done)


@pytest.mark.parametrize("left", ["interrupted", "closed"])
def test_whoever_asks_for_no_more_waits_for_nobody(left: str) -> None:
    """The work under way is told to end; what has not begun never does."""
    given_up, begun = threading.Event(), []

    def begin(item: int) -> Callable[[], bool]:
        def work() -> bool:
            begun.append(item)
            return item == 0 or given_up.wait(timeout=20)

        return work

    def end(item: int, _: bool) -> int:
        if item == 0 and left == "interrupted":
            raise KeyboardInterrupt
        return item

    done = in_turn(range(9), begin, end, give_up=given_up.set, ahead=5, workers=2)
    if left == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            next(done)
    else:
        assert next(done) == 0
        done.close()
    assert given_up.is_set()
    assert set(begun) <= {0, 1, 2}

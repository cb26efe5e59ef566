"""Work done ahead on threads and taken up in order: the same on any number of threads.

Work that learns from what was done before it would depend on what happened to be finished. Here
item k begins when item k − ``ahead`` has ended, and knows what was learnt up to there and no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
PAUSE_S = 0.2
"""Between two looks for an interrupt, which not every system lets through while a thread waits."""


def in_turn(
    items: Iterable[_A],
    begin: Callable[[_A], Callable[[], _B]],
    end: Callable[[_A, _B], _C],
    *,
    give_up: Callable[[], None],
    ahead: int,
    workers: int,
) -> Iterator[_C]:
    """What becomes of each item, in order.

    Parameters
    ----------
    begin, end
        Both run on the thread of the caller: ``begin(item)`` gives the work to do on another, and
        ``end(item, result)`` takes up what came of it, in the order of the items.
    give_up
        Called when the caller is interrupted or asks for no more: tells the work under way to end.
    ahead
        So many items are begun before the first of them must have ended.
    workers
        Threads. Results do not depend on it.
    """
    under_way: deque[tuple[_A, Future[_B]]] = deque()
    pool = ThreadPoolExecutor(workers)

    def first() -> _C:
        item, result = under_way[0]
        while not result.done():
            wait([result], timeout=PAUSE_S)
        under_way.popleft()
        return end(item, result.result())

    try:
        for item in items:
            if len(under_way) == ahead:
                yield first()
            under_way.append((item, pool.submit(begin(item))))
        while under_way:
            yield first()
    finally:
        if under_way:
            give_up()
        pool.shutdown(cancel_futures=True)

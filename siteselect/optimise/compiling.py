"""Whether compiled code is there to be used: loading it takes a moment, compiling it a minute."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

_ENTRIES = (
    ("siteselect.optimise.tree.nodes", "advance"),
    ("siteselect.optimise.wholelists_kernels", "best_choice"),
)
"""What Python calls: the search, and lists of whole parcels."""


def loaded() -> bool:
    """Whether it is in memory."""
    modules = [(sys.modules.get(module), name) for module, name in _ENTRIES]
    return all(one is not None and bool(getattr(one, name).overloads) for one, name in modules)


def ready() -> bool:
    """Whether it is in memory or was compiled before on this machine."""
    if loaded():
        return True
    with _nothing_collected():
        return all(_kept(import_module(module), name) for module, name in _ENTRIES)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Without the garbage collector, which goes through all that is kept while modules come in by
    the hundred: a tenth of the time of loading.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _kept(module: ModuleType, name: str) -> bool:
    """Whether a compiled function is on disk, and no older than its module."""
    folder = getattr(module, name).stats.cache_path
    if folder is None:
        return False
    written = Path(str(module.__file__)).stat().st_mtime
    pattern = f"{module.__name__.rpartition('.')[2]}.{name}-*.nbi"
    return any(one.stat().st_mtime >= written for one in Path(folder).glob(pattern))


def prepare() -> None:
    """Load it, or compile it: a minute, once a machine. For clocks that start afterwards."""
    if loaded():
        return
    if ready():
        with _nothing_collected():
            _call_once()
    else:
        _call_once()


def _call_once() -> None:
    """Everything that Python calls is called once, on next to nothing."""
    import numpy as np

    from siteselect.optimise.model import compile_model
    from siteselect.optimise.tree.planting import advance, planted
    from siteselect.optimise.tree.state import DONE, LEAF
    from siteselect.optimise.wholelists_kernels import best_choice
    from siteselect.problem import SelectionProblem

    none, zeros = np.zeros(0, np.int64), np.zeros(1, np.int64)
    starts = np.zeros(2, np.int64)
    best_choice(
        none, none, none, starts, starts, zeros, zeros, zeros, zeros, starts, none, 0, 1, 2, 1, 1
    )
    model = compile_model(SelectionProblem.from_arrays([3, 2, 1], count=2))
    nothing = np.zeros((2, 3))
    tree = planted(model, 5, ties=False, losses=nothing, tries=nothing.astype(np.int64))
    while advance(tree, 100) not in (DONE, LEAF):
        pass

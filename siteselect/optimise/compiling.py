"""Whether compiled code is there to be used: loading it takes a moment, compiling it a minute."""

from __future__ import annotations

import sys
from pathlib import Path

_NODES = "siteselect.optimise.tree.nodes"


def loaded() -> bool:
    """Whether it is in memory."""
    return _NODES in sys.modules and bool(sys.modules[_NODES].advance.signatures)


def ready() -> bool:
    """Whether it is in memory or was compiled before on this machine."""
    if loaded():
        return True
    from siteselect.optimise.tree import nodes

    source = Path(nodes.__file__)
    kept = Path(nodes.advance.stats.cache_path).glob("nodes.advance-*.nbi")  # type: ignore[attr-defined]
    return any(one.stat().st_mtime >= source.stat().st_mtime for one in kept)


def prepare() -> None:
    """Load it, or compile it: a minute, once a machine. For clocks that start afterwards."""
    if loaded():
        return
    import numpy as np

    from siteselect.optimise.model import compile_model
    from siteselect.optimise.tree.planting import advance, planted
    from siteselect.optimise.tree.state import DONE, LEAF
    from siteselect.problem import SelectionProblem

    model = compile_model(SelectionProblem.from_arrays([3, 2, 1], count=2))
    nothing = np.zeros((2, 3))
    tree = planted(model, 5, ties=False, losses=nothing, tries=nothing.astype(np.int64))
    while advance(tree, 100) not in (DONE, LEAF):
        pass

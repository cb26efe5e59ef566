"""Whether compiled code is there to be used: loading it takes a moment, compiling it a minute."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_NODES = "siteselect.optimise.tree.nodes"


def loaded() -> bool:
    """Whether it is in memory."""
    nodes = sys.modules.get(_NODES)
    return nodes is not None and bool(nodes.advance.signatures)


def ready() -> bool:
    """Whether it is in memory or was compiled before on this machine."""
    if loaded():
        return True
    from siteselect.optimise.tree import nodes

    advance: Any = nodes.advance
    folder = advance.stats.cache_path
    if folder is None:
        return False
    written = Path(nodes.__file__).stat().st_mtime
    return any(one.stat().st_mtime >= written for one in Path(folder).glob("nodes.advance-*.nbi"))


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

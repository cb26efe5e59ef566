"""Many scenarios on one machine or a cluster, nothing lost.

The package is named in the plural so that :func:`siteselect.batch` can be a function.
"""

from siteselect.batches.plan import Plan, Planned, plan_batch
from siteselect.batches.running import Batch, batch, run_plan
from siteselect.batches.store import RunStore

__all__ = ["Batch", "Plan", "Planned", "RunStore", "batch", "plan_batch", "run_plan"]

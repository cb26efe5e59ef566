"""Measured columns of the sites, with units in their names."""

from siteselect.measures.access import measure_access
from siteselect.measures.utilities import measure_utilities
from siteselect.measures.workforce import measure_workforce

__all__ = ["measure_access", "measure_utilities", "measure_workforce"]

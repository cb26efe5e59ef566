"""Schemas of the tables that cross a stage, and how a broken one is told to a planner.

pandera finds what is wrong, all of it at once; :func:`check_table` turns each finding into a
:class:`~siteselect.errors.Fault` that names the file, the sites, the column, a few values and
the remedy. The CRS is checked first, because every coordinate is wrong when it is.
"""

from siteselect.schemas.check import check_crs, check_table
from siteselect.schemas.tables import KINDS, SITE_STATUSES, TABLES
from siteselect.schemas.telling import examples

__all__ = ["KINDS", "SITE_STATUSES", "TABLES", "check_crs", "check_table", "examples"]

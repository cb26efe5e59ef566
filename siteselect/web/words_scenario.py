"""Words of the scripts: scenario."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.messages import Msg

WORDS: Mapping[str, Msg] = {}

"""Words of the scripts: comparaison."""

from __future__ import annotations

from collections.abc import Mapping

from siteselect.messages import Msg

WORDS: Mapping[str, Msg] = {}

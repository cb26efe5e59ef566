"""JSON that can always be written, whatever somebody sent and is shown again."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import JSONResponse


class Answer(JSONResponse):
    """JSON in UTF-8; half characters become question marks, numbers without end become text."""

    def render(self, content: Any) -> bytes:
        """The bytes of an answer."""
        try:
            text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            text = json.dumps(finite(content), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", errors="replace")


def finite(tree: Any) -> Any:
    """The tree with NaN as null and infinite numbers as the text ``inf``."""
    if isinstance(tree, dict):
        return {key: finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(value) for value in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return None if math.isnan(tree) else ("inf" if tree > 0 else "-inf")
    return tree

"""Compiled functions: once a machine, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """A compiled function that Python may call; divisions by zero give infinities, as in numpy."""
    return cast(_F, _kept(function, {}))


def inner(function: _F) -> _F:
    """For compiled callers only: without the wrappers that take long to compile."""
    return cast(_F, _kept(function, {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}))


def _kept(function: Callable[..., Any], more: dict[str, bool]) -> Any:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # There is no folder that may be written to: compiled anew in each process.
        return numba.njit(**options)(function)

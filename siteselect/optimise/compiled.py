"""Compiled functions: once a machine, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.cpu import CPUTargetOptions

_F = TypeVar("_F", bound=Callable[..., Any])


_UNWRAPPED: dict[str, bool] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_COUNTED = "_nrt"
"""The option that says whether references are counted. It is said for every function: what does not
say it does as whoever was compiled to call it first.
"""


def compiled(function: _F) -> _F:
    """A compiled function that Python may call; divisions by zero give infinities, as in numpy."""
    return cast(_F, _kept(function, {_COUNTED: True}))


def inner(function: _F) -> _F:
    """For compiled callers only: without the wrappers that take long to compile."""
    return cast(_F, _kept(function, {_COUNTED: True, **_UNWRAPPED}))


def lean(function: _F) -> _F:
    """For functions that neither make nor return an array: nobody counts references in them.

    A search passes some seventy arrays from function to function. To count them up and down each
    time, and at each look at one of them, took a quarter of its time.
    """
    return cast(_F, _kept(function, {_COUNTED: False}))


def lean_inner(function: _F) -> _F:
    """Both."""
    return cast(_F, _kept(function, {_COUNTED: False, **_UNWRAPPED}))


def quick(function: _F) -> _F:
    """Like :func:`lean_inner`, for sums of which the order of the terms does not matter."""
    told = {_COUNTED: False, **_UNWRAPPED, "fastmath": {"reassoc", "contract"}}
    return cast(_F, _kept(function, told))


def _kept(function: Callable[..., Any], more: dict[str, Any]) -> Any:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
    if not hasattr(CPUTargetOptions, _COUNTED):  # then all is counted, and only slower
        del options[_COUNTED]
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # There is no folder that may be written to: compiled anew in each process.
        return numba.njit(**options)(function)

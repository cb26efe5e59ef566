"""One small hierarchy of errors; every message says what, where, which value, how to mend it.

A user's mistake is a :class:`Fault`. Faults are collected (:class:`FaultLog`) and raised
together as one :class:`InputError`, so that a planner mends a file once, not ten times.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from siteselect.messages import Msg

__all__ = [
    "Fault",
    "FaultLog",
    "InfeasibleError",
    "InputError",
    "LimitError",
    "SiteSelectError",
    "VerificationError",
    "nearest_name",
]


Show = Callable[[Msg], str]
"""How a message becomes text: ``str`` for English, ``Translator.text`` for a language."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what the user gave.

    Attributes
    ----------
    message
        What is wrong.
    file
        The file it is in, where there is one.
    where
        The row, key or ``site_id`` concerned.
    value
        The offending value, shown as ``repr``.
    remedy
        How to mend it.
    """

    message: Msg
    file: Path | str | None = None
    where: str | None = None
    value: object | None = None
    remedy: Msg | None = None

    def render(self, show: Show = str) -> str:
        """One line: ``file: where: message (value: …) — remedy``, messages shown by ``show``."""
        place = ": ".join(str(part) for part in (self.file, self.where) if part is not None)
        text = show(self.message)
        if self.value is not None:
            text += " " + show(Msg("(value: {value!r})", value=self.value))
        if self.remedy is not None:
            text += " — " + show(self.remedy)
        return f"{place}: {text}" if place else text

    def __str__(self) -> str:
        return self.render()


class SiteSelectError(Exception):
    """Base of every error that siteselect raises on purpose. ``exit_status`` is the command's."""

    exit_status = 1

    def render(self, show: Show = str) -> str:
        """What the user reads."""
        return str(self)


class InputError(SiteSelectError):
    """Bad input: all its faults at once (exit status 2)."""

    exit_status = 2

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(self.render())

    def render(self, show: Show = str) -> str:
        """All faults, one a line."""
        return "\n".join(fault.render(show) for fault in self.faults)

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class InfeasibleError(SiteSelectError):
    """No portfolio satisfies every constraint (exit status 3); ``reasons`` name the conflict."""

    exit_status = 3

    def __init__(self, reasons: Sequence[Msg]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(str(reason) for reason in self.reasons))

    def render(self, show: Show = str) -> str:
        """All reasons, one a line."""
        return "\n".join(show(item) for item in self.reasons)

    def __reduce__(self) -> tuple[type[InfeasibleError], tuple[tuple[Msg, ...]]]:
        return type(self), (self.reasons,)


class LimitError(SiteSelectError):
    """A limit was reached before any portfolio was found (exit status 4)."""

    exit_status = 4

    def __init__(self, message: Msg) -> None:
        self.message = message
        super().__init__(str(message))

    def render(self, show: Show = str) -> str:
        """The message."""
        return show(self.message)

    def __reduce__(self) -> tuple[type[LimitError], tuple[Msg]]:
        return type(self), (self.message,)


class VerificationError(SiteSelectError):
    """A run does not agree with its inputs, or its files with each other (exit status 1)."""

    def __init__(self, problems: Sequence[Msg]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def render(self, show: Show = str) -> str:
        """All problems, one a line."""
        return "\n".join(show(item) for item in self.problems)

    def __reduce__(self) -> tuple[type[VerificationError], tuple[tuple[Msg, ...]]]:
        return type(self), (self.problems,)


@dataclass
class FaultLog:
    """Collects faults; :meth:`check` raises them together."""

    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        message: Msg,
        *,
        file: Path | str | None = None,
        where: str | None = None,
        value: object | None = None,
        remedy: Msg | None = None,
    ) -> None:
        """Note one fault."""
        self.faults.append(Fault(message, file, where, value, remedy))

    def check(self) -> None:
        """Raise :class:`InputError` when anything was noted."""
        if self.faults:
            raise InputError(self.faults)


def nearest_name(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like a misspelt one, or ``None`` where nothing is near."""
    found = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return found[0] if found else None

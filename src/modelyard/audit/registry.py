"""What a check is: a function with an id, what it finds, what harm that does, thresholds with reasons, and its needs."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from modelyard.audit.context import AuditContext
from modelyard.core import Finding

__all__ = [
    "CLASSES",
    "NUMBERS",
    "Check",
    "Need",
    "Threshold",
    "at_least_rows",
    "at_most_features",
    "check",
    "declared",
]

Function = Callable[[AuditContext], Iterator[Finding]]


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A number that a check decides by: what it counts, its value, and why not another."""

    name: str
    value: float
    reason: str


@dataclasses.dataclass(frozen=True)
class Need:
    """What a check cannot do without.

    Parameters
    ----------
    words
        The need, as a noun.
    missing
        Says of a context why the need is not met; ``""`` if it is.
    """

    words: str
    missing: Callable[[AuditContext], str]


@dataclasses.dataclass(frozen=True)
class Check:
    """One check of the audit; calling it looks at a context and yields findings.

    Parameters
    ----------
    id
        The function's name with dashes.
    row
        Id of the row of the life cycle that asks for it.
    findings
        Ids of the findings that it can give.
    finds, harm
        What it looks for, and what happens if nobody does; from the function's docstring.
    thresholds
        The numbers it decides by.
    needs
        Without these it does not run, and the report says why.
    trains
        True if it asks a model that must learn first; a quick audit leaves it out.
    function
        The check itself.
    """

    id: str
    row: str
    findings: tuple[str, ...]
    finds: str
    harm: str
    thresholds: tuple[Threshold, ...]
    needs: tuple[Need, ...]
    trains: bool
    function: Function

    def __call__(self, context: AuditContext) -> Iterator[Finding]:
        """Look, and yield what was found."""
        return self.function(context)

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON-ready data, without its code."""
        plain = {"id": self.id, "row": self.row, "findings": list(self.findings), "finds": self.finds}
        numbers = [dataclasses.asdict(threshold) for threshold in self.thresholds]
        needs = [need.words for need in self.needs]
        return plain | {"harm": self.harm, "thresholds": numbers, "needs": needs, "trains": self.trains}

    def cannot_run(self, context: AuditContext) -> str:
        """Why the check cannot run on this table; ``""`` if it can."""
        if self.trains and context.quick:
            return "asks a model, which a quick audit does not train"
        return next((reason for need in self.needs if (reason := need.missing(context))), "")


def check(
    row: str,
    *findings: str,
    thresholds: tuple[Threshold, ...] = (),
    needs: tuple[Need, ...] = (),
    trains: bool = False,
) -> Callable[[Function], Check]:
    """Make a check of a function whose docstring says what it finds and, after ``Harm:``, what harm that does.

    Raises
    ------
    ValueError
        If the docstring says nothing of the harm.
    """

    def made(function: Function) -> Check:
        name = function.__name__
        finds, mark, harm = (inspect.getdoc(function) or "").partition("Harm:")
        if not mark:
            raise ValueError(f"the docstring of check {name} must say, after 'Harm:', what harm is done")
        said, harm = (" ".join(text.split()) for text in (finds, harm))
        return Check(name.replace("_", "-"), row, findings, said, harm, thresholds, needs, trains, function)

    return made


def at_least_rows(rows: int) -> Need:
    """Rows with a target."""

    def missing(context: AuditContext) -> str:
        there = context.sample.height
        return "" if there >= rows else f"needs {rows:,} training rows with a target; there are {there:,}"

    return Need(f"{rows:,} rows", missing)


def at_most_features(most: int) -> Need:
    """A table that is not too wide for a check whose cost grows faster than the columns."""

    def missing(context: AuditContext) -> str:
        there = len(context.features)
        return "" if there <= most else f"compares at most {most:,} features; there are {there:,}"

    return Need(f"at most {most:,} features", missing)


def declared(key: str) -> Need:
    """A key under ``data`` in the project file."""

    def missing(context: AuditContext) -> str:
        return "" if getattr(context.problem.data, key) else f"needs data.{key} in the project file"

    return Need(f"`data.{key}`", missing)


CLASSES = Need(
    "classes", lambda context: "" if context.task.is_classification else "asks about classes; the target is a number"
)
NUMBERS = Need(
    "a target that is a number",
    lambda context: "asks about numbers; the target is a class" if context.task.is_classification else "",
)

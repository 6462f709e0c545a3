"""Findings: what a check produces. Data first (JSON), prose second (terminal, report)."""

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.core.record import Record

__all__ = ["Finding", "Severity", "worst_severity"]


class Severity(enum.StrEnum):
    """How much a finding matters: ``error`` stops a gate, ``warning`` wants a decision, ``info`` is worth knowing."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for ``info``, 1 for ``warning``, 2 for ``error``."""
        return list(Severity).index(self)


@dataclasses.dataclass(frozen=True)
class Finding(Record):
    """One observation, with the number that supports it and what to do about it.

    Parameters
    ----------
    id
        Stable kebab-case name of the check, such as ``target-proxy``.
    severity
        See :class:`Severity`.
    subject
        The column, metric, key or part concerned; ``""`` for the whole table.
    message
        What was seen, in one sentence with its number.
    why
        Why it matters, in one sentence.
    action
        What to do next, in one sentence.
    evidence
        The numbers behind the message, by name; JSON-ready.
    row
        Id of the row of the life-cycle list that asks for this check, such as ``D9``.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    why: str
    action: str
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    row: str = ""


def worst_severity(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity among ``findings``; None if there are none.

    >>> worst_severity([]) is None
    True
    """
    return max((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)

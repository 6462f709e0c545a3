"""What a verb of a course has to say: one shape for all, so that the terminal needs one view."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.core import Finding, Record

__all__ = ["AFTER_TRAINING", "OPEN_TEST", "Outcome"]

OPEN_TEST = 'modelyard evaluate --open-test "final evaluation"'
"""The step after an evaluation that left the sealed rows alone."""

AFTER_TRAINING = f"modelyard evaluate, and at the very end: {OPEN_TEST}"
"""The step after training."""


@dataclasses.dataclass(frozen=True)
class Outcome(Record):
    """A verb's answer.

    Parameters
    ----------
    headline, note
        The answer in one line, and what it rests on.
    said
        Sentences.
    columns, rows, numeric
        A table: headings, cells as text, positions of the numbers.
    findings
        What wants a decision.
    page
        The file that shows more.
    next_step
        The command that comes next.
    refused
        True if a bound was not met: the command ends with exit code 3.
    record
        The whole record, for programs.
    """

    headline: str
    note: str = ""
    said: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    page: str = ""
    next_step: str = ""
    refused: bool = False
    record: Mapping[str, Any] = dataclasses.field(default_factory=dict)

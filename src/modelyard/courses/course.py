"""What a course is."""

from pathlib import Path
from typing import Protocol

from modelyard.courses.outcome import Outcome

__all__ = ["Course"]


class Course(Protocol):
    """The verbs of a project's life for one task.

    Every verb that changes something holds the project's lock and leaves a row in the ledger; all raise only errors of
    :class:`modelyard.core.ModelyardError`.
    """

    def check(self) -> Outcome:
        """Whether the question is well put and the data can answer it; divides and seals on first use."""

    def audit(self) -> Outcome:
        """What is wrong with the rows that may be looked at."""

    def train(self, *, resume: bool = True) -> Outcome:
        """Try everything that the plan names, and choose.

        Parameters
        ----------
        resume
            Take a run of the same question that is there already.
        """

    def evaluate(self, *, open_test: str | None = None) -> Outcome:
        """Measure the winner; on the sealed rows, if a reason is given."""

    def score(self, source: Path | str, destination: Path | str, *, query: str | None = None) -> Outcome:
        """Answer for a table, into a file."""

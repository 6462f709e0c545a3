"""What a course is."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from modelyard.courses.outcome import Outcome

if TYPE_CHECKING:
    from modelyard.packaging import Package

__all__ = ["Course"]


class Course(Protocol):
    """The verbs of a project's life for one task.

    Every verb that changes something holds the project's lock and leaves a row in the ledger; all raise only errors of
    :class:`modelyard.core.ModelyardError`.
    """

    @property
    def answers_rows(self) -> bool:
        """True if its packages answer a row alone, so that they can be served."""

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

    def package(self) -> "Package":
        """Build the package of the newest run: one folder, digests, parity proved, card.

        Raises
        ------
        StateError
            If the newest run was not evaluated yet, or there is nothing to package, such as no clear clusters.
        GateRefusedError
            If the package does not answer as the run does, or breaks a constraint.
        """

    def score(
        self,
        source: Path | str,
        destination: Path | str,
        *,
        query: str | None = None,
        version: int | None = None,
        resume: bool = True,
    ) -> Outcome:
        """Answer for a table, into a file.

        Parameters
        ----------
        version
            Scores; the one in production by default, and the newest run as long as there is none.
        resume
            Go on with half-done work of the same kind, where work is done in parts.
        """

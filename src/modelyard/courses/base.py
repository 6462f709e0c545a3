"""What all courses begin with: their ground, and the check of the question."""

import abc

from modelyard.courses.ground import Ground
from modelyard.courses.outcome import Outcome
from modelyard.data import Split

__all__ = ["CourseBase"]


class CourseBase(abc.ABC):
    """A course on its ground.

    Parameters
    ----------
    ground
        The project's question and state.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def check(self) -> Outcome:
        """The question in a few lines; the test part is sealed on first use."""
        self._ground.permit("audit")
        with self._ground.workspace.lock():
            split = self._split()
        return self._ground.checked(split, self._metric())

    @abc.abstractmethod
    def _split(self) -> Split:
        """The split of the source as it is now; sealed on first use."""

    @abc.abstractmethod
    def _metric(self) -> str:
        """By what candidates are judged, in words or as the metric's name."""

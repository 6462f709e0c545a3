"""Progress events: rooms say how far they are, the command line draws it."""

import dataclasses
from collections.abc import Callable

__all__ = ["Progress", "ProgressEvent", "silent"]


@dataclasses.dataclass(frozen=True)
class ProgressEvent:
    """How far one step is.

    Parameters
    ----------
    step
        Name of the step, constant while it runs: "folds", "tuning", "explanations".
    done, total
        Units finished and planned; ``total`` is 0 when it is not known.
    message
        The unit just finished, for people: "lightgbm, fold 3: roc_auc 0.846".
    """

    step: str
    done: int
    total: int
    message: str = ""


Progress = Callable[[ProgressEvent], None]
"""Receives events; must be cheap and must not raise."""


def silent(event: ProgressEvent) -> None:
    """The listener that shows nothing."""

"""Champion and challenger side by side while a version is rolled out: rows, labels, metric, and how sure the difference is."""

import dataclasses
import math
from typing import TYPE_CHECKING

from modelyard.core import Record
from modelyard.problem import Task
from modelyard.rollout import always_valid_interval, label_metric
from modelyard.serving.routing.outcomes import Outcomes

if TYPE_CHECKING:
    from modelyard.governance import RolloutView
    from modelyard.packaging import Package
    from modelyard.problem import Problem
    from modelyard.store import Workspace

__all__ = ["Beside", "side_by_side"]


@dataclasses.dataclass(frozen=True)
class Beside(Record):
    """Two versions on the requests since a rollout began.

    Parameters
    ----------
    metric
        A mean over rows, more is better: ``money``, ``accuracy``, ``brier`` (negative) or ``absolute_error`` (negative).
    rows, champion_rows
        Answered, or asked in shadow.
    labelled, champion_labelled
        Of these, with a label that came back.
    value, champion_value
        The metric; None without a label.
    difference, low, high
        The version less the champion, and between which values it lies; None as long as nothing can be said. The interval
        holds at all times together, so one may look as often as one likes.
    alpha
        Chance that it ever misses the truth.
    """

    metric: str
    rows: int
    champion_rows: int
    labelled: int
    champion_labelled: int
    value: float | None
    champion_value: float | None
    difference: float | None
    low: float | None
    high: float | None
    alpha: float

    @property
    def verdict(self) -> str:
        """What can be said of the difference, in a few words."""
        if self.low is None or self.high is None:
            return "nothing can be said yet"
        return "better" if self.low > 0 else "worse" if self.high < 0 else "no difference for certain"


def side_by_side(workspace: "Workspace", problem: "Problem", package: "Package", view: "RolloutView") -> Beside:
    """The two versions of a rollout by what the prediction log and the labels say of them.

    Parameters
    ----------
    package
        The new version's, which knows task and classes.
    view
        The rollout.
    """
    plan = package.read_json("plan.json")
    metric, alpha = label_metric(problem, Task(plan["task"])), problem.deploy.strategy.ab.alpha
    outcomes = Outcomes(workspace.folder("predictions"), problem.costs, tuple(plan["classes"]))
    rows, champion_rows, figure = outcomes.compared(metric, view.rollout.digest, view.rollout.at)
    found = None
    if figure.value is not None and figure.other is not None:
        other = (figure.other, figure.other_variance, figure.other_samples)
        found = always_valid_interval(figure.value, figure.variance, figure.samples, other, alpha)
    is_known = found is not None and math.isfinite(found.low)
    return Beside(
        metric,
        rows,
        champion_rows,
        figure.samples,
        figure.other_samples,
        figure.value,
        figure.other,
        found.difference if found is not None and is_known else None,
        found.low if found is not None and is_known else None,
        found.high if found is not None and is_known else None,
        alpha,
    )

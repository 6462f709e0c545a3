"""The scoring plan: how a row becomes a prediction, as plain data."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from modelyard.core import IntegrityError, Record, StateError
from modelyard.features import Encoding, OwnFeature, encodings_from_json, encodings_to_json
from modelyard.problem import Task

__all__ = ["ScoringPlan"]

_FORMS: Mapping[Task, Task] = {Task.ANOMALY: Task.BINARY, Task.CLUSTERING: Task.MULTICLASS}


@dataclasses.dataclass(frozen=True)
class ScoringPlan(Record):
    """Typed columns to features, features to outputs, outputs to scores and labels.

    Parameters
    ----------
    task
        Binary, multiclass, regression, anomaly or clustering.
    classes
        Binary: (negative, positive); multiclass: in the order of scores; regression: empty. Anomalies: (usual, anomaly);
        clustering: the clusters.
    threshold
        Binary and anomalies: a row is positive if its score is at or above it; None for the other tasks.
    encodings
        How columns become features, in order.
    predictor
        Kind of the native predictor; its files lie under ``model/``.
    present
        Multiclass: positions of the classes that training rows held, in the order of the predictor's outputs; the
        others score 0. Empty means all.
    own, own_digest
        Features of the user's own, made before columns are encoded by the package's ``features.py`` of that digest.
    """

    task: Task
    classes: tuple[str, ...]
    threshold: float | None
    encodings: tuple[Encoding, ...]
    predictor: str
    present: tuple[int, ...] = ()
    own: tuple[OwnFeature, ...] = ()
    own_digest: str = ""

    @property
    def form(self) -> Task:
        """The supervised task whose answers look alike: a score with a threshold, one share for each class, or a value.

        That is the task itself, but for anomalies binary (with a score that is no probability), and for clusters multiclass.
        """
        return _FORMS.get(self.task, self.task)

    @property
    def features(self) -> int:
        """Number of features that the encodings make of a row."""
        return sum(len(encoding.names()) for encoding in self.encodings)

    @property
    def outputs(self) -> int:
        """Numbers that the predictor must give for a row; of two classes the second one's probability is enough."""
        if self.form is not Task.MULTICLASS:
            return 1
        known = len(self.present) or len(self.classes)
        return 1 if known == 2 and self.task is not Task.CLUSTERING else known

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready data; each encoding names its kind."""
        return {
            "task": self.task.value,
            "classes": list(self.classes),
            "threshold": self.threshold,
            "encodings": encodings_to_json(self.encodings),
            "predictor": self.predictor,
            "present": list(self.present),
            **({"own": [item.to_dict() for item in self.own], "own_digest": self.own_digest} if self.own else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`.

        Raises
        ------
        IntegrityError
            If a field is missing or unknown.
        StateError
            If it is the plan of a forecast.
        """
        if data.get("task") == Task.FORECASTING.value:
            raise StateError(
                "a forecast tells what follows a history, so it answers no single rows",
                where="plan.json",
                cure="Run: modelyard score HISTORY FORECAST",
            )
        plain = {name: value for name, value in data.items() if name != "encodings"}
        if "encodings" not in data:
            raise IntegrityError(
                "the scoring plan names no encodings", where="plan.json", cure="Build the package again from its run"
            )
        plan = super().from_dict({**plain, "encodings": ()})
        return dataclasses.replace(plan, encodings=encodings_from_json(data["encodings"]))

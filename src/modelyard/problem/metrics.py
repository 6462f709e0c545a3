"""The metrics by name: what each is called, which way is better, and what it is computed from."""

import dataclasses
import enum
from collections.abc import Iterable
from pathlib import Path

from modelyard.core import ConfigError, Record
from modelyard.problem.task import Task

__all__ = [
    "COURSE_METRICS",
    "METRICS",
    "MetricInput",
    "MetricSpec",
    "declare_metrics",
    "default_metric",
    "metric_spec",
    "metrics_for",
]


class MetricInput(enum.StrEnum):
    """What a metric is computed from, beside the truth."""

    PROBABILITY = "probability"
    LABEL = "label"
    VALUE = "value"


@dataclasses.dataclass(frozen=True)
class MetricSpec(Record):
    """One metric.

    Parameters
    ----------
    name
        The name used in the project file, such as ``roc_auc``.
    title
        How people write it, such as "ROC AUC".
    greater_is_better
        The direction of improvement.
    input
        Probabilities, decided labels, or predicted values.
    tasks
        The tasks for which it is defined.
    path
        Dotted path of the function, for a metric of one's own.
    folder
        Where its module is looked for first.
    undefined
        What stands for NaN; None if nothing does.
    """

    name: str
    title: str
    greater_is_better: bool
    input: MetricInput
    tasks: tuple[Task, ...]
    path: str = ""
    folder: str = ""
    undefined: float | None = None


_BINARY = (Task.BINARY,)
_RANKS = (Task.BINARY, Task.ANOMALY)
_NUMBERS = (Task.REGRESSION, Task.FORECASTING)
_CLASSES = (Task.BINARY, Task.MULTICLASS)
_VALUES = (Task.REGRESSION,)

METRICS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec("roc_auc", "ROC AUC", True, MetricInput.PROBABILITY, (*_CLASSES, Task.ANOMALY)),
        MetricSpec("pr_auc", "PR AUC (average precision)", True, MetricInput.PROBABILITY, _RANKS),
        MetricSpec("log_loss", "Log loss", False, MetricInput.PROBABILITY, _CLASSES),
        MetricSpec("brier", "Brier score", False, MetricInput.PROBABILITY, _CLASSES),
        MetricSpec("accuracy", "Accuracy", True, MetricInput.LABEL, _CLASSES),
        MetricSpec("balanced_accuracy", "Balanced accuracy", True, MetricInput.LABEL, _CLASSES),
        MetricSpec("precision", "Precision", True, MetricInput.LABEL, _BINARY),
        MetricSpec("recall", "Recall", True, MetricInput.LABEL, _BINARY),
        MetricSpec("f1", "F1", True, MetricInput.LABEL, _BINARY),
        MetricSpec("f1_macro", "F1 (macro)", True, MetricInput.LABEL, (Task.MULTICLASS,)),
        MetricSpec("mcc", "Matthews correlation", True, MetricInput.LABEL, _CLASSES),
        MetricSpec("rmse", "RMSE", False, MetricInput.VALUE, _NUMBERS),
        MetricSpec("mae", "MAE", False, MetricInput.VALUE, _NUMBERS),
        MetricSpec("median_ae", "Median absolute error", False, MetricInput.VALUE, _VALUES),
        MetricSpec("mape", "MAPE", False, MetricInput.VALUE, _VALUES),
        MetricSpec("r2", "R²", True, MetricInput.VALUE, _VALUES),
    )
}
"""All metrics of rows with a truth of their own, in the order in which reports show them."""

COURSE_METRICS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec("mase", "MASE", False, MetricInput.VALUE, (Task.FORECASTING,)),
        MetricSpec("rmsse", "RMSSE", False, MetricInput.VALUE, (Task.FORECASTING,)),
        MetricSpec("smape", "sMAPE (%)", False, MetricInput.VALUE, (Task.FORECASTING,)),
        MetricSpec("silhouette", "Silhouette", True, MetricInput.LABEL, (Task.CLUSTERING,)),
    )
}
"""Metrics of series and of clusters, which need more than a truth and an answer for each row."""

_DEFAULTS = {
    Task.BINARY: "roc_auc",
    Task.MULTICLASS: "log_loss",
    Task.REGRESSION: "rmse",
    Task.FORECASTING: "mase",
    Task.ANOMALY: "pr_auc",
    Task.CLUSTERING: "silhouette",
}


_DECLARED: dict[str, MetricSpec] = {}
"""Metrics of one's own by name. A project declares its own when it is opened, and again before it trains, so that records
and pages can name a metric as they name the others."""


def declare_metrics(specs: Iterable[MetricSpec], folder: Path | None = None) -> None:
    """Make metrics of one's own known by their names in this process; the last declaration of a name counts."""
    for spec in specs:
        place = spec.folder if folder is None else str(folder.resolve())
        _DECLARED[spec.name] = dataclasses.replace(spec, folder=place)


def metric_spec(name: str) -> MetricSpec:
    """The metric called ``name``.

    Raises
    ------
    ConfigError
        If there is none; the cure names the nearest.
    """
    known = METRICS | COURSE_METRICS | _DECLARED
    if name in known:
        return known[name]
    from modelyard.problem.suggestion import did_you_mean

    raise ConfigError("unknown metric", where="metrics", got=repr(name), cure=did_you_mean(name, known))


def metrics_for(task: Task) -> tuple[MetricSpec, ...]:
    """All metrics that ship for ``task``; they are all reported, whatever was picked as primary."""
    return tuple(spec for spec in (METRICS | COURSE_METRICS).values() if task in spec.tasks)


def default_metric(task: Task) -> str:
    """The primary metric when the project file names none: it ranks (binary), or scores probabilities or errors."""
    return _DEFAULTS[task]

"""Everything a search needs to know, worked out from the split and the problem before anything is fitted."""

import dataclasses
import platform
from pathlib import Path

import numpy as np
import numpy.typing as npt

from modelyard.core import ConfigError, derive_seed, digest_file, digest_json, installed_versions
from modelyard.data import Split, assign_roles, resolve
from modelyard.data.schema import Column, ColumnKind
from modelyard.features import OwnFeatures, load_own_features
from modelyard.features.sentences import sentence_model
from modelyard.problem import MetricInput, Problem, Task, declare_metrics, metric_spec
from modelyard.training.balancing.declared import check_resampling
from modelyard.training.custom_metrics import load_metric, try_metrics
from modelyard.training.executor import cores
from modelyard.training.families.constraints import check_monotone
from modelyard.training.families.fitness import Needs
from modelyard.training.folds import FoldPlan, RowKeys, plan_fewer_rows, plan_folds, wanted_folds
from modelyard.training.metrics import decide_labels
from modelyard.training.model import Learning
from modelyard.training.planning import Size, matrix_width, race_rows
from modelyard.training.search.cross_validation import Question
from modelyard.training.target import class_names, encode_target

__all__ = ["Setup", "environment", "prepare"]

_PROTOCOL = 7
"""Raised when a change of the code changes results that a killed run might have left behind."""

_LIBRARIES = ("modelyard", "numpy", "polars", "scikit-learn", "lightgbm", "xgboost-cpu", "optuna")
_OPTIONAL_LIBRARIES = ("catboost", "interpret-core")


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a search is about.

    Parameters
    ----------
    problem
        Resolved.
    columns
        The feature columns.
    classes
        In the order of codes; empty for regression.
    keys, plan
        What decides where rows may go, and the folds made by it.
    question
        What the folds are asked.
    width
        Features that the columns become, roughly.
    own
        Features of the user's own, if there are any.
    """

    problem: Problem
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    keys: RowKeys
    plan: FoldPlan
    question: Question
    width: int
    own: OwnFeatures | None = None

    @property
    def seed(self) -> int:
        """Root of all seeds; within an outer part it is the part's."""
        return self.question.seed

    @property
    def folds(self) -> int:
        """Into how many folds the rows are divided, now and on every further division."""
        return len(self.plan.folds)

    @property
    def learning(self) -> Learning:
        """What every model of the search is to learn."""
        data = self.problem.data
        return Learning(
            self.columns,
            None if self.mixes_times else data.time,
            self.problem.task,
            self.classes,
            data.group,
            self.own,
            self.problem.features,
            data.weight,
        )

    @property
    def mixes_times(self) -> bool:
        """Whether time is declared and divides nothing, since a test table of one's own lies among the rows in time.

        Then what is asked are moments between those learnt from, and how much time has passed tells something.
        """
        declared = self.problem.data.time is not None and self.problem.split.strategy == "auto"
        return declared and self.keys.strategy != "time"

    @property
    def needs(self) -> Needs:
        """What every family must promise."""
        problem = self.problem
        declared = problem.data.weight is not None, bool(problem.features.monotone)
        return Needs(problem.task, len(self.truth), *declared, problem.training.resampling == "weights")

    @property
    def truth(self) -> npt.NDArray[np.float64]:
        """Encoded target of the training part."""
        return self.question.truth


def prepare(split: Split, problem: Problem, folder: Path | None = None) -> Setup:
    """Resolve the problem, choose columns, encode the target, and make the folds.

    Parameters
    ----------
    folder
        The project's, in which features of the user's own may lie; None if they are not asked for.

    Raises
    ------
    ConfigError
        If the primary metric is not defined for the task, one of one's own gives no number, features of one's own cannot
        be run, or the sentence encoder is asked to read what is no text.
    MissingExtraError
        If it is asked to read and is not installed; or resampling is asked for, and imbalanced-learn is not.
    DataError
        If the target cannot be learnt, no column is left, or no folds can be made.
    """
    if problem.task is Task.AUTO or (problem.task is Task.BINARY and problem.data.positive is None):
        problem = resolve(problem, split.train.frame)
    _check_metric(problem)
    check_resampling(problem)
    data, frame = problem.data, split.train.frame
    roles = assign_roles(problem, split.train.schema)
    roles.require_features()
    columns = tuple(split.train.schema.column(name) for name in roles.features)
    own = None if folder is None else load_own_features(folder, frame, split.train.schema, roles.features)
    check_monotone(problem.features, problem.task, columns, own)
    classes = class_names(problem, split.development.frame[data.target])
    truth = encode_target(frame[data.target], problem.task, classes)
    keys = RowKeys.of(frame, problem, split.record.strategy, truth)
    seed = problem.training.seed
    width = matrix_width(frame, columns)
    plan = _folds(keys, problem, Size(len(truth), width, len(classes) if len(classes) > 2 else 1))
    _try_metrics(problem, folder, truth, plan, len(classes))
    digest = digest_json(
        {
            "protocol": _PROTOCOL,
            "split": split.record.id,
            "task": problem.task.value,
            "target": data.target,
            "classes": classes,
            "columns": [column.to_dict() for column in columns],
            "keys": {"strategy": keys.strategy, "time": data.time, "group": data.group},
            "own_features": own.digest if own is not None else None,
            "features": problem.features.model_dump(mode="json"),
            "weight": data.weight,
            "sentence_encoder": _sentence_encoder(problem, columns),
            "folds": len(plan.folds),
            "raced": int(sum(len(fold.held) for fold in plan.folds)),
            "seed": seed,
            "environment": environment(),
            **_own_metric(problem),
        }
    )
    question = Question(problem.task, len(classes), problem.primary_metric, truth, plan, digest, seed)
    return Setup(problem, columns, classes, keys, plan, question, width, own)


def _folds(keys: RowKeys, problem: Problem, size: Size) -> FoldPlan:
    """Folds of all rows, or of as many as the budget allows to be compared on."""
    training = problem.training
    seed, workers = derive_seed(training.seed, "folds"), training.workers or cores()
    folds = wanted_folds(keys, problem)
    searches = (1 + (training.nested or 0)) * (1 if training.repeats == "auto" else training.repeats)
    budget_s = None if training.budget_s is None else training.budget_s / searches
    raced = race_rows(size, folds, budget_s=budget_s, workers=workers)
    if raced < size.rows:
        if searches > 1:
            raise _too_many_rows(problem, size.rows)
        return plan_fewer_rows(keys, raced, folds, seed)
    return plan_folds(keys, folds, seed)


def _too_many_rows(problem: Problem, rows: int) -> ConfigError:
    """A search that compares candidates on fewer rows is another one on every part and division."""
    asked = "nested" if problem.training.nested is not None else "repeats"
    return ConfigError(
        f"the budget is too short for training.{asked} with so many rows: candidates would be compared on a part of them",
        where="training.budget",
        got=f"{problem.training.budget}, {rows:,} rows",
        cure=f"Raise it, or take training.{asked} out",
    )


def _sentence_encoder(problem: Problem, columns: tuple[Column, ...]) -> str | None:
    """Digest of the encoder that reads sentences; None if nobody asks for one."""
    texts = [column.name for column in columns if column.kind is ColumnKind.TEXT]
    for name in problem.features.sentences:
        if name not in texts:
            raise ConfigError(
                "the sentence encoder reads free text only",
                where="features.sentences",
                got=repr(name),
                cure=f"Name one of {', '.join(texts)}" if texts else "Declare it under data.types as text",
            )
    return sentence_model().digest if problem.features.sentences else None


def _try_metrics(
    problem: Problem, folder: Path | None, truth: npt.NDArray[np.float64], plan: FoldPlan, classes: int
) -> None:
    """Declare metrics of one's own, and try them before anything is fitted, with answers that are nearly right."""
    own = problem.metrics.own(problem.task)
    declare_metrics(own, folder)
    if problem.task is Task.BINARY:
        nearly = 0.1 + 0.8 * truth
    elif problem.task is Task.MULTICLASS:
        nearly = (np.eye(classes)[truth.astype(np.intp)] + 0.1) / (1 + 0.1 * classes)
    else:
        nearly = truth
    for spec in map(metric_spec, (item.name for item in own)):
        answers = decide_labels(nearly) if spec.input is MetricInput.LABEL else nearly
        try_metrics([spec], [(truth[fold.held], answers[fold.held]) for fold in plan.folds])


def _own_metric(problem: Problem) -> dict[str, object]:
    """What tells a changed primary metric of one's own from the one that a killed run knew; nothing for others."""
    name = problem.primary_metric
    if name not in problem.metrics.custom:
        return {}
    code = getattr(load_metric(metric_spec(name)), "__code__", None)
    source = None if code is None else Path(code.co_filename)
    digest = digest_file(source) if source is not None and source.exists() else None
    return {"metric": {**problem.metrics.custom[name].model_dump(mode="json"), "source": digest}}


def environment() -> dict[str, str]:
    """Versions of what computes: Python, the platform, and the libraries."""
    machine = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    absent = dict.fromkeys(_LIBRARIES, "not installed as a package")
    return {**machine, **absent, **installed_versions((*_LIBRARIES, *_OPTIONAL_LIBRARIES))}


def _check_metric(problem: Problem) -> None:
    names = [spec.name for spec in problem.reported_metrics]
    if problem.primary_metric not in names:
        raise ConfigError(
            f"the primary metric is not defined for a {problem.task.value} task",
            where="metrics.primary",
            got=repr(problem.primary_metric),
            cure=f"Choose one of {', '.join(names)}",
        )

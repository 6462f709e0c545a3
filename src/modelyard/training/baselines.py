"""What every candidate is measured against: a constant answer, and the system that decides today."""

import dataclasses
import math
import re

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError
from modelyard.data.schema import category_text
from modelyard.problem import Problem, Task, did_you_mean
from modelyard.problem.schema import ExistingSystem

__all__ = ["ConstantEstimator", "existing_system_scores", "naive_params"]

Array = npt.NDArray[np.float64]

_MEDIAN_METRICS = ("mae", "median_ae", "mape")


@dataclasses.dataclass(frozen=True)
class ConstantEstimator:
    """The same answer for every row.

    Parameters
    ----------
    values
        Binary: (share of positives,); multiclass: the share of each class; regression: (one value,).
    """

    values: tuple[float, ...]

    @classmethod
    def learn(cls, truth: Array, task: Task, classes: int, statistic: str) -> "ConstantEstimator":
        """The constant of training rows: class shares, or the mean or median of values.

        Parameters
        ----------
        truth
            Encoded target of the training rows.
        classes
            Number of classes; ignored unless multiclass.
        statistic
            ``prior``, ``mean`` or ``median``; see :func:`naive_params`.
        """
        if task is Task.MULTICLASS:
            counts = np.bincount(truth.astype(np.intp), minlength=classes)
            return cls(tuple(float(share) for share in counts / len(truth)))
        return cls((float(np.median(truth) if statistic == "median" else truth.mean()),))

    def predict(self, matrix: npt.NDArray[np.float64]) -> Array:
        """Shape (rows,), or (rows, classes) for several classes; only the number of rows is looked at."""
        if len(self.values) == 1:
            return np.full(len(matrix), self.values[0])
        return np.tile(np.array(self.values), (len(matrix), 1))


def naive_params(task: Task, metric: str) -> dict[str, str]:
    """The constant that is hard to beat: class shares; the median where absolute errors count; else the mean."""
    if task.is_classification:
        return {"prediction": "prior"}
    return {"prediction": "median" if metric in _MEDIAN_METRICS else "mean"}


def existing_system_scores(problem: Problem, frame: pl.DataFrame, *, classes: tuple[str, ...] = ()) -> Array | None:
    """What today's system says about each row; None if the project file declares none.

    Parameters
    ----------
    problem
        Its task is resolved.
    frame
        Rows with all columns, also those that are no features.
    classes
        The order of classes (multiclass); by default those of the target in ``frame``, by name.

    Returns
    -------
    NDArray
        Binary: numbers as they are, true and the positive class as 1, other answers as 0; a rule that compares
        with a missing value does not fire, so it gives 0. Regression: numbers. Multiclass: shape (n, classes), 1 for
        the class named. NaN where the system gave no answer.

    Raises
    ------
    ConfigError
        If the column is absent, the rule cannot be read or computed, or the answers do not suit the task.
    """
    system = problem.existing_system
    if not system.is_declared:
        return None
    answers = _answers(system, frame)
    if problem.task is Task.MULTICLASS:
        names = classes or tuple(sorted(category_text(frame[problem.data.target]).drop_nulls().unique().to_list()))
        return _one_hot(answers, names)
    if answers.dtype.is_numeric():
        return answers.cast(pl.Float64).fill_null(math.nan).to_numpy()
    if problem.task is Task.REGRESSION:
        raise _unsuitable("numbers", answers)
    if answers.dtype == pl.Boolean:
        if system.rule is not None:
            answers = answers.fill_null(value=False)
        return answers.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return _decisions(answers, problem, frame)


def _answers(system: ExistingSystem, frame: pl.DataFrame) -> pl.Series:
    """One answer a row, as the system gives them."""
    if system.column is not None:
        if system.column not in frame.columns:
            raise ConfigError(
                "the existing system's column is not in the table",
                where="existing_system.column",
                got=repr(system.column),
                cure=did_you_mean(system.column, frame.columns),
            )
        return frame[system.column]
    if system.rule is not None:
        return _ruled(system.rule, frame)
    return pl.Series("constant", [system.constant]).extend_constant(system.constant, frame.height)[: frame.height]


def _ruled(rule: str, frame: pl.DataFrame) -> pl.Series:
    """The value of an SQL expression in each row."""
    where = "existing_system.rule"
    try:
        answers = frame.lazy().select(pl.sql_expr(rule).alias("rule")).collect()["rule"]
    except pl.exceptions.ColumnNotFoundError as error:
        quoted = re.search('"([^"]+)"', str(error))
        name = quoted[1] if quoted else rule
        raise ConfigError(
            "the rule names a column that the table lacks",
            where=where,
            got=repr(name),
            cure=did_you_mean(name, frame.columns),
        ) from error
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            "the rule cannot be read or computed",
            where=where,
            got=f"{rule!r} ({str(error).splitlines()[0]})",
            cure="Write one SQL expression over the columns, such as: tenure < 12 AND Contract = 'Month-to-month'",
        ) from error
    if len(answers) == 1 and frame.height != 1:
        return answers.extend_constant(answers[0], frame.height)[: frame.height]
    return answers


def _decisions(answers: pl.Series, problem: Problem, frame: pl.DataFrame) -> Array:
    """Class names as decisions: 1 for the positive class, 0 for the other."""
    known = set(category_text(frame[problem.data.target]).unique().to_list()) | {problem.data.positive}
    text = category_text(answers)
    strange = sorted(set(text.drop_nulls().unique().to_list()) - known)
    if strange:
        raise _unsuitable("numbers, Booleans or class names", answers)
    return (text == problem.data.positive).cast(pl.Float64).fill_null(math.nan).to_numpy()


def _one_hot(answers: pl.Series, names: tuple[str, ...]) -> Array:
    """Certainty for the class named; NaN in the whole row if none is."""
    codes = {name: float(code) for code, name in enumerate(names)}
    text = category_text(answers)
    if set(text.drop_nulls().unique().to_list()) - set(names):
        raise _unsuitable(f"the classes {', '.join(map(repr, names[:5]))}", answers)
    at = text.replace_strict(codes, default=None, return_dtype=pl.Float64).to_numpy()
    scores = np.full((len(at), len(names)), np.nan)
    answered = ~np.isnan(at)
    scores[answered] = np.eye(len(names))[at[answered].astype(np.intp)]
    return scores


def _unsuitable(needed: str, answers: pl.Series) -> ConfigError:
    shown = answers.drop_nulls().unique(maintain_order=True).head(3).to_list()
    return ConfigError(
        f"the existing system must answer with {needed} for this task",
        where="existing_system",
        got=", ".join(map(repr, shown)),
        cure="Name another column, or write a rule whose value suits the task",
    )

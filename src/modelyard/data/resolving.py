"""What the target says about the question: the task, the positive class, and whether it can be learnt at all."""

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data.schema import category_text
from modelyard.data.table import TableLike
from modelyard.problem import Problem, Task, did_you_mean

__all__ = [
    "YES_WORDS",
    "check_columns",
    "check_quantiles",
    "class_shares",
    "infer_task",
    "positive_class",
    "resolve",
    "settled",
]

_MAX_CLASSES = 50
_MAX_NUMERIC_CLASSES = 20
_MIN_REPEATS = 10
YES_WORDS = ("1", "yes", "true", "y", "t", "positive", "bad", "fraud", "spam", "churned")
"""Labels that mean yes, in lower case."""


def resolve(problem: Problem, frame: TableLike) -> Problem:
    """The problem with its task settled and, if binary, its positive class.

    ``auto`` becomes ``binary`` for two distinct values, ``multiclass`` for text or for at most 20 whole numbers that
    repeat ten times or more on average, else ``regression``.

    Raises
    ------
    DataError
        If a declared column is absent; or the target is constant, has missing values, does not suit the task, or
        has more than 50 classes.
    ConfigError
        If quantiles are asked for, and the task turns out to be no regression.
    """
    task = problem.task
    if not task.is_supervised:
        raise ConfigError(
            "this step is for tasks with a target in each row",
            where=f"task: {task}",
            cure="Use the steps of Project.course: check, audit, train, evaluate, package, score",
        )
    target = _target(problem, frame)
    if task is Task.AUTO:
        task = infer_task(target, declared_kind=problem.data.types.get(target.name))
    _check_task(task, target)
    check_quantiles(problem, task)
    data = problem.data.model_dump()
    if task is Task.BINARY:
        data["positive"] = _checked_positive(problem.data.positive, target)
    check_columns(problem, frame.columns)
    return problem.with_values(task=task, data=data)


def check_quantiles(problem: Problem, task: Task) -> None:
    """Refuse quantiles of anything but values.

    Raises
    ------
    ConfigError
        If the project file asks for them, and ``task`` is no regression.
    """
    if problem.evaluation.quantiles and task is not Task.REGRESSION:
        raise ConfigError(
            "only regression has quantiles",
            where="evaluation.quantiles",
            got=f"task: {task}",
            cure="Take them out of the project file; classes have sets, see evaluation.coverage",
        )


def settled(problem: Problem, task: Task, classes: Sequence[str]) -> Problem:
    """The problem with the task and, if binary, the positive class of a model that was trained for it.

    Where a run or a package exists, its answer holds: the rarer class of a part need not be the rarer one of all rows.
    """
    positive = classes[1] if task is Task.BINARY else None
    source = problem.data.model_copy(update={"positive": positive})
    return problem.model_copy(update={"task": task, "data": source})


def _target(problem: Problem, frame: TableLike) -> pl.Series:
    """The target column, once it can be learnt from."""
    name = problem.data.target
    where = f"target {name!r}"
    if name not in frame.columns:
        raise DataError(
            "the target column is not in the table",
            where="data.target",
            got=repr(name),
            cure=did_you_mean(name, frame.columns),
        )
    target = frame[name]
    if target.dtype.is_float():
        target = target.fill_nan(None)
    missing = target.null_count()
    if missing == len(target):
        raise DataError("the target has no value in any row", where=where, cure="Join the labels first")
    if missing:
        raise DataError(
            f"the target is missing in {missing:,} of {len(target):,} rows",
            where=where,
            cure="Exclude those rows at the source, or join their labels first; guessed labels teach nothing",
        )
    if target.dtype.is_float() and (infinite := int(target.is_infinite().sum())):
        raise DataError(
            f"the target is infinite in {infinite:,} of {len(target):,} rows",
            where=where,
            cure="Mend the division or overflow that made it at the source, or exclude those rows there",
        )
    if target.n_unique() == 1:
        raise DataError(
            "the target is constant, so there is nothing to learn",
            where=where,
            got=f"{target[0]!r} in all {len(target):,} rows",
            cure="Choose another target, or a table that holds both outcomes",
        )
    if target.dtype.is_temporal():
        raise DataError(
            "a date cannot be predicted as it is",
            where=where,
            got=str(target.dtype),
            cure="Predict the time that passes until it, as a number of days",
        )
    return target


def infer_task(target: pl.Series, *, declared_kind: str | None = None) -> Task:
    """The task that the present values of a target suggest; see :func:`resolve`.

    Parameters
    ----------
    target
        Values without nulls.
    declared_kind
        The column's kind in ``data.types``, if it is there.
    """
    distinct = target.n_unique()
    if distinct == 2:
        return Task.BINARY
    if not target.dtype.is_numeric() or declared_kind == "category":
        return Task.MULTICLASS
    few = distinct <= _MAX_NUMERIC_CLASSES and len(target) >= _MIN_REPEATS * distinct
    return Task.MULTICLASS if few and _is_whole(target) else Task.REGRESSION


def _is_whole(target: pl.Series) -> bool:
    return target.dtype.is_integer() or bool((target == target.round(0)).all())


def _check_task(task: Task, target: pl.Series) -> None:
    """Refuse a task that the target does not suit."""
    distinct, where = target.n_unique(), f"target {target.name!r}"
    if task is Task.REGRESSION:
        if not target.dtype.is_numeric():
            raise DataError(
                "regression needs numbers",
                where=where,
                got=f"{target.dtype} such as {target[0]!r}",
                cure="Set task: multiclass, or mend the values that are not numbers",
            )
    elif task is Task.BINARY:
        if distinct != 2:
            raise DataError(
                "a binary target has two values",
                where=where,
                got=f"{distinct} distinct values",
                cure="Set task: auto or multiclass, or merge classes at the source",
            )
    elif distinct > _MAX_CLASSES:
        cure = "Set task: regression" if target.dtype.is_numeric() else "Merge rare classes at the source"
        raise DataError(
            f"the target has more than {_MAX_CLASSES} classes",
            where=where,
            got=f"{distinct:,}",
            cure=f"{cure}, or check that this is the right column",
        )
    elif distinct == 2:
        raise DataError(
            "a target with two values is binary", where=where, got="task: multiclass", cure="Set task: binary or auto"
        )


def _checked_positive(declared: str | None, target: pl.Series) -> str:
    if declared is None:
        return positive_class(target)
    labels = category_text(target).unique().sort().to_list()
    if declared not in labels:
        raise DataError(
            "the positive class is not a value of the target",
            where="data.positive",
            got=repr(declared),
            cure=did_you_mean(declared, labels),
        )
    return declared


def positive_class(target: pl.Series) -> str:
    """The class of interest if nobody said: the rarer one; in a tie, the one that means yes, else the last by name.

    >>> positive_class(pl.Series(["no", "no", "yes"]))
    'yes'
    """
    counts: list[tuple[str, int]] = category_text(target).drop_nulls().value_counts(name="rows").rows()
    return min(counts, key=lambda pair: (pair[1], pair[0].lower() not in YES_WORDS, _descending(pair[0])))[0]


def class_shares(target: pl.Series) -> dict[str, float]:
    """Share of each class of a target without nulls.

    >>> class_shares(pl.Series(["a", "b", "a", "a"])) == {"a": 0.75, "b": 0.25}
    True
    """
    counts = category_text(target).value_counts(normalize=True, name="share")
    return dict(counts.rows())


def _descending(text: str) -> tuple[int, ...]:
    """A sort key that puts later words first."""
    return tuple(-ord(letter) for letter in text)


def check_columns(problem: Problem, columns: Iterable[str]) -> None:
    """Refuse a project file that names a column which the table lacks.

    Raises
    ------
    DataError
        For the first such column, with the nearest name.
    """
    known = set(columns)
    for key, name in _declared(problem):
        if name not in known:
            raise DataError("the table has no such column", where=key, got=repr(name), cure=did_you_mean(name, known))


def _declared(problem: Problem) -> Iterator[tuple[str, str]]:
    data = problem.data
    for key in ("id", "time", "group", "weight", "label_time", "prediction_time"):
        if (name := getattr(data, key)) is not None:
            yield f"data.{key}", name
    for key in ("exclude", "types", "ranges", "contract"):
        for name in getattr(data, key):
            yield f"data.{key}", name
    if problem.split.column is not None:
        yield "split.column", problem.split.column
    if problem.existing_system.column is not None:
        yield "existing_system.column", problem.existing_system.column
    named = {
        "features.monotone": problem.features.monotone,
        "segments": problem.segments,
        "protected": problem.protected,
        "expect": problem.expect,
    }
    yield from ((key, name) for key, names in named.items() for name in names)

"""The target as numbers: 0 and 1, class codes, or values."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.data.schema import category_text
from modelyard.problem import Problem, Task

__all__ = ["class_names", "encode_target"]

_SHOWN = 5


def class_names(problem: Problem, target: pl.Series) -> tuple[str, ...]:
    """The classes in the order of their codes: (negative, positive) if binary, else by name; none for regression.

    Parameters
    ----------
    problem
        Its task is resolved, and ``data.positive`` is set if binary.
    target
        All rows that may be looked at, so that a class which only the validation part holds has its code too.

    Raises
    ------
    DataError
        If a binary target does not hold the positive class and exactly one other.
    """
    if problem.task is Task.REGRESSION:
        return ()
    names: list[str] = sorted(category_text(target).drop_nulls().unique().to_list())
    if problem.task is Task.MULTICLASS:
        return tuple(names)
    positive = problem.data.positive
    if positive is None or positive not in names or len(names) != 2:
        raise DataError(
            "a binary target needs the positive class and one other",
            where=f"target {target.name!r}",
            got=f"positive {positive!r} among {', '.join(map(repr, names[:_SHOWN]))}",
            cure="Set data.positive to one of the two values",
        )
    return (next(name for name in names if name != positive), positive)


def encode_target(target: pl.Series, task: Task, classes: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """The target as numbers.

    Parameters
    ----------
    target
        The column, without missing values.
    task
        Resolved, so not ``auto``.
    classes
        As :func:`class_names` gives them; ignored for regression.

    Returns
    -------
    NDArray
        Binary: 1 where the positive class is; multiclass: positions in ``classes``; regression: the values.

    Raises
    ------
    DataError
        If a value is missing, not finite, or none of the classes.

    Examples
    --------
    >>> encode_target(pl.Series(["no", "yes", "no"]), Task.BINARY, ("no", "yes")).tolist()
    [0.0, 1.0, 0.0]
    """
    if task is Task.REGRESSION:
        values = target.cast(pl.Float64, strict=False).to_numpy()
        known = np.isfinite(values)
        encoded = np.asarray(values, dtype=np.float64)
    else:
        codes = dict(zip(classes, map(float, range(len(classes))), strict=True))
        mapped = category_text(target).replace_strict(codes, default=None, return_dtype=pl.Float64)
        known = mapped.is_not_null().to_numpy()
        encoded = mapped.to_numpy()
    if not known.all():
        bad = target.filter(~known).unique(maintain_order=True).head(_SHOWN).to_list()
        raise DataError(
            f"{int((~known).sum()):,} values of the target cannot be used",
            where=f"target {target.name!r}",
            got=", ".join(map(repr, bad)),
            cure="Give a finite number in every row"
            if task is Task.REGRESSION
            else f"Give one of the classes {', '.join(map(repr, classes[:_SHOWN]))} in every row",
        )
    return encoded

"""What a project declares about learning, made ready for families: sample weights by row, directions by feature."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data.schema import Column, ColumnKind
from modelyard.features import Encoding, OwnFeatures
from modelyard.problem import FeaturePlan, Task, did_you_mean

__all__ = ["check_monotone", "directions", "row_weights"]

Array = npt.NDArray[np.float64]


def row_weights(name: str | None, frame: pl.DataFrame) -> Array | None:
    """How much each row counts, scaled to a mean of 1; None if no column is declared.

    Penalties are in units of rows, so only the ratios of weights may matter.

    Parameters
    ----------
    name
        The column that ``data.weight`` names.

    Raises
    ------
    DataError
        If it is no number, missing, infinite or negative in some row, or 0 in all.
    """
    if name is None:
        return None
    where = f"data.weight, column {name!r}"
    column = frame[name]
    if not column.dtype.is_numeric():
        raise DataError(
            "weights are no numbers",
            where=where,
            got=str(column.dtype),
            cure="Give numbers from 0 on, such as 1 and 2.5",
        )
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        raise DataError(
            f"{int(bad.sum()):,} of {len(values):,} rows have a weight that is missing, negative or infinite",
            where=where,
            got=repr(column[int(bad.argmax())]),
            cure="Mend the weights at the source: each row needs a number from 0 on",
        )
    if values.sum() == 0:
        raise DataError("all weights are 0", where=where, cure="Give at least one row a weight above 0")
    return np.asarray(values / values.mean(), dtype=np.float64)


def directions(encodings: Sequence[Encoding], monotone: Mapping[str, str]) -> tuple[int, ...] | None:
    """By feature: 1 if predictions must not fall in it, -1 if they must not rise, 0 if they are free; None for all free.

    That a value is missing has no place in an order, so its indicator is free.
    """
    if not monotone:
        return None
    signs = {name: 1 if word == "increasing" else -1 for name, word in monotone.items()}
    return tuple(signs.get(name, 0) for encoding in encodings for name in encoding.names())


def check_monotone(plan: FeaturePlan, task: Task, columns: Sequence[Column], own: OwnFeatures | None) -> None:
    """Refuse directions that no model could keep.

    Raises
    ------
    ConfigError
        If the task has several classes, or a column is no feature, no number, or part of another feature too.
    """
    if plan.monotone and task is Task.MULTICLASS:
        raise ConfigError(
            "several classes have no order, so nothing can rise or fall in a feature",
            where="features.monotone",
            got=", ".join(plan.monotone),
            cure="Leave it out, or ask for two classes or a value",
        )
    kinds = {column.name: column.kind for column in columns}
    multiplied = {name for pair in plan.interactions for name in pair}
    own_inputs = {column.name for item in (own.features if own else ()) for column in item.inputs}
    for name in plan.monotone:
        if name not in kinds:
            what, cure = "a direction is declared for what is no feature", did_you_mean(name, kinds)
        elif kinds[name] is not ColumnKind.NUMERIC:
            what, cure = "only numbers have a direction", "Declare data.types if it holds numbers"
        elif name in multiplied | own_inputs:
            what, cure = (
                "the column is part of another feature too, so its direction cannot be kept",
                ("Leave it out of features.interactions and features.py, or out of features.monotone"),
            )
        else:
            continue
        raise ConfigError(what, where="features.monotone", got=repr(name), cure=cure)

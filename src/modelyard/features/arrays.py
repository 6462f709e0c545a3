"""What scikit-learn's users hand in, as a typed Polars table: arrays, lists, and other libraries' frames."""

from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from sklearn.utils.validation import validate_data

from modelyard.data import Column, ColumnKind, infer_schema
from modelyard.features.values import category_of, number_of

__all__ = ["as_table", "columns_in"]


def as_table(estimator: Any, X: Any, *, reset: bool) -> pl.DataFrame:
    """A frame by its columns, an array by ``x0``, ``x1`` …; refused, in scikit-learn's words, is what it refuses.

    Parameters
    ----------
    estimator
        Receives ``n_features_in_``, and ``feature_names_in_`` for frames; at a later call they are compared.
    reset
        True while fitting.

    Raises
    ------
    ValueError
        If there are no rows or no columns, or not those of the fit; complex numbers.
    TypeError
        If it is sparse.
    """
    if hasattr(X, "columns") and not isinstance(X, np.ndarray):
        frame: pl.DataFrame = nw.from_native(X, eager_only=True).to_polars()
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if frame.height == 0 or frame.width == 0:
            raise ValueError(
                f"Found {frame.height} sample(s) and {frame.width} feature(s), while 1 of each is required."
            )
        return frame.rename(str)
    array = validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False)
    return pl.DataFrame([_series(f"x{place}", array[:, place]) for place in range(array.shape[1])])


def columns_in(frame: pl.DataFrame) -> tuple[Column, ...]:
    """The columns by their inferred kinds; what looks like an identifier is taken for what it is written as."""
    kinds = {
        column.name: (ColumnKind.NUMERIC if frame[column.name].dtype.is_numeric() else ColumnKind.CATEGORY).value
        for column in infer_schema(frame).columns
        if column.kind is ColumnKind.IDENTIFIER
    }
    return infer_schema(frame, kinds).columns


def _series(name: str, values: Any) -> pl.Series:
    """A column of an array; objects are numbers if all of them are, else categories."""
    if values.dtype.kind in "biufM":
        return pl.Series(name, np.ascontiguousarray(values.astype(np.float64) if values.dtype.kind == "f" else values))
    cells = values.tolist()
    if all(cell is None or isinstance(cell, int | float) for cell in cells):
        return pl.Series(name, [number_of(cell) for cell in cells], dtype=pl.Float64)
    return pl.Series(name, [category_of(cell) for cell in cells], dtype=pl.String)

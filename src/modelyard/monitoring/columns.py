"""Which column of a log holds which feature of a profile, and its values as the profile counts them."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.profile import FeatureReference, ReferenceProfile, text_lengths
from modelyard.data.schema import Column, ColumnKind, Schema, category_text, conform

__all__ = ["PREFIX", "SCORE", "Watched", "column_matrix", "column_values", "watched_columns"]

PREFIX = "feature."
"""How the prediction log names a feature's column."""

SCORE = "score"
"""The log's column of scores."""

_TOP_CATEGORIES = 5


@dataclasses.dataclass(frozen=True)
class Watched:
    """A feature of the profile, and the column of the log that holds it."""

    reference: FeatureReference
    column: str

    @property
    def is_score(self) -> bool:
        """True for what the model said, False for what it was told."""
        return not self.column.startswith(PREFIX)


def watched_columns(
    profile: ReferenceProfile, frame: pl.DataFrame, importance: Mapping[str, float]
) -> tuple[tuple[Watched, ...], tuple[str, ...]]:
    """Features with their columns and the names that the log lacks.

    What the model said comes first, its score before all, then what it was told, by importance.
    """
    found: list[Watched] = []
    missing: list[str] = []
    taken: set[str] = set()
    for reference in profile.features:
        choices = [f"{PREFIX}{reference.name}", reference.name]
        column = next((name for name in choices if name in frame.columns and name not in taken), None)
        if column is None:
            missing.append(reference.name)
        else:
            taken.add(column)
            found.append(Watched(reference, column))
    ordered = sorted(
        found, key=lambda one: (not one.is_score, one.column != SCORE, -importance.get(one.reference.name, 0.0))
    )
    return tuple(ordered), tuple(missing)


def column_values(one: Watched, frame: pl.DataFrame) -> pl.Series:
    """The values as the profile's kind wants them; dates may have been logged as text, and text is its length."""
    values = frame[one.column].alias(one.reference.name)
    column = Column(one.reference.name, one.reference.kind, "Float64", nullable=True)
    conformed = conform(values.to_frame(), Schema((column,)))[one.reference.name]
    return text_lengths(conformed) if column.kind is ColumnKind.TEXT else conformed


def column_matrix(
    watched: Sequence[Watched], frame: pl.DataFrame, *, most: int
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Features as numbers, shape (rows, columns), and the feature of each column; missing cells are NaN.

    Numbers and lengths of text stand as they are, the five most frequent categories as indicators; dates, and what the model
    said, are left out. No further feature is taken once there are ``most`` columns.
    """
    columns: list[npt.NDArray[np.float64]] = []
    names: list[str] = []
    for one in watched:
        if one.is_score or len(columns) >= most:
            continue
        values = column_values(one, frame)
        if one.reference.is_counted_by_category:
            text = category_text(values)
            levels = one.reference.categories[:_TOP_CATEGORIES]
            found = [(text == level).fill_null(value=False).cast(pl.Float64).to_numpy() for level in levels]
        elif one.reference.kind in (ColumnKind.NUMERIC, ColumnKind.TEXT):
            found = [values.cast(pl.Float64, strict=False).to_numpy()]
        else:
            found = []
        columns += found
        names += [one.reference.name] * len(found)
    return np.column_stack(columns) if columns else np.empty((frame.height, 0)), tuple(names)

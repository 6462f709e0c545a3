"""Which column of a log holds which feature of a profile, and its values as the profile counts them."""

import dataclasses
from collections.abc import Mapping

import polars as pl

from modelyard.data.profile import FeatureReference, ReferenceProfile, text_lengths
from modelyard.data.schema import Column, ColumnKind, Schema, conform

__all__ = ["PREFIX", "Watched", "column_values", "watched_columns"]

PREFIX = "feature."
"""How the prediction log names a feature's column."""


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
    """Features with their columns, the score first, then by importance; and the names that the log lacks."""
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
    ordered = sorted(found, key=lambda one: (not one.is_score, -importance.get(one.reference.name, 0.0)))
    return tuple(ordered), tuple(missing)


def column_values(one: Watched, frame: pl.DataFrame) -> pl.Series:
    """The values as the profile's kind wants them; dates may have been logged as text, and text is its length."""
    values = frame[one.column].alias(one.reference.name)
    column = Column(one.reference.name, one.reference.kind, "Float64", nullable=True)
    conformed = conform(values.to_frame(), Schema((column,)))[one.reference.name]
    return text_lengths(conformed) if column.kind is ColumnKind.TEXT else conformed

"""What each column is for: the target, the features, the names of rows; and why the others are left out."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard.core import DataError, Record
from modelyard.data.schema import Column, ColumnKind, Schema

if TYPE_CHECKING:
    from modelyard.problem import Problem

__all__ = ["Roles", "assign_roles"]


@dataclasses.dataclass(frozen=True)
class Roles(Record):
    """The use of every column.

    Parameters
    ----------
    target
        The column to predict.
    features
        The columns a model may use, in the table's order.
    id, time, group
        As declared; None if not.
    excluded
        Every other column, with the reason in words. The target is not listed.
    """

    target: str
    features: tuple[str, ...]
    id: str | None
    time: str | None
    group: str | None
    excluded: Mapping[str, str]

    def require_features(self) -> None:
        """Refuse to learn from nothing.

        Raises
        ------
        DataError
            If no column is left that a model may use.
        """
        if not self.features:
            raise DataError(
                "no column is left to learn from",
                where=f"target {self.target!r}",
                got="; ".join(f"{name}: {reason}" for name, reason in list(self.excluded.items())[:5]) or "one column",
                cure="Add columns that are known when the prediction is asked for, or exclude fewer",
            )


def assign_roles(problem: "Problem", schema: Schema) -> Roles:
    """Features are all columns but those declared for another use, and those that cannot be used.

    A declared time column that is a date stays a feature, for its calendar parts only; one that is a number does
    not, since a model cannot learn from a value that will never come again.

    Raises
    ------
    DataError
        If the target is absent.
    """
    if problem.data.target:  # clusters and anomalies without labels have none
        schema.column(problem.data.target)
    excluded: dict[str, str] = {}
    features: list[str] = []
    declared = _declared_uses(problem)
    for column in schema.columns:
        if column.name == problem.data.target:
            continue
        reason = declared.get(column.name) or _unusable(column, problem)
        if reason:
            excluded[column.name] = reason
        else:
            features.append(column.name)
    data = problem.data
    return Roles(data.target, tuple(features), data.id, data.time, data.group, excluded)


def _declared_uses(problem: "Problem") -> dict[str, str]:
    """Column to reason, for everything that the project file gives another use; the user's own words win."""
    data = problem.data
    uses = {
        data.id: "it names the row",
        data.group: "it names the group, which is new in production",
        data.weight: "it says how much the row counts",
        data.label_time: "it is known only with the label",
        data.prediction_time: "it says when the prediction is asked for",
        problem.split.column: "it says which part the row belongs to",
        problem.existing_system.column: "it is the answer of the existing system",
    }
    return {name: reason for name, reason in uses.items() if name is not None} | dict(data.exclude)


def _unusable(column: Column, problem: "Problem") -> str:
    """Why a column cannot be a feature; ``""`` if it can."""
    if column.name == problem.data.time and column.kind is not ColumnKind.DATE:
        return "it orders the rows in time, and its values never come again"
    if column.dtype == "Null":
        return "no row has a value"
    if column.kind is ColumnKind.IDENTIFIER:
        return "it is an identifier: almost every row has its own value"
    return ""

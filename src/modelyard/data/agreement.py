"""How a contract comes about: learnt from the training part, and overruled by what the project file declares."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data.contract import ColumnContract, Contract
from modelyard.data.roles import Roles
from modelyard.data.schema import ColumnKind, category_text
from modelyard.data.version import Dataset
from modelyard.problem import did_you_mean
from modelyard.problem.schema import ColumnRule, DataSource

__all__ = ["derive_contract"]

_MAX_CATEGORIES = 1000
_RANGE_REASON = "declared under data.ranges"


def derive_contract(train: Dataset, roles: Roles, declared: DataSource | None = None) -> Contract:
    """The contract that the training part makes for its features, with what the project file declares.

    Parameters
    ----------
    train
        Rows that may be looked at.
    roles
        Names the features; other columns have no contract.
    declared
        Its ``ranges`` and ``contract`` win over what was learnt; those of columns that are no features are for the
        audit alone.

    Raises
    ------
    DataError
        If a feature is not in the training part.
    ConfigError
        If categories are declared for a column that has none.
    """
    absent = [name for name in roles.features if name not in train.frame.columns]
    if absent:
        raise DataError(
            "a feature is not in the training part",
            got=repr(absent[0]),
            cure=did_you_mean(absent[0], train.frame.columns),
        )
    learnt = (_learn(train.frame[name], train.schema.column(name).kind) for name in roles.features)
    if declared is None:
        return Contract(tuple(learnt))
    return Contract(tuple(_overruled(column, declared) for column in learnt))


def _learn(values: pl.Series, kind: ColumnKind) -> ColumnContract:
    nullable = values.null_count() > 0
    if kind is ColumnKind.NUMERIC:
        numbers = values.cast(pl.Float64).fill_nan(None).drop_nulls()
        if numbers.is_empty():
            return ColumnContract(values.name, kind, nullable=True)
        low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
        return ColumnContract(values.name, kind, nullable, low, high)
    if kind is ColumnKind.CATEGORY:
        levels = category_text(values).drop_nulls().unique().sort()
        known = tuple(levels.to_list()) if len(levels) <= _MAX_CATEGORIES else ()
        return ColumnContract(values.name, kind, nullable, categories=known)
    return ColumnContract(values.name, kind, nullable)


def _overruled(column: ColumnContract, declared: DataSource) -> ColumnContract:
    """A column's contract with what the project file says of it."""
    changes: dict[str, Any] = {}
    says: list[str] = []
    reasons: list[str] = []
    limits = declared.ranges.get(column.name)
    if limits is not None and column.kind is ColumnKind.NUMERIC:
        changes |= {"lowest": limits[0], "highest": limits[1]}
        says.append("range")
        reasons.append(_RANGE_REASON)
    rule = declared.contract.get(column.name)
    if rule is not None:
        given = _given(rule, column)
        changes |= {"allowed" if name == "categories" else name: value for name, value in given.items()}
        says += given
        reasons.append(rule.reason)
    return dataclasses.replace(column, **changes, declared=tuple(says), reason="; ".join(reasons))


def _given(rule: ColumnRule, column: ColumnContract) -> Mapping[str, Any]:
    """What a rule says; what it leaves open stays as it was learnt."""
    if rule.categories is not None and column.kind is not ColumnKind.CATEGORY:
        raise ConfigError(
            "only a category has a list of values",
            where=f"data.contract.{column.name}.categories",
            got=f"a column of kind {column.kind}",
            cure="Remove the list, or declare the column a category under data.types",
        )
    return {key: value for key, value in rule.model_dump(exclude={"reason"}).items() if value is not None}

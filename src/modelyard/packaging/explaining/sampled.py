"""Sampled Shapley values for models that have no method of their own (Štrumbelj and Kononenko, 2014)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from modelyard.core import derive_seed
from modelyard.packaging.predictors.predictor import Matrix

__all__ = ["ORDERS", "sampled_contributions"]

ORDERS = 24
"""Random orders of the columns for each row; each costs a prediction for every column."""

Row: TypeAlias = Mapping[str, Any]


def sampled_contributions(
    row: Row, background: Sequence[Row], columns: Sequence[str], score: Callable[[Sequence[Row]], Matrix]
) -> Matrix:
    """Amounts of columns, and the base in the last place, shape (columns + 1,); they add up to the row's score.

    A background row turns into the explained one, column by column. Orders come in pairs, one the reverse of the
    other, which lowers the variance (Mitchell et al., 2022, section 4); the base is the mean of the rows that were
    drawn, so that nothing is left over. Equal rows get equal amounts.

    Parameters
    ----------
    score
        The explained output of many rows, shape (rows,).
    """
    generator = np.random.default_rng(derive_seed(0, "explain", *(repr(row.get(name)) for name in columns)))
    orders = [generator.permutation(len(columns)) for _ in range(ORDERS // 2)]
    orders = [order for pair in orders for order in (pair, pair[::-1])]
    drawn = generator.integers(0, len(background), ORDERS // 2).repeat(2).tolist()
    walk = [
        step
        for order, start in zip(orders, drawn, strict=True)
        for step in _walk(row, background[start], columns, order.tolist())
    ]
    paths = np.asarray(score(walk)).reshape(ORDERS, len(columns) + 1)
    found = np.zeros(len(columns) + 1)
    for order, path in zip(orders, paths, strict=True):
        found[order] += np.diff(path) / ORDERS
    found[-1] = paths[:, 0].mean()
    return found


def _walk(row: Row, start: Row, columns: Sequence[str], order: Sequence[int]) -> list[dict[str, Any]]:
    """The start, then one more column of the row at a time."""
    step = {name: start.get(name) for name in columns}
    steps = [step]
    for place in order:
        step = {**step, columns[place]: row.get(columns[place])}
        steps.append(step)
    return steps

"""Choosing columns by two witnesses: a model must make use of a column, and must miss it when it is shuffled."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, derive_seed
from modelyard.features.selection.judges import Judge, Judgement

__all__ = ["Block", "Selection", "column_cap", "select"]

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MANY_COLUMNS = 20
"""A table of so few columns is never cut by itself, however few its rows."""

FEWEST_KEPT = 10

ROWS_A_COLUMN = 10
"""Below this many rows, or rows of the rarest class, for each column, linear models go astray (Harrell, 2015, 4.4)."""

_MOST_ROWS = 10_000
_SHUFFLES = 3


@dataclasses.dataclass(frozen=True)
class Block:
    """All features that one column gave: ``start`` to ``stop`` of the matrix's columns."""

    name: str
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Selection(Record):
    """What one fit chose.

    Parameters
    ----------
    cap
        How many columns may stay.
    candidates
        The columns that gave any feature, in the matrix's order.
    chosen
        Those that stay, most telling first.
    costs
        For each of ``chosen``, the loss that shuffling it added, on rows that the judging models had not seen.
    """

    cap: int
    candidates: tuple[str, ...]
    chosen: tuple[str, ...]
    costs: tuple[float, ...]


def column_cap(rule: str | int, target: Matrix, *, columns: int, classes: int, adds_up: bool) -> int | None:
    """How many columns may stay; None if all may.

    A number is a cap for every family. ``auto`` cuts where a model adds all columns up (not for trees, which choose by
    themselves, and were measured to lose rather than win by it), and where there are more than 20 columns and more than
    one for ten training rows, or ten rows of the rarest class. Then one for twenty rows may stay, and ten in any case.

    >>> column_cap("auto", np.array([0.0] * 900 + [1.0] * 300), columns=40, classes=2, adds_up=True)
    15
    """
    if isinstance(rule, int):
        return rule if columns > rule else None
    if rule == "none" or not adds_up:
        return None
    rows = int(np.unique(target, return_counts=True)[1].min()) if classes else len(target)
    if columns <= max(MANY_COLUMNS, rows // ROWS_A_COLUMN):
        return None
    return max(FEWEST_KEPT, rows // (2 * ROWS_A_COLUMN))


def select(
    blocks: Sequence[Block], matrix: Matrix, target: Matrix, parts: Codes, *, judge: Judge, cap: int
) -> Selection:
    """Keep at most ``cap`` columns.

    In turn each part of the rows is set aside and a model learns from the others. What the model makes no use of has
    no worth (model-based). Of the rest, the features of a column are shuffled together among the rows set aside: the
    loss that this adds, over all parts, is what the column is worth (permutation importance; Breiman, 2001, section
    10). Columns whose shuffling adds no loss are left out; the others stay by their worth, as far as the cap allows.
    The most telling column stays in any case. At most 10,000 rows are looked at.

    Parameters
    ----------
    blocks
        The features of each column.
    matrix
        Encoded training rows, shape (rows, features).
    target
        Codes or values.
    parts
        The part of each row; rows that belong together share one.
    judge
        Which model is asked.
    """
    matrix, target, parts = _sample(matrix, target, parts)
    costs, judged = np.zeros(len(blocks)), 0
    for part in np.unique(parts).tolist():
        own = parts == part
        if len(np.unique(target[~own])) > 1:  # else there is nothing to tell apart
            judgement = judge.fit(matrix[~own], target[~own])
            costs += _costs(judgement, blocks, matrix[own], target[own], seed=derive_seed(0, "selection", part))
            judged += 1
    costs /= max(judged, 1)
    order = np.argsort(-costs, kind="stable")
    kept = [int(place) for place in order if costs[place] > 0][:cap] or [int(order[0])]
    return Selection(
        cap,
        tuple(block.name for block in blocks),
        tuple(blocks[place].name for place in kept),
        tuple(float(costs[place]) for place in kept),
    )


def _sample(matrix: Matrix, target: Matrix, parts: Codes) -> tuple[Matrix, Matrix, Codes]:
    """At most 10,000 rows, drawn once for all."""
    if len(target) <= _MOST_ROWS:
        return matrix, target, parts
    chosen = np.random.default_rng(derive_seed(0, "selection", "rows")).permutation(len(target))[:_MOST_ROWS]
    return matrix[chosen], target[chosen], parts[chosen]


def _costs(judgement: Judgement, blocks: Sequence[Block], matrix: Matrix, target: Matrix, *, seed: int) -> Matrix:
    """What shuffling each column adds to the loss; exactly 0 for a column that the model makes no use of."""
    generator = np.random.default_rng(seed)
    orders = np.concatenate([generator.permutation(len(matrix)) for _ in range(_SHUFFLES)])
    ask = judgement.ask(np.tile(matrix, (_SHUFFLES, 1)), np.tile(target, _SHUFFLES))
    usual = judgement.ask(matrix, target)(slice(0, 0), matrix[:, :0])
    costs = np.zeros(len(blocks))
    for place, block in enumerate(blocks):
        here = slice(block.start, block.stop)
        if not judgement.uses[here].any():
            continue
        costs[place] = ask(here, matrix[orders, here]) - usual
    return costs

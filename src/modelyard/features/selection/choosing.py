"""Choosing columns by two witnesses: a model must make use of a column, and must miss it when it is shuffled."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, derive_seed
from modelyard.features.selection.judges import Judge, Judgement

__all__ = ["Block", "Selection", "column_cap", "select"]

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MANY_COLUMNS = 20
"""A table of so few columns is never cut by itself, however few its rows."""

FEWEST_KEPT = 10

ROWS_A_COLUMN = 10
"""Below this many rows, or rows of the rarer of two classes, for each column, linear models go astray (Harrell, 2015, 4.4)."""

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

    A number is a cap for every family. ``auto`` may cut where a model adds all columns up (not for trees, which choose by
    themselves, and were measured to lose rather than win by it), and where there are more than 20 columns and more than
    one for ten training rows; of two classes, for ten rows of the rarer one. Then one for twenty rows may stay, and ten in any
    case; :func:`select` still has to show that this is better.

    >>> column_cap("auto", np.array([0.0] * 900 + [1.0] * 300), columns=40, classes=2, adds_up=True)
    15
    """
    if isinstance(rule, int):
        return rule if columns > rule else None
    if rule == "none" or not adds_up:
        return None
    rows = int(np.unique(target, return_counts=True)[1].min()) if classes == 2 else len(target)
    if columns <= max(MANY_COLUMNS, rows // ROWS_A_COLUMN):
        return None
    return max(FEWEST_KEPT, rows // (2 * ROWS_A_COLUMN))


def select(
    blocks: Sequence[Block], matrix: Matrix, target: Matrix, parts: Codes, *, judge: Judge, cap: int, must: bool = True
) -> Selection | None:
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
    must
        False if all columns may stay too: they do unless the judge errs less without the others.

    Returns
    -------
    Selection or None
        None if all columns stay.
    """
    matrix, target, parts = _sample(matrix, target, parts)
    rows = {part: parts == part for part in np.unique(parts).tolist()}
    rows = {part: own for part, own in rows.items() if len(np.unique(target[~own])) > 1}  # else nothing to tell apart
    judged = {part: judge.fit(matrix[~own], target[~own]) for part, own in rows.items()}
    each = {
        part: _costs(judged[part], blocks, matrix[own], target[own], seed=derive_seed(0, "selection", part))
        for part, own in rows.items()
    }
    total = sum(each.values(), np.zeros(len(blocks)))
    if not must:
        fewer = {part: _features(blocks, _most_telling(total - costs, cap)) for part, costs in each.items()}
        if not _errs_less(judge, judged, fewer, matrix, target, rows):
            return None
    kept, costs = _most_telling(total, cap), total / max(len(rows), 1)
    return Selection(
        cap,
        tuple(block.name for block in blocks),
        tuple(blocks[place].name for place in kept),
        tuple(float(costs[place]) for place in kept),
    )


def _errs_less(
    judge: Judge,
    judged: Mapping[int, Judgement],
    fewer: Mapping[int, list[int]],
    matrix: Matrix,
    target: Matrix,
    rows: Mapping[int, Flags],
) -> bool:
    """True if the judge errs less on the parts set aside when it knows, of each, only the features that the other parts chose."""
    gain = 0.0
    for part, own in rows.items():
        some = matrix[:, fewer[part]]
        with_all, with_some = judged[part], judge.fit(some[~own], target[~own])
        gain += int(own.sum()) * (with_all.loss(matrix[own], target[own]) - with_some.loss(some[own], target[own]))
    return gain > 0


def _features(blocks: Sequence[Block], places: Sequence[int]) -> list[int]:
    """The matrix's columns of the blocks at these places."""
    return [feature for place in places for feature in range(blocks[place].start, blocks[place].stop)]


def _most_telling(costs: Matrix, cap: int) -> list[int]:
    """Places of the columns that stay, the most telling first; one in any case."""
    order = np.argsort(-costs, kind="stable")
    return [int(place) for place in order if costs[place] > 0][:cap] or [int(order[0])]


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
    usual = judgement.loss(matrix, target)
    costs = np.zeros(len(blocks))
    for place, block in enumerate(blocks):
        here = slice(block.start, block.stop)
        if not judgement.uses[here].any():
            continue
        costs[place] = ask(here, matrix[orders, here]) - usual
    return costs

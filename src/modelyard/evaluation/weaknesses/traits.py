"""What the worst rows share, in words: a shallow tree finds it on one half of the rows, the other half must bear it out."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data.schema import Column, ColumnKind, category_text
from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.records import SharedTrait

__all__ = ["shared_traits"]

Array = npt.NDArray[np.float64]

_FEWEST_ROWS = 200
_DEPTH = 3
_SMALLEST_LEAF, _SMALLEST_SHARE = 20, 0.02
_TRAITS = 3
_LIFT = 1.5
_FEWEST_WORST, _FEWEST_UNITS = 5, 10
_LEVELS = 20


@dataclasses.dataclass(frozen=True)
class _Question:
    """One column of the tree's matrix, and how its two answers are said."""

    values: Array
    above: str
    below: str
    kind: ColumnKind | None = None


def shared_traits(
    frame: pl.DataFrame, columns: Sequence[Column], losses: Array, *, units: npt.NDArray[Any] | None, seed: int
) -> tuple[SharedTrait, ...]:
    """Descriptions of rows that are among the worst tenth far more often than others, the strongest first.

    A tree of depth 3 is grown on one half of the rows; up to three of its leaves, or nodes above them, are then measured
    on the other half, and said only if they hold the worst 1.5 times as often as all rows, and beyond chance (bootstrap,
    Bonferroni over the three). Below 200 rows, or from fewer than ten units, nothing is said.

    Parameters
    ----------
    columns
        What the rows may be described by; free text is passed over.
    losses
        How wrong each row is.
    units
        Labels of rows that belong together: they fall into the same half, and are drawn together.
    """
    worst = np.zeros(len(losses), dtype=bool)
    worst[np.argsort(-losses, kind="stable")[: len(losses) // 10]] = True
    questions = [question for column in columns for question in _questions(frame[column.name], column)]
    if len(losses) < _FEWEST_ROWS or not questions or losses.max() == losses.min():
        return ()
    first = _half(len(losses), units, seed)
    tree = _Tree(questions, worst, first, derive_seed(seed, "tree"))
    nodes = tree.promising()
    confidence = 1 - 0.05 / max(1, len(nodes))
    drawn = None if units is None else units[~first]
    found = []
    for node in nodes:
        inside = tree.meets[~first, node]
        trait = _measured(inside, worst[~first], drawn, confidence=confidence, seed=derive_seed(seed, node))
        if trait is not None:
            found.append(dataclasses.replace(trait, conditions=tree.path(node)))
    return tuple(sorted(found, key=lambda trait: -trait.lift))


def _half(rows: int, units: npt.NDArray[Any] | None, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows the tree may learn from: a random half of the units."""
    codes = np.arange(rows) if units is None else np.unique(units, return_inverse=True)[1].reshape(-1)
    order = np.random.default_rng(seed).permutation(int(codes.max()) + 1)
    return np.asarray(order[codes] % 2 == 0)


def _measured(
    inside: npt.NDArray[np.bool_],
    worst: npt.NDArray[np.bool_],
    units: npt.NDArray[Any] | None,
    *,
    confidence: float,
    seed: int,
) -> SharedTrait | None:
    """The lift on rows that the tree has not seen; None if it does not hold."""
    both = inside & worst
    if both.sum() < _FEWEST_WORST or (units is not None and len(np.unique(units[inside])) < _FEWEST_UNITS):
        return None

    def lift(weights: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (weights @ both) / (weights @ inside)
            return np.asarray(share / ((weights @ worst) / weights.sum(axis=1)))[:, np.newaxis]

    value, low, high = bootstrap(lift, len(worst), seed=seed, groups=units, repeats=400).interval(0, confidence)
    if value < _LIFT or not low > 1:
        return None
    return SharedTrait((), int(inside.sum()), int(both.sum()), len(worst), value, low, high)


def _questions(values: pl.Series, column: Column) -> list[_Question]:
    """A column as numbers that a tree can split, each with its words."""
    name, missing = column.name, values.is_null()
    found = []
    if column.kind is ColumnKind.NUMERIC or column.kind is ColumnKind.DATE:
        numbers = values.cast(pl.Date).to_physical() if column.kind is ColumnKind.DATE else values
        known = numbers.cast(pl.Float64).fill_nan(None)
        middle = known.median()
        found.append(_Question(known.fill_null(middle or 0.0).to_numpy(), name, name, column.kind))
        missing = known.is_null()
    elif column.kind is not ColumnKind.TEXT:
        text = category_text(values)
        counts = text.drop_nulls().value_counts(sort=True).head(_LEVELS)
        for level in counts[counts.columns[0]]:
            answer = (text == level).fill_null(value=False).cast(pl.Float64).to_numpy()
            found.append(_Question(answer, f"{name} is {level}", f"{name} is not {level}"))
    if missing.any():
        found.append(_Question(missing.cast(pl.Float64).to_numpy(), f"{name} is missing", f"{name} is known"))
    return found


class _Tree:
    """A grown tree with the words of its questions."""

    def __init__(
        self,
        questions: Sequence[_Question],
        worst: npt.NDArray[np.bool_],
        first: npt.NDArray[np.bool_],
        seed: int,
    ) -> None:
        from sklearn.tree import DecisionTreeClassifier

        matrix = np.column_stack([question.values for question in questions]).astype(np.float32)
        smallest = max(_SMALLEST_LEAF, int(_SMALLEST_SHARE * first.sum()))
        grown = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=smallest, random_state=seed % 2**32)
        grown.fit(matrix[first], worst[first])
        self._tree, self._questions = grown.tree_, questions
        self.meets: npt.NDArray[np.bool_] = np.asarray(grown.decision_path(matrix).toarray(), dtype=bool)
        seen, share = self.meets[first], float(worst[first].mean())
        self._lift = (seen & worst[first][:, np.newaxis]).sum(axis=0) / seen.sum(axis=0) / max(share, 1e-12)
        self._excess = (self._lift - 1) * np.sqrt(seen.sum(axis=0))

    def promising(self) -> list[int]:
        """Up to three nodes without a row in common that hold the worst most surely more often, on the rows seen.

        A node stands for its leaves where those differ by chance only: its excess is the surer one.
        """
        chosen: list[int] = []
        for node in np.argsort(-self._excess, kind="stable"):
            apart = all(not (self.meets[:, node] & self.meets[:, other]).any() for other in chosen)
            if node and apart and self._lift[node] >= _LIFT:
                chosen.append(int(node))
        return chosen[:_TRAITS]

    def path(self, node: int) -> tuple[str, ...]:
        """The answers that lead to a node; of two bounds on the same side of a column, the tighter one."""
        said: dict[tuple[int, bool], str] = {}
        while node:
            left = node in self._tree.children_left
            parent = int(np.flatnonzero((self._tree.children_left if left else self._tree.children_right) == node)[0])
            at = int(self._tree.feature[parent])
            said.setdefault((at, left), _answer(self._questions[at], float(self._tree.threshold[parent]), left=left))
            node = parent
        return tuple(reversed(said.values()))


def _answer(question: _Question, threshold: float, *, left: bool) -> str:
    if question.kind is None:
        return question.below if left else question.above
    if question.kind is ColumnKind.DATE:
        bound = str(np.datetime64("1970-01-01") + np.timedelta64(int(np.floor(threshold)), "D"))
        return f"{question.above} is {'up to' if left else 'after'} {bound}"
    return f"{question.above} is {'at most' if left else 'above'} {threshold:,.4g}"

"""Growing parts of a fold's training rows, each within the next, divided by the rule of the folds."""

import numpy as np
import numpy.typing as npt

from modelyard.training.folds import Fold, FoldPlan, RowKeys

__all__ = ["LEAST_ROWS", "SIZES", "arrival", "fewest_rows", "shares_for", "take"]

Rows = npt.NDArray[np.int64]

SIZES = 5
LEAST_ROWS = 50
_SMALLEST_SHARE = 1 / 16


def shares_for(plan: FoldPlan, keys: RowKeys) -> tuple[float, ...]:
    """Shares of a fold's training rows at which the curve is drawn, ascending, the last 1; equal ratios between.

    The smallest is a sixteenth, or what leaves 50 rows in every fold. Empty if a fold has fewer than 200 rows to learn
    from. A share at which some fold would lack a class is left out.
    """
    fewest = min(len(fold.train) for fold in plan.folds)
    if fewest < 4 * LEAST_ROWS:
        return ()
    smallest = max(_SMALLEST_SHARE, LEAST_ROWS / fewest)
    shares = np.geomspace(smallest, 1.0, SIZES)
    return tuple(float(share) for share in shares if share == 1.0 or _holds_all_classes(plan, keys, float(share)))


def arrival(keys: RowKeys, fold: Fold, seed: int) -> Rows:
    """In which order a fold's training rows come; equal numbers come together.

    Groups come whole, in an order drawn by chance. In time the latest rows come first: more rows then mean a longer
    history, not a denser one. Else rows come by chance, and each class in its share.
    """
    inside, generator = keys.take(fold.train), np.random.default_rng(seed)
    if keys.strategy == "time":
        return -inside.keys
    if keys.strategy == "group":
        return np.asarray(generator.permutation(int(inside.keys.max()) + 1)[inside.keys], dtype=np.int64)
    drawn = generator.permutation(len(fold.train))
    by_class = np.lexsort((drawn, inside.classes))
    sizes = np.bincount(inside.classes)
    within = np.empty(len(drawn), dtype=np.int64)
    within[by_class] = np.concatenate([np.arange(size) for size in sizes])
    due = (within + 0.5) / sizes[inside.classes]
    order = np.empty(len(drawn), dtype=np.int64)
    order[np.lexsort((drawn, due))] = np.arange(len(drawn))
    return order


def take(order: Rows, share: float) -> Rows:
    """Positions of the rows that have come when ``share`` of them is asked for, ascending."""
    wanted = max(1, round(share * len(order)))
    return np.flatnonzero(order <= np.partition(order, wanted - 1)[wanted - 1])


def fewest_rows(plan: FoldPlan, keys: RowKeys) -> tuple[int, int]:
    """Training rows of the smallest fold, and of the class that has fewest in any fold (all rows if there are none)."""
    counts = [np.bincount(keys.classes[fold.train]) for fold in plan.folds]
    rows = min(len(fold.train) for fold in plan.folds)
    return rows, min(int(count[count > 0].min()) for count in counts)


def _holds_all_classes(plan: FoldPlan, keys: RowKeys, share: float) -> bool:
    """Whether each class may be expected in that share of each fold: two rows of it at least."""
    if keys.classes.max(initial=0) == 0:
        return True
    return all(np.bincount(keys.classes[fold.train]).min() * share >= 2 for fold in plan.folds)

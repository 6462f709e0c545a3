"""Which rows are worth a label: some by chance, for an honest picture, and those of which the model knows least."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError, derive_seed

__all__ = ["rows_to_label"]


def rows_to_label(
    rows: int, count: int, *, random_share: float, seed: int, scores: npt.NDArray[np.float64] | None = None
) -> pl.DataFrame:
    """Positions of rows to label, and why each was chosen: ``random`` or ``uncertain``.

    Rows by chance come first in the draw, so that they are a fair sample of all; the others have the highest probability
    nearest to chance (least confidence; Lewis and Gale, 1994).

    Parameters
    ----------
    rows
        Rows to choose from.
    count
        Rows wanted; all if there are fewer.
    random_share
        Share of rows drawn by chance, 0 to 1; all of them without scores.
    seed
        Of the draw.
    scores
        Probability of the positive class (rows,), or of each class (rows, classes).

    Raises
    ------
    ConfigError
        If the count is below 1, or the share is no share.
    """
    if count < 1 or not 0 <= random_share <= 1:
        raise ConfigError(
            "rows to label are at least 1, and the random share lies between 0 and 1",
            where="label export",
            got=f"{count} rows, a share of {random_share:g}",
            cure="Try --rows 100 --random 0.3",
        )
    count = min(count, rows)
    by_chance = count if scores is None else round(count * random_share)
    drawn = np.random.default_rng(derive_seed(seed, "label")).permutation(rows)
    chosen = drawn[:by_chance]
    rest = np.sort(drawn[by_chance:])
    uncertain = np.empty(0, dtype=np.int64)
    if scores is not None:
        surest = np.maximum(scores, 1 - scores) if scores.ndim == 1 else scores.max(axis=1)
        uncertain = rest[np.argsort(surest[rest], kind="stable")][: count - by_chance]
    why = ["random"] * len(chosen) + ["uncertain"] * len(uncertain)
    return pl.DataFrame({"position": np.concatenate([chosen, uncertain]).astype(np.int64), "why": why})

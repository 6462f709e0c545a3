"""A sample of a version's logged answers; the same seed draws the same ones."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.core import derive_seed
from modelyard.data import category_text
from modelyard.serving.prediction_log import scan_predictions
from modelyard.serving.roles import SHADOW, STABLE

__all__ = ["Sample", "draw_answers"]


@dataclasses.dataclass(frozen=True)
class Sample:
    """Answers drawn, with the columns of :func:`~modelyard.serving.read_predictions`, and out of how many."""

    rows: pl.DataFrame
    logged: int

    @property
    def since(self) -> dt.datetime | None:
        """First moment; None without any."""
        return self.rows["at"].min() if self.rows.height else None  # type: ignore[return-value]

    @property
    def until(self) -> dt.datetime | None:
        """Last moment."""
        return self.rows["at"].max() if self.rows.height else None  # type: ignore[return-value]


def draw_answers(folder: Path, digest: str, *, size: int, seed: int, since: dt.datetime | None = None) -> Sample:
    """Draw answers of one package without replacement, in the order of time; what it said in shadow is no answer.

    The log is read twice, a file at a time: ids first, then the rows that were drawn.

    Parameters
    ----------
    size
        How many; all, if there are fewer.
    since
        Only answers of this moment or later.
    """
    mine = (pl.col("digest") == digest) & (pl.col("role").fill_null(STABLE) != SHADOW)
    if since is not None:
        mine &= pl.col("at") >= since
    found = [part.filter(mine).select("id").collect()["id"] for part in scan_predictions(folder)]
    ids = pl.concat(found).unique().sort() if found else pl.Series("id", [], dtype=pl.String)
    logged = len(ids)
    if logged > size:
        generator = np.random.default_rng(derive_seed(seed, "skew"))
        ids = ids.gather(np.sort(generator.choice(logged, size, replace=False)))
    parts = [part.filter(mine & pl.col("id").is_in(ids.implode())).collect() for part in scan_predictions(folder)]
    rows = _stacked([part for part in parts if part.height])
    return Sample(rows.unique("id", keep="last").sort("at", "id") if rows.height else rows, logged)


def _stacked(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Parts one under the other; where callers sent numbers to one and text to another, whole numbers are text without a fraction."""
    dtypes: dict[str, set[pl.DataType]] = {}
    for part in parts:
        for name, dtype in part.schema.items():
            dtypes.setdefault(name, set()).add(dtype)
    mixed = [name for name, kinds in dtypes.items() if len(kinds) > 1]
    same = [part.with_columns(category_text(part[name]) for name in part.columns if name in mixed) for part in parts]
    return pl.concat(same, how="diagonal") if same else pl.DataFrame()

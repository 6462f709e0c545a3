"""What turned out to be true: labels that came back, joined to the answers of both variants, as money or quality."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from modelyard.rollout import Figure
from modelyard.serving.prediction_log import read_feedback, read_predictions

if TYPE_CHECKING:
    from modelyard.problem.schema import Costs

__all__ = ["Outcomes"]


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """Reads figures that need labels from the prediction log, which all server processes share.

    Parameters
    ----------
    folder
        Of the log.
    costs
        What decisions are worth.
    classes
        Of the model; empty for values.
    """

    folder: Path
    costs: "Costs"
    classes: tuple[str, ...]

    def figures(self, names: tuple[str, ...], digest: str, began: object) -> Mapping[str, Figure]:
        """Means over the rows answered since ``began``, by the version with this digest and by the baseline.

        More is better: errors and losses count negative.
        """
        answers = read_predictions(self.folder).filter(pl.col("at") >= pl.lit(began))
        known = answers.join(read_feedback(self.folder).select("id", truth="label"), on="id")
        is_new = (pl.col("role") == "canary") & (pl.col("digest") == digest)
        new, baseline = known.filter(is_new), known.filter(pl.col("role") == "baseline")
        return {name: _figure(self._worth(name, new), self._worth(name, baseline)) for name in names}

    def compared(self, name: str, digest: str, began: object) -> tuple[int, int, Figure]:
        """Rows answered since ``began`` by the version and by the champion beside it, and the figure of those with a label.

        What the version said in shadow counts like an answer; the champion's rows are its slice of equal size, if there is
        one, else all of its rows. Rows of one request count as if they had nothing to do with each other, which makes a
        difference look less certain than it is.
        """
        since = pl.col("at") >= pl.lit(began)
        answers = read_predictions(self.folder).filter(since)
        shadows = read_predictions(self.folder, shadows=True).filter(since)
        mine = pl.col("digest") == digest
        new = pl.concat(
            [answers.filter(mine & (pl.col("role") == "canary")), shadows.filter(mine)], how="diagonal_relaxed"
        )
        beside = answers.filter(pl.col("role") == "baseline")
        champion = beside if beside.height else answers.filter(~mine)
        labels = read_feedback(self.folder).select("id", truth="label")
        worth = [self._worth(name, rows.join(labels, on="id")) for rows in (new, champion)]
        return new.height, champion.height, _figure(*worth)

    def _worth(self, name: str, rows: pl.DataFrame) -> pl.Series:
        """What each row was worth; empty if the figure is not defined for this model."""
        if name == "absolute_error" or (name == "money" and not self.classes):
            error = (pl.col("score") - pl.col("truth").cast(pl.Float64, strict=False)).abs()
            price = -1.0 if name == "absolute_error" else self.costs.per_unit_error
            return (
                rows.select(worth=error * price).to_series() if price is not None else pl.Series([], dtype=pl.Float64)
            )
        if name == "accuracy":
            return rows.select((pl.col("label") == pl.col("truth")).cast(pl.Float64)).to_series()
        if name == "brier" and len(self.classes) == 2:
            positive = (pl.col("truth") == self.classes[1]).cast(pl.Float64)
            return rows.select(-((pl.col("score") - positive) ** 2)).to_series()
        return self._money(rows) if name == "money" else pl.Series([], dtype=pl.Float64)

    def _money(self, rows: pl.DataFrame) -> pl.Series:
        """By the matrix of costs, or a price for each error."""
        if len(self.classes) == 2 and self.costs.has_matrix:
            said, true = pl.col("label") == self.classes[1], pl.col("truth") == self.classes[1]
            cells = self.costs
            value = (
                pl.when(said & true)
                .then(cells.true_positive or 0.0)
                .when(said)
                .then(cells.false_positive or 0.0)
                .when(true)
                .then(cells.false_negative or 0.0)
                .otherwise(cells.true_negative or 0.0)
            )
            return rows.select(value.cast(pl.Float64)).to_series()
        price = self.costs.per_error
        if price is None:
            return pl.Series([], dtype=pl.Float64)
        return rows.select((pl.col("label") != pl.col("truth")).cast(pl.Float64) * price).to_series()


def _figure(new: pl.Series, baseline: pl.Series) -> Figure:
    """Means and variances of rows."""
    first, second = new.drop_nulls(), baseline.drop_nulls()
    return Figure(
        _number(first.mean()),
        len(first),
        _number(second.mean()),
        len(second),
        _number(first.var()) or 0.0,
        _number(second.var()) or 0.0,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None

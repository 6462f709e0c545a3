"""What is usual, so that a package can say beside an anomaly's score how rare it is and why."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record

__all__ = ["USUAL_FILE", "UsualRows"]

Scores: TypeAlias = npt.NDArray[np.float64]

USUAL_FILE = "usual.json"


@dataclasses.dataclass(frozen=True)
class UsualRows(Record):
    """What training found usual.

    Parameters
    ----------
    scores
        Scores of training rows that the detector had not seen, from the smallest to the largest: all of them, or as many
        quantiles.
    values
        Column to its usual value, JSON-ready.
    words
        Column to what is usual in it, in words.
    """

    scores: tuple[float, ...]
    values: Mapping[str, Any]
    words: Mapping[str, str]

    def remarks(
        self, frame: pl.DataFrame, scores: Scores, threshold: float, score: Callable[[pl.DataFrame], Scores]
    ) -> tuple[pl.Series, ...]:
        """What is said of each row: ``stranger_than``, the share of training rows that are less strange, and ``why`` it is an anomaly.

        Parameters
        ----------
        frame, scores
            The rows with their scores.
        threshold
            From which on a row is an anomaly; of the others nothing is explained.
        score
            How strange each row of a table is.
        """
        from modelyard.unsupervised.anomalies.reasons import in_words, reasons_for

        shares = np.searchsorted(np.array(self.scores), scores, side="left") / len(self.scores)
        strange = np.flatnonzero(scores >= threshold)
        why: list[str | None] = [None] * len(scores)
        if len(strange):
            usual = {name: (value, self.words[name]) for name, value in self.values.items()}
            for row, reasons in zip(strange.tolist(), reasons_for(frame[strange.tolist()], score, usual), strict=True):
                why[row] = in_words(reasons)
        return pl.Series("stranger_than", shares, dtype=pl.Float64), pl.Series("why", why, dtype=pl.String)

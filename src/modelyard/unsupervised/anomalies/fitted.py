"""A detector as it was fitted: scores of any rows, and the strangest of them with their reasons."""

import dataclasses

import numpy as np
import polars as pl

from modelyard.problem import Problem
from modelyard.unsupervised.anomalies.detectors import Detector
from modelyard.unsupervised.anomalies.reasons import UsualValues, reasons_for
from modelyard.unsupervised.anomalies.records import Anomaly
from modelyard.unsupervised.rows import Array, Points, row_names

__all__ = ["FittedAnomalies", "strange_rows"]


@dataclasses.dataclass(frozen=True)
class FittedAnomalies:
    """Everything that scoring needs.

    Parameters
    ----------
    points
        The encoder with its columns; the matrix is empty.
    detector
        The winner, on the scale of held-out rows.
    reference
        Scores of held-out training rows, sorted.
    usual
        What is usual in each column.
    """

    points: Points
    detector: Detector
    reference: Array
    usual: UsualValues

    def score(self, frame: pl.DataFrame) -> Array:
        """How strange each row of a table is, in usual deviations."""
        return self.detector.score(self.points.encoder.transform(frame))


def strange_rows(
    frame: pl.DataFrame,
    fitted: FittedAnomalies,
    problem: Problem,
    most: int,
    *,
    scored: Array,
    labels: Array | None = None,
) -> tuple[Anomaly, ...]:
    """The strangest rows with their reasons, the strangest first.

    Parameters
    ----------
    scored
        The score of each row.
    labels
        As :func:`~modelyard.unsupervised.anomalies.labels.read_labels` gives them.
    """
    order = np.argsort(-scored, kind="stable")[:most]
    if len(order) == 0:
        return ()
    rows = frame[order.tolist()]
    names = row_names(frame, problem)
    reasons = reasons_for(rows, fitted.score, fitted.usual)
    shares = np.searchsorted(fitted.reference, scored[order], side="left") / len(fitted.reference)
    return tuple(
        Anomaly(
            names[int(row)],
            float(scored[row]),
            float(shares[place]),
            reasons[place],
            None if labels is None or not np.isfinite(labels[row]) else bool(labels[row]),
        )
        for place, row in enumerate(order)
    )

"""Which rows to label, and how many: enough to show a loss of the tolerated size, drawn evenly over the score."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import write_atomic
from modelyard.monitoring.causes.records import LabelRequest
from modelyard.problem import Task

__all__ = ["FEWEST_LABELS", "labels_needed", "request_labels", "rows_to_label", "write_request"]

Floats = npt.NDArray[np.float64]

FEWEST_LABELS = 300
"""Below this many labelled rows no cause is told apart."""

_PREFIX = "feature."
_BANDS = 10
_RAREST_CLASS = 30
_MOST = 5000
_LEAST_SHARE = 0.01


def labels_needed(task: Task, reference: float | None, drop: float, rarer_share: float = 0.5) -> int:
    """How many labels would show a loss of the share ``drop``.

    For a binary metric between 0 and 1 the standard error is at most ``sqrt(v (1 - v) / m)`` with ``m`` rows of the
    rarer class (for the ROC AUC: Birnbaum and Klose 1957); half a 95 % interval must fit into the drop. The
    rarer class is ``rarer_share`` of the rows; anomalies are such a class. At least 300, and for other tasks 300.

    >>> labels_needed(Task.BINARY, 0.8, 0.05, rarer_share=0.25), labels_needed(Task.REGRESSION, 72.0, 0.05)
    (1540, 300)
    """
    if task not in (Task.BINARY, Task.ANOMALY) or reference is None or not 0 < reference < 1 or drop <= 0:
        return FEWEST_LABELS
    rarer = math.ceil(reference * (1 - reference) * (1.96 / (drop * reference)) ** 2)
    return max(FEWEST_LABELS, math.ceil(max(rarer, _RAREST_CLASS) / max(rarer_share, _LEAST_SHARE)))


def request_labels(rows: pl.DataFrame, needed: int, seed: int) -> LabelRequest:
    """Draw predictions to label, at most 5,000.

    Parameters
    ----------
    rows
        Predictions without a label: columns ``id`` and ``score``.
    needed
        How many labels are wanted.
    seed
        Of the draw.
    """
    ids = rows["id"].cast(pl.String).to_list()
    score = rows["score"].cast(pl.Float64, strict=False).fill_null(0.0).fill_nan(0.0).to_numpy()
    chosen = rows_to_label(score, min(needed, _MOST), seed)
    why = f"{needed:,} labels would show a loss of the tolerated size; drawn evenly over ten bands of the score."
    if len(chosen) < needed:
        why = f"{why} {len(chosen):,} of them can be drawn now."
    return LabelRequest(needed, why, tuple(ids[place] for place in chosen))


def rows_to_label(score: Floats, count: int, seed: int) -> list[int]:
    """Positions of ``count`` rows, as many from each tenth of the scores; all rows if there are fewer."""
    if len(score) <= count:
        return list(range(len(score)))
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(score))
    order = order[np.argsort(score[order], kind="stable")]
    bands = np.array_split(order, _BANDS)
    queue = [generator.permutation(band) for band in bands]
    drawn = [int(band[turn]) for turn in range(max(map(len, queue))) for band in queue if turn < len(band)]
    return sorted(drawn[:count])


def write_request(request: LabelRequest, predictions: pl.DataFrame, path: Path) -> None:
    """Write the rows to label as CSV: ``id``, ``score``, an empty ``label``, and the features under their own names.

    Filled in, the file is what ``modelyard monitor --labels`` takes; as it is, ``modelyard label export`` hands it out.
    """
    rows = predictions.filter(pl.col("id").cast(pl.String).is_in(list(request.ids)))
    fixed = rows.select("id", "score", pl.lit(None, dtype=pl.String).alias("label"))
    features = [name for name in rows.columns if name.startswith(_PREFIX)]
    plain = {name: name.removeprefix(_PREFIX) for name in features if name.removeprefix(_PREFIX) not in fixed.columns}
    write_atomic(path, fixed.hstack(rows.select(features).rename(plain)).write_csv().encode())

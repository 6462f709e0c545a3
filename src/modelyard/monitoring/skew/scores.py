"""Logged answers, computed anew from the logged rows: by the package, and by the training pipeline that it was made of."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ModelyardError
from modelyard.monitoring.columns import PREFIX
from modelyard.monitoring.skew.records import ScoreSkew
from modelyard.packaging import Scorer
from modelyard.packaging.golden import as_requests
from modelyard.packaging.golden_rows import as_frame
from modelyard.problem import Task
from modelyard.store import Workspace

__all__ = ["hidden_columns", "score_skew"]

PACKAGE, PIPELINE = "package", "training pipeline"
_MOST_EXAMPLES = 3

Scores = npt.NDArray[np.float64]


def hidden_columns(scorer: Scorer, rows: pl.DataFrame, personal: Sequence[str]) -> tuple[str, ...]:
    """Columns of the model that the log holds as codes, or not at all."""
    names = [column.name for column in scorer.contract.columns]
    return tuple(name for name in names if name in personal or f"{PREFIX}{name}" not in rows.columns)


def score_skew(
    rows: pl.DataFrame, scorer: Scorer, hidden: Sequence[str], workspace: Workspace
) -> tuple[ScoreSkew, ScoreSkew]:
    """The answers of ``rows`` against the package's, and against those of its run's final model.

    The second is what training itself would have said: the fitted encoder and estimator, before they were compiled into
    a scoring plan. Its files are pickled; their digests are checked before they are loaded.
    """
    if hidden or rows.is_empty():
        why = f"the log does not hold {', '.join(hidden)} as it came" if hidden else "the log has no answers"
        return ScoreSkew(PACKAGE, not_compared=why), ScoreSkew(PIPELINE, not_compared=why)
    named = rows.select(pl.col(f"^{PREFIX}.*$").name.map(lambda name: name.removeprefix(PREFIX)))
    requests = as_requests(scorer.contract.conformed(named))
    return (
        _compared(PACKAGE, rows, scorer, scorer.score_rows(requests)),
        _by_pipeline(rows, scorer, requests, workspace),
    )


def _by_pipeline(
    rows: pl.DataFrame, scorer: Scorer, requests: Sequence[dict[str, object]], workspace: Workspace
) -> ScoreSkew:
    """By the run's final model, where the run lies in this project."""
    from modelyard.training.run import load_run

    try:
        run = load_run(scorer.manifest.run_id, workspace)
        found = run.model("final").predict(as_frame(requests, run.record.columns))
    except ModelyardError as error:
        return ScoreSkew(PIPELINE, not_compared=error.sentence)
    return _compared(PIPELINE, rows, scorer, found)


def _compared(by: str, rows: pl.DataFrame, scorer: Scorer, found: Scores) -> ScoreSkew:
    """Differences of the logged answers from ``found``; an answer that is no number differs from everything."""
    wanted = found.reshape(rows.height, -1)
    logged = _logged(rows, scorer.task, wanted.shape[1])
    difference = (np.abs(logged - wanted) / np.maximum(1.0, np.abs(wanted))).max(axis=1)
    tolerance = scorer.golden.tolerance
    differs = ~(difference <= tolerance)
    decisions = 0
    if scorer.task is not Task.REGRESSION:
        decided = pl.Series([str(label) for label in scorer.decide(found)])
        decisions = int(((decided != rows["label"]).fill_null(value=True) & pl.Series(differs)).sum())
    finite = difference[np.isfinite(difference)]
    return ScoreSkew(
        by=by,
        rows=rows.height,
        differing=int(differs.sum()),
        decisions=decisions,
        largest=float(finite.max()) if len(finite) else None,
        tolerance=tolerance,
        examples=tuple(rows["id"].filter(pl.Series(differs)).head(_MOST_EXAMPLES)),
    )


def _logged(rows: pl.DataFrame, task: Task, outputs: int) -> Scores:
    """The answers in the log, shape (rows, outputs); NaN where there is none of that shape."""
    if task is not Task.MULTICLASS:
        return rows["score"].cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, 1)
    nothing = [float("nan")] * outputs
    kept = [list(one) if one is not None and len(one) == outputs else nothing for one in rows["probabilities"]]
    return np.array(kept, dtype=np.float64).reshape(rows.height, outputs)

"""Two runs that must be one, whatever happened on the way to the second."""

import dataclasses
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.training import TrainingRun
from modelyard.training.run import StoredRun

__all__ = ["assert_same_run"]

_FEW_BYTES_MB = 1e-4
"""Pickling writes equal strings once where they are one object, which the process decides."""


def assert_same_run(mine: StoredRun, other: StoredRun, rows: pl.DataFrame) -> None:
    """Candidates, winner, out-of-fold predictions and predictions of rows are the same bit for bit."""
    assert _told(mine.record) == _told(other.record)
    for candidate in other.record.candidates:
        assert mine.record.candidate(candidate.name).size_mb == pytest.approx(candidate.size_mb, abs=_FEW_BYTES_MB)
        np.testing.assert_array_equal(mine.out_of_fold(candidate.name), other.out_of_fold(candidate.name))
    for model in ("final", "development"):
        np.testing.assert_array_equal(mine.model(model).predict(rows), other.model(model).predict(rows))


def _told(run: TrainingRun) -> Any:
    """All that a run says, but for times and for what follows from them, and for sizes to the byte."""
    candidates = tuple(
        dataclasses.replace(item, fit_seconds=0.0, predict_ms=None, rows_per_s=None, size_mb=None)
        for item in run.candidates
    )
    at = run.created_at.replace(2000, 1, 1, 0, 0, 0, 0)
    return dataclasses.replace(run, id="", created_at=at, seconds=None, artefacts={}, candidates=candidates).to_dict()

"""On real churn data the defaults reach what the literature reports."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import train


def test_churn_out_of_fold(
    workspace: Workspace, split_of: Callable[..., tuple[Split, Problem]], data_folder: Path
) -> None:
    """Logistic regression and LightGBM have a ROC AUC between 0.84 and 0.86 (published: 0.84 to 0.85)."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet")
    plan = {"tuning_rounds": 0, "workers": 1, "unit_minutes": None, "families": ["linear", "lightgbm"]}
    split, problem = split_of(frame, "Churn", data={"id": "customerID"}, training=plan)
    record = train(split, problem, workspace).record
    means = {item.name: item.mean or 0.0 for item in record.candidates}

    assert means["naive"] == 0.5
    assert 0.84 < means["linear"] < 0.86
    assert 0.84 < means["lightgbm"] < 0.86
    assert all(item.notes == () for item in record.candidates)

"""Records go to JSON and back."""

import datetime as dt
import json

import pytest

from modelyard.core import StateError
from modelyard.data import Column, ColumnKind
from modelyard.problem import Task
from modelyard.training import Candidate, CandidateRole, CandidateStatus, TrainingRun

CANDIDATE = Candidate(
    name="lightgbm-tuned-2",
    family="lightgbm",
    role=CandidateRole.CANDIDATE,
    params={"num_leaves": 7, "learning_rate": 0.05},
    status=CandidateStatus.DONE,
    fold_scores=(0.8, 0.9),
    mean=0.85,
    sd=0.07,
    fit_seconds=1.5,
    predict_ms=0.4,
    complexity=3,
    rounds=120,
)
RUN = TrainingRun(
    id="r",
    dataset_id="d",
    split_id="s",
    task=Task.BINARY,
    target="y",
    metric="roc_auc",
    candidates=(CANDIDATE,),
    winner="lightgbm-tuned-2",
    why="It won.",
    classes=("no", "yes"),
    columns=(Column("tenure", ColumnKind.NUMERIC, "Int64", nullable=False),),
    seed=0,
    folds=2,
    environment={"python": "3.11"},
    created_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    interrupted=False,
    artefacts={"run.npy": "0" * 64},
)


def test_a_run_survives_json() -> None:
    """Writing and reading gives an equal record."""
    assert TrainingRun.from_dict(json.loads(json.dumps(RUN.to_dict(), allow_nan=False))) == RUN


def test_candidates_are_found_by_name() -> None:
    """An unknown name is an error that lists the known ones."""
    assert RUN.candidate("lightgbm-tuned-2") is CANDIDATE
    with pytest.raises(StateError, match=r"no such candidate; got 'linear'\. Choose one of lightgbm-tuned-2"):
        RUN.candidate("linear")


def test_only_done_candidates_are_complete() -> None:
    """Status decides."""
    assert CANDIDATE.is_complete
    assert not Candidate.from_dict({**CANDIDATE.to_dict(), "status": "interrupted"}).is_complete

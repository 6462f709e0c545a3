"""Evaluations are kept whole, and test figures are never forgotten."""

import dataclasses
from pathlib import Path

import pytest

from modelyard.core import IntegrityError, StateError
from modelyard.evaluation import Evaluation, load_evaluation, save_evaluation
from modelyard.store import Workspace


def test_what_was_saved_is_loaded(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """The record comes back equal; the page lies beside it."""
    workspace = Workspace(tmp_path)
    page = save_evaluation(churn_evaluation, workspace, "<p>page</p>")

    assert load_evaluation(churn_evaluation.run_id, workspace) == churn_evaluation
    assert page.read_text(encoding="utf-8") == "<p>page</p>"


def test_looking_again_does_not_hide_test_figures(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """The same question without opening leaves the opened evaluation current; each opening has its own file."""
    workspace = Workspace(tmp_path)
    opened = dataclasses.replace(churn_evaluation, test=churn_evaluation.validation, confidence=0.975, openings=2)
    first = save_evaluation(opened, workspace, "<p>opened</p>")
    second = save_evaluation(churn_evaluation, workspace, "<p>sealed</p>")
    kept = workspace.folder("evaluations", churn_evaluation.run_id) / "evaluation-opening-2.json"

    assert load_evaluation(churn_evaluation.run_id, workspace) == opened
    assert first == second
    assert second.read_text(encoding="utf-8") == "<p>opened</p>"
    assert kept.exists()


def test_another_question_replaces_the_evaluation(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """With other guardrails the new evaluation is the current one, though it left the test part sealed."""
    workspace = Workspace(tmp_path)
    opened = dataclasses.replace(churn_evaluation, test=churn_evaluation.validation, guardrails=(), openings=1)
    save_evaluation(opened, workspace)
    save_evaluation(churn_evaluation, workspace)

    assert load_evaluation(churn_evaluation.run_id, workspace) == churn_evaluation


def test_another_coverage_is_another_question(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """Whoever asks for 95 % in place of 90 % gets the new sets, not those of the opened evaluation."""
    workspace = Workspace(tmp_path)
    opened = dataclasses.replace(churn_evaluation, test=churn_evaluation.validation, openings=1)
    save_evaluation(opened, workspace)
    assert churn_evaluation.regions is not None
    wider = dataclasses.replace(churn_evaluation, regions=dataclasses.replace(churn_evaluation.regions, coverage=0.95))
    save_evaluation(wider, workspace)

    assert load_evaluation(churn_evaluation.run_id, workspace) == wider


def test_missing_and_damaged_records_are_errors(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """Each with its cure."""
    workspace = Workspace(tmp_path)
    with pytest.raises(StateError, match="modelyard evaluate"):
        load_evaluation("no-such-run", workspace)
    path = save_evaluation(churn_evaluation, workspace)
    path.write_text(path.read_text(encoding="utf-8")[:-50], encoding="utf-8")
    with pytest.raises(IntegrityError, match="the record is damaged"):
        load_evaluation(churn_evaluation.run_id, workspace)

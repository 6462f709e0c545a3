"""Evaluations on disk, one folder a run: the record as JSON, the page beside it, and the worst mistakes as a table."""

from pathlib import Path

from modelyard.core import StateError, write_atomic
from modelyard.evaluation.records import Evaluation
from modelyard.store import Workspace, load_record, save_record

__all__ = ["load_evaluation", "save_evaluation"]

_KIND, _NAME = "evaluations", "evaluation"
_MISTAKES = "errors.csv"
_CURE = "Run: modelyard evaluate"


def save_evaluation(evaluation: Evaluation, workspace: Workspace, html: str | None = None) -> Path:
    """Keep an evaluation, and its page if given; returns the path of the page, or of the record.

    The worst mistakes lie beside them as ``errors.csv``.

    Each opening of the test part is kept under its own number as well. If this evaluation left the test part sealed
    and says nothing else than an earlier one of the same run that opened it, the earlier one stays the current one:
    looking again without opening must not hide what the test part has shown.
    """
    folder = workspace.folder(_KIND, evaluation.run_id)
    if not evaluation.test and _is_known(evaluation, workspace):
        page = folder / f"{_NAME}.html"
        return page if page.exists() else folder / f"{_NAME}.json"
    if evaluation.test:
        save_record(folder, f"{_NAME}-opening-{evaluation.openings}", evaluation, html)
    if evaluation.errors is not None:
        from modelyard.evaluation.weaknesses.mistakes import mistakes_table

        write_atomic(folder / _MISTAKES, mistakes_table(evaluation.errors).write_csv())
    return save_record(folder, _NAME, evaluation, html)


def load_evaluation(run_id: str, workspace: Workspace) -> Evaluation:
    """The latest evaluation of a run.

    Raises
    ------
    StateError
        If the run was never evaluated.
    IntegrityError
        If the stored record is damaged.
    """
    return load_record(Evaluation, workspace.folder(_KIND, run_id), _NAME, cure=_CURE)


def _is_known(evaluation: Evaluation, workspace: Workspace) -> bool:
    """True if the current evaluation opened the test part and was asked the same question."""
    try:
        current = load_evaluation(evaluation.run_id, workspace)
    except StateError:
        return False
    coverage = {item.regions.coverage for item in (current, evaluation) if item.regions is not None}
    quantiles = {item.quantiles.asked if item.quantiles else () for item in (current, evaluation)}
    return (
        bool(current.test) and len(coverage) < 2 and len(quantiles) < 2 and _question(current) == _question(evaluation)
    )


def _question(evaluation: Evaluation) -> tuple[object, ...]:
    """What depends on the project file, apart from the rows that were looked at."""
    columns = {segment.column for segment in evaluation.segments}
    bounds = [(guardrail.metric, guardrail.bound) for guardrail in evaluation.guardrails]
    prices = None if evaluation.money is None else (evaluation.money.currency, evaluation.money.volume_per_year)
    reasons, experts = evaluation.reasons, evaluation.experts
    expected = [(item.feature, item.expected) for item in reasons.expectations] if reasons else []
    asked = None if experts is None else experts.digest
    return evaluation.validation, evaluation.threshold, columns, bounds, prices, expected, asked

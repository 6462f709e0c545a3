"""The gates that a challenger must pass; each is a question with a number in its answer."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from modelyard.audit import AuditReport
from modelyard.core import Finding, Severity
from modelyard.data import Contract
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.segments import mostly_chance, segment_labels
from modelyard.monitoring.causes.records import Cause
from modelyard.problem import Problem, metric_spec
from modelyard.report import format_number
from modelyard.retraining.duel import Duel
from modelyard.retraining.records import GateResult
from modelyard.store import LedgerRow
from modelyard.training.metrics import score
from modelyard.training.update import Update

__all__ = ["audit_gate", "cause_gate", "comparison_gate", "contract_gate", "data_gate", "segments_gate", "update_gate"]

MOST_REJECTED_SHARE = 0.05
"""Above this share of rows that break the contract the table is taken for the product of a broken pipeline."""


def cause_gate(monitored: Sequence[LedgerRow], despite: str) -> GateResult | None:
    """Whether the last monitoring of the champion left its inputs whole; None if it did, or if there was none.

    Parameters
    ----------
    monitored
        The ledger's rows of the champion's monitoring, in order.
    despite
        The reason of a person who retrains all the same; empty if nobody does.
    """
    if not monitored or monitored[-1].details.get("cause") != Cause.PIPELINE.value:
        return None
    last = monitored[-1]
    said = f"The monitoring of {last.at:%Y-%m-%d %H:%M} named a broken pipeline: {last.details.get('because', '')}"
    if despite:
        return GateResult("cause", True, f"{said} Retrained all the same: {despite}")
    cure = (
        "Mend it and run `modelyard monitor` again, or give a reason: modelyard retrain --data TABLE --despite REASON"
    )
    return GateResult("cause", False, f"{said} Retraining would make the fault permanent. {cure}.")


def data_gate(rows_given: int, rows_new: int, needed: int, note: str = "") -> GateResult:
    """Whether there are enough rows that were not known before; ``note`` says more of where they come from."""
    known = rows_given - rows_new
    seen = f"{rows_new:,} of {rows_given:,} rows are new" + (f", {known:,} were known" if known else "")
    return GateResult("data", rows_new >= needed, f"{seen}; {needed:,} are needed. {note}".rstrip())


def contract_gate(contract: Contract, frame: pl.DataFrame) -> GateResult:
    """Whether the new rows keep the champion's data contract."""
    violations = contract.check_frame(frame)
    rejected = violations.filter(pl.col("rejects"))["row"].n_unique() if violations.height else 0
    share = rejected / max(frame.height, 1)
    columns = sorted(violations.filter(pl.col("rejects"))["column"].unique()) if rejected else []
    named = f" (columns: {', '.join(columns[:5])})" if columns else ""
    return GateResult(
        "contract",
        share <= MOST_REJECTED_SHARE,
        f"{rejected:,} of {frame.height:,} rows break the contract{named}; at most {MOST_REJECTED_SHARE:.0%} may.",
    )


def audit_gate(report: AuditReport, accepted: AuditReport) -> GateResult:
    """Whether the enlarged training part is free of errors that the champion's audit did not know and nobody acknowledged."""
    known = {(finding.id, finding.subject) for finding in _errors(accepted.findings)}
    fresh = [finding for finding in _errors(report.open_findings) if (finding.id, finding.subject) not in known]
    if not fresh:
        return GateResult("audit", True, f"No new error among {len(report.findings)} findings.")
    return GateResult("audit", False, " ".join(finding.message for finding in fresh))


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def update_gate(update: Update, metric: str) -> GateResult:
    """Whether training anew would not be better beyond noise: else the time that an update saves is too dear."""
    seen = (
        f"on new rows held out in turn it gains {format_number(update.behind)} {metric_spec(metric).title} over the update, "
        f"standard error {format_number(update.behind_error)}"
    )
    if update.retraining_is_better:
        return GateResult(
            "update", False, f"Training anew is better: {seen}. Run `modelyard retrain` with the same table."
        )
    return GateResult("update", True, f"Training anew would not be better beyond noise: {seen}.")


def comparison_gate(problem: Problem, duel: Duel) -> GateResult:
    """Whether the challenger is better, by a paired test on rows that neither has learnt from."""
    if duel.frame.is_empty():
        return GateResult("comparison", False, "No fresh row is left to compare on; set split.validation above 0.")
    result = compare(
        problem.primary_metric,
        duel.truth,
        duel.champion,
        duel.challenger,
        confidence=problem.retraining.confidence,
        seed=problem.training.seed,
        groups=duel.units,
        thresholds=duel.thresholds,
    )
    short = result.verdict == "better" and result.difference < problem.retraining.min_gain
    passed = result.verdict == "better" and not short
    title = metric_spec(problem.primary_metric).title
    detail = (
        f"{title} on {result.rows:,} fresh rows: challenger {format_number(result.challenger)}, champion "
        f"{format_number(result.champion)}; improvement {result.difference:+.4g}, {problem.retraining.confidence:.0%} "
        f"interval {result.low:+.4g} to {result.high:+.4g}: {result.verdict}"
        + (f", and below the {problem.retraining.min_gain:g} that is asked for." if short else ".")
    )
    return GateResult("comparison", passed, detail)


def segments_gate(problem: Problem, duel: Duel) -> GateResult:
    """Whether no segment of the declared columns loses more than it may; those too small to judge are left out."""
    columns = [name for name in dict.fromkeys((*problem.segments, *problem.protected)) if name in duel.frame.columns]
    losses = sorted(_segment_losses(problem, duel, columns), reverse=True)
    limit = problem.retraining.max_segment_loss
    if not losses:
        return GateResult("segments", True, "No declared segment has enough fresh rows to be measured on.")
    worst, name = losses[0]
    metric = metric_spec(problem.primary_metric).title
    if worst <= limit:
        return GateResult(
            "segments", True, f"No segment loses more than {limit:g} {metric}; {_most_lost(worst, name)}."
        )
    return GateResult("segments", False, f"{name} loses {worst:.4f} {metric}; at most {limit:g} is allowed.")


def _most_lost(worst: float, name: str) -> str:
    """A segment that gains loses nothing, though it may gain less than the others."""
    if worst >= 0:
        return f"the largest loss is {worst:.4f}, {name}"
    return f"none loses, and {name} gains least, {-worst:.4f}"


def _segment_losses(problem: Problem, duel: Duel, columns: Sequence[str]) -> Iterator[tuple[float, str]]:
    """(loss of the primary metric, "column = value") for each segment that is large enough to be measured."""
    sign = 1 if metric_spec(problem.primary_metric).greater_is_better else -1
    before, after = duel.thresholds
    for column in columns:
        labels = segment_labels(duel.frame[column])
        for value in labels.unique().sort():
            mask = (labels == value).to_numpy()
            if mostly_chance(problem.primary_metric, problem.task, duel.truth[mask]):
                continue
            old = score(problem.primary_metric, duel.truth[mask], duel.champion[mask], threshold=before)
            new = score(problem.primary_metric, duel.truth[mask], duel.challenger[mask], threshold=after)
            loss = sign * (old - new)
            if np.isfinite(loss):
                yield float(loss), f"{column} = {value}"

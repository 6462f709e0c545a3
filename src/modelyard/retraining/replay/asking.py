"""Whether a policy would retrain at the end of a period: the real monitoring, and the triggers on top."""

import dataclasses
import datetime as dt

import polars as pl

from modelyard.core import Severity
from modelyard.data import category_text
from modelyard.monitoring.causes import Action, Cause, ProfileWithOutcomes
from modelyard.monitoring.monitor import Background, judge
from modelyard.monitoring.records import MonitorReport
from modelyard.problem import Problem
from modelyard.retraining.replay.history import History
from modelyard.retraining.replay.models import Array, Served
from modelyard.retraining.replay.policies import Policy

__all__ = ["Asked", "Moment", "asked", "look"]

LOG_PERIODS = 8
"""Monitoring looks back over so many periods of the champion's answers."""


@dataclasses.dataclass(frozen=True)
class Moment:
    """The end of a period.

    Parameters
    ----------
    now
        The moment.
    known
        Rows of the history with a label by now.
    last, known_then
        When training or retraining was last begun, and the rows with a label then.
    """

    now: dt.datetime
    known: int
    last: dt.datetime
    known_then: int


@dataclasses.dataclass(frozen=True)
class Asked:
    """What was pulled, in sentences; and what holds it back."""

    pulled: tuple[str, ...]
    held: str
    cause: str = ""

    @property
    def is_due(self) -> bool:
        """True if something was pulled and nothing holds it back."""
        return bool(self.pulled) and not self.held


def look(
    history: History,
    policy: Policy,
    served: Served,
    profile: ProfileWithOutcomes,
    log: tuple[int, int, Array],
    known: int,
) -> MonitorReport:
    """Monitoring of the champion's own answers.

    Parameters
    ----------
    log
        First and last position of the answers, and the answers.
    known
        Rows of the history whose label has come.
    """
    begin, end, scores = log
    predictions = _log(history, served, begin, end, scores)
    known = max(begin, min(known, end))
    target = category_text(history.frame[history.problem.data.target][begin:known])
    labels = pl.DataFrame({"id": predictions["id"][: known - begin], "label": target})
    background = Background(served.reference, served.threshold, history.classes)
    return judge(
        profile, predictions, labels if labels.height else None, _tolerant(history.problem, policy), background
    )


def _tolerant(problem: Problem, policy: Policy) -> Problem:
    """With the loss that the policy tolerates."""
    if policy.performance is None:
        return problem
    plan = problem.monitoring.model_copy(update={"performance_drop": policy.performance})
    return problem.model_copy(update={"monitoring": plan})


def _log(history: History, served: Served, begin: int, end: int, scores: Array) -> pl.DataFrame:
    """The rows as a prediction log holds them."""
    names = [column.name for column in served.scorer.contract.columns]
    frame = history.frame[begin:end].select(names)
    logged = frame.rename({name: f"feature.{name}" for name in names}).with_columns(
        pl.Series("id", [str(position) for position in range(begin, end)]),
        pl.Series("score", scores if scores.ndim == 1 else scores.max(axis=1)),
        pl.Series("label", [str(label) for label in served.scorer.decide(scores)]),
        pl.lit(served.scorer.version).alias("version"),
        history.moments[begin:end].dt.replace_time_zone("UTC").alias("at"),
    )
    if scores.ndim == 1:
        return logged
    shares = pl.Series("probabilities", scores, dtype=pl.Array(pl.Float64, scores.shape[1]))
    return logged.with_columns(shares.arr.to_list())


def asked(policy: Policy, moment: Moment, report: MonitorReport | None) -> Asked:
    """The policy's triggers and guards."""
    pulled = [*_by_the_clock(policy, moment), *(_by_monitoring(policy, report) if report is not None else ())]
    cause = report.diagnosis.verdict.value if report is not None else ""
    return Asked(tuple(pulled), _held(policy, moment, report) if pulled else "", cause)


def _by_the_clock(policy: Policy, moment: Moment) -> list[str]:
    since, labels = (moment.now - moment.last).total_seconds(), moment.known - moment.known_then
    said = []
    if policy.schedule_s is not None and since >= policy.schedule_s:
        said.append(f"schedule: {since / 86_400:.0f} days since the last training.")
    if policy.new_labels is not None and labels >= policy.new_labels:
        said.append(f"new_labels: {labels:,} since the last training.")
    return said


def _by_monitoring(policy: Policy, report: MonitorReport) -> list[str]:
    """A loss counts once it has persisted, as an alert does: one bad window is not worth a retraining."""
    said = []
    lost = next(
        (one for one in report.findings if one.id == "performance-drop" and one.severity is Severity.ERROR), None
    )
    if policy.performance is not None and lost is not None:
        said.append(f"performance: {lost.message}")
    diagnosis = report.diagnosis
    if policy.drift and diagnosis.action is Action.RETRAIN:
        gain = diagnosis.expected_gain
        paid = f", gain {gain.gain:+.3g} ({gain.low:+.3g} to {gain.high:+.3g})" if gain is not None else ""
        said.append(f"drift: {diagnosis.verdict.words}, which retraining cures{paid}.")
    return said


def _held(policy: Policy, moment: Moment, report: MonitorReport | None) -> str:
    """The first guard that says: not now."""
    if report is not None and report.diagnosis.verdict is Cause.PIPELINE:
        return "a broken pipeline is no reason to retrain"
    if moment.known <= moment.known_then:
        return "no label has come since the last training"
    since = (moment.now - moment.last).total_seconds()
    if since < policy.cooldown_s:
        return f"{since / 86_400:.0f} days since the last training; the policy waits {policy.cooldown_s / 86_400:.0f}"
    return ""

"""Whether a policy would retrain at the end of a period: the real monitoring, triggers and guards."""

import dataclasses
import datetime as dt

import polars as pl

from modelyard.data import category_text
from modelyard.monitoring.causes import ProfileWithOutcomes
from modelyard.monitoring.judging import Background, judge
from modelyard.monitoring.records import MonitorReport
from modelyard.problem import Problem
from modelyard.retraining.replay.history import History
from modelyard.retraining.replay.models import Array, Served
from modelyard.retraining.replay.policies import Policy
from modelyard.retraining.triggers.due import due
from modelyard.retraining.triggers.facts import Facts
from modelyard.retraining.triggers.judging import judged_by

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
    trained
        When a model was last trained.
    decided, known_then
        When a retraining was last asked for, None before the first; and the rows with a label then, or at the beginning.
    """

    now: dt.datetime
    known: int
    trained: dt.datetime
    decided: dt.datetime | None
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
    """What the policy's triggers and guards say, by the rule of ``modelyard retrain --if-due``."""
    new = moment.known - moment.known_then
    facts = Facts(
        now=moment.now,
        trained_at=moment.trained,
        decided_at=moment.decided,
        judged=None if report is None else judged_by(report, moment.now),
        new_rows=new,
        unchanged="" if new else "No label has come since the last decision.",
    )
    found = due(facts, policy.plan)
    return Asked(
        pulled=tuple(f"{one.trigger}: {one.because}" for one in found.pulled),
        held=found.held_by[0].because if found.held_by else "",
        cause=report.diagnosis.verdict.value if report is not None else "",
    )

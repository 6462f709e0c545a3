"""The facts, read from the workspace and the ledger in one place."""

import contextlib
import dataclasses
import datetime as dt

from modelyard.core import Actor, ConfigError, IntegrityError, StateError
from modelyard.data.version import content_digest
from modelyard.governance import ModelVersion, Registry, Stage, Steering
from modelyard.monitoring import MonitorReport
from modelyard.problem import Problem
from modelyard.retraining.cases import case_under_way
from modelyard.retraining.cases.standing import DECIDED
from modelyard.retraining.champion import load_champion
from modelyard.retraining.gathering import collected
from modelyard.retraining.question import same_question
from modelyard.retraining.triggers.facts import Facts, Judged
from modelyard.retraining.triggers.judging import judged_by
from modelyard.store import LedgerRow, Workspace, load_record

__all__ = ["read_facts", "with_new_rows"]


def read_facts(workspace: Workspace, problem: Problem, actor: Actor, champion: ModelVersion, now: dt.datetime) -> Facts:
    """All but the new rows, which take a look at the whole source and the prediction log."""
    decisions = workspace.ledger.rows(action=DECIDED)
    trained = [row.at for row in workspace.ledger.rows(action="run.finished")]
    trained += [row.at for row in decisions if row.details.get("outcome") != "stopped"]
    case = case_under_way(workspace)
    steering = Steering(problem, workspace, actor)
    taken_back = steering.taken_back()
    waiting = [
        version.version
        for version in Registry(workspace).versions(problem.name)
        if (version.stage is Stage.CANDIDATE or version.stage.is_waiting) and version.version not in taken_back
    ]
    return Facts(
        now=now,
        trained_at=max([champion.created_at, *trained]),
        decided_at=decisions[-1].at if decisions else None,
        judged=_judged(workspace, champion),
        rollout=steering.under_way() or "",
        waiting=tuple(waiting),
        begun=case.sentence if case is not None and case.inputs.rows else "",
    )


def with_new_rows(facts: Facts, workspace: Workspace, problem: Problem, version: ModelVersion) -> Facts:
    """The facts, with how many rows are new, and whether the last decision has seen the very same ones.

    Raises
    ------
    DataError
        If the source cannot be read.
    """
    champion = load_champion(version, workspace)
    problem = same_question(problem, champion)
    try:
        fresh = collected(problem, champion, workspace).fresh
    except ConfigError as error:
        return dataclasses.replace(facts, new_rows=0, unchanged=f"{error.sentence}.")
    last = _last_decision(workspace, version)
    if fresh.is_empty():
        return dataclasses.replace(facts, new_rows=0, unchanged="There is no new labelled row.")
    if last is not None and last.details.get("data") == content_digest(fresh):
        said = f"The same {fresh.height:,} new rows were decided on at {last.at:%Y-%m-%d %H:%M}."
        return dataclasses.replace(facts, new_rows=0, unchanged=said)
    seen = int(last.details.get("rows_new", 0)) if last is not None and last.details.get("collected") else 0
    return dataclasses.replace(facts, new_rows=max(fresh.height - seen, 0))


def _last_decision(workspace: Workspace, champion: ModelVersion) -> LedgerRow | None:
    """The last one against the version in production: rows that an earlier champion was asked about are another matter."""
    rows = workspace.ledger.rows(action=DECIDED)
    mine = [row for row in rows if row.details.get("champion") == champion.version]
    return mine[-1] if mine else None


def _judged(workspace: Workspace, champion: ModelVersion) -> Judged | None:
    """What the last monitoring of the champion said; None if there was none, or its report is gone."""
    rows = workspace.ledger.rows(action="model.monitored", subject=champion.subject)
    if not rows:
        return None
    with contextlib.suppress(StateError, IntegrityError):
        folder = workspace.folder("monitoring", str(rows[-1].details.get("report", "")))
        return judged_by(load_record(MonitorReport, folder, "monitoring", cure=""), rows[-1].at)
    return None

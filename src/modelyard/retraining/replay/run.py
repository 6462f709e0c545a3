"""A replay from end to end: the past read, every policy walked through it, the accounts compared, all of it kept."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelyard.core import Actor, Progress, ProgressEvent, digest_json, silent, write_json_atomic
from modelyard.core.files import atomic_directory
from modelyard.data import read_table, with_history
from modelyard.data.version import content_digest
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.retraining.replay.challenging import first_champion
from modelyard.retraining.replay.history import Grid, History, history_of
from modelyard.retraining.replay.measuring import gain_over, measured
from modelyard.retraining.replay.models import Served
from modelyard.retraining.replay.page import replay_page
from modelyard.retraining.replay.policies import Policy
from modelyard.retraining.replay.quick import QuickPlan, quick_plan
from modelyard.retraining.replay.recommending import recommended
from modelyard.retraining.replay.records import Gain, Replay, Step
from modelyard.retraining.replay.walking import Memory, Walk, Walked
from modelyard.store import Workspace, save_record
from modelyard.training.preparation import environment
from modelyard.version import __version__

__all__ = ["replay"]

_PROTOCOL = 1
"""Raised when a change of the code changes what a walk would do."""

_ID_LENGTH = 12
_FILE = "walk.json"


@dataclasses.dataclass(frozen=True)
class _Stage:
    """What every policy walks with."""

    history: History
    plan: QuickPlan
    digest: str
    folder: Path
    progress: Progress
    memory: Memory = dataclasses.field(default_factory=Memory)


def replay(
    workspace: Workspace,
    problem: Problem,
    actor: Actor,
    source: Path | str | pl.DataFrame,
    policies: tuple[Policy, ...],
    grid: Grid,
    *,
    progress: Progress = silent,
) -> tuple[Replay, Path]:
    """Walk every policy through the past; returns the record and its page.

    The project's champion, log and splits stay as they are: everything lies in ``.modelyard/retraining/replays``, and the ledger
    gets the row ``policy.replayed``. A policy that was walked to its end is found again by the next call with equal
    rows, settings and versions, also after a kill.

    Parameters
    ----------
    source
        Rows with times, features and outcomes.
    policies
        One of them never retrains.
    grid
        Where the replay begins, and how it is cut.

    Raises
    ------
    ConfigError, DataError
        If there is no time column, or the table cannot be replayed.
    """
    table = with_history(read_table(source), problem, workspace.root)
    history = history_of(table, problem, grid)
    plan = quick_plan(history, workspace)
    folder = workspace.folder("retraining", "replays")
    stage = _Stage(history, plan, _digest(table, plan, grid), folder, progress)
    walks = _walks(stage, policies)
    record = _account(stage, grid, policies, walks)
    page = save_record(folder / record.id, "replay", record, render_html(replay_page(record)))
    details = {
        "recommended": record.recommended,
        "recommendation": record.recommendation,
        "policies": [policy.name for policy in policies],
        "rows": record.rows,
    }
    workspace.ledger.append(actor, "policy.replayed", record.id, details)
    return record, page


def _digest(table: pl.DataFrame, plan: QuickPlan, grid: Grid) -> str:
    """Of all that determines a walk but its policy."""
    recipe = plan.recipe
    own = recipe.learning.own
    return digest_json(
        {
            "protocol": _PROTOCOL,
            "rows": content_digest(table),
            "problem": plan.setup.problem.model_dump(mode="json"),
            "family": repr(recipe.family),
            "params": dict(recipe.candidate.params),
            "rounds": recipe.candidate.rounds,
            "own": own.digest if own is not None else "",
            "grid": [str(grid.start), grid.period_s, grid.label_delay_s],
            "environment": environment(),
            "version": __version__,
        }
    )


def _walks(stage: _Stage, policies: tuple[Policy, ...]) -> dict[str, Walked]:
    """Every policy, walked now or found again; one first champion for all policies of one window."""
    champions: dict[str, Served] = {}
    walks = {}
    for number, policy in enumerate(policies):
        place = stage.folder / f"walk-{digest_json({'stage': stage.digest, 'policy': policy.to_dict()})[:20]}"
        if not (place / _FILE).exists():
            key = digest_json({"window": None if policy.window is None else policy.window.to_dict()})
            if key not in champions:
                champions[key] = first_champion(stage.history, stage.plan.recipe, policy.window)
            _keep(place, _walked(stage, policy, champions[key], (number + 1, len(policies))))
        walks[policy.name] = _kept(place)
    return walks


def _walked(stage: _Stage, policy: Policy, first: Served, place: tuple[int, int]) -> Walked:
    total = len(stage.history.periods)

    def told(done: int) -> None:
        stage.progress(ProgressEvent(f"policy {place[0]}/{place[1]}", done, total, policy.name))

    return Walk(stage.history, stage.plan.recipe, policy, first, stage.memory).through(told)


def _keep(place: Path, walked: Walked) -> None:
    """A walk on disk, whole or not at all."""
    with atomic_directory(place) as building:
        np.save(building / "answers.npy", walked.answers, allow_pickle=False)
        np.save(building / "thresholds.npy", walked.thresholds, allow_pickle=False)
        steps = [step.to_dict() for step in walked.steps]
        write_json_atomic(building / _FILE, {"steps": steps, "seconds": walked.seconds})


def _kept(place: Path) -> Walked:
    content: dict[str, Any] = json.loads((place / _FILE).read_text(encoding="utf-8"))
    answers, thresholds = (np.load(place / f"{name}.npy", allow_pickle=False) for name in ("answers", "thresholds"))
    return Walked(tuple(map(Step.from_dict, content["steps"])), answers, thresholds, content["seconds"])


def _account(stage: _Stage, grid: Grid, policies: tuple[Policy, ...], walks: dict[str, Walked]) -> Replay:
    """All accounts, and which policy pays."""
    history, recipe = stage.history, stage.plan.recipe
    never = next(walks[policy.name] for policy in policies if not policy.retrains)
    results = tuple(
        measured(history, policy, walks[policy.name], never if policy.retrains else None) for policy in policies
    )

    def gain(before: str, after: str) -> Gain | None:
        return gain_over(history, walks[before], walks[after])

    problem = history.problem
    name, sentence = recommended(results, problem.primary_metric, gain)
    paid = any(result.money is not None for result in results)
    return Replay(
        id=digest_json({"stage": stage.digest, "policies": [policy.to_dict() for policy in policies]})[:_ID_LENGTH],
        model=problem.name,
        metric=problem.primary_metric,
        currency=problem.costs.currency if paid else "",
        family=recipe.family.name,
        configuration=stage.plan.origin,
        rows_first=history.first,
        rows=len(history.truth) - history.first,
        since=history.periods[0].start,
        until=history.periods[-1].until,
        period_s=grid.period_s,
        label_delay_s=grid.label_delay_s,
        results=results,
        recommended=name,
        recommendation=sentence,
    )

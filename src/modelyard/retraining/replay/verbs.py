"""The verb of a project that tries policies of retraining on the past."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard import governance, store
from modelyard.core import Actor, ConfigError, Progress
from modelyard.problem import Problem
from modelyard.problem.duration import is_duration, seconds_of

if TYPE_CHECKING:
    from modelyard.retraining.replay.records import Replay

__all__ = ["Replays"]


class Replays:
    """Months of history under several policies; ``project.replays``.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    progress
        Hears of every period.
    """

    def __init__(self, problem: Problem, workspace: store.Workspace, actor: Actor, progress: Progress) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor
        self._progress = progress

    def run(
        self,
        data: Path | str,
        policies: Sequence[str] = (),
        *,
        start: float | str = 0.25,
        every: str = "7d",
        label_delay: str = "",
    ) -> "tuple[Replay, Path]":
        """Replay a table of the past; returns the record and its page. Nothing of the project is changed.

        Parameters
        ----------
        data
            Rows with times, features and outcomes.
        policies
            Names of built-in ones (never, weekly, monthly, drift, performance, default), or YAML files.
        start
            Share of the rows that the first champion has, or the day on which the replay begins: 2026-03-01.
        every, label_delay
            The length of a period, and how long labels take to come: 7d, 12h.

        Raises
        ------
        NotPermittedError
            If the actor may not train.
        ConfigError, DataError
            If a policy is unknown, there is no time column, or the table cannot be replayed.
        """
        from modelyard.retraining.replay.history import Grid
        from modelyard.retraining.replay.policies import policies_of
        from modelyard.retraining.replay.run import replay

        governance.require_permission(self._actor, "train")
        delay = _seconds(label_delay, "--label-delay") if label_delay else 0.0
        grid = Grid(_start(start), _seconds(every, "--every"), delay)
        asked = policies_of(tuple(policies), self._problem)
        with self._workspace.lock():
            return replay(self._workspace, self._problem, self._actor, Path(data), asked, grid, progress=self._progress)


def _start(given: float | str) -> float | dt.datetime:
    """A share of the rows, or a moment."""
    with contextlib.suppress(ValueError):
        if 0 < float(given) < 1:
            return float(given)
    with contextlib.suppress(ValueError):
        return dt.datetime.fromisoformat(str(given))
    raise ConfigError(
        "the start of a replay is a share of the rows, or a day",
        where="--start",
        got=repr(given),
        cure="Write 0.25, or 2026-03-01",
    )


def _seconds(length: str, where: str) -> float:
    if not is_duration(length):
        raise ConfigError("this is no length of time", where=where, got=repr(length), cure="Write 7d, 12h or 1d12h")
    return seconds_of(length)

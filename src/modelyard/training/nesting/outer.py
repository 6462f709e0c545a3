"""The outer loop: the whole search on the rows outside of each part, and its winner on the part."""

import dataclasses
import enum
import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import (
    ConfigError,
    DataError,
    ModelyardError,
    Progress,
    ProgressEvent,
    derive_seed,
    digest_json,
    write_json_atomic,
)
from modelyard.problem import Problem
from modelyard.training.custom_metrics import in_fold
from modelyard.training.families.family import Family
from modelyard.training.folds import plan_folds
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel
from modelyard.training.nesting.records import NestedScore, OuterPart
from modelyard.training.nesting.words import concluded
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate

__all__ = ["Outer", "OuterWinner", "Procedure", "Stop", "nested_score", "plan_outer"]

Rows = npt.NDArray[np.int64]

_WORKSHOP = ("matrices", "refit", "units", "divisions")
_WITHOUT_EFFECT = {"workers", "executor", "address", "learning_curve", "validation_curve", "nested"}


@dataclasses.dataclass(frozen=True)
class OuterWinner:
    """What a search came to, and the model that it fitted on all of its rows."""

    candidate: Candidate
    model: FittedModel


class Stop(enum.Enum):
    """Why a search did not come to its end."""

    BY_HAND = enum.auto()
    BY_BUDGET = enum.auto()


@dataclasses.dataclass(frozen=True)
class Outer:
    """One part of the rows, and the search on the others.

    Parameters
    ----------
    number
        Counted from 1.
    learn, held
        Positions of the rows to search on, and of the part's own.
    truth
        Encoded target of the part's own rows.
    setup
        Of the search: folds, target and seeds of its own.
    """

    number: int
    learn: Rows
    held: Rows
    truth: npt.NDArray[np.float64]
    setup: Setup

    def planned(self, problem: Problem, plan: str) -> "Outer":
        """The same part of a search that has that problem and the plan of that digest: what others left unfinished is no work of it."""
        question = self.setup.question
        question = dataclasses.replace(question, digest=digest_json({"part": question.digest, "plan": plan}))
        return dataclasses.replace(self, setup=dataclasses.replace(self.setup, problem=problem, question=question))


Procedure = Callable[[Path, pl.DataFrame, Outer, Progress], OuterWinner | Stop]
"""The search on some rows, from the first candidate to the fitted winner: its folder, the rows, the part that it leaves out, and
who hears of it."""


def plan_outer(setup: Setup) -> tuple[Outer, ...]:
    """The outer parts that the project asks for, none if it does not; divided by the rule of the folds.

    Raises
    ------
    DataError
        If the rows do not allow two parts, or those outside of a part no folds of their own.
    """
    wanted, folds = setup.problem.training.nested, setup.folds
    if wanted is None:
        return ()
    divided = plan_folds(setup.keys, wanted, derive_seed(setup.seed, "outer"))
    parts = []
    for number, part in enumerate(divided.folds, 1):
        seed, keys = derive_seed(setup.seed, "outer", number), setup.keys.take(part.train)
        try:
            plan = plan_folds(keys, folds, derive_seed(seed, "folds"))
        except DataError as error:
            raise DataError(
                "the rows outside of an outer part cannot be divided into folds of their own",
                where=f"training.nested, part {number} of {len(divided.folds)}",
                got=f"{len(part.train):,} rows",
                cure="Ask for fewer parts or folds, bring more rows, or leave training.nested out",
            ) from error
        digest = digest_json({"search": setup.question.digest, "outer": number, "rows": part.train.tolist()})
        question = dataclasses.replace(
            setup.question, truth=setup.truth[part.train], plan=plan, digest=digest, seed=seed
        )
        inner = dataclasses.replace(setup, keys=keys, plan=plan, question=question)
        parts.append(Outer(number, part.train, part.held, setup.truth[part.held], inner))
    return tuple(parts)


def nested_score(
    parts: tuple[Outer, ...],
    setup: Setup,
    frame: pl.DataFrame,
    folder: Path,
    procedure: Procedure,
    families: Mapping[str, Family],
    progress: Progress,
    made: int | None = None,
) -> NestedScore:
    """Carry out the whole search outside of each part, and score its winner on the part.

    Folds, encoders, target means, selection of columns, tuning, blend, choice and calibration are all made anew from the rows
    outside. A part that was finished before is not done again; within one, neither are units. Ctrl-C, or the end of
    ``constraints.training_minutes``, leaves the parts that are complete and no figure. The end of a budget leaves a figure of the
    parts that are complete: which they are hangs on their order alone.

    Parameters
    ----------
    parts
        As :func:`plan_outer` made them, or the first of them, if a run is repeated that came no further.
    frame
        The training part.
    folder
        Where each part works, in a folder of its own.
    families
        All that may be fitted; a part that others were fitted for does not count as finished.
    made
        Outer parts that there are, if only the first of them are given.
    """
    found: list[OuterPart] = []
    settings, made = _settings(setup, families), len(parts) if made is None else made
    by_budget = len(parts) < made
    try:
        for part in parts:
            place = folder / f"outer-{part.number}"
            record = place / f"{digest_json([part.setup.question.digest, settings])[:20]}.json"
            if not record.exists():
                heard = _told_apart(progress, part.number, made)
                done = _carried_out(part, frame, place, procedure, heard)
                if isinstance(done, Stop):
                    by_budget = done is Stop.BY_BUDGET
                    break
                write_json_atomic(record, done.to_dict())
            for name in _WORKSHOP:
                shutil.rmtree(place / name, ignore_errors=True)
            found.append(OuterPart.from_dict(json.loads(record.read_text(encoding="utf-8"))))
    except KeyboardInterrupt:
        pass
    return concluded(tuple(found), made, setup, by_budget=by_budget)


def _settings(setup: Setup, families: Mapping[str, Family]) -> str:
    """Digest of what else determines the winner of a search."""
    problem = setup.problem
    return digest_json(
        {
            "training": problem.training.model_dump(mode="json", exclude=_WITHOUT_EFFECT),
            "constraints": problem.constraints.model_dump(mode="json"),
            "existing_system": problem.existing_system.model_dump(mode="json"),
            "metric": setup.question.metric,
            "families": sorted(repr(family) for family in families.values()),
        }
    )


def _carried_out(
    part: Outer, frame: pl.DataFrame, folder: Path, procedure: Procedure, progress: Progress
) -> OuterPart | Stop:
    """The search outside of a part and its winner's score, unless it was stopped. A search that fails says why."""
    sizes = len(part.learn), len(part.held)
    try:
        winner = procedure(folder, frame[part.learn], part, progress)
    except (ConfigError, DataError):
        raise
    except ModelyardError as error:
        return OuterPart(*sizes, error=str(error))
    if isinstance(winner, Stop):
        return winner
    with in_fold(part.number):
        found = score(part.setup.question.metric, part.truth, winner.model.predict(frame[part.held]))
    candidate = winner.candidate
    told = OuterPart(*sizes, candidate.name, candidate.family, candidate.mean)
    if not math.isfinite(found):
        return dataclasses.replace(told, error=f"{part.setup.question.metric} is undefined on its rows")
    return dataclasses.replace(told, score=found)


def _told_apart(progress: Progress, number: int, parts: int) -> Progress:
    """Events of a part's search as those of the part."""

    def listen(event: ProgressEvent) -> None:
        progress(ProgressEvent(f"outer {number}/{parts}", event.done, event.total, f"{event.step}: {event.message}"))

    return listen

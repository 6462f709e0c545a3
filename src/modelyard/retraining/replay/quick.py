"""The quick plan: one configuration for every model of a replay, and no search."""

import dataclasses

import numpy as np

from modelyard.core import derive_seed
from modelyard.data import Dataset, SealedTest, Split, SplitRecord
from modelyard.governance import Registry
from modelyard.problem import Problem
from modelyard.retraining.replay.history import History
from modelyard.retraining.windows.recipe import Recipe, configuration
from modelyard.store import Workspace
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.registry import FAMILIES, family_named
from modelyard.training.folds import inner_holdout
from modelyard.training.preparation import Setup, prepare
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus
from modelyard.training.run import load_run

__all__ = ["QuickPlan", "quick_plan"]

_FALLBACK = "lightgbm"


@dataclasses.dataclass(frozen=True)
class QuickPlan:
    """What every model of a replay is, and where that comes from in words."""

    recipe: Recipe
    setup: Setup
    origin: str


def quick_plan(history: History, workspace: Workspace) -> QuickPlan:
    """The configuration of the champion in production, else of the newest run, else a family with its defaults.

    Boosting without a known number of rounds finds it once, on the last rows of the first part.

    Raises
    ------
    ConfigError, DataError, MissingExtraError
        As :func:`modelyard.training.preparation.prepare`.
    """
    setup = _setup(history, workspace)
    setup = dataclasses.replace(setup, problem=history.problem, classes=history.classes)
    found = _known(setup.problem, workspace)
    if found is not None:
        candidate, family, origin = found
    else:
        family = _first_family(setup.problem)
        candidate, origin = _defaults(family, setup.problem), "its defaults, since nothing was trained yet"
    if candidate.rounds is None:
        candidate = dataclasses.replace(candidate, rounds=_rounds(candidate, family, setup, history))
    return QuickPlan(Recipe(setup.learning, candidate, family, setup.seed), setup, origin)


def _setup(history: History, workspace: Workspace) -> Setup:
    """What training prepares before it fits anything, for the first part of the history."""
    train = Dataset("history", history.frame[: history.first], history.schema)
    record = SplitRecord("history", "history", "time", "A replay.", history.first, 0, 0, 0, "")
    split = Split(record, train, dataclasses.replace(train, frame=train.frame[:0]), SealedTest("", 0, workspace))
    return prepare(split, history.problem, workspace.root)


def _known(problem: Problem, workspace: Workspace) -> tuple[Candidate, Family, str] | None:
    """The configuration in production, or of the newest run."""
    registry = Registry(workspace)
    version = registry.production(problem.name)
    run, origin = workspace.pointer("run"), "the newest training run"
    if version is not None:
        run, origin = registry.package(version).manifest.run_id, f"version {version.version}, in production"
    won = configuration(load_run(run, workspace).record, problem) if run is not None else None
    return None if won is None else (*won, f"{won[0].name} of {origin}")


def _first_family(problem: Problem) -> Family:
    """The last family that the project file names, which is no simpler than the others; else LightGBM."""
    named = problem.training.named_families
    family = family_named(named[-1], problem) if named else None
    return family or FAMILIES[_FALLBACK]


def _defaults(family: Family, problem: Problem) -> Candidate:
    params = {**family.defaults(problem.task), **problem.training.params.get(family.name, {})}
    return Candidate(
        family.name,
        family.name,
        CandidateRole.CANDIDATE,
        params,
        CandidateStatus.DONE,
        (),
        None,
        None,
        0.0,
        None,
        family.complexity,
    )


def _rounds(candidate: Candidate, family: Family, setup: Setup, history: History) -> int | None:
    """Rounds of boosting, found on rows held out of the first part; None for a family without rounds."""
    frame, truth = history.frame[: history.first], history.truth[: history.first]
    seed = derive_seed(setup.seed, "replay", "rounds")
    stop = inner_holdout(setup.keys, np.arange(history.first), seed)
    encoder = setup.learning.encoder(family.style)
    matrix = encoder.fit_transform(frame, truth)
    codes = np.unique(truth, return_inverse=True)[1].astype(np.float64) if history.classes else truth
    weight, free = setup.learning.weights(frame), setup.learning.directions(encoder)
    data = FitData(setup.problem.task, matrix, codes, stop, weight, free)
    return family.fit(data, candidate.params, seed=seed).rounds

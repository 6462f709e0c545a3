"""A model of the replay at work: fitted like a winner, scored like a package, with what monitoring holds it against."""

import dataclasses
import datetime as dt
import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed, digest_json
from modelyard.data import Dataset, ReferenceProfile, assign_roles, derive_contract
from modelyard.evaluation.threshold import choose_threshold
from modelyard.monitoring.causes import ProfileWithOutcomes, ScoreReference
from modelyard.packaging import Scorer
from modelyard.packaging.compile import compile_model
from modelyard.packaging.finishing import Origin, logged_scores, open_manifest, reference_of
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.problem import MetricInput, Problem, Task, metric_spec
from modelyard.retraining.duel import UNDECLARED_THRESHOLD
from modelyard.retraining.replay.history import History
from modelyard.retraining.windows.ages import ages, kept, weights
from modelyard.retraining.windows.recipe import Recipe
from modelyard.retraining.windows.records import WindowPolicy
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel

__all__ = ["Array", "Learnt", "Rows", "Served", "fit_on", "needs_threshold", "serve", "watched"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Learnt:
    """Positions of a model's rows in the history.

    Parameters
    ----------
    train, validation
        It was developed on the first and judged on the second; what serves has learnt from both.
    known
        So many rows of the history were known when it was made; those that are neither are its sealed part, and nobody
        learns from them.
    """

    train: Rows
    validation: Rows
    known: int

    @functools.cached_property
    def key(self) -> str:
        """Names the rows."""
        return digest_json([self.train.tolist(), self.validation.tolist()])

    @property
    def both(self) -> Rows:
        """Training and validation rows."""
        return np.concatenate([self.train, self.validation])


@dataclasses.dataclass(frozen=True)
class Served:
    """A champion of the replay.

    Parameters
    ----------
    number
        1 for the first.
    learnt
        Its rows.
    scorer
        What answers: the plan and the native predictor that a package would hold, its golden rows reproduced.
    threshold
        From which probability on a row is positive (binary).
    reference
        The primary metric of the model as developed, on its validation rows.
    held_out
        What that model says about them.
    window
        On which of its training rows it was fitted.
    """

    number: int
    learnt: Learnt
    scorer: Scorer
    threshold: float
    reference: float
    held_out: Array
    window: WindowPolicy

    @property
    def key(self) -> str:
        """Models of equal keys are equal: one configuration, the same rows, the same window."""
        return digest_json([self.learnt.key, self.window.to_dict()])


def fit_on(history: History, recipe: Recipe, rows: Rows, window: WindowPolicy) -> tuple[FittedModel, int]:
    """The configuration on the rows that the window leaves, weighted as it says; and how many they were."""
    age = ages(history.moments[rows], window)
    mask = kept(age, window)
    weight = weights(age, window)
    used = rows[mask]
    model = recipe.fit(history.frame[used], history.truth[used], None if weight is None else weight[mask])
    return model, len(used)


def serve(
    history: History, recipe: Recipe, learnt: Learnt, window: WindowPolicy, developed: FittedModel, number: int
) -> tuple[Served, int]:
    """The developed model refitted on training and validation rows and made ready to score; and the rows of that fit.

    Raises
    ------
    IntegrityError
        If the scorer does not answer as the model does.
    """
    final, rows = fit_on(history, recipe, learnt.both, window)
    truth, held_out = history.truth[learnt.validation], developed.predict(history.frame[learnt.validation])
    threshold = UNDECLARED_THRESHOLD
    if needs_threshold(history.problem):
        seed = derive_seed(recipe.seed, "replay", "threshold")
        threshold = choose_threshold(history.problem, truth, held_out, seed=seed).value
    scorer = _scorer(history, learnt, final, threshold, number)
    reference = float(score(history.problem.primary_metric, truth, held_out, threshold=threshold))
    return Served(number, learnt, scorer, threshold, reference, held_out, window), rows


def needs_threshold(problem: Problem) -> bool:
    """Whether decisions are counted: in money, or by the primary metric."""
    counts = problem.costs.has_matrix or metric_spec(problem.primary_metric).input is MetricInput.LABEL
    return problem.task is Task.BINARY and counts


def _scorer(history: History, learnt: Learnt, model: FittedModel, threshold: float, number: int) -> Scorer:
    """The scorer that the model's package would hold."""
    problem, schema = history.problem, history.schema
    plan, predictor = compile_model(model, threshold)
    roles = assign_roles(problem, schema)
    contract = derive_contract(Dataset("history", history.frame[learnt.both], schema), roles, problem.data)
    columns = tuple(schema.column(name) for name in roles.features)
    rows, seed = history.frame[learnt.validation], problem.training.seed
    golden = make_golden_set(model, rows, columns, contract, tolerance=predictor.tolerance, seed=seed)
    opened = open_manifest(problem, str(number), Origin("history", "history", ""), dt.datetime.now(dt.UTC))
    manifest = dataclasses.replace(opened, digest=f"replay-{number}")
    empty = ReferenceProfile(0, ())
    return Scorer(
        manifest, plan, predictor, contract=contract, profile=empty, golden=golden, own=model.encoder.own
    ).require_golden()


def watched(history: History, recipe: Recipe, served: Served) -> tuple[ProfileWithOutcomes, int]:
    """What monitoring holds a model against, as its package would: its features, its scores of rows held out in turn, and the
    outcomes by score; and how many rows the fits for that learnt from.
    """
    problem, rows = history.problem, served.learnt.train
    frame, moments = history.frame[rows], history.moments[rows]
    held_out, fitted = _out_of_fold(history, recipe, served)
    seen = np.isfinite(logged_scores(held_out))
    profile = reference_of(
        frame,
        recipe.learning.columns,
        held_out[seen],
        history.classes,
        moments=moments,
        predicted_at=moments.filter(pl.Series(seen)),
        minimum_tolerance=problem.monitoring.tolerance,
    )
    outcomes = None
    if problem.task is Task.BINARY:
        outcomes = ScoreReference.of_rows(history.truth[served.learnt.validation], served.held_out)
    return ProfileWithOutcomes(profile.rows, profile.features, outcomes), fitted


def _out_of_fold(history: History, recipe: Recipe, served: Served) -> tuple[Array, int]:
    """Predictions of training rows held out in turn, as a search makes them; NaN for the first block in time."""
    problem, rows = history.problem, served.learnt.train
    frame, truth = history.frame[rows], history.truth[rows]
    keys = RowKeys.of(frame, problem, "time", truth)
    plan = plan_folds(keys, problem.training.usual_folds, derive_seed(recipe.seed, "folds"))
    parts, fitted = [], 0
    for fold in plan.folds:
        model, used = fit_on(history, recipe, rows[fold.train], served.window)
        parts.append(model.predict(frame[fold.held]))
        fitted += used
    return plan.gathered(parts, len(truth)), fitted

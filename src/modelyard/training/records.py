"""What a training run leaves behind: candidates, and the run that chose among them."""

import dataclasses
import datetime as dt
import enum
import statistics
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record, StateError
from modelyard.data.schema import Column
from modelyard.features import SelectionReport
from modelyard.problem import Task
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.blending.calibration import Calibration
from modelyard.training.choosing.bias import CorrectedScore
from modelyard.training.curves.records import LearningCurve, ValidationCurve, WeightComparison
from modelyard.training.nesting.records import NestedScore
from modelyard.training.planning.plan import WorkPlan
from modelyard.training.stability.records import FoldSpread, Repeats, SeedSpread
from modelyard.training.update.records import Update

__all__ = ["BLEND", "EXISTING", "NAIVE", "Candidate", "CandidateRole", "CandidateStatus", "TrainingRun"]

NAIVE = "naive"
"""Name and family of the naive baseline, which is always there."""

EXISTING = "existing"
"""Name and family of today's system, if the project file declares one."""

BLEND = "blend"
"""Name and family of the weighted mean of several candidates."""


class CandidateRole(enum.StrEnum):
    """A baseline is what others are measured against; a candidate may win."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"


class CandidateStatus(enum.StrEnum):
    """``done``: scored on all folds; ``failed``: with an error; ``interrupted``: stopped before its last fold;
    ``left_out``: never begun, since its family does not promise what the project needs, or no time was left;
    ``given_up``: far behind the best on its first fold; ``partial``: scored on all folds after learning from a part of the
    rows alone, as on a lower rung of successive halving.
    """

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LEFT_OUT = "left_out"
    GIVEN_UP = "given_up"
    PARTIAL = "partial"


@dataclasses.dataclass(frozen=True)
class Candidate(Record):
    """One configuration of one family, and how it did on the folds.

    Parameters
    ----------
    name
        Unique within the run: ``linear``, ``lightgbm``, ``lightgbm-tuned-3``.
    family
        ``naive``, ``existing``, ``blend``, or a family as ``training.families`` or ``training.custom`` names it.
    role, status
        See :class:`CandidateRole` and :class:`CandidateStatus`.
    params
        The configuration.
    fold_scores
        The primary metric on the held-out rows of each fold that was scored, in the order of folds.
    mean, sd
        Over folds, ``sd`` with n-1 in the denominator; None unless ``done``.
    fit_seconds
        Over all folds together.
    predict_ms
        One row through encoder and estimator, median, in milliseconds; None if it was not measured.
    complexity
        Rank: naive and existing 0; else its family's, from 1 (linear) to 3 (boosting); 4 for a blend.
    error
        Why it failed, was not finished, or was left out; else ``""``.
    rounds
        Boosting and networks: the number of rounds or epochs for a refit, the mean of the folds' best.
    rows_per_s
        Rows that one process encodes and predicts in a second, in batches.
    size_mb
        The fitted estimator, pickled, in MB.
    notes
        Warnings that the library gave while fitting, each once.
    members
        A blend: the candidates that it is made of, and their weights, which sum to 1.
    calibration
        What sets its probabilities right; None if nothing does.
    rows
        About how many rows a fold learnt from, if that was only a part of them (status ``partial``): such scores are
        compared with each other alone, so there is no mean.
    resampling
        How classes were made even for learning; its probabilities are set back to the true share.
    seeds
        How many times it, or a member of a blend, is fitted with another seed and averaged; empty for once each.
    """

    name: str
    family: str
    role: CandidateRole
    params: Mapping[str, Any]
    status: CandidateStatus
    fold_scores: tuple[float, ...]
    mean: float | None
    sd: float | None
    fit_seconds: float
    predict_ms: float | None
    complexity: int
    error: str = ""
    rounds: int | None = None
    rows_per_s: float | None = None
    size_mb: float | None = None
    notes: tuple[str, ...] = ()
    members: Mapping[str, float] = dataclasses.field(default_factory=dict)
    calibration: Calibration | None = None
    rows: int | None = None
    resampling: Resampling = Resampling.NONE
    seeds: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def fold_mean(self) -> float | None:
        """The mean of its fold scores, on however many rows it learnt; None if some fold has none."""
        is_scored = self.status in (CandidateStatus.DONE, CandidateStatus.PARTIAL)
        return statistics.fmean(self.fold_scores) if is_scored and self.fold_scores else None

    @property
    def is_complete(self) -> bool:
        """True if it was scored on all folds; only such a candidate competes."""
        return self.status is CandidateStatus.DONE


@dataclasses.dataclass(frozen=True)
class TrainingRun(Record):
    """One search, from the baselines to the winner.

    Parameters
    ----------
    id
        UUIDv7; names the folder.
    dataset_id, split_id
        What was learnt from.
    task, target
        What was learnt.
    metric
        The primary metric, by which the winner was chosen.
    candidates
        In the order in which they were tried, baselines first.
    winner
        Name of the candidate that won.
    why
        The reason, in plain words with its numbers.
    classes
        Binary: (negative, positive); multiclass: by name; regression: empty. Predictions follow this order.
    columns
        The feature columns with their kinds.
    seed
        Root of all seeds.
    folds
        How many folds were made; fewer than asked for if the rows did not allow more.
    environment
        Versions of Python and of the libraries that compute.
    created_at
        When the run ended.
    interrupted
        True if the search was stopped, by hand or by its time budget, before all candidates were done.
    artefacts
        File in the run's folder to its SHA-256.
    fold_strategy
        ``random``, ``stratified``, ``group`` or ``time``.
    plan
        Digest of all that determines the fold scores; runs of equal plans have equal leaderboards.
    selection
        Which columns the winner does without; None if selection had nothing to do.
    learning_curve
        The winner by the number of rows; None if none was drawn.
    validation_curve
        What the tuned parameter that matters most did; None for fewer than six trials.
    weights
        The winner with class weights and without; None if they were not compared.
    corrected
        The winner's score without the luck of having been picked; None if it was alone, or the naive baseline won.
    work
        The plan, as it was fixed before training.
    batches
        Names of the candidates that were begun together, in their order; baselines and blends are not among them.
    truncated
        What the clock kept from being done, in words; ``""`` if nothing.
    seconds
        From the beginning to the fitted winner.
    update
        What the run continued; None if it was trained anew.
    nested
        What the whole search is worth on rows that it has not seen; None if that was not asked for.
    repeats
        The choice on further divisions into folds; None if that was not asked for, or not needed.
    seeds
        The winner with other seeds of fitting; None if that was not asked for.
    by_fold
        Whether the winner's score differs from fold to fold; None if that cannot be said.
    fitted_share
        Share of the rows that the winner was fitted on, 0 to 1; below 1 if a budget did not allow for all.
    fits
        How often those of its members that hang on their seed were fitted on them; the model is the mean.
    """

    id: str
    dataset_id: str
    split_id: str
    task: Task
    target: str
    metric: str
    candidates: tuple[Candidate, ...]
    winner: str
    why: str
    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    seed: int
    folds: int
    environment: Mapping[str, str]
    created_at: dt.datetime
    interrupted: bool
    artefacts: Mapping[str, str]
    fold_strategy: str = ""
    plan: str = ""
    selection: SelectionReport | None = None
    learning_curve: LearningCurve | None = None
    validation_curve: ValidationCurve | None = None
    weights: WeightComparison | None = None
    corrected: CorrectedScore | None = None
    work: WorkPlan | None = None
    batches: tuple[tuple[str, ...], ...] = ()
    truncated: str = ""
    seconds: float | None = None
    update: Update | None = None
    nested: NestedScore | None = None
    repeats: Repeats | None = None
    seeds: SeedSpread | None = None
    by_fold: FoldSpread | None = None
    fitted_share: float = 1.0
    fits: int = 1

    def candidate(self, name: str) -> Candidate:
        """The candidate called ``name``.

        Raises
        ------
        StateError
            If there is none.
        """
        for candidate in self.candidates:
            if candidate.name == name:
                return candidate
        raise StateError(
            "the run has no such candidate",
            where=f"run {self.id}",
            got=repr(name),
            cure=f"Choose one of {', '.join(candidate.name for candidate in self.candidates)}",
        )

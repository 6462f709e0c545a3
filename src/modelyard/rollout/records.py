"""The words of a rollout: its plan, its state, and what is measured on the way."""

import dataclasses
import enum
from collections.abc import Mapping

from modelyard.core import Record

__all__ = [
    "GOLDEN",
    "AnalysisRule",
    "Figure",
    "GuardRule",
    "Phase",
    "Plan",
    "Reading",
    "State",
    "Step",
    "StepKind",
    "Strategy",
    "Verdict",
]

GOLDEN = "golden_rows"
"""The replay of rows with known answers, which needs no requests."""


class Strategy(enum.StrEnum):
    """The way to all requests."""

    SHADOW = "shadow"
    CANARY = "canary"
    AB = "ab"


class Phase(enum.StrEnum):
    """Where a rollout stands."""

    SHADOW = "shadow"
    CANARY = "canary"
    PAUSED = "paused"
    PROMOTING = "promoting"
    STABLE = "stable"
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        """True if nothing can follow."""
        return self in (Phase.STABLE, Phase.ABORTED)


class Verdict(enum.StrEnum):
    """What a look says: go on, go back, or that nothing can be said."""

    SUCCESS = "success"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class StepKind(enum.StrEnum):
    """What a step does."""

    SHADOW = "shadow"
    WEIGHT = "weight"
    PAUSE = "pause"
    ANALYSIS = "analysis"
    COMPARE = "compare"


@dataclasses.dataclass(frozen=True)
class Step(Record):
    """One step of a plan.

    Parameters
    ----------
    kind
        What it does.
    weight
        Percent of the requests: for the new version, or that a shadow is asked too.
    duration_s
        How long; None in a pause that a person ends.
    samples
        Answers that a shadow needs.
    analysis
        Name of the analysis whose looks decide.
    """

    kind: StepKind
    weight: int = 0
    duration_s: float | None = None
    samples: int = 0
    analysis: str = "guard"


@dataclasses.dataclass(frozen=True)
class GuardRule(Record):
    """A figure and its bounds.

    Parameters
    ----------
    name
        Of the figure.
    low, high
        Bounds; None for none.
    max_change
        How much worse than the baseline it may be, relatively; None if it is not compared.
    min_samples
        Below which nothing is said.
    failure_limit
        Failed looks that are tolerated in a step.
    dry_run
        True if it decides nothing.
    alpha
        Of the sequential test, for figures that need labels; None for the others.
    """

    name: str
    low: float | None = None
    high: float | None = None
    max_change: float | None = None
    min_samples: int = 1
    failure_limit: int = 0
    dry_run: bool = False
    alpha: float | None = None


@dataclasses.dataclass(frozen=True)
class AnalysisRule(Record):
    """How often is looked, how many looks must succeed, how many may say nothing, and at what."""

    name: str
    interval_s: float
    count: int
    inconclusive_limit: int
    guards: tuple[GuardRule, ...]


@dataclasses.dataclass(frozen=True)
class Plan(Record):
    """Everything that a rollout follows, fixed when it starts.

    Parameters
    ----------
    strategy
        What was asked for.
    steps
        In order.
    analyses
        The one called ``guard`` is always at work.
    key
        Field of a row that decides its variant; None for a draw by request.
    has_baseline
        Whether a slice of the champion of equal size is counted apart.
    """

    strategy: Strategy
    steps: tuple[Step, ...]
    analyses: tuple[AnalysisRule, ...]
    key: str | None = None
    has_baseline: bool = True

    def analysis(self, step: int) -> AnalysisRule:
        """The analysis at work in a step."""
        name = self.steps[step].analysis if step < len(self.steps) else "guard"
        return next(rule for rule in self.analyses if rule.name == name)


@dataclasses.dataclass(frozen=True)
class State(Record):
    """Where a rollout stands.

    Parameters
    ----------
    phase
        See :class:`Phase`.
    step
        Index into the plan's steps; their number once all are done.
    weight
        Percent of the requests that the new version answers.
    why
        What brought it here, in a few words.
    waits
        True if a person must say what comes next.
    elapsed_s, since_look_s
        Time in this step, and since the last look.
    passed, inconclusive
        Looks of this step in which everything held, and that said nothing.
    samples
        Answers that the conclusive looks of this step rested on.
    failures
        Failed looks of this step, by figure.
    """

    phase: Phase
    step: int = 0
    weight: int = 0
    why: str = ""
    waits: bool = False
    elapsed_s: float = 0.0
    since_look_s: float = 0.0
    passed: int = 0
    inconclusive: int = 0
    samples: int = 0
    failures: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def is_same_place(self, other: "State") -> bool:
        """True if nothing but time and counts differs: no row of the ledger lies between the two."""
        return (self.phase, self.step, self.weight, self.waits) == (other.phase, other.step, other.weight, other.waits)


@dataclasses.dataclass(frozen=True)
class Figure(Record):
    """A figure of the new version, and of the baseline beside it.

    Parameters
    ----------
    value, samples
        Of the new version; None if there is no value.
    other, other_samples
        Of the baseline.
    variance, other_variance
        Of single rows, for means that the sequential test compares; oriented so that more is better.
    """

    value: float | None
    samples: int
    other: float | None = None
    other_samples: int = 0
    variance: float = 0.0
    other_variance: float = 0.0


@dataclasses.dataclass(frozen=True)
class Reading(Record):
    """What a guard said of a figure.

    Parameters
    ----------
    name, value, other, samples
        The figure.
    verdict
        Of this look.
    why
        What was wrong, or lacking; empty for a success.
    is_better
        True if the sequential test says that the new version is better.
    """

    name: str
    value: float | None
    other: float | None
    samples: int
    verdict: Verdict
    why: str = ""
    is_better: bool = False

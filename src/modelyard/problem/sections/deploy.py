"""How a version reaches all requests: in shadow, in steps, or against the champion; and what stops it on the way.

The words are those of Argo Rollouts and Flagger, spelt as this file spells its keys (``setWeight`` is ``set_weight``).
"""

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from modelyard.problem.duration import Duration
from modelyard.problem.sections.strict import Strict
from modelyard.problem.suggestion import did_you_mean

__all__ = [
    "ALWAYS_ON",
    "GUARD_METRICS",
    "LABEL_METRICS",
    "AbPlan",
    "Analysis",
    "CanaryPlan",
    "CanaryStep",
    "DeployPlan",
    "Guard",
    "Pause",
    "ShadowPlan",
    "Strategy",
    "ThresholdRange",
]

Percent = Annotated[int, Field(ge=1, le=100)]
LabelMetric = Literal["money", "accuracy", "brier", "absolute_error"]

ALWAYS_ON = ("error_rate", "latency_p99_ms", "invalid_rate")
"""Guards that no project file can switch off; their bounds can be changed."""

LABEL_METRICS = ("money", "accuracy", "brier", "absolute_error")
"""What is known once labels have come back: means over rows, so that two variants can be compared at any time."""

GUARD_METRICS = (*ALWAYS_ON, "prediction_psi", "golden_rows", "agreement_rate", "score_difference", *LABEL_METRICS)
"""Everything that a guard may watch."""


class Sticky(Strict):
    """Who gets the same version again."""

    key: str | None = Field(
        default=None,
        description="Field of a row by whose value the version is chosen, such as customer_id; without one, or where it is "
        "empty, each request is drawn anew.",
    )


class ThresholdRange(Strict):
    """Bounds that a figure must keep (Flagger's thresholdRange)."""

    min: float | None = Field(default=None, description="The lowest value allowed.")
    max: float | None = Field(default=None, description="The highest value allowed.")

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Guard(Strict):
    """One figure of the new version that must stay within bounds."""

    name: str = Field(description=f"What is watched: {', '.join(GUARD_METRICS)}.")
    threshold_range: ThresholdRange | None = Field(default=None, description="Lowest and highest value: {max: 0.01}.")
    vs: Literal["baseline"] | None = Field(
        default=None, description="baseline: compare with the champion's slice of equal size."
    )
    max_relative_change: float | None = Field(
        default=None, gt=0, description="How much worse than the baseline it may be: 0.25 is a quarter."
    )
    alpha: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="Chance of a false alarm of a figure that needs labels, however often looked.",
    )
    failure_limit: int = Field(default=0, ge=0, description="Failed looks that are tolerated in one step.")
    dry_run: bool = Field(default=False, description="Measured and told, but decides nothing.")

    @property
    def needs_labels(self) -> bool:
        """True if nothing can be said before labels came back."""
        return self.name in LABEL_METRICS

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.name not in GUARD_METRICS:
            raise ValueError(f"there is no figure {self.name!r}. {did_you_mean(self.name, GUARD_METRICS)}")
        if self.max_relative_change is not None and self.vs is None:
            raise ValueError(f"{self.name}: max_relative_change needs 'vs: baseline'")
        if self.threshold_range is None and self.max_relative_change is None and not self.needs_labels:
            raise ValueError(f"{self.name}: give threshold_range, or vs: baseline with max_relative_change")
        if self.dry_run and self.name in ALWAYS_ON:
            raise ValueError(f"{self.name} is always on; change its threshold_range instead")
        return self


_DEFAULT_GUARDS = (
    Guard(name="error_rate", threshold_range=ThresholdRange(max=0.01)),
    Guard(
        name="latency_p99_ms",
        threshold_range=ThresholdRange(max=200),
        vs="baseline",
        max_relative_change=2.0,
        failure_limit=2,
    ),
    Guard(name="invalid_rate", threshold_range=ThresholdRange(max=0)),
    Guard(name="golden_rows", threshold_range=ThresholdRange(max=1)),
    Guard(name="prediction_psi", threshold_range=ThresholdRange(max=0.25), failure_limit=1),
)


class Analysis(Strict):
    """How often the new version is looked at, and what must hold (Argo's AnalysisTemplate)."""

    interval: Duration = Field(default="1m", description="Time between two looks.")
    count: int = Field(default=3, ge=1, le=10_000, description="Looks in which everything held that end the step.")
    min_samples: int = Field(
        default=100, ge=1, description="Requests below which a look says nothing; it is never a success."
    )
    inconclusive_limit: int = Field(
        default=60, ge=0, description="Looks that said nothing, in one step, after which the rollout is aborted."
    )
    metrics: tuple[Guard, ...] = Field(
        default=(),
        description="Guards; those that are named replace the default ones (error_rate, latency_p99_ms, invalid_rate, "
        "golden_rows, prediction_psi), which are on in any case.",
    )

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The guards that hold: the named ones, and the default ones that are not named."""
        named = {guard.name for guard in self.metrics}
        return (*self.metrics, *(guard for guard in _DEFAULT_GUARDS if guard.name not in named))

    @field_validator("metrics")
    @classmethod
    def _named_once(cls, metrics: tuple[Guard, ...]) -> tuple[Guard, ...]:
        names = [guard.name for guard in metrics]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} stands there twice")
        return metrics


class Pause(Strict):
    """Time in which the weight stays."""

    duration: Duration | None = Field(default=None, description="How long; without it until somebody resumes.")


class CanaryStep(Strict):
    """One step: a weight, a pause or an analysis."""

    set_weight: Percent | None = Field(default=None, description="Percent of the requests (Argo's setWeight).")
    pause: Pause | None = Field(default=None, description="Wait: {duration: 10m}, or {} until somebody resumes.")
    analysis: str | None = Field(default=None, description="Name of an analysis that must succeed.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum(value is not None for value in (self.set_weight, self.pause, self.analysis)) != 1:
            raise ValueError("a step is one of set_weight: 10, pause: {duration: 10m} or analysis: guard")
        return self


class ShadowPlan(Strict):
    """The version is asked too, and nobody hears its answers."""

    percent: Percent = Field(default=100, description="Percent of the requests that it is asked as well.")
    duration: Duration = Field(default="1h", description="How long.")
    min_samples: int = Field(default=100, ge=1, description="Answers to be compared before it may go on.")


class CanaryPlan(Strict):
    """The version answers some requests, in steps."""

    baseline: bool = Field(
        default=True, description="Whether a slice of the champion of equal size is counted apart, to compare with."
    )
    steps: tuple[CanaryStep, ...] = Field(
        default=(),
        description="Steps in order: {set_weight: 10}, {pause: {duration: 10m}}, {pause: {}}, {analysis: guard}. By default "
        "the shares of policy.canary_steps, each below 100 followed by a pause of ten minutes and the analysis.",
    )


class AbPlan(Strict):
    """Two versions side by side until labels say which one is better."""

    weight: Annotated[int, Field(ge=1, le=99)] = Field(
        default=50, description="Percent of the requests for the new one."
    )
    metric: Literal["auto"] | LabelMetric = Field(
        default="auto",
        description="What decides: money (needs costs), accuracy, brier or absolute_error; auto takes money where there are "
        "costs, else accuracy, or absolute_error for values.",
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Chance of a false winner, however often looked.")
    min_samples: int = Field(default=100, ge=2, description="Labels of each version before anything is said.")
    duration: Duration = Field(default="14d", description="Time after which a person decides.")


class Strategy(Strict):
    """The ways to all requests."""

    shadow: ShadowPlan | None = Field(
        default=None, description="A shadow before the canary: {percent: 100, duration: 1h, min_samples: 100}."
    )
    canary: CanaryPlan = Field(default=CanaryPlan(), description="In steps.")
    ab: AbPlan = Field(default=AbPlan(), description="Side by side.")


class DeployPlan(Strict):
    """How a version reaches all requests, and what stops it."""

    automatic: bool = Field(
        default=False,
        description="Whether `modelyard tick` begins the rollout of a version as soon as it is approved; else it tells that "
        "one waits.",
    )
    sticky: Sticky = Field(default=Sticky(), description="By what a caller keeps its version.")
    strategy: Strategy = Field(default=Strategy(), description="Canary, shadow, A/B.")
    analysis: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Analysis] = Field(
        default_factory=lambda: {"guard": Analysis()},
        description="Analyses by name; 'guard' is always at work. Each has interval (1m), count (3), min_samples (100), "
        "inconclusive_limit (60) and metrics: [{name: error_rate, threshold_range: {max: 0.01}, failure_limit: 0}, …].",
    )

    @field_validator("analysis")
    @classmethod
    def _guard_is_there(cls, analysis: dict[str, Analysis]) -> dict[str, Analysis]:
        return analysis if "guard" in analysis else {"guard": Analysis(), **analysis}

    @model_validator(mode="after")
    def _steps_name_what_is_there(self) -> Self:
        for number, step in enumerate(self.strategy.canary.steps):
            if step.analysis is not None and step.analysis not in self.analysis:
                cure = did_you_mean(step.analysis, self.analysis)
                raise ValueError(f"strategy.canary.steps.{number}: there is no analysis {step.analysis!r}. {cure}")
        weights = [step.set_weight for step in self.strategy.canary.steps if step.set_weight is not None]
        if self.strategy.canary.steps and self.strategy.canary.steps[0].set_weight is None:
            raise ValueError("strategy.canary.steps: the first step is a weight, such as {set_weight: 10}")
        if any(after <= before for before, after in itertools.pairwise(weights)):
            raise ValueError(f"strategy.canary.steps: the weights must rise, got {weights}")
        if 100 in weights and self.strategy.canary.steps[-1].set_weight != 100:
            raise ValueError(
                "strategy.canary.steps: with all requests there is nothing to compare with; 100 comes last"
            )
        return self

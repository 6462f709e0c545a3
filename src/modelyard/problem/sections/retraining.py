"""When a model is trained anew, and what a challenger must show."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.problem.duration import Duration, seconds_of
from modelyard.problem.sections.strict import Strict

__all__ = ["Retraining", "SlidingWindow", "Triggers", "WeightedWindow"]


class Triggers(Strict):
    """What asks for a retraining by itself; without any, only a person does."""

    schedule: Duration | None = Field(default=None, description="Time since the last training: 30d.")
    performance: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="Loss of the primary metric against the package in the last monitoring, as a share (0.05), beyond chance.",
    )
    drift: bool = Field(
        default=False,
        description="Drift with a cause that retraining cures: concept drift, or a covariate shift that pays.",
    )
    new_labels: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Labelled rows that no retraining has decided on yet: 1000."
    )

    @property
    def schedule_s(self) -> float | None:
        """The schedule in seconds; None for none."""
        return None if self.schedule is None else seconds_of(self.schedule)

    @property
    def any(self) -> bool:
        """True if there is one."""
        return self.drift or any(item is not None for item in (self.schedule, self.performance, self.new_labels))


WindowLength = Duration | Annotated[int, Field(ge=50)]
"""A span of time such as 90d, or a number of rows."""


class SlidingWindow(Strict):
    """Only what is recent trains."""

    sliding: WindowLength = Field(description="How much trains: the latest 90d, 12h, or so many rows.")


class WeightedWindow(Strict):
    """Everything trains, the older the less it counts."""

    weighted: WindowLength = Field(description="After how long a row counts half: 30d, 12h, or so many later rows.")


class Retraining(Strict):
    """When a challenger may replace the champion."""

    min_new_rows: int = Field(default=200, ge=1, description="New labelled rows needed before retraining.")
    confidence: float = Field(
        default=0.95, gt=0.5, lt=1, description="Confidence of the paired test against the champion."
    )
    min_gain: float = Field(
        default=0.0, ge=0, description="Improvement of the primary metric that a challenger must show."
    )
    max_segment_loss: float = Field(
        default=0.05, ge=0, description="Loss of the primary metric that any declared segment may suffer."
    )
    triggers: Triggers = Field(
        default=Triggers(),
        description="What asks for a retraining by itself, see `modelyard retrain --if-due`: {schedule: 30d, performance: 0.05, "
        "drift: true, new_labels: 1000}; any of them is enough. None by default: a person asks.",
    )
    cooldown: Duration = Field(
        default="7d",
        description="Time after a decision in which no trigger starts another retraining.",
    )
    window: Literal["auto", "expanding"] | SlidingWindow | WeightedWindow = Field(
        default="auto",
        description="Which known rows a challenger learns from: expanding (all), {sliding: 90d} (the latest), or "
        "{weighted: 30d} (all; after 30 days a row counts half). A number instead of a time means so many rows. auto: what a "
        "backtest in time finds best; all without a time column.",
    )

    @property
    def cooldown_s(self) -> float:
        """The cool-down in seconds."""
        return seconds_of(self.cooldown)

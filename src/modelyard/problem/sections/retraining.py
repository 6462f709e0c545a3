"""When a model is trained anew, and what a challenger must show."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.problem.sections.strict import Strict

__all__ = ["Retraining", "SlidingWindow", "WeightedWindow"]

WindowLength = Annotated[str, Field(pattern=r"^([1-9]\d*(d|h|m|s))+$")] | Annotated[int, Field(ge=50)]
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
    window: Literal["auto", "expanding"] | SlidingWindow | WeightedWindow = Field(
        default="auto",
        description="Which known rows a challenger learns from: expanding (all), {sliding: 90d} (the latest), or "
        "{weighted: 30d} (all; after 30 days a row counts half). A number instead of a time means so many rows. auto: what a "
        "backtest in time finds best; all without a time column.",
    )

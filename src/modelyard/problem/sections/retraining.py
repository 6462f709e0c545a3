"""When a model is trained anew, and what a challenger must show."""

from pydantic import Field

from modelyard.problem.sections.strict import Strict

__all__ = ["Retraining"]


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

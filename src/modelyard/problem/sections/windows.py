"""How live rows are cut into windows, and what they are held against."""

import zoneinfo
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from modelyard.problem.sections.strict import Strict

__all__ = ["WindowPlan"]


class WindowPlan(Strict):
    """Windows by time, by number of rows or by batch, and their reference."""

    window: Literal["batch", "hour", "day", "week", "month"] | Annotated[int, Field(ge=50)] = Field(
        default="day", description="Length of one window; a number means so many rows."
    )
    batch: str | None = Field(
        default=None,
        description="Column of the log or the table whose value names a row's batch, for `window: batch`; without it the "
        "rows of one moment are a batch.",
    )
    zone: str = Field(
        default="UTC", description="Time zone whose hours, days and weeks are meant, such as Europe/Berlin."
    )
    min_rows: int = Field(
        default=200, ge=50, description="Windows below this are merged with the next, never judged alone."
    )
    reference: Literal["profile", "trailing", "last_year"] = Field(
        default="profile",
        description="What a window is held against: the package's training rows, the windows before it, or the same days "
        "52 weeks ago.",
    )
    trailing: int = Field(default=28, ge=2, le=400, description="Windows before, for `reference: trailing`.")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("zone", "no time zone has this name; write one such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _names_batches_for_batches(self) -> Self:
        if self.batch is not None and self.window != "batch":
            raise PydanticCustomError("batch", "batch names a column for `window: batch`; set that, or take batch out")
        return self

"""What `modelyard tick` does by itself, and when."""

import re
import zoneinfo
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from modelyard.problem.duration import DURATION, Duration
from modelyard.problem.sections.strict import Address, Strict

__all__ = ["WEEKDAYS", "ReviewTimes", "SchedulePlan", "ScheduledScore"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as a time names them."""

_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_DAY = r"([1-9]|1\d|2[0-8])"
_WHEN = re.compile(rf"off|{DURATION}|daily {_CLOCK}|weekly ({'|'.join(WEEKDAYS)}) {_CLOCK}|monthly {_DAY} {_CLOCK}")


def _is_a_time(said: str) -> str:
    if _WHEN.fullmatch(said) is None:
        raise PydanticCustomError(
            "when",
            "write a length (1d, 6h), 'daily 06:00', 'weekly mon 06:00', 'monthly 1 06:00' (a day up to the 28th), or off",
        )
    return said


def _as_written(said: object) -> object:
    """YAML reads a bare ``off`` as false."""
    return "off" if said is False else said


When = Annotated[str, BeforeValidator(_as_written), AfterValidator(_is_a_time)]


class ReviewTimes(Strict):
    """When a model is looked back on."""

    weekly: When = Field(default="weekly mon 06:00", description="When the last seven days are reviewed.")
    monthly: When = Field(default="off", description="When the last thirty days are reviewed.")


class ScheduledScore(Strict):
    """A table that is scored again and again."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = Field(description="What the work is called.")
    source: Address = Field(description="Table to score, as for `modelyard score`; paths are relative to the project.")
    destination: Address = Field(
        description="Where the scores go: a file or a table of a database; {date} stands for the day that is scored."
    )
    query: str | None = Field(default=None, description="What is asked of a database: one SELECT.")
    uncertainty: bool = Field(default=False, description="Whether each prediction says how sure it is.")
    when: When = Field(default="daily 02:00", description="When it is scored.")


class SchedulePlan(Strict):
    """What the scheduler does. A time is a length (`1d`), `daily 06:00`, `weekly mon 06:00`, `monthly 1 06:00` or `off`."""

    zone: str | None = Field(
        default=None, description="Time zone of all times, such as Europe/Berlin; that of `monitoring` by default."
    )
    monitor: When = Field(default="1d", description="When the prediction log is judged, and alerts open and end.")
    alerts: When = Field(
        default="5m", description="When messages that wait are sent, and alerts that nobody took go one step up."
    )
    retrain: When = Field(
        default="1d", description="When the triggers under `retraining` are asked; without triggers nothing happens."
    )
    rollout: When = Field(default="5m", description="When approved versions are looked for; see `deploy.automatic`.")
    review: ReviewTimes = Field(default=ReviewTimes(), description="When the model is looked back on.")
    checkpoint: When = Field(
        default="1h", description="When the ledger's last row is signed, if `store.checkpoints.to` names a place."
    )
    tidy: When = Field(
        default="1d", description="When the prediction log is compacted, and what is older than it is kept removed."
    )
    score: tuple[ScheduledScore, ...] = Field(
        default=(),
        description="Tables that are scored again and again: [{name: nightly, source: new.parquet, "
        "destination: 'scores-{date}.parquet', when: daily 02:00}]; also query and uncertainty.",
    )
    retry: Duration = Field(
        default="1m", description="Time until a job that failed is tried again; doubled each time, up to an hour."
    )
    alert_after: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="Failures in a row after which a job is an alert."
    )
    remind_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=14, description="Days before an approval or a validation expires that it is told; 0 for never."
    )

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        try:
            return name if name is None else zoneinfo.ZoneInfo(name).key
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("zone", "no time zone has this name; write one such as Europe/Berlin") from None

    @model_validator(mode="after")
    def _work_is_named_once(self) -> Self:
        names = [work.name for work in self.score]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"score: {name} stands there twice")
        return self

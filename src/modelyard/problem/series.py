"""What the project file says about a series: what is known of its past when a row is predicted, and what is made of it."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["SeriesColumn", "SeriesPlan", "span_length"]

_SPAN = r"^(\d+(w|d|h|m|s))+$"
_UNITS_US = {"w": 604_800_000_000, "d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}

Span = Annotated[str, Field(pattern=_SPAN)] | Annotated[int, Field(gt=0)]
"""A length of time: 24h, 7d, 1w12h for dates; a whole number for a time that is a whole number."""


def span_length(span: str | int) -> int:
    """A length of time in microseconds; a number is its own length.

    >>> span_length("1h30m"), span_length("0h"), span_length(48)
    (5400000000, 0, 48)
    """
    if isinstance(span, int):
        return span
    return sum(int(count) * _UNITS_US[unit] for count, unit in re.findall(r"(\d+)([wdhms])", span))


class SeriesColumn(BaseModel):
    """What becomes of one column's past."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lags: tuple[Span, ...] = Field(default=(), description="The value so long before the row's time.")
    windows: tuple[Span, ...] = Field(default=(), description="Lengths of windows that end at what is known last.")
    statistics: tuple[Literal["mean", "sum", "min", "max", "std"], ...] = Field(
        default=("mean",), min_length=1, description="What is computed of each window."
    )
    known_after: Span | Literal[0] | None = Field(
        default=None, description="How long after its row's time a value is known; the target's: at least the horizon."
    )

    @model_validator(mode="after")
    def _makes_something(self) -> Self:
        if not self.lags and not self.windows:
            raise ValueError("a column of a series needs lags or windows")
        if any(span_length(span) == 0 for span in (*self.lags, *self.windows)):
            raise ValueError("a lag or a window must be longer than 0")
        if any(len(set(given)) < len(given) for given in (self.lags, self.windows, self.statistics)):
            raise ValueError("a lag, a window or a statistic is named twice")
        return self


class SeriesPlan(BaseModel):
    """Rows that follow one another in time, and features of their past."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon: Span = Field(
        description="How long before a row's time its prediction is asked for: of the target only what is so old is used."
    )
    columns: dict[str, SeriesColumn] = Field(
        min_length=1, description="Columns whose past becomes features, the target among them if wanted."
    )
    by: tuple[str, ...] | None = Field(
        default=None, description="Columns that name a series; by default data.group, else the table is one series."
    )
    history: str | None = Field(
        default=None, description="Table of past rows with these columns; by default the source is looked up."
    )

    @model_validator(mode="after")
    def _is_one_measure(self) -> Self:
        spans = [self.horizon]
        for column in self.columns.values():
            spans += [*column.lags, *column.windows, *([column.known_after] if column.known_after else [])]
        if len({isinstance(span, str) for span in spans}) > 1:
            raise ValueError("lengths of time are all words (24h) or all whole numbers, as the time column is")
        if span_length(self.horizon) == 0:
            raise ValueError("the horizon must be longer than 0: the target is what is not known yet")
        return self

    def known_after(self, column: str, target: str) -> int:
        """How long after its row's time a column's value is known, in units of :func:`span_length`.

        The target is never known before the horizon is over.
        """
        stated = self.columns[column].known_after
        own = 0 if stated is None else span_length(stated)
        return max(own, span_length(self.horizon)) if column == target else own

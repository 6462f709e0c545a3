"""Forecasts that were told, put beside the values that came."""

import dataclasses

import polars as pl

from modelyard.core import DataError
from modelyard.data.dtypes import parse_moments
from modelyard.forecasting.series.frequency import parts_of
from modelyard.forecasting.series.panel import Panel
from modelyard.forecasting.telling import COLUMNS
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.problem import did_you_mean

__all__ = ["Told", "beside_values"]

_FIGURES = ("forecast", "low", "high")
_UNIT = ("series", "at")


@dataclasses.dataclass(frozen=True)
class Told:
    """Forecasts beside values.

    Parameters
    ----------
    steps
        One row for each step of each whole horizon that has passed: ``series``, ``at`` (the first moment of its horizon),
        ``step``, ``forecast``, ``low``, ``high`` and ``value`` (null in a gap), in the order of time.
    rows, waiting
        Rows of the table of forecasts, each counted once, and those of horizons that have not passed, are not whole, or whose
        series has no value.
    repeated
        Rows that told the same step of the same horizon again; the last one counts.
    """

    steps: pl.DataFrame
    rows: int
    waiting: int
    repeated: int


def beside_values(told: pl.DataFrame, values: Panel, plan: TellingPlan) -> Told:
    """Join forecasts to what came.

    Parameters
    ----------
    told
        As ``modelyard score`` writes it: series, moment, step, forecast, low and high; several such tables below one another.
    values
        What came, on the grid of the package; what stands in gaps is not taken for a value.
    plan
        Of the package that told.

    Raises
    ------
    DataError
        If a column is absent, or a cell is no moment or number.
    """
    plain = _plain(told)
    rows = plain.with_columns(_first(plain, plan.rule.frequency).alias("at"))
    kept = rows.unique([*_UNIT, "step"], keep="last", maintain_order=True)
    joined = kept.join(_came(values), on=("series", "moment"), how="left", maintain_order="left")
    last = values.moments[-1]
    whole = (pl.len() == plan.rule.horizon) & (pl.col("moment").max() <= last) & pl.col("value").is_not_null().any()
    ripe = joined.filter(whole.over(_UNIT)).sort("at", "series", "step")
    return Told(ripe, kept.height, kept.height - ripe.height, rows.height - kept.height)


def _plain(told: pl.DataFrame) -> pl.DataFrame:
    """The columns in their types."""
    for name in COLUMNS:
        if name not in told.columns:
            raise DataError(
                "the table of forecasts lacks a column",
                where="--data",
                got=f"no {name!r}: {did_you_mean(name, told.columns)}",
                cure="Bring what modelyard score HISTORY FORECAST wrote",
            )
    moment = told["moment"]
    moment = parse_moments(moment) if moment.dtype == pl.String else moment
    if not moment.dtype.is_temporal():
        raise _unreadable("moment", told.height)
    moment = moment.dt.replace_time_zone(None) if getattr(moment.dtype, "time_zone", None) else moment
    plain = pl.DataFrame(
        {
            "series": told["series"].cast(pl.String),
            "moment": moment.cast(pl.Datetime("us")),
            "step": told["step"].cast(pl.Int64, strict=False),
            **{name: told[name].cast(pl.Float64, strict=False) for name in _FIGURES},
        }
    )
    for name in COLUMNS:
        if count := plain[name].null_count():
            raise _unreadable(name, count)
    return plain


def _unreadable(name: str, count: int) -> DataError:
    return DataError(
        "the table of forecasts has cells that cannot be read",
        where=f"column {name!r}",
        got=f"{count:,} rows",
        cure="Bring the table as modelyard score HISTORY FORECAST wrote it",
    )


def _first(rows: pl.DataFrame, frequency: str) -> pl.Series:
    """The first moment of the horizon that each row belongs to."""
    count, unit = parts_of(frequency)
    back = pl.format("-{}{}", (pl.col("step") - 1) * count, pl.lit(unit))
    return rows.select(pl.col("moment").dt.offset_by(back)).to_series()


def _came(values: Panel) -> pl.DataFrame:
    """What was observed, a row for each series and moment."""
    parts = [
        pl.DataFrame({"series": name, "moment": values.moments, "value": values.values[row]}).filter(
            pl.Series(values.observed[row])
        )
        for row, name in enumerate(values.names)
    ]
    return pl.concat(parts).with_columns(pl.col("moment").cast(pl.Datetime("us")))

"""Skewed and heavy-tailed numbers, circles of the calendar, and days between dates."""

import datetime as dt
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data import Column, ColumnKind
from modelyard.features import (
    DateDifferenceEncoding,
    EncodingStyle,
    LogEncoding,
    NumericEncoding,
    encode_frame,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)
from modelyard.features.encoder import TableEncoder
from modelyard.features.fitting import fit_encoding

LINEAR, TREE, FOREST = EncodingStyle.LINEAR, EncodingStyle.TREE, EncodingStyle.FOREST
INCOME = Column("income", ColumnKind.NUMERIC, "Float64", nullable=True)
BORN = Column("born", ColumnKind.DATE, "Date", nullable=True)
ASKED = Column("asked", ColumnKind.DATE, "Datetime", nullable=True)
LOG_NORMAL = np.exp(np.random.default_rng(0).normal(scale=1.5, size=2_000))


def fit(values: Any, style: EncodingStyle = LINEAR) -> object:
    """The encoding of numbers."""
    return fit_encoding(INCOME, pl.Series("income", values, dtype=pl.Float64), style)


def test_skewed_numbers_are_taken_by_logarithm_for_linear_models_only() -> None:
    """A log-normal column becomes nearly symmetric with mean 0 and standard deviation 1; trees need none of it."""
    encoding = fit(LOG_NORMAL)
    assert isinstance(encoding, LogEncoding)
    feature = encoding.encode_series(pl.Series(LOG_NORMAL))[:, 0]

    assert encoding.unit == np.sort(LOG_NORMAL)[999]
    assert (feature.mean(), feature.std()) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))
    raw = (LOG_NORMAL - LOG_NORMAL.mean()) / LOG_NORMAL.std()
    assert float((raw**3).mean()) > 4
    assert float((feature**3).mean()) < 1.5
    assert fit(LOG_NORMAL, TREE) == NumericEncoding("income")


def test_where_most_are_zero_no_logarithm_is_taken() -> None:
    """Nor where a number is below 0, or the numbers are not skewed."""
    assert isinstance(fit(np.concatenate([LOG_NORMAL, np.zeros(2_001)])), NumericEncoding)
    assert isinstance(fit(np.append(LOG_NORMAL, -1.0)), NumericEncoding)
    assert not isinstance(fit(np.arange(1_000.0)), LogEncoding)


def test_few_wild_values_do_not_set_the_scale() -> None:
    """Heavy tails on both sides: median and quartiles, so that the middle keeps its spread."""
    calm = np.linspace(-1, 1, 999)
    encoding = fit([*calm, 1e4, -1e4])
    assert isinstance(encoding, NumericEncoding)

    assert encoding.center == pytest.approx(0.0, abs=1e-9)
    assert encoding.scale == pytest.approx(1.0 / 1.349, rel=0.01)
    plain = fit(calm)
    assert isinstance(plain, NumericEncoding)
    assert plain.scale == pytest.approx(float(calm.std()))


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.one_of(st.none(), st.floats(), st.just(5e-324), st.just(-1.7e308)), min_size=1))
def test_a_logarithm_has_the_same_bits_in_a_row_and_in_a_table(values: list[float | None]) -> None:
    """Below 0, infinite, tiny, huge or missing."""
    encoding = LogEncoding("income", 3e-3, 0.5, 0.1, 0.7, indicator=True)
    served = encodings_from_json(encodings_to_json([encoding]))
    table = encoding.encode_series(pl.Series("income", values, dtype=pl.Float64))
    rows = np.array([served[0].encode_value(value) for value in values])  # type: ignore[union-attr]

    assert rows.tobytes() == table.tobytes()
    assert np.isfinite(table).all()


def test_december_is_next_to_january_for_linear_models() -> None:
    """Months, weekdays and hours lie on a circle of radius 1; trees take the plain numbers."""
    moments = [dt.datetime(2024, month, 1, hour) for month, hour in zip(range(1, 13), range(12), strict=True)]  # noqa: DTZ001
    series = pl.Series("asked", moments)
    names = fit_encoding(ASKED, series, TREE).names()
    circle = fit_encoding(ASKED, series, LINEAR)
    raw = [part.name for part in circle.parts]  # type: ignore[union-attr]
    matrix = circle.encode_series(series)
    scale = np.array([part.scale for part in circle.parts])  # type: ignore[union-attr]
    center = np.array([part.center for part in circle.parts])  # type: ignore[union-attr]
    sine, cosine = ((matrix * scale + center)[:, raw.index(f"month_{part}")] for part in ("sin", "cos"))

    assert names == ("asked.month", "asked.weekday", "asked.hour", "asked.epoch_days")
    assert sine**2 + cosine**2 == pytest.approx(np.ones(12))
    steps = np.hypot(np.diff(sine, append=sine[0]), np.diff(cosine, append=cosine[0]))
    assert steps == pytest.approx(np.full(12, 2 * math.sin(math.pi / 12)))


def test_days_between_two_dates() -> None:
    """Half a day is half a day, an earlier date is below 0, a missing one leaves a gap; trees see it as it is."""
    frame = pl.DataFrame(
        {
            "born": [dt.date(2000, 1, 1), dt.date(2000, 1, 2), dt.date(2000, 1, 3), None],
            "asked": [dt.datetime(2000, 1, 1, 12), dt.datetime(2000, 1, 1), None, dt.datetime(2000, 1, 1)],  # noqa: DTZ001
        }
    )
    encoder = TableEncoder((BORN, ASKED), TREE).fit(frame)
    difference = encoder.encodings_[-1]

    assert difference == DateDifferenceEncoding("born", "asked")
    assert encoder.transform(frame)[:, -1] == pytest.approx([0.5, -1.0, math.nan, math.nan], nan_ok=True)
    assert not np.isnan(TableEncoder((BORN, ASKED), FOREST).fit(frame).transform(frame)).any()


def test_dates_that_are_always_as_far_apart_give_no_feature() -> None:
    """One column is a copy of the other; the distance tells nothing."""
    frame = pl.DataFrame({"born": [dt.date(2000, 1, day) for day in range(1, 9)]}).with_columns(
        pl.col("born").alias("asked")
    )

    assert len(TableEncoder((BORN, ASKED), TREE).fit(frame).encodings_) == 2


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(st.none(), st.dates()), st.one_of(st.none(), st.datetimes(dt.datetime(1, 1, 1)))),  # noqa: DTZ001
        min_size=1,
    ),
    style=st.sampled_from(EncodingStyle),
)
def test_pairs_and_circles_have_the_same_bits_in_a_row_and_in_a_table(
    rows: list[tuple[dt.date | None, dt.datetime | None]], style: EncodingStyle
) -> None:
    """Any date of Python's, as a request writes it, equals the table."""
    frame = pl.DataFrame(rows, schema={"born": pl.Date, "asked": pl.Datetime("us")}, orient="row")
    learnt = pl.DataFrame(
        {
            "born": [dt.date(1950 + year, 1 + year % 12, 1) for year in range(40)],
            "asked": [dt.datetime(2020, 1 + hour % 12, 1 + hour % 27, hour % 24) for hour in range(40)],  # noqa: DTZ001
        }
    )
    encodings = TableEncoder((BORN, ASKED), style).fit(learnt).encodings_
    requests = [{"born": born and born.isoformat(), "asked": asked and asked.isoformat()} for born, asked in rows]
    by_row = np.array([encode_row(encodings, request) for request in requests])

    assert by_row.tobytes() == encode_frame(encodings, frame).tobytes()

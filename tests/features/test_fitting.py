import datetime as dt

import numpy as np
import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind
from modelyard.features import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ColumnEncoding,
    ConstantEncoding,
    DateEncoding,
    EncodingStyle,
    NumericEncoding,
)
from modelyard.features.fitting import MAX_LEVELS, fit_encoding

LINEAR, TREE, FOREST = EncodingStyle.LINEAR, EncodingStyle.TREE, EncodingStyle.FOREST


def fit(
    kind: ColumnKind, values: list[object] | pl.Series, style: EncodingStyle, calendar_only: bool = False
) -> ColumnEncoding:
    """The encoding of a column called x."""
    series = values if isinstance(values, pl.Series) else pl.Series("x", values)
    return fit_encoding(Column("x", kind, str(series.dtype), nullable=True), series, style, calendar_only=calendar_only)


def test_numbers_for_a_linear_model_are_standardised_and_flagged() -> None:
    """Median for the gap, mean and standard deviation of what is there, a flag from one gap in a hundred."""
    assert fit(ColumnKind.NUMERIC, [1, 2, 6, None], LINEAR) == NumericEncoding(
        "x", fill=2.0, center=3.0, scale=float(np.std([1, 2, 6])), indicator=True
    )


def test_numbers_for_trees_stay_as_they_are() -> None:
    """Trees learn where gaps go; forests need the median and the flag."""
    assert fit(ColumnKind.NUMERIC, [1, 2, 6, None], TREE) == NumericEncoding("x")
    assert fit(ColumnKind.NUMERIC, [1, 2, 6, None], FOREST) == NumericEncoding("x", fill=2.0, indicator=True)


def test_a_rare_gap_gets_no_flag() -> None:
    """One gap in 101 rows is filled, without a feature of its own."""
    encoding = fit(ColumnKind.NUMERIC, [*range(100), None], LINEAR)

    assert encoding.names() == ("x",)


@pytest.mark.parametrize("style", list(EncodingStyle))
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ColumnKind.NUMERIC, [3, 3, 3]),
        (ColumnKind.NUMERIC, ["a", "b", "c"]),
        (ColumnKind.CATEGORY, ["a", "a"]),
        (ColumnKind.CATEGORY, [None, None]),
        (ColumnKind.BOOLEAN, [True, True]),
        (ColumnKind.BOOLEAN, [None, None]),
        (ColumnKind.DATE, [dt.date(2024, 1, 1)] * 2),
        (ColumnKind.DATE, [None, None]),
    ],
)
def test_a_column_that_tells_nothing_gives_no_feature(
    kind: ColumnKind, values: list[object], style: EncodingStyle
) -> None:
    """Constant and empty columns have zero width, whatever the estimator."""
    encoding = fit(kind, values, style)

    assert isinstance(encoding, ConstantEncoding)
    assert encoding.names() == ()


@pytest.mark.parametrize("style", list(EncodingStyle))
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.NUMERIC, 3.5),
        (ColumnKind.CATEGORY, "a"),
        (ColumnKind.BOOLEAN, True),
        (ColumnKind.DATE, dt.date(2024, 1, 1)),
    ],
)
def test_one_value_or_none_still_tells_apart(kind: ColumnKind, value: object, style: EncodingStyle) -> None:
    """Where half the rows have the one value and half have none, the features differ."""
    encoding = fit(kind, [value, None], style)

    assert str(encoding.encode_value(value)) != str(encoding.encode_value(None))


def test_linear_levels_are_ordered_by_frequency_with_an_infrequent_bucket() -> None:
    """Levels below 0.5 % of the rows share one feature; ties are ordered by name."""
    values = ["b"] * 500 + ["a"] * 490 + ["d", "d", "c", "c"]

    assert fit(ColumnKind.CATEGORY, list(values), LINEAR) == CategoryEncoding(
        "x", CategoryStyle.ONE_HOT, ("b", "a"), infrequent=("c", "d")
    )


def test_trees_take_codes_beyond_twelve_levels() -> None:
    """Twelve levels are one-hot, thirteen are codes; only forests get a number for gaps."""
    twelve = [f"level {n:02}" for n in range(12)]

    assert len(fit(ColumnKind.CATEGORY, list(twelve), TREE).names()) == 12
    tree = fit(ColumnKind.CATEGORY, [*twelve, "more", "more"], TREE)
    assert tree == CategoryEncoding("x", CategoryStyle.CODES, ("more", *twelve))
    forest = fit(ColumnKind.CATEGORY, [*twelve, "more", "more"], FOREST)
    assert forest == CategoryEncoding("x", CategoryStyle.CODES, ("more", *twelve), missing_code=-1.0)


@pytest.mark.parametrize("style", list(EncodingStyle))
def test_a_million_distinct_categories_stay_small(style: EncodingStyle) -> None:
    """A package remembers at most a thousand levels, and a column that names rows gives linear models nothing."""
    encoding = fit(ColumnKind.CATEGORY, pl.Series("x", np.arange(1_000_000)).cast(pl.String), style)

    if style is EncodingStyle.NEURAL:
        assert encoding == ConstantEncoding("x", "none of its 1,000,000 levels comes twice")
    elif style.is_scaled:
        assert encoding == ConstantEncoding("x", "each of its 1,000,000 levels is rarer than 0.5%")
    else:
        assert isinstance(encoding, CategoryEncoding)
        assert len(encoding.levels) == MAX_LEVELS


def test_booleans_read_yes_and_no() -> None:
    """A declared boolean may be written in words; the gap is the more frequent value, minus one, or NaN."""
    values: list[object] = ["yes", "no", "yes", None]

    assert fit(ColumnKind.BOOLEAN, values, LINEAR) == BooleanEncoding("x", fill=1.0, indicator=True)
    assert fit(ColumnKind.BOOLEAN, values, FOREST) == BooleanEncoding("x", fill=-1.0)
    assert fit(ColumnKind.BOOLEAN, values, TREE) == BooleanEncoding("x")


def test_dates_give_the_parts_that_vary() -> None:
    """Two days of one January: neither month nor hour varies; elapsed days are left out for the time column."""
    days: list[object] = [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]

    encoding = fit(ColumnKind.DATE, days, TREE)
    assert encoding.names() == ("x.day", "x.weekday", "x.epoch_days")
    assert fit(ColumnKind.DATE, days, TREE, calendar_only=True).names() == ("x.day", "x.weekday")


def test_date_parts_are_standardised_for_a_linear_model() -> None:
    """Each part has its own centre and scale; noon is the far side of the circle, where the cosine is lowest."""
    encoding = fit(ColumnKind.DATE, ["2024-01-01T00:00", "2024-01-01T12:00"], LINEAR)

    assert isinstance(encoding, DateEncoding)
    np.testing.assert_array_equal(encoding.encode_series(pl.Series(["2024-01-01T12:00", None])), [[-1.0], [0.0]])


def test_identifiers_are_refused() -> None:
    """They cannot be features, and the sentence says what to do."""
    with pytest.raises(DataError, match="cannot be a feature"):
        fit(ColumnKind.IDENTIFIER, ["a", "b"], TREE)


def test_huge_numbers_do_not_break_the_scale() -> None:
    """A mean that overflows is replaced by a finite scale, and the median stays finite."""
    encoding = fit(ColumnKind.NUMERIC, [1.7e308, 1.6e308, -1.0], LINEAR)

    assert isinstance(encoding, NumericEncoding)
    assert np.isfinite([encoding.fill or 0.0, encoding.center, encoding.scale]).all()
    assert np.isfinite(encoding.encode_series(pl.Series([1.7e308, -1.0]))).all()

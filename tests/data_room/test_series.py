"""Lags and windows of a series know what was known when each prediction was asked for, all of it and nothing else."""

import datetime as dt
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError, DataError
from modelyard.data.history import history_joiner, join_series, with_history
from modelyard.data.history.series import past_of
from modelyard.problem import Problem, SeriesPlan

START = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - moments without a zone are the case in point
STATISTICS = ("mean", "sum", "min", "max", "std")
PLAN = SeriesPlan.model_validate(
    {
        "horizon": "3h",
        "by": ["shop"],
        "columns": {
            "sold": {"lags": ["3h", "5h"], "windows": ["4h", "1d"], "statistics": STATISTICS},
            "price": {"lags": ["1h"], "windows": ["2h"]},
            "stock": {"lags": ["2h"], "windows": ["6h"], "known_after": "2h"},
        },
    }
)
KNOWN_AFTER = {"sold": 3, "price": 0, "stock": 2}
numbers = st.none() | st.integers(-9, 9).map(float)
drawn = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 40)), st.tuples(numbers, numbers, numbers), max_size=40
)
moments = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 44)), min_size=1, max_size=10)
brief = settings(max_examples=40, deadline=None)
Past = dict[tuple[str, int], tuple[float | None, float | None, float | None]]


def table_of(past: Past) -> pl.DataFrame:
    """A table of sales from what each shop knows of each hour."""
    return pl.DataFrame(
        {
            "shop": [shop for shop, _ in past],
            "at": [START + dt.timedelta(hours=hour) for _, hour in past],
            **{name: [values[place] for values in past.values()] for place, name in enumerate(PLAN.columns)},
        },
        schema={
            "shop": pl.String,
            "at": pl.Datetime("us"),
            "sold": pl.Float64,
            "price": pl.Float64,
            "stock": pl.Float64,
        },
    )


def asked_of(rows: list[tuple[str, int]]) -> pl.DataFrame:
    """The rows that are predicted."""
    return (
        table_of({})
        .clear()
        .select("shop", "at")
        .vstack(
            pl.DataFrame(
                [(shop, START + dt.timedelta(hours=hour)) for shop, hour in rows],
                schema={"shop": pl.String, "at": pl.Datetime("us")},
                orient="row",
            )
        )
    )


def joined(rows: pl.DataFrame, *past: pl.DataFrame) -> pl.DataFrame:
    """The new columns."""
    found = join_series(rows, past_of(past, PLAN, time="at"), PLAN, time="at", target="sold")
    return found.select(found.columns[rows.width :])


def by_hand(shop: str, hour: int, past: Past) -> list[Any]:
    """The same features, one value at a time."""
    answer: list[Any] = []
    for place, (name, column) in enumerate(PLAN.columns.items()):
        mine = {at: values[place] for (who, at), values in past.items() if who == shop and values[place] is not None}
        known = {at: value for at, value in mine.items() if at < hour and at + KNOWN_AFTER[name] <= hour}
        for lag in (int(str(lag).removesuffix("h")) for lag in column.lags):
            fits = [at for at in known if hour - 2 * lag <= at <= hour - lag]
            answer.append(known[max(fits)] if fits else None)
        newest = hour - KNOWN_AFTER[name] if KNOWN_AFTER[name] else hour - 1e-9
        for window in (24 if str(window) == "1d" else int(str(window).removesuffix("h")) for window in column.windows):
            inside = [value for at, value in known.items() if newest - window < at <= newest and value is not None]
            answer += [_statistic(how, inside) for how in column.statistics]
    return answer


def _statistic(how: str, inside: list[float]) -> float | None:
    if len(inside) < (2 if how == "std" else 1):
        return None
    functions: dict[str, Callable[[list[float]], float]] = {
        "mean": statistics.fmean,
        "sum": math.fsum,
        "min": min,
        "max": max,
        "std": statistics.stdev,
    }
    return functions[how](inside)


@given(moments, drawn)
@brief
def test_every_figure_is_the_one_worked_out_by_hand(rows: list[tuple[str, int]], past: Past) -> None:
    """Lags, and five statistics of windows, for three columns that are known at different times."""
    found = joined(asked_of(rows), table_of(past))

    assert found.columns[:4] == ["sold.lag_3h", "sold.lag_5h", "sold.mean_4h", "sold.sum_4h"]
    assert found.width == 2 + 2 * 5 + 2 + 2
    for values, (shop, hour) in zip(found.rows(), rows, strict=True):
        assert list(values) == pytest.approx(by_hand(shop, hour, past), abs=1e-6)


@given(drawn, drawn, st.integers(0, 40))
@brief
def test_what_is_not_known_yet_changes_nothing(past: Past, other: Past, now: int) -> None:
    """For rows of a moment and before: other targets within the horizon, and anything else from then on, are not seen."""
    rows = asked_of([(shop, hour) for shop in "ab" for hour in range(max(0, now - 3), now + 1)])
    unknown = {name: now - after if after else now for name, after in KNOWN_AFTER.items()}
    changed: Past = {}
    for key in past | other:
        mine, theirs = past.get(key, (None,) * 3), other.get(key, (None,) * 3)
        late = [key[1] > unknown[name] if KNOWN_AFTER[name] else key[1] >= now for name in PLAN.columns]
        changed[key] = tuple(b if is_late else a for a, b, is_late in zip(mine, theirs, late, strict=True))  # type: ignore[assignment]

    assert joined(rows, table_of(past)).equals(joined(rows, table_of(changed)))


@given(moments, drawn, st.integers(0, 40))
@brief
def test_a_history_may_come_in_pieces(rows: list[tuple[str, int]], past: Past, cut: int) -> None:
    """Tables together say what one says; of two values of a moment the first counts, and a gap is filled by the other."""
    early = {key: values for key, values in past.items() if key[1] < cut}
    blank: Past = {(shop, hour): (None, price, stock) for (shop, hour), (_, price, stock) in past.items()}

    whole = joined(asked_of(rows), table_of(past))
    assert whole.equals(joined(asked_of(rows), table_of(early), table_of(past)))
    assert whole.equals(joined(asked_of(rows), table_of(blank).drop("sold"), table_of(past)))


def test_numbers_order_rows_too_and_words_have_lags() -> None:
    """A table of numbered rows: the horizon is a number of rows, and yesterday's word is a feature."""
    plan = SeriesPlan.model_validate({"horizon": 1, "columns": {"up": {"lags": [1, 2]}}})
    rows = pl.DataFrame({"row": [3, 1, 2, 4], "up": ["no", "yes", "yes", "no"]})

    found = join_series(rows, past_of([rows], plan, time="row"), plan, time="row", target="up")

    assert found["up.lag_1"].to_list() == ["yes", None, "yes", "no"]
    assert found["up.lag_2"].to_list() == ["yes", None, None, "yes"]


def problem_of(**data: Any) -> Problem:
    """A problem on the table ``t.parquet``."""
    split = data.pop("split", {})
    series = {"horizon": "3h", "by": ["shop"], "columns": {"sold": {"lags": ["3h"]}}}
    declared = {"source": "t.parquet", "target": "sold", "time": "at", "series": series, **data}
    return Problem.model_validate({"task": "regression", "data": declared, "split": split})


def test_the_past_of_a_batch_is_looked_up_in_the_source(tmp_path: Path) -> None:
    """New rows see the source, and one another; pieces see what the whole sees; a history of one's own replaces the source."""
    source = table_of({("a", hour): (float(hour), 0.0, 0.0) for hour in range(10)})
    source.write_parquet(tmp_path / "t.parquet")
    batch = table_of({("a", hour): (float(hour), 0.0, 0.0) for hour in (11, 14)})

    join = history_joiner(problem_of(), tmp_path, batch)
    assert [join(batch[place])["sold.lag_3h"].item() for place in (0, 1)] == [8.0, 11.0]
    assert with_history(batch.drop("sold"), problem_of(), tmp_path)["sold.lag_3h"].to_list() == [8.0, 9.0]

    source.with_columns(pl.col("sold") * 100).write_parquet(tmp_path / "past.parquet")
    plan = {**problem_of().data.series.model_dump(), "history": "past.parquet"}  # type: ignore[union-attr]
    assert with_history(batch, problem_of(series=plan), tmp_path)["sold.lag_3h"].to_list() == [800.0, 11.0]


def test_a_group_names_the_series(tmp_path: Path) -> None:
    """Without ``by`` the group does; two shops in one series are refused."""
    table = table_of({(shop, hour): (hour + 9.0 * (shop == "b"), 0.0, 0.0) for shop in "ab" for hour in range(6)})
    plan = {"horizon": "3h", "columns": {"sold": {"lags": ["3h"]}}}

    found = with_history(table, problem_of(series=plan, group="shop"), tmp_path, is_source=True)
    assert found["sold.lag_3h"].to_list() == [None, None, None, 0.0, 1.0, 2.0, None, None, None, 9.0, 10.0, 11.0]

    with pytest.raises(DataError, match=r"several rows of one moment.*12 of 12 rows.*data\.series\.by"):
        with_history(table, problem_of(series=plan), tmp_path, is_source=True)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [({"time": None}, "Set data.time"), ({"split": {"strategy": "random"}}, "would know the test part")],
)
def test_a_series_needs_a_split_by_time(data: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    """Else rows of the training part would see targets of the test part."""
    with pytest.raises(ConfigError, match=sentence):
        with_history(table_of({}), problem_of(**data), tmp_path, is_source=True)


@pytest.mark.parametrize(
    ("rows", "past", "sentence"),
    [
        (lambda t: t.drop("shop"), lambda t: t, "main table: a column that data.series names is not there"),
        (lambda t: t, lambda t: t.drop("price"), "the history of the series: a column"),
        (lambda t: t, lambda t: t.with_columns(price=pl.lit("dear")), "only numbers have windows"),
        (lambda t: t, lambda t: t.with_columns(at=pl.lit(None, pl.Datetime)), "the time is missing"),
        (lambda t: t, lambda t: t.with_columns(at=pl.lit(7)), "ordered by dates"),
        (lambda t: t.with_columns(pl.lit(1).alias("sold.lag_3h")), lambda t: t, "would add"),
    ],
)
def test_tables_that_cannot_be_joined(
    rows: Callable[[pl.DataFrame], pl.DataFrame], past: Callable[[pl.DataFrame], pl.DataFrame], sentence: str
) -> None:
    """One sentence with the cure."""
    table = table_of({("a", 1): (1.0, 2.0, 3.0)})

    with pytest.raises(DataError, match=sentence):
        joined(rows(table), past(table))


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ({"horizon": "0h", "columns": {"sold": {"lags": ["1h"]}}}, "the target is what is not known yet"),
        ({"horizon": "1d", "columns": {"sold": {"lags": ["23h"]}}}, "not known yet when"),
        ({"horizon": "1d", "columns": {"price": {"lags": ["1h"], "known_after": "2h"}}}, "not known yet when"),
        ({"horizon": "1d", "columns": {"sold": {"lags": [24]}}}, "all words"),
        ({"horizon": "1d", "columns": {"sold": {}}}, "needs lags or windows"),
        ({"horizon": "1d", "columns": {"sold": {"lags": ["1d", "1d"]}}}, "named twice"),
        ({"horizon": "1d", "columns": {"price": {"windows": ["0d"]}}}, "longer than 0"),
    ],
)
def test_plans_that_cannot_be_meant(series: dict[str, Any], sentence: str) -> None:
    """The project file is refused before any table is read."""
    with pytest.raises(pydantic.ValidationError, match=sentence):
        problem_of(series=series)

"""Features from events know the past of each row, all of it and nothing else."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.data.history import history_joiner, join_events
from modelyard.problem import EventTable, Problem

START = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - moments without a zone are the case in point
PLAN = EventTable(source="orders.csv", entity="customer", time="at", windows=("3d", "10d"), values=("amount",))

hours = st.integers(0, 24 * 20)
customers = st.sampled_from(["a", "b", "c"])
events_drawn = st.lists(st.tuples(customers, hours, st.none() | st.integers(-5, 5).map(float)), max_size=40)
rows_drawn = st.lists(st.tuples(customers, hours), min_size=1, max_size=12)
brief = settings(max_examples=60, deadline=None)


def events_of(drawn: list[tuple[str, int, float | None]]) -> pl.DataFrame:
    """An event table from customers, hours and amounts."""
    return pl.DataFrame(
        {
            "customer": [customer for customer, _, _ in drawn],
            "at": [START + dt.timedelta(hours=hour) for _, hour, _ in drawn],
            "amount": [amount for _, _, amount in drawn],
        },
        schema={"customer": pl.String, "at": pl.Datetime("us"), "amount": pl.Float64},
    )


def rows_of(drawn: list[tuple[str, int]]) -> pl.DataFrame:
    """A main table from customers and hours."""
    return pl.DataFrame(
        {
            "customer": [customer for customer, _ in drawn],
            "asked": [START + dt.timedelta(hours=hour) for _, hour in drawn],
        }
    )


def joined(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The new columns."""
    return join_events(rows, events, PLAN, name="orders", moment="asked").drop("customer", "asked")


def by_hand(customer: str, hour: int, events: list[tuple[str, int, float | None]]) -> list[Any]:
    """The same features, counted one event at a time."""
    past = [(at, amount) for who, at, amount in events if who == customer and at < hour]
    answer: list[Any] = [
        len(past),
        (hour - max(at for at, _ in past)) / 24 if past else None,
        (hour - min(at for at, _ in past)) / 24 if past else None,
    ]
    for days in (3, 10):
        inside = [amount for at, amount in past if at >= hour - 24 * days]
        known = [amount for amount in inside if amount is not None]
        answer += [len(inside), sum(known), sum(known) / len(known) if known else None]
    return answer


@given(rows_drawn, events_drawn)
@brief
def test_every_figure_is_the_one_counted_by_hand(
    rows: list[tuple[str, int]], events: list[tuple[str, int, float | None]]
) -> None:
    """Count, recency, tenure, and windows of three and ten days, for each row in its place."""
    found = joined(rows_of(rows), events_of(events))

    assert found.columns == [
        "orders.count",
        "orders.recency_days",
        "orders.tenure_days",
        *(f"orders.{what}_{window}" for window in ("3d", "10d") for what in ("count", "sum_amount", "mean_amount")),
    ]
    for values, (customer, hour) in zip(found.rows(), rows, strict=True):
        assert list(values) == pytest.approx(by_hand(customer, hour, events))


@given(rows_drawn, events_drawn, events_drawn, hours)
@brief
def test_no_later_event_is_ever_used(
    rows: list[tuple[str, int]],
    events: list[tuple[str, int, float | None]],
    others: list[tuple[str, int, float | None]],
    now: int,
) -> None:
    """Whatever happens from a moment on, no figure of a row of that moment or before it changes."""
    past = [event for event in events if event[1] < now]
    future = [event for event in others if event[1] >= now]
    early = [row for row in rows if row[1] <= now]
    if early:
        assert joined(rows_of(early), events_of(past)).equals(joined(rows_of(early), events_of(past + future)))


@pytest.mark.parametrize(
    ("rows", "events", "sentence"),
    [
        (lambda rows: rows.drop("customer"), lambda events: events, "main table: a column that data.events names"),
        (lambda rows: rows, lambda events: events.rename({"amount": "amounts"}), "Did you mean 'amounts'"),
        (lambda rows: rows, lambda events: events.with_columns(at=pl.lit(3)), "ordered by dates"),
        (lambda rows: rows, lambda events: events.with_columns(amount=pl.lit("x")), "must be a number"),
        (lambda rows: rows, lambda events: events.with_columns(at=pl.lit(None, pl.Datetime)), "missing in 1 of 1 rows"),
        (lambda rows: rows.with_columns(pl.lit(1).alias("orders.count")), lambda events: events, "another name"),
    ],
)
def test_tables_that_cannot_be_joined(
    rows: Callable[[pl.DataFrame], pl.DataFrame], events: Callable[[pl.DataFrame], pl.DataFrame], sentence: str
) -> None:
    """One sentence with the cure."""
    main, happened = rows(rows_of([("a", 5)])), events(events_of([("a", 1, 2.0)]))

    with pytest.raises(DataError, match=sentence):
        join_events(main, happened, PLAN, name="orders", moment="asked")


def test_zones_are_one_line_of_time() -> None:
    """An event at 23:30 UTC is before a prediction asked for at 00:30 in Berlin the day after, an hour later on the clock."""
    rows = pl.DataFrame({"customer": ["a"], "asked": ["2024-01-02T00:31:00+01:00"]}).with_columns(
        pl.col("asked").str.to_datetime(time_zone="Europe/Berlin")
    )
    events = pl.DataFrame({"customer": ["a"], "at": ["2024-01-01T23:30:00Z"], "amount": [1]}).with_columns(
        pl.col("at").str.to_datetime(time_zone="UTC")
    )

    assert joined(rows, events)["orders.count"].to_list() == [1]


def test_event_tables_are_read_once(tmp_path: Path) -> None:
    """A file that is scored in pieces is joined piece by piece with tables that were read at the start."""
    events_of([("a", 1, 2.0)]).write_parquet(tmp_path / "orders.parquet")
    plan = PLAN.model_copy(update={"source": "orders.parquet"})
    data = {"source": "t", "target": "y", "time": "asked", "events": {"orders": plan}}
    join = history_joiner(Problem.model_validate({"task": "binary", "data": data}), tmp_path)
    (tmp_path / "orders.parquet").unlink()

    pieces = [join(rows_of([("a", hour)])) for hour in (1, 2)]
    assert [piece["orders.count"].item() for piece in pieces] == [0, 1]

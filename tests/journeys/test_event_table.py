"""Customers and what they ordered: features as of each row's prediction time, from training to production."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure

from modelyard.core import ConfigError, DataError

pytestmark = pytest.mark.journey

START = dt.datetime(2025, 1, 1)  # noqa: DTZ001 - moments without a zone
CUSTOMERS = 60
EVENTS = {"orders": {"source": "../orders.csv", "entity": "customer", "time": "at", "values": ["amount"]}}


def world() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders of a year, and every fortnight the question who orders within the next: those who did lately do."""
    random = np.random.default_rng(5)
    orders = []
    for customer in range(CUSTOMERS):
        day, active = 0.0, True
        while day < 365:
            active = active if random.random() < 0.8 else not active
            day += float(random.exponential(4 if active else 45))
            orders.append((f"c{customer}", START + dt.timedelta(days=day), round(float(random.lognormal(3)), 2)))
    happened = pl.DataFrame(orders, schema=["customer", "at", "amount"], orient="row").sort("at")
    asked = pl.DataFrame({"asked": [START + dt.timedelta(days=14 * n) for n in range(4, 25)]})
    rows = asked.join(pl.DataFrame({"customer": [f"c{n}" for n in range(CUSTOMERS)]}), how="cross")
    soon = rows.join_where(
        happened.rename({"customer": "who"}),
        pl.col("customer") == pl.col("who"),
        pl.col("at") >= pl.col("asked"),
        pl.col("at") < pl.col("asked").dt.offset_by("14d"),
    ).select("customer", "asked")
    known = soon.unique().with_columns(pl.lit("yes").alias("orders_soon"))
    table = rows.join(known, on=["customer", "asked"], how="left").with_columns(pl.col("orders_soon").fill_null("no"))
    return table.sort("asked", "customer"), happened


def test_by_python(yard: JourneyYard) -> None:
    """Recency tells; the same join feeds training, scoring and monitoring; the gap keeps late labels out."""
    rows, orders = world()
    orders.write_csv(yard.folder / "orders.csv")
    source = yard.folder / "customers.csv"
    rows.write_csv(source)
    settings = {"time": "asked", "prediction_time": None, "group": None, "events": EVENTS}
    project = yard.project(source, "orders_soon", data=settings, split={"gap": "14d"})

    check = project.check()
    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")

    assert "A gap of 14d" in check.split
    assert {"orders.recency_days", "orders.count_30d", "orders.mean_amount_365d"} <= {
        column.name for column in run.record.columns
    }
    assert run.record.winner != "naive"
    assert figure(evaluation, "roc_auc") > 0.6  # 0.65 on 190 rows; chance is 0.5

    yard.release(project, 1)
    scored = project.score(source, yard.folder / "scores.parquet")
    assert (scored.scored, scored.quarantined) == (rows.height, 0)
    assert project.monitor(data=source).rows == rows.height


def test_refusals(yard: JourneyYard) -> None:
    """Without a prediction time, and with an event table that is not there: one sentence each."""
    rows, orders = world()
    source = yard.table("customers", rows)
    project = yard.project(source, "orders_soon", data={"time": None, "events": EVENTS})
    with pytest.raises(ConfigError, match=r"Set data\.prediction_time"):
        project.check()

    yard.configure(data={"time": "asked", "events": EVENTS})
    with pytest.raises(DataError, match="no such file"):
        yard.open().check()
    assert orders.height > 0

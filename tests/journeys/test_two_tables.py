"""A table to learn from and a table to be tested on, both given for one command: their stores and days are the same."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard

pytestmark = pytest.mark.journey

ROWS, STORES = 600, 12


def sales() -> pl.DataFrame:
    """What a day's sales are made of: the store, whose mean differs by 20, and growth over four years; noise has a deviation of 1."""
    random = np.random.default_rng(0)
    store = random.integers(STORES, size=ROWS)
    helpers = random.normal(size=ROWS)
    past = random.integers(1_461, size=ROWS)
    days = [dt.date(2022, 1, 1) + dt.timedelta(int(day)) for day in past]
    worth = 20.0 * random.permutation(STORES)[store] + 0.1 * past + 3 * helpers + random.normal(size=ROWS)
    return pl.DataFrame({"store": [f"S{code}" for code in store], "day": days, "helpers": helpers, "sales": worth})


def test_what_the_test_table_asks_decides(yard: JourneyYard) -> None:
    """The draft guesses time and group; the test table has the same of both, so both are features, to every later command."""
    learn, test = yard.table("learn", sales()[: ROWS // 2]), yard.table("test", sales()[ROWS // 2 :])
    assert yard.new(learn, "sales").exit_code == 0
    declared = yard.open().problem.data
    assert (declared.time, declared.group, declared.test_source) == ("day", "store", None)

    run = yard.done("train", "--train", str(learn), "--test", str(test), "--accept", "nobody says yet what it is for")
    yard.done("score", str(test), str(yard.folder / "scores.parquet"))
    scored = pl.read_parquet(yard.folder / "scores.parquet")
    yard.done("evaluate")
    yard.done("package")
    errors = (scored["prediction_score"] - scored["sales"]).to_numpy()

    assert run["fold_strategy"] == "random"
    assert "store" in [column["name"] for column in run["columns"]]
    assert scored.height == ROWS // 2
    assert np.sqrt(np.mean(errors**2)) < 10  # without the store nobody comes below 60, without the years none below 30

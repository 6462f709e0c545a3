import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.core.actor import Actor, ActorSource
from modelyard.data import Split, extend_split, load_version, make_split, resolve, store_version, unknown_rows
from modelyard.problem import Problem
from modelyard.store import Workspace

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
STRATEGIES = ("random", "group", "time")


def table(first: int, rows: int, seed: int = 0) -> pl.DataFrame:
    """Rows numbered from ``first``; groups of four, an hour apart."""
    generator = np.random.default_rng(seed + first)
    number = np.arange(first, first + rows)
    return pl.DataFrame(
        {
            "number": number * 1.5,
            "x": generator.normal(size=rows),
            "who": [f"g{value // 4}" for value in number],
            "at": [START + dt.timedelta(hours=int(value)) for value in number],
            "y": generator.normal(size=rows),
        }
    )


def asked(strategy: str, **split: str) -> Problem:
    """A regression problem on the table."""
    use = {"group": {"group": "who"}, "time": {"time": "at"}}.get(strategy, {})
    return Problem.model_validate(
        {"task": "regression", "data": {"source": "t", "target": "y", **use}, "split": {"strategy": strategy, **split}}
    )


def base_split(workspace: Workspace, problem: Problem, frame: pl.DataFrame) -> Split:
    """The split of the first table."""
    dataset = load_version(store_version(frame, "old", workspace).id, workspace)
    return make_split(dataset, resolve(problem, frame), workspace, ADA)


def numbers(split: Split, workspace: Workspace) -> tuple[set[float], set[float], set[float]]:
    """The rows of training, validation and test part, by number."""
    test = pl.read_parquet(workspace.objects.path(split.test.digest))
    return (set(split.train.frame["number"]), set(split.validation.frame["number"]), set(test["number"]))


@settings(max_examples=8, deadline=None)
@given(strategy=st.sampled_from(STRATEGIES), seed=st.integers(0, 99), overlap=st.integers(0, 240))
def test_no_sealed_row_is_ever_learnt_from(
    tmp_path_factory: pytest.TempPathFactory, strategy: str, seed: int, overlap: int
) -> None:
    """Property, over two extensions: no sealed row of an earlier split is in a later part; held-out rows are new."""
    workspace = Workspace(tmp_path_factory.mktemp("extended"))
    problem = asked(strategy)
    split = base_split(workspace, problem, table(0, 120, seed))
    seen, sealed = set(table(0, 120)["number"]), numbers(split, workspace)[2]
    for first in (120, 240):
        known = pl.concat([table(0, 120, seed), table(120, 120, seed)])[:first]
        fresh = unknown_rows(pl.concat([known.tail(overlap), table(first, 120, seed)]), split, workspace)
        assert set(fresh["number"]) == set(table(first, 120)["number"])
        before = split
        split = extend_split(before, fresh, problem, workspace, ADA)
        train, validation, test = numbers(split, workspace)

        assert not sealed & (train | validation | test)
        assert not seen & (validation | test)
        assert set(before.development.frame["number"]) <= train
        assert len(train) + len(validation) + len(test) == before.development.frame.height + 120
        assert (split.record.train_rows, split.record.validation_rows, split.record.test_rows) == (
            len(train),
            len(validation),
            len(test),
        )
        seen |= set(fresh["number"])
        sealed |= test


def test_known_groups_are_for_training_only(tmp_path: Path) -> None:
    """New rows of a group that was learnt from are learnt from; held-out groups are on one side only."""
    workspace, problem = Workspace(tmp_path), asked("group")
    split = base_split(workspace, problem, table(0, 120))
    group = split.train.frame["who"][0]
    fresh = table(120, 120).with_columns(
        pl.when(pl.int_range(pl.len()) < 20).then(pl.lit(group)).otherwise("who").alias("who")
    )
    extended = extend_split(split, fresh, problem, workspace, ADA)
    train, validation, test = numbers(extended, workspace)
    groups = dict(zip(fresh["number"], fresh["who"], strict=True))

    assert {number for number, name in groups.items() if name == group} <= train
    assert not {groups[number] for number in validation} & {groups[number] for number in test}
    assert not {groups[number] for number in validation | test} & set(extended.train.frame["who"])


def test_earlier_rows_are_for_training_only(tmp_path: Path) -> None:
    """Rows not later than the last that was learnt from, or without a time, are not held out, and not lost."""
    workspace, problem = Workspace(tmp_path), asked("time")
    split = base_split(workspace, problem, table(0, 120))
    early = table(120, 40).with_columns(pl.lit(START).alias("at"))
    fresh = pl.concat([early, table(160, 100)])
    extended = extend_split(split, fresh, problem, workspace, ADA)
    train, validation, test = numbers(extended, workspace)

    assert set(early["number"]) <= train
    assert validation
    assert max(validation) < min(test)
    assert len(train) + len(validation) + len(test) == split.development.frame.height + 140


def test_nothing_to_hold_out_is_refused(tmp_path: Path) -> None:
    """Known groups only, or old times only, cannot be compared on."""
    for strategy, column in (("group", "who"), ("time", "at")):
        workspace, problem = Workspace(tmp_path / strategy), asked(strategy)
        split = base_split(workspace, problem, table(0, 120))
        fresh = table(120, 60).with_columns(pl.lit(split.train.frame[column][0]).alias(column))
        with pytest.raises(DataError, match="no new row may be held out"):
            extend_split(split, fresh, problem, workspace, ADA)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """A table without a column of the base is refused before anything is compared."""
    workspace, problem = Workspace(tmp_path), asked("random")
    split = base_split(workspace, problem, table(0, 120))
    with pytest.raises(DataError, match="'x'"):
        unknown_rows(table(120, 60).drop("x"), split, workspace)
    with pytest.raises(DataError, match="'x'"):
        extend_split(split, table(120, 60).drop("x"), problem, workspace, ADA)


def test_an_own_test_table_is_known(tmp_path: Path) -> None:
    """Rows of a test table of one's own are sealed rows as well, now and after an extension."""
    workspace = Workspace(tmp_path)
    table(500, 40).write_parquet(tmp_path / "test.parquet")
    problem = asked("random")
    own = problem.model_copy(update={"data": problem.data.model_copy(update={"test_source": "test.parquet"})})
    split = base_split(workspace, own, table(0, 120))
    offered = pl.concat([table(500, 40), table(120, 100)])
    fresh = unknown_rows(offered, split, workspace)
    extended = extend_split(split, fresh, own, workspace, ADA)

    assert set(fresh["number"]) == set(table(120, 100)["number"])
    assert unknown_rows(offered, extended, workspace).height == 0


def test_the_same_rows_extend_to_the_same_split(tmp_path: Path) -> None:
    """The id is that of the content, the ledger has one row, and other columns or integers do not matter."""
    workspace, problem = Workspace(tmp_path), asked("random")
    old = table(0, 120).with_columns(pl.col("x").mul(10).round().cast(pl.Int64))
    new = table(120, 100).with_columns(pl.col("x").mul(10).round().cast(pl.Int64))
    split = base_split(workspace, problem, old)
    first = extend_split(split, new, problem, workspace, ADA)
    again = extend_split(split, new.with_columns(pl.lit(1).alias("more")), problem, workspace, ADA)
    other = extend_split(split, new.with_columns(pl.col("x") + 1), problem, workspace, ADA)

    assert again.record == first.record
    assert other.record.id != first.record.id
    assert workspace.ledger.count("split.extended", first.record.id) == 1
    assert unknown_rows(new.with_columns(pl.col("x").cast(pl.Float64)), first, workspace).height == 0


def test_of_many_rows_in_order_the_latest_teach_too(workspace: Workspace) -> None:
    """By time fewer are held out than half; by chance nothing is lost by holding out, so half of them are."""
    held = {}
    for strategy in ("time", "random"):
        problem = asked(strategy)
        base = base_split(workspace, problem, table(0, 400))
        split = extend_split(base, table(400, 12_000), problem, workspace, ADA)
        held[strategy] = (split.validation.frame.height, split.test.size)
        assert split.train.frame.height + sum(held[strategy]) == base.development.frame.height + 12_000

    assert held == {"time": (3_000, 1_500), "random": (4_200, 1_800)}

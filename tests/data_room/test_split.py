import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import Actor, DataError, IntegrityError, StateError
from modelyard.data import ColumnKind, Dataset, Split, as_divided, load_split, make_split, read_table
from modelyard.problem import Problem
from modelyard.store import Workspace

Build = Callable[..., Problem]
Store = Callable[[pl.DataFrame], Dataset]


def table(rows: int = 200) -> pl.DataFrame:
    """Rows that are all different, with a class, a value, a group of five rows and a day."""
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "key": [f"K{index}" for index in range(rows)],
            "x": random.normal(size=rows),
            "group": [index // 5 for index in range(rows)],
            "day": random.permutation(rows) // 3,
            "y": ["yes" if index % 4 == 0 else "no" for index in range(rows)],
        }
    )


def opened(split: Split, actor: Actor) -> pl.DataFrame:
    """The sealed rows."""
    return split.test.open("a test of the split", actor)


@pytest.mark.parametrize(
    ("settings", "strategy"),
    [
        ({}, "stratified"),
        ({"group": "group"}, "group"),
        ({"time": "day"}, "time"),
        ({"time": "day", "group": "group"}, "time"),
        ({"split": {"strategy": "random"}}, "random"),
        ({"group": "group", "split": {"strategy": "random"}}, "random"),
    ],
)
def test_parts_are_disjoint_and_cover_all_rows(
    problem: Build, stored: Store, workspace: Workspace, actor: Actor, settings: dict[str, Any], strategy: str
) -> None:
    """Whatever the strategy, every row is in exactly one part, and the sizes are those of the record."""
    dataset = stored(table())
    split = make_split(dataset, problem("y", id="key", **settings), workspace, actor)
    keys = [set(part["key"]) for part in (split.train.frame, split.validation.frame, opened(split, actor))]

    assert split.record.strategy == strategy
    assert sum(len(part) for part in keys) == dataset.frame.height
    assert set.union(*keys) == set(dataset.frame["key"])
    assert [len(part) for part in keys] == [
        split.record.train_rows,
        split.record.validation_rows,
        split.record.test_rows,
    ]
    assert split.development.frame.height == split.record.train_rows + split.record.validation_rows


def test_the_same_plan_is_the_same_split(problem: Build, stored: Store, workspace: Workspace, actor: Actor) -> None:
    """Asking twice gives the split that is there; another seed or target gives another."""
    dataset = stored(table())
    asked = problem("y", id="key")
    first, again = (make_split(dataset, asked, workspace, actor) for _ in range(2))
    other = make_split(dataset, problem("y", id="key", split={"seed": 1}), workspace, actor)

    assert again.record == first.record
    assert load_split(first.record.id, workspace).train.frame.equals(first.train.frame)
    assert len({first.record.id, other.record.id}) == 2
    assert len({first.test.digest, other.test.digest}) == 2
    assert [row.subject for row in workspace.ledger.rows(action="split.made")] == [first.record.id, other.record.id]


def test_a_split_cut_short_is_made_again(problem: Build, stored: Store, workspace: Workspace, actor: Actor) -> None:
    """A process that died before the record was written leaves nothing that counts; the next one ends the work."""
    dataset = stored(table())
    first = make_split(dataset, problem("y"), workspace, actor)
    folder = workspace.folder("splits", first.record.id)
    (folder / "split.json").unlink()
    (folder / "train.parquet").write_bytes(b"half")

    again = make_split(dataset, problem("y"), workspace, actor)

    assert again.record == first.record
    assert again.train.frame.equals(first.train.frame)


def test_the_folder_holds_no_test_row(problem: Build, stored: Store, workspace: Workspace, actor: Actor) -> None:
    """Beside the record there are the training and the validation part, and nothing else."""
    split = make_split(stored(table()), problem("y", id="key"), workspace, actor)
    folder = workspace.folder("splits", split.record.id)
    sealed = set(opened(split, actor)["key"])

    assert sorted(path.name for path in folder.iterdir()) == ["split.json", "train.parquet", "validation.parquet"]
    assert sealed.isdisjoint(pl.read_parquet(folder / "*.parquet")["key"])
    assert not any(f'"{key}"' in (folder / "split.json").read_text() for key in sealed)


def test_damage_and_absence_are_told_apart(problem: Build, stored: Store, workspace: Workspace, actor: Actor) -> None:
    """A changed part, a broken record and an unknown id are three errors."""
    split = make_split(stored(table()), problem("y"), workspace, actor)
    folder: Path = workspace.folder("splits", split.record.id)
    with pytest.raises(StateError, match="no split of this id"):
        load_split("none", workspace)

    (folder / "train.parquet").write_bytes((folder / "validation.parquet").read_bytes())
    with pytest.raises(IntegrityError, match="not what was stored"):
        load_split(split.record.id, workspace)

    (folder / "split.json").write_text('{"protocol": 99}')
    with pytest.raises(IntegrityError, match="another version"):
        load_split(split.record.id, workspace)
    (folder / "split.json").write_text("{")
    with pytest.raises(IntegrityError, match="not what was stored"):
        load_split(split.record.id, workspace)


def test_kinds_come_from_the_training_part(problem: Build, stored: Store, workspace: Workspace, actor: Actor) -> None:
    """All parts have one schema; the target is text for classes, and overrides hold."""
    frame = table().with_columns(code=pl.Series([1, 2] * 100), y=pl.Series([0, 1] * 100))
    split = make_split(stored(frame), problem("y", types={"code": "category"}), workspace, actor)
    kinds = {column.name: (column.kind, column.dtype) for column in split.train.schema.columns}

    assert kinds["key"] == (ColumnKind.IDENTIFIER, "String")
    assert kinds["code"] == (ColumnKind.CATEGORY, "String")
    assert kinds["y"] == (ColumnKind.CATEGORY, "String")
    assert set(split.validation.frame["code"]) == {"1", "2"}
    assert split.train.frame.schema == split.validation.frame.schema == opened(split, actor).schema
    assert split.validation.schema == split.train.schema


def test_a_split_column_without_validation_draws_it_from_train(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor, data_folder: Path
) -> None:
    """The census has a published test part and no validation part; the test part stays as published."""
    frame = read_table(data_folder / "adult_census.parquet")
    plan = {"strategy": "column", "column": "uci_split"}
    split = make_split(stored(frame), problem("income", split=plan), workspace, actor)

    assert split.record.test_rows == frame.filter(pl.col("uci_split") == "test").height == 16_281
    assert split.record.validation_rows == 5_746
    assert set(split.validation.frame["uci_split"]) == {"train"}
    assert split.validation.frame["income"].eq(">50K").mean() == pytest.approx(
        split.train.frame["income"].eq(">50K").mean(), abs=1e-3
    )


def test_parkinsons_patients_stay_whole(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor, data_folder: Path
) -> None:
    """Of 42 patients none is on two sides, and the shares are within one patient."""
    frame = read_table(data_folder / "parkinsons_telemonitoring.parquet")
    split = make_split(stored(frame), problem("total_UPDRS", group="subject"), workspace, actor)
    patients = [set(part["subject"]) for part in (split.train.frame, split.validation.frame, opened(split, actor))]

    assert sum(len(part) for part in patients) == len(set.union(*patients)) == 42
    assert split.record.train_rows == pytest.approx(0.70 * 5875, abs=168)
    assert split.record.test_rows == pytest.approx(0.15 * 5875, abs=168)


def test_bikes_are_divided_by_time(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor, data_folder: Path
) -> None:
    """The last training hour is before the first validation hour, and that part's last before the first test hour."""
    frame = read_table(data_folder / "bike_sharing_hourly.parquet")
    split = make_split(stored(frame), problem("cnt", time="timestamp"), workspace, actor)
    spans = [
        (part["timestamp"].min(), part["timestamp"].max())
        for part in (split.train.frame, split.validation.frame, opened(split, actor))
    ]

    assert spans == sorted(spans)
    assert spans[0][1] < spans[1][0] < spans[1][1] < spans[2][0]  # type: ignore[operator]
    assert (split.record.train_rows, split.record.test_rows) == (12_165, 2_607)


def test_a_gap_is_left_before_each_later_part(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor, data_folder: Path
) -> None:
    """With labels that take 30 days, nothing learnt from is younger than 30 days when the next part begins."""
    frame = read_table(data_folder / "bike_sharing_hourly.parquet")
    asked = problem("cnt", time="timestamp", split={"gap": "30d"})
    split = make_split(stored(frame), asked, workspace, actor)
    train, validation, test = (
        part["timestamp"] for part in (split.train.frame, split.validation.frame, opened(split, actor))
    )

    assert validation.min() - train.max() == dt.timedelta(days=30)  # type: ignore[operator]
    assert test.min() - validation.max() == dt.timedelta(days=30)  # type: ignore[operator]
    assert split.record.left_out_rows == frame.height - len(train) - len(validation) - len(test) > 1_000
    assert "A gap of 30d" in split.record.reason


def test_numbers_are_stratified_by_tenths(problem: Build, workspace: Workspace, stored: Store, actor: Actor) -> None:
    """Each part of 1,000 rows holds its share of each tenth of a skewed target, within one row."""
    target = np.random.default_rng(0).lognormal(size=1_000)
    asked = problem("y", task="regression", split={"strategy": "stratified"})
    split = make_split(stored(pl.DataFrame({"x": np.arange(1_000), "y": target})), asked, workspace, actor)
    edges = np.quantile(target, np.arange(1, 10) / 10)
    counts = [
        np.bincount(np.searchsorted(edges, part["y"].to_numpy()), minlength=10)
        for part in (split.train.frame, split.validation.frame, opened(split, actor))
    ]

    assert [(count.min(), count.max()) for count in counts] == [(70, 70), (15, 15), (15, 15)]


def test_repeated_rows_are_a_finding(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor, data_folder: Path
) -> None:
    """The text messages hold repeated rows; a random split puts copies on both sides, and says how many."""
    frame = read_table(data_folder / "sms_spam.parquet")
    split = make_split(stored(frame), problem("label"), workspace, actor)
    finding, near = split.record.findings
    copies = opened(split, actor).join(split.train.frame.unique(), on=["label", "text"], how="semi").height

    assert (finding.id, finding.severity, finding.row) == ("duplicate-rows-straddle", "warning", "D9")
    assert finding.evidence["rows"] == copies > 0
    assert (near.id, near.subject) == ("near-copies-straddle", "text")


def test_groups_and_times_that_straddle_are_findings(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor
) -> None:
    """Who declares a group and a time but asks for a random split is told what it costs."""
    asked = problem("y", id="key", group="group", time="day", split={"strategy": "random"})
    findings = make_split(stored(table()), asked, workspace, actor).record.findings

    assert [(finding.id, finding.subject) for finding in findings] == [
        ("group-straddles", "group"),
        ("time-straddles", "day"),
    ]
    assert findings[0].evidence["groups"] > 10


def test_an_own_test_table_is_sealed_as_it_is(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor
) -> None:
    """The user's table becomes the sealed part; the main table is divided in two, and shared rows are a finding."""
    frame = table()
    workspace.root.mkdir(parents=True, exist_ok=True)
    frame.head(20).write_csv(workspace.root / "test.csv")
    split = make_split(stored(frame), problem("y", id="key", test_source="test.csv"), workspace, actor)

    assert (split.record.train_rows, split.record.validation_rows, split.record.test_rows) == (165, 35, 20)
    assert set(opened(split, actor)["key"]) == set(frame["key"].head(20))
    assert [finding.id for finding in split.record.findings] == ["duplicate-rows-straddle"]
    assert split.record.reason.endswith("The test part is a table of your own.")


@pytest.mark.parametrize(
    ("test", "declared", "strategy"),
    [
        ("later", {"time": "day"}, "time"),
        ("among", {"time": "day"}, "stratified"),
        ("among", {"time": "day", "split": {"strategy": "time"}}, "time"),
        ("among", {"time": "day", "group": "group"}, "stratified"),
        ("other groups", {"group": "group"}, "group"),
        ("other groups", {"time": "day", "group": "group"}, "group"),
        ("among", {"group": "group"}, "stratified"),
        ("among", {"group": "group", "split": {"strategy": "group"}}, "group"),
    ],
)
def test_an_own_test_table_says_what_is_asked(
    problem: Build,
    workspace: Workspace,
    stored: Store,
    actor: Actor,
    test: str,
    declared: dict[str, Any],
    strategy: str,
) -> None:
    """Where its rows lie among the others in time, or have their groups, these do not divide training from validation either."""
    frame = table()
    held = {
        "later": pl.col("day") >= 50,
        "among": pl.int_range(pl.len()) % 4 == 1,
        "other groups": pl.col("group") % 4 == 1,
    }[test]
    workspace.root.mkdir(parents=True, exist_ok=True)
    frame.filter(held).write_parquet(workspace.root / "test.parquet")
    asked = problem("y", id="key", test_source="test.parquet", **declared)
    record = make_split(stored(frame.filter(~held)), asked, workspace, actor).record

    assert record.strategy == strategy
    if "split" not in declared and strategy == "stratified":
        assert "the test table's rows" in record.reason.lower()
    known_groups = strategy == "stratified"
    assert (as_divided(asked, record.strategy).data.group is None) == (known_groups or "group" not in declared)


def test_an_own_test_table_must_have_the_columns(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor
) -> None:
    """A test table without a feature cannot test the model."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    table().drop("x").write_csv(workspace.root / "test.csv")

    with pytest.raises(DataError, match=r"test\.csv: the test table lacks columns of the main table; got 'x'"):
        make_split(stored(table()), problem("y", test_source="test.csv"), workspace, actor)


def test_one_class_in_training_is_an_error(problem: Build, workspace: Workspace, stored: Store, actor: Actor) -> None:
    """If all early rows have one class, a split by time leaves nothing to learn, and says so."""
    frame = pl.DataFrame({"t": range(100), "x": [1.5, 2.5] * 50, "y": ["no"] * 80 + ["yes"] * 20})

    with pytest.raises(DataError, match=r"one class only.*'no' in all 70 training rows of the time split"):
        make_split(stored(frame), problem("y", time="t"), workspace, actor)


def test_classes_new_after_training_are_findings(
    problem: Build, workspace: Workspace, stored: Store, actor: Actor
) -> None:
    """A class that only the latest rows have cannot be learnt; it is named, not hidden."""
    frame = pl.DataFrame({"t": range(100), "x": range(0, 300, 3), "y": ["a", "b"] * 45 + ["c"] * 10})
    split = make_split(stored(frame), problem("y", time="t"), workspace, actor)

    assert [(finding.id, finding.evidence["classes"]) for finding in split.record.findings] == [
        ("class-not-in-training", 1)
    ]


@pytest.mark.parametrize(
    ("rows", "settings", "sentence"),
    [
        (2, {}, "part would be empty; got 2 rows"),
        (100, {"split": {"strategy": "time"}}, "strategy 'time' needs a time column"),
        (100, {"split": {"strategy": "group"}}, "strategy 'group' needs a group column"),
        (100, {"split": {"strategy": "random", "gap": "7d"}}, "parts that follow one another in time"),
        (100, {"time": "x", "split": {"gap": "7d"}}, "the gap does not fit the time column"),
        (100, {"time": "x", "split": {"gap": 200}}, "the train and the validation part would be empty"),
    ],
)
def test_plans_that_cannot_be_kept(
    problem: Build,
    workspace: Workspace,
    stored: Store,
    actor: Actor,
    rows: int,
    settings: dict[str, Any],
    sentence: str,
) -> None:
    """Too few rows, a missing column or a task without classes: one sentence each."""
    frame = pl.DataFrame({"x": np.arange(rows) * 1.5, "y": ["a", "b"] * (rows // 2)})
    with pytest.raises(DataError, match=sentence):
        make_split(stored(frame), problem(**{"target": "y", **settings}), workspace, actor)

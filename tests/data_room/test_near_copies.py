from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.core import Actor, Severity
from modelyard.data import Dataset, make_split
from modelyard.data.splits.near_copies import near_rows, near_texts
from modelyard.problem import Problem
from modelyard.store import Workspace

COLUMNS = ["a", "b", "c", "kind"]


def readings(rows: int, seed: int) -> pl.DataFrame:
    """Measurements with three numbers and a category."""
    random = np.random.default_rng(seed)
    numbers = {name: random.normal(50, 10, rows) for name in "abc"}
    return pl.DataFrame({**numbers, "kind": random.choice(["x", "y"], rows)})


def jittered(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same readings, told again with the last digits changed."""
    random = np.random.default_rng(seed)
    return frame.with_columns(pl.col(name) + random.normal(0, 1e-4, frame.height) for name in "abc")


def test_jittered_copies_are_counted() -> None:
    """Forty of a thousand test rows are training rows told again; exact copies are not counted twice."""
    train, fresh = readings(4_000, 0), readings(950, 1)
    test = pl.concat([fresh, jittered(train.head(40), 2), train.tail(10)])
    (finding,) = near_rows(train, test, COLUMNS)

    assert (finding.id, finding.severity, finding.row) == ("near-copies-straddle", Severity.WARNING, "D9")
    assert 36 <= finding.evidence["rows"] <= 41
    assert finding.message.startswith(f"{finding.evidence['rows']} of 990 test rows looked at")
    assert finding.evidence["rounded_columns"] == ["a", "b", "c"]


def test_independent_rows_are_no_copies() -> None:
    """Rows of one world are near each other by chance, and raise nothing; neither do coarse or empty tables."""
    assert near_rows(readings(20_000, 0), readings(3_000, 1), COLUMNS) == ()
    assert near_rows(readings(20_000, 0).select("a", "b"), readings(3_000, 1).select("a", "b"), ["a", "b"]) == ()
    coarse = readings(4_000, 0).with_columns((pl.col("a", "b", "c") / 10).round(0))
    assert near_rows(coarse, coarse.head(500), COLUMNS) == ()
    assert near_rows(readings(100, 0), readings(100, 1).clear(), COLUMNS) == ()
    assert near_rows(readings(500, 0), jittered(readings(500, 0), 1).select("kind"), ["kind"]) == ()


def test_edited_texts_are_counted() -> None:
    """Texts with a word changed are near; the same words in other signs are exact copies, and short texts say nothing."""
    random = np.random.default_rng(0)
    words = np.array([f"word{n}" for n in range(3_000)])
    texts = [" ".join(random.choice(words, 30)) for _ in range(600)]
    edited = [text.rsplit(" ", 1)[0] + " changed" for text in texts[:20]]
    test = pl.Series(
        "note", [*edited, texts[30].upper() + "!", "ok", *(" ".join(random.choice(words, 30)) for _ in range(80))]
    )
    (finding,) = near_texts(pl.Series("note", [*texts, "ok"]), test)

    assert (finding.subject, finding.evidence["texts"]) == ("note", 20)
    assert near_texts(pl.Series("note", texts[:300]), pl.Series("note", texts[300:])) == ()


def test_a_split_says_it(
    problem: Callable[..., Problem], stored: Callable[[pl.DataFrame], Dataset], workspace: Workspace, actor: Actor
) -> None:
    """The finding stands in the split's record, with counts and without a row; target and time play no part in it."""
    rows = readings(1_000, 0)
    frame = pl.concat([rows, jittered(rows, 1)]).with_columns(
        y=pl.int_range(2_000) % 2, at=pl.int_range(2_000).cast(pl.Float64) * 1.5
    )
    split = make_split(stored(frame), problem("y", split={"strategy": "random"}, time="at"), workspace, actor)
    (finding,) = [one for one in split.record.findings if one.id == "near-copies-straddle"]

    assert finding.evidence["rows"] > 150
    assert set(finding.evidence) == {"rows", "share", "rounded_columns"}


def test_real_tables_are_quiet_or_right(
    problem: Callable[..., Problem],
    stored: Callable[[pl.DataFrame], Dataset],
    workspace: Workspace,
    actor: Actor,
    data_folder: Path,
) -> None:
    """Customers do not nearly repeat; text messages do: spam comes in editions."""
    found = {}
    for name, target in (("telco_churn", "Churn"), ("sms_spam", "label")):
        split = make_split(stored(pl.read_parquet(data_folder / f"{name}.parquet")), problem(target), workspace, actor)
        found[name] = [one for one in split.record.findings if one.id == "near-copies-straddle"]

    assert found["telco_churn"] == []
    assert [(one.subject, one.evidence["texts"] > 10) for one in found["sms_spam"]] == [("text", True)]

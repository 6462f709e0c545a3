"""Tables that are wrong: one clear sentence with the cure, or a right result; and never a half-made project."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.bad_input.conftest import FaultyYard


def test_missing_file(yard: FaultyYard) -> None:
    """A similar name is offered."""
    yard.file("churn.csv", "a,target\n1,yes\n")

    sentence = yard.refused_new(yard.folder / "churn.parquet")

    assert "there is no such file" in sentence
    assert "'churn.csv'" in sentence


def test_empty_file(yard: FaultyYard) -> None:
    """Zero bytes."""
    assert "the file is empty" in yard.refused_new(yard.file("empty.csv", b""))


def test_header_only(yard: FaultyYard) -> None:
    """A header and no rows."""
    assert "no rows" in yard.refused_new(yard.file("header.csv", "a,b,target\n"))


def test_folder_as_path(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A folder without tables is refused; one of parts is one table."""
    (yard.folder / "tables").mkdir()
    (yard.folder / "tables" / "notes.txt").write_text("to do", encoding="utf-8")

    sentence = yard.refused_new(yard.folder / "tables")

    assert "tables" in sentence
    assert "folder" in sentence

    (yard.folder / "tables" / "notes.txt").unlink()
    good.head(300).write_parquet(yard.folder / "tables" / "may.parquet")
    good.tail(300).write_parquet(yard.folder / "tables" / "june.parquet")
    assert yard.new(yard.folder / "tables", "target").record["rows"] == 600


def test_target_absent(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A similar column is offered."""
    good.write_parquet(yard.folder / "good.parquet")

    sentence = yard.refused_new(yard.folder / "good.parquet", target="targt")

    assert "Did you mean 'target'?" in sentence


@pytest.mark.parametrize("value", ["yes", 1.5])
def test_target_constant_or_one_class(yard: FaultyYard, good: pl.DataFrame, value: str | float) -> None:
    """One class, one number: there is nothing to learn."""
    good.with_columns(target=pl.lit(value)).write_parquet(yard.folder / "one.parquet")

    sentence = yard.refused_new(yard.folder / "one.parquet")

    assert "constant" in sentence
    assert "600 rows" in sentence


def test_one_class_in_the_training_part(yard: FaultyYard, good: pl.DataFrame) -> None:
    """The second class comes only after the training part has ended: said at the first command that divides."""
    late = good.with_columns(moment=pl.int_range(600), target=pl.Series(["no"] * 500 + ["yes"] * 100))
    late.write_parquet(yard.folder / "late.parquet")
    yard.new(yard.folder / "late.parquet", "target")

    sentence = yard.refused("audit", "--set", "data.time=moment")

    assert "one class only" in sentence
    yard.assert_sound()


def test_target_with_nulls(yard: FaultyYard, good: pl.DataFrame) -> None:
    """They are counted; guessed labels teach nothing."""
    holed = good.with_columns(target=pl.when(pl.int_range(600) % 100 == 0).then(None).otherwise("target"))
    holed.write_parquet(yard.folder / "holes.parquet")

    assert "missing in 6 of 600 rows" in yard.refused_new(yard.folder / "holes.parquet")


def test_duplicate_column_names(yard: FaultyYard) -> None:
    """The name is given."""
    sentence = yard.refused_new(yard.file("twice.csv", "age,age,target\n1,2,yes\n3,4,no\n"))

    assert "more than once" in sentence
    assert "'age'" in sentence


def test_one_row(yard: FaultyYard) -> None:
    """One row is constant in everything."""
    assert "constant" in yard.refused_new(yard.file("one.csv", "age,target\n41,yes\n"))


def test_two_rows(yard: FaultyYard) -> None:
    """Two rows can be looked at, but not divided into three parts; the project waits for more."""
    assert yard.new(yard.file("two.csv", "age,target\n41,yes\n17,no\n"), "target").exit_code == 2

    yard.configure()
    sentence = yard.refused("train")

    assert "rows" in sentence
    yard.assert_sound()


def test_ragged_csv(yard: FaultyYard) -> None:
    """The line is named."""
    sentence = yard.refused_new(yard.file("ragged.csv", "a,b,target\n1,2,yes\n1,2,3,no\n4,5,no\n"))

    assert "line 3" in sentence


def test_csv_that_is_not_utf8(yard: FaultyYard, good: pl.DataFrame) -> None:
    """The encoding is found, and the project works with the right letters."""
    text = good.with_columns(kind=pl.col("kind").replace({"a": "Zürich", "b": "Genève"})).write_csv()

    answer = yard.new(yard.file("latin.csv", text.encode("latin-1")), "target")
    run = yard.run("train", "--set", "training.families=[linear]", "--set", "training.tuning_rounds=0")

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.record["winner"] == "linear"
    stored = "".join(path.read_text("utf-8") for path in (yard.root / ".modelyard" / "audits").rglob("audit.json"))
    assert "Ã" not in stored


def test_damaged_parquet(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A copy that broke off."""
    good.write_parquet(yard.folder / "good.parquet")
    half = (yard.folder / "good.parquet").read_bytes()[:2000]

    assert "cut short" in yard.refused_new(yard.file("half.parquet", half))


def test_all_null_column(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A column without values is named by the audit, and the rest is learnt from."""
    good.with_columns(void=pl.lit(None), blank=pl.lit("")).write_csv(yard.folder / "void.csv")

    assert yard.new(yard.folder / "void.csv", "target").exit_code == 0
    audit = yard.run("audit")
    run = yard.run("train", "--set", "training.families=[linear]", "--set", "training.tuning_rounds=0")

    assert ("empty-column", "void") in {(item["id"], item["subject"]) for item in audit.record["findings"]}
    assert (run.exit_code, run.stderr, run.record["winner"]) == (0, "", "linear")


def test_nan_and_infinity(yard: FaultyYard, good: pl.DataFrame) -> None:
    """NaN is a gap and an infinity is no number: all four families are trained, packaged and agree."""
    index = pl.int_range(600)
    dirty = good.with_columns(
        number=pl.when(index % 10 == 0).then(float("nan")).when(index % 97 == 0).then(np.inf).otherwise("number"),
        noise=pl.when(index % 50 == 1).then(-np.inf).otherwise("noise"),
    )
    dirty.write_parquet(yard.folder / "dirty.parquet")

    assert yard.new(yard.folder / "dirty.parquet", "target").exit_code == 0
    families = "training.families=[linear, random_forest, lightgbm, xgboost]"
    run = yard.run("train", "--set", families, "--set", "training.tuning_rounds=0")
    assert (run.exit_code, run.stderr) == (0, "")
    assert {item["status"] for item in run.record["candidates"]} == {"done"}
    assert [yard.run(command).exit_code for command in ("evaluate", "package")] == [0, 0]
    yard.assert_sound()


def test_target_with_nan(yard: FaultyYard, good: pl.DataFrame) -> None:
    """NaN in a numeric target is a missing label."""
    holed = good.with_columns(target=pl.when(pl.int_range(600) % 300 == 0).then(float("nan")).otherwise("number"))
    holed.write_parquet(yard.folder / "nan.parquet")

    assert "missing in 2 of 600 rows" in yard.refused_new(yard.folder / "nan.parquet")


def test_target_with_infinity(yard: FaultyYard, good: pl.DataFrame) -> None:
    """An infinite target cannot be learnt; it is refused before anything is made of it."""
    wild = good.with_columns(target=pl.when(pl.int_range(600) == 5).then(np.inf).otherwise("number"))
    wild.write_parquet(yard.folder / "wild.parquet")

    sentence = yard.refused_new(yard.folder / "wild.parquet")

    assert "target" in sentence


def test_a_million_categories(yard: FaultyYard) -> None:
    """10⁶ distinct values in 10⁶ rows of text: an identifier, left out, within memory and time."""
    rows = 1_000_000
    rng = np.random.default_rng(0)
    table = pl.DataFrame(
        {"code": pl.int_range(rows, eager=True).cast(pl.String) + "-x", "number": rng.normal(size=rows)}
    )
    noise = pl.Series(rng.normal(size=rows))
    table.with_columns(
        target=pl.when(pl.col("number") + noise > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    ).write_parquet(yard.folder / "many.parquet")

    answer = yard.new(yard.folder / "many.parquet", "target")
    audit = yard.run("audit")

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert ("identifier", "code") in {(item["id"], item["subject"]) for item in audit.record["findings"]}


def test_a_million_classes(yard: FaultyYard) -> None:
    """10⁶ distinct words as the target: refused, since nothing repeats."""
    rows = 1_000_000
    words = pl.int_range(rows, eager=True).cast(pl.String) + "-x"
    pl.DataFrame({"number": np.arange(rows) % 7, "target": words}).write_parquet(yard.folder / "many.parquet")

    assert "more than 50 classes" in yard.refused_new(yard.folder / "many.parquet")


def test_source_that_has_gone(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A table that was moved after ``new``: the next command says so, and the project works when it is back."""
    yard.make(good)
    source, away = yard.folder / "good.parquet", yard.folder / "moved.parquet"
    source.rename(away)

    assert "there is no such file" in yard.refused("audit")

    away.rename(source)
    assert yard.run("audit").exit_code == 0
    yard.assert_sound()


def test_project_file_with_a_slip(yard: FaultyYard, good: pl.DataFrame) -> None:
    """An unknown key, a value out of range, and no YAML at all: each one sentence."""
    yard.make(good)

    assert "did you mean" in yard.refused("check", "--set", "data.targt=x").lower()
    assert "split" in yard.refused("check", "--set", "split.train=0.9")
    path: Path = yard.root / "modelyard.yaml"
    path.write_text("data: [unclosed", encoding="utf-8")
    assert "modelyard.yaml" in yard.refused("check")

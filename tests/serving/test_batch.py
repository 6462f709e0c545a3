"""A file in, a file out: good rows scored like single ones, bad rows set aside, nothing half-written."""

import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelyard.core import DataError, ProgressEvent, StateError
from modelyard.packaging import Scorer
from modelyard.serving import BatchSettings, score_file


@pytest.fixture
def scorer(package_folder: Path) -> Scorer:
    """The package's scorer."""
    return Scorer.load(package_folder)


@pytest.fixture
def table(row: dict[str, Any]) -> pl.DataFrame:
    """Nine rows: one with an infinite number, one with a new category, one with a missing value."""
    rows = [{**row, "tenure": float(number * 7)} for number in range(9)]
    rows[3]["MonthlyCharges"] = float("inf")
    rows[5]["Contract"] = "Weekly"
    rows[6]["tenure"] = None
    return pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64})


def test_good_rows_are_scored_and_bad_ones_set_aside(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """Scores equal those of single rows, order and columns stay, and the quarantine says which row and why."""
    table.write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet", settings=BatchSettings(chunk_rows=2))
    result = pl.read_parquet(tmp_path / "out.parquet")
    aside = pl.read_parquet(tmp_path / "out.parquet.quarantine.parquet")
    good = table.with_row_index().filter(pl.col("index") != 3).drop("index")
    scores = scorer.score_rows(good.to_dicts())

    assert (report.rows, report.scored, report.quarantined, report.flagged) == (9, 8, 1, 2)
    assert_frame_equal(result.select(table.columns), good)
    assert result["prediction_score"].to_list() == pytest.approx(scores.tolist(), abs=1e-12)
    assert result["prediction_label"].to_list() == [str(label) for label in scorer.decide(scores)]
    assert result["prediction_flags"].to_list() == [None] * 4 + ["Contract: category", "tenure: null", None, None]
    assert aside["row"].to_list() == [3]
    assert aside["reasons"][0].startswith("MonthlyCharges: infinite (got inf, expected a number")
    assert json.loads(aside["record"][0])["tenure"] == 21.0
    assert report.quarantine == str(tmp_path / "out.parquet.quarantine.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_formats_in_and_out_agree(tmp_path: Path, scorer: Scorer, table: pl.DataFrame, suffix: str) -> None:
    """The same table gives the same scores from and to every format, whatever the size of the pieces."""
    table = table.with_row_index("number").filter(pl.col("number") != 3)
    table.write_parquet(tmp_path / "in.parquet")
    table.write_csv(tmp_path / "in.csv")
    table.write_ndjson(tmp_path / "in.jsonl")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "expected.parquet")
    report = score_file(
        scorer, tmp_path / f"in{suffix}", tmp_path / f"out{suffix}", settings=BatchSettings(chunk_rows=3)
    )
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": pl.read_csv,
        ".jsonl": pl.read_ndjson,
        ".parquet": pl.read_parquet,
    }
    columns = ["prediction_score", "prediction_label", "prediction_flags"]

    assert (report.scored, report.quarantined, report.quarantine) == (8, 0, None)
    assert_frame_equal(
        readers[suffix](tmp_path / f"out{suffix}").select(columns),
        pl.read_parquet(tmp_path / "expected.parquet").select(columns),
    )


def test_batches_say_how_sure_they_are_when_asked(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """The column ``prediction_set`` holds JSON lists of classes; values have two columns; without asking, neither."""
    table.write_parquet(tmp_path / "in.parquet")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "plain.parquet")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "sets.parquet", settings=BatchSettings(uncertainty=True))
    plain, sets = (pl.read_parquet(tmp_path / name) for name in ("plain.parquet", "sets.parquet"))
    expected = scorer.describe(sets["prediction_score"].to_numpy())["prediction_set"]

    assert sets.drop("prediction_set").equals(plain)
    assert [json.loads(text) for text in sets["prediction_set"]] == expected


def test_a_package_that_cannot_say_refuses_to(
    tmp_path: Path, scorer: Scorer, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written if the package has no rule."""
    table.write_parquet(tmp_path / "in.parquet")
    monkeypatch.setattr(scorer, "conformal", None)
    with pytest.raises(StateError, match="does not say how sure it is"):
        score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet", settings=BatchSettings(uncertainty=True))

    assert not (tmp_path / "out.parquet").exists()


def test_text_that_is_no_number_is_set_aside(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """In a CSV file a cell that should be a number and is not costs its row, not the file."""
    text = table.with_row_index("number").filter(pl.col("number") != 3).drop("number").write_csv()
    lines = text.splitlines()
    lines[2] = lines[2].replace("7.0", "seven")
    (tmp_path / "in.csv").write_text("\n".join(lines), encoding="utf-8")
    report = score_file(scorer, tmp_path / "in.csv", tmp_path / "out.csv")
    aside = pl.read_parquet(str(report.quarantine))

    assert (report.scored, report.quarantined) == (7, 1)
    assert aside["reasons"].to_list() == ["tenure: type (got 'seven', expected a number between 0 and 72)"]


def test_a_missing_column_stops_the_file(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """A column that training always had must be there; the error names it, and nothing is written."""
    table.rename({"tenure": "Tenure"}).write_parquet(tmp_path / "in.parquet")

    with pytest.raises(DataError, match="columns that the model needs are not there: 'tenure'"):
        score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_a_column_that_may_be_missing_is_flagged(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """A column that training saw empty may be left out of a file; every row says so."""
    table.drop("TotalCharges").write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet")
    flags = pl.read_parquet(tmp_path / "out.parquet")["prediction_flags"].to_list()

    assert (report.scored, report.flagged) == (8, 8)
    assert flags[0] == "TotalCharges: missing"
    assert flags[4] == "TotalCharges: missing; Contract: category"


def test_a_file_of_bad_rows_gives_an_empty_result(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """When every row is set aside, the result has its columns and no rows."""
    table.filter(pl.col("MonthlyCharges").is_infinite()).write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.csv")

    assert (report.rows, report.scored, report.quarantined) == (1, 0, 1)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count("\n") == 1


def test_an_old_quarantine_does_not_stay(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """After a run without bad rows no quarantine of an earlier run misleads anybody."""
    table.write_parquet(tmp_path / "in.parquet")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.jsonl")
    table.filter(pl.col("MonthlyCharges").is_finite()).write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.jsonl")

    assert report.quarantine is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.jsonl"]


def test_progress_is_told(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """After each piece the listener hears how many rows are done, and of how many."""
    events: list[ProgressEvent] = []
    table.write_parquet(tmp_path / "in.parquet")
    score_file(
        scorer,
        tmp_path / "in.parquet",
        tmp_path / "out.csv",
        progress=events.append,
        settings=BatchSettings(chunk_rows=4),
    )

    assert [(event.done, event.total) for event in events] == [(4, 9), (8, 9), (9, 9)]


def test_bad_paths_are_refused(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """No such file, an unknown format, the source itself and a broken file: each a clear error."""
    table.write_parquet(tmp_path / "in.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really PAR1")
    cases = {
        "there is no such file": (tmp_path / "none.parquet", tmp_path / "out.csv"),
        "cannot be written in this format": (tmp_path / "in.parquet", tmp_path / "out.xlsx"),
        "overwrite the source": (tmp_path / "in.parquet", tmp_path / "in.parquet"),
        "is not valid Parquet": (tmp_path / "broken.parquet", tmp_path / "out.csv"),
    }
    for sentence, (source, destination) in cases.items():
        with pytest.raises(DataError, match=sentence):
            score_file(scorer, source, destination)

    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_full_disk_keeps_the_old_result(
    tmp_path: Path, package_folder: Path, table: pl.DataFrame, suffix: str
) -> None:
    """When the result does not fit, the old one stays, no temporary file is left, and the error has a cure."""
    pl.concat([table.filter(pl.col("MonthlyCharges").is_finite())] * 3_000).with_row_index("number").write_parquet(
        tmp_path / "in.parquet"
    )
    destination = tmp_path / f"out{suffix}"
    destination.write_text("old", encoding="utf-8")
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from modelyard.core import ModelyardError; from modelyard.packaging import Scorer\n"
        "from modelyard.serving import score_file\n"
        "scorer = Scorer.load(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n    score_file(scorer, Path(sys.argv[2]), Path(sys.argv[3]))\n"
        "except ModelyardError as error:\n    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(package_folder), str(tmp_path / "in.parquet"), str(destination)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert "the result cannot be written" in result.stdout
    assert destination.read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", destination.name]


def test_the_report_is_a_record(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """The report names the model by digest and goes to JSON and back."""
    table.write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.csv")

    assert type(report).from_dict(json.loads(json.dumps(report.to_dict()))) == report
    assert (report.model, report.version, report.digest) == (scorer.name, scorer.version, scorer.digest)
    assert dataclasses.is_dataclass(report)


@pytest.mark.parametrize(("source", "destination"), [("in.parquet", "out.csv"), ("in.csv", "out.parquet")])
def test_a_table_without_rows_gives_a_result_without_rows(
    tmp_path: Path, scorer: Scorer, table: pl.DataFrame, source: str, destination: str
) -> None:
    """A night in which nothing happened is no fault: the result has all its columns, and nothing is set aside."""
    table.clear().write_parquet(tmp_path / "in.parquet")
    table.clear().write_csv(tmp_path / "in.csv")
    report = score_file(scorer, tmp_path / source, tmp_path / destination)
    read = pl.read_csv if destination.endswith(".csv") else pl.read_parquet
    result = read(tmp_path / destination)

    assert (report.rows, report.scored, report.quarantined, report.quarantine) == (0, 0, 0, None)
    assert result.columns == [*table.columns, "prediction_score", "prediction_label", "prediction_flags"]
    assert result.height == 0

    table.clear().drop("tenure").write_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match="columns that the model needs are not there: 'tenure'"):
        score_file(scorer, tmp_path / "in.parquet", tmp_path / destination)


def test_every_row_goes_somewhere(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """Nothing is lost: the rows of result and quarantine are together those of the source, each once, in whatever pieces."""
    rows = pl.concat([table] * 7).with_columns(pl.int_range(pl.len()).alias("number"))
    rows.write_parquet(tmp_path / "in.parquet")
    report = score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet", settings=BatchSettings(chunk_rows=5))
    good = pl.read_parquet(tmp_path / "out.parquet")["number"].to_list()
    aside = pl.read_parquet(str(report.quarantine))
    bad = [json.loads(record)["number"] for record in aside["record"]]

    assert report.rows == report.scored + report.quarantined == 63
    assert sorted(good + bad) == list(range(63))
    assert bad == aside["row"].to_list() == [3 + 9 * turn for turn in range(7)]


def test_a_database_is_scored(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """An address with a query is a source like a file, and its rows get the same scores."""
    table = table.filter(pl.col("MonthlyCharges").is_finite())
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        names = ", ".join(f'"{name}"' for name in table.columns)
        connection.execute(f"CREATE TABLE customers ({names})")
        marks = ", ".join("?" * table.width)
        connection.executemany(f"INSERT INTO customers VALUES ({marks})", table.rows())
    connection.close()
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    report = score_file(scorer, address, tmp_path / "out.parquet", query="SELECT * FROM customers ORDER BY rowid")
    table.write_parquet(tmp_path / "in.parquet")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "expected.parquet")
    columns = ["prediction_score", "prediction_label"]

    assert (report.source, report.scored) == (address, 8)
    assert_frame_equal(
        pl.read_parquet(tmp_path / "out.parquet").select(columns),
        pl.read_parquet(tmp_path / "expected.parquet").select(columns),
    )


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_changes_while_it_is_scored(
    tmp_path: Path, scorer: Scorer, table: pl.DataFrame, suffix: str
) -> None:
    """If the file is written again in the meantime, nothing is published, and the sentence says why."""
    rows = table.filter(pl.col("MonthlyCharges").is_finite())
    source, destination = tmp_path / f"in{suffix}", tmp_path / "out.csv"
    write = pl.DataFrame.write_csv if suffix == ".csv" else pl.DataFrame.write_parquet
    write(rows, source)

    def disturb(event: ProgressEvent) -> None:
        if event.done == event.total:
            write(pl.concat([rows, rows]), source)

    with pytest.raises(DataError, match="the source changed while it was read"):
        score_file(scorer, source, destination, progress=disturb)
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_damage_in_the_middle_of_a_file(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """A Parquet file whose footer is whole and whose rows are not: refused when the damage is reached, nothing is published."""
    source = tmp_path / "in.parquet"
    pl.concat([table] * 4_000).write_parquet(source, row_group_size=9_000, compression="zstd")
    raw = bytearray(source.read_bytes())
    raw[len(raw) // 4 : len(raw) // 4 + 3_000] = b"\xff" * 3_000
    source.write_bytes(bytes(raw))

    with pytest.raises(DataError, match="is not valid Parquet"):
        score_file(scorer, source, tmp_path / "out.csv", settings=BatchSettings(chunk_rows=2_000))
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]

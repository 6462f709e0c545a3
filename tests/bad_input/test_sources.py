"""Sources that move under the reader's hands, and batches in which nothing came."""

import subprocess
import sys
import time
from collections.abc import Callable

import polars as pl
from tests.bad_input.conftest import FaultyYard

WRITER = """
import os, sys
with open(sys.argv[1], "ab", buffering=0) as file:
    line = open(sys.argv[1], "rb").read().splitlines(keepends=True)[1]
    print("writing", flush=True)
    while True:
        os.write(file.fileno(), line)
"""


def test_a_file_that_is_still_being_written(yard: FaultyYard, good: pl.DataFrame) -> None:
    """While another process appends whole lines, no command takes a half for the whole; afterwards it is read."""
    path = yard.folder / "growing.csv"
    pl.concat([good] * 50).write_csv(path)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        sentence = yard.refused_new(path)
    finally:
        writer.kill()
        writer.communicate(timeout=10)

    assert "the source changed while it was read" in sentence
    time.sleep(0.05)
    pl.concat([good] * 2).write_csv(path)
    assert yard.new(path, "target").exit_code == 0


def test_a_batch_without_rows(stage: Callable[[str], FaultyYard], good: pl.DataFrame) -> None:
    """By command: a header alone gives a result with all its columns and no rows; one that lacks a column is refused."""
    yard = stage("score")
    (yard.folder / "none.csv").write_text("number,kind,noise\n", encoding="utf-8")
    good.clear().drop("target").write_parquet(yard.folder / "none.parquet")
    for name in ("none.csv", "none.parquet"):
        record = yard.done("score", name, "scores.parquet")
        assert (record["rows"], record["scored"], record["quarantined"], record["quarantine"]) == (0, 0, 0, None)
        result = pl.read_parquet(yard.folder / "scores.parquet")
        assert (result.height, result.columns[:4]) == (0, ["number", "kind", "noise", "prediction_score"])

    (yard.folder / "bare.csv").write_text("number,kind\n", encoding="utf-8")
    assert "columns that the model needs are not there: 'noise'" in yard.refused("score", "bare.csv", "scores.parquet")
    report = yard.run("contract", "none.csv", "--version", "1")
    assert (report.exit_code, report.record["rows"], report.record["found"]) == (0, 0, [])
    assert yard.run("contract", "bare.csv", "--version", "1").exit_code == 3
    yard.assert_sound()

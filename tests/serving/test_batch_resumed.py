"""A batch that is broken off goes on where it was, and ends as if nobody had disturbed it."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelyard.core import DataError, LockedError, ProgressEvent, exclusive_lock
from modelyard.packaging import Scorer
from modelyard.serving import BatchReport, BatchSettings, score_file
from modelyard.serving.batch import score_piece

if TYPE_CHECKING:
    from tests.serving.conftest import Build

SMALL = BatchSettings(chunk_rows=50)
SCRIPT = (
    "import sys; from pathlib import Path\n"
    "from modelyard.packaging import Scorer\n"
    "from modelyard.serving import BatchSettings, score_file\n"
    "target = sys.argv[3] if '://' in sys.argv[3] else Path(sys.argv[3])\n"
    "score_file(Scorer.load(Path(sys.argv[1])), Path(sys.argv[2]), target, settings=BatchSettings(chunk_rows=50))\n"
)


@pytest.fixture
def scorer(package_folder: Path) -> Scorer:
    """The package's scorer."""
    return Scorer.load(package_folder)


@pytest.fixture(scope="module")
def linear(build: "Build") -> Scorer:
    """Another model."""
    return Scorer.load(build("Churn", "linear"))


@pytest.fixture
def table(row: dict[str, Any]) -> pl.DataFrame:
    """A thousand rows, every hundredth of which breaks the contract."""
    rows = [{**row, "number": number, "tenure": float(number % 72)} for number in range(1_000)]
    for place in range(13, 1_000, 100):
        rows[place]["MonthlyCharges"] = float("inf")
    return pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64})


class BrokenOff(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


def broken_off(scorer: Scorer, source: Path, destination: Path | str, *, after: int) -> None:
    """Score, and stop after some parts."""
    parts = iter(range(1, after + 1))

    def stop(event: ProgressEvent) -> None:
        if next(parts) == after:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        score_file(scorer, source, destination, progress=stop, settings=SMALL)


def told(report: BatchReport) -> BatchReport:
    """All that a report says, but for time and attempts."""
    return dataclasses.replace(report, seconds=0.0, resumed=0, destination="", quarantine=None)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_batch_goes_on_where_it_was(tmp_path: Path, scorer: Scorer, table: pl.DataFrame, suffix: str) -> None:
    """Broken off twice, it scores only what is left; result and quarantine are the same, byte for byte; nothing stays."""
    source = tmp_path / "in.parquet"
    table.write_parquet(source, row_group_size=333)
    whole = score_file(scorer, source, tmp_path / f"whole{suffix}", settings=SMALL)
    destination = tmp_path / f"out{suffix}"
    broken_off(scorer, source, destination, after=7)
    broken_off(scorer, source, destination, after=4)
    seen: list[ProgressEvent] = []
    report = score_file(scorer, source, destination, settings=SMALL, progress=seen.append)

    assert (report.rows, report.scored, report.quarantined, report.resumed) == (1_000, 990, 10, 550)
    assert told(report) == told(whole)
    assert [event.done for event in seen] == list(range(600, 1_001, 50))
    assert destination.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()
    aside = [tmp_path / f"{name}{suffix}.quarantine.parquet" for name in ("out", "whole")]
    assert aside[0].read_bytes() == aside[1].read_bytes()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_killed_at_any_moment(tmp_path: Path, package_folder: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """SIGKILL twice at random moments: the file is that of an undisturbed run, to the last byte."""
    source, destination = tmp_path / "in.csv", tmp_path / "out.parquet"
    table.with_columns(pl.col("MonthlyCharges").replace(float("inf"), None)).write_csv(source)
    score_file(scorer, source, tmp_path / "whole.parquet", settings=SMALL)
    moments = random.Random(7)
    killed = kill_and_continue(
        [str(package_folder), str(source), str(destination)],
        tmp_path / ".out.parquet.unfinished/journal.jsonl",
        moments,
    )

    assert killed >= 1
    assert destination.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.parquet", "whole.parquet"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_many_moments(
    tmp_path: Path, package_folder: Path, scorer: Scorer, table: pl.DataFrame, seed: int
) -> None:
    """The same at other moments, with a quarantine."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    score_file(scorer, source, tmp_path / "whole.csv", settings=SMALL)
    kill_and_continue(
        [str(package_folder), str(source), str(destination)],
        tmp_path / ".out.csv.unfinished/journal.jsonl",
        random.Random(seed),
    )

    assert destination.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert_frame_equal(
        *(pl.read_parquet(tmp_path / f"{name}.csv.quarantine.parquet") for name in ("out", "whole")), check_exact=True
    )


def kill_and_continue(words: list[str], journal: Path, moments: random.Random, times: int = 3) -> int:
    """Score in processes that are killed when the journal has so many parts, and in one that is not; says how many were."""
    killed = 0
    for parts in sorted(moments.sample(range(1, 19), times)):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, *words], env={**os.environ, "OMP_NUM_THREADS": "1"})
        while process.poll() is None:
            done = journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0
            if done >= parts:
                time.sleep(moments.uniform(0, 0.03))
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
            time.sleep(0.001)
    subprocess.run([sys.executable, "-c", SCRIPT, *words], check=True, timeout=300)
    return killed


def test_another_source_begins_anew(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """Half-done work on other rows counts for nothing, and the report says so; with the same name, size and number."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    broken_off(scorer, source, destination, after=5)
    changed = table.with_columns(pl.col("tenure") + 1)
    changed.write_parquet(source)
    report = score_file(scorer, source, destination, settings=SMALL)

    assert report.resumed == 0
    assert report.notes == ("half-done work was not continued, since it had other grounds: the source's content",)
    assert pl.read_csv(destination)["tenure"].to_list() == [
        tenure for tenure, charges in changed.select("tenure", "MonthlyCharges").rows() if charges != float("inf")
    ]


def test_another_package_begins_anew(tmp_path: Path, scorer: Scorer, linear: Scorer, table: pl.DataFrame) -> None:
    """No result holds scores of two models."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    broken_off(linear, source, destination, after=5)
    report = score_file(scorer, source, destination, settings=SMALL)
    score_file(scorer, source, tmp_path / "whole.csv", settings=SMALL)

    assert (report.resumed, len(report.notes)) == (0, 1)
    assert report.notes[0].endswith("the package")
    assert destination.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_half_done_work_can_be_left(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """Without ``resume`` everything is scored again."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    broken_off(scorer, source, destination, after=5)
    report = score_file(scorer, source, destination, settings=dataclasses.replace(SMALL, resume=False))

    assert (report.resumed, report.scored) == (0, 990)


@pytest.mark.parametrize("fault", ["torn line", "damaged part", "lost part", "not a journal"])
def test_damaged_work_is_done_again(tmp_path: Path, scorer: Scorer, table: pl.DataFrame, fault: str) -> None:
    """What is not whole does not count: a line that was cut short, a part whose bytes are others or gone."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    score_file(scorer, source, tmp_path / "whole.csv", settings=SMALL)
    broken_off(scorer, source, destination, after=6)
    folder = tmp_path / ".out.csv.unfinished"
    journal, part = folder / "journal.jsonl", folder / "part-000003.csv"
    if fault == "torn line":
        journal.write_bytes(journal.read_bytes()[:-20])
    elif fault == "damaged part":
        part.write_bytes(part.read_bytes().replace(b"Yes", b"No!", 1).replace(b"No", b"On", 1))
    elif fault == "lost part":
        part.unlink()
    else:
        journal.write_bytes(b"\xff\xfe nothing\n")
    report = score_file(scorer, source, destination, settings=SMALL)

    expected = {"torn line": 250, "damaged part": 150, "lost part": 150, "not a journal": 0}
    assert report.resumed == expected[fault]
    assert destination.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_nobody_else_writes_the_same_file(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """While one process is at work on a result, another is refused and harms nothing."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    broken_off(scorer, source, destination, after=2)
    with exclusive_lock(tmp_path / ".out.csv.unfinished" / "lock"), pytest.raises(LockedError):
        score_file(scorer, source, destination, settings=SMALL)

    assert score_file(scorer, source, destination, settings=SMALL).resumed == 100


def test_a_source_that_is_away_costs_nothing(tmp_path: Path, scorer: Scorer, table: pl.DataFrame) -> None:
    """If the source cannot be found at the second attempt, what is done is still there at the third."""
    source, destination = tmp_path / "in.parquet", tmp_path / "out.csv"
    table.write_parquet(source)
    broken_off(scorer, source, destination, after=2)
    source.rename(tmp_path / "away.parquet")
    with pytest.raises(DataError, match="there is no such file"):
        score_file(scorer, source, destination, settings=SMALL)
    (tmp_path / "away.parquet").rename(source)

    assert score_file(scorer, source, destination, settings=SMALL).resumed == 100


def test_scores_do_not_depend_on_the_parts(tmp_path: Path, scorer: Scorer, linear: Scorer, table: pl.DataFrame) -> None:
    """In one piece, or in pieces of any size, every score has the same bits."""
    for model in (scorer, linear):
        _same_bits(model, table)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["linear", "lightgbm"])
def test_scores_of_several_classes_do_not_either(build: "Build", table: pl.DataFrame, family: Any) -> None:
    """The same with a score for each class."""
    _same_bits(Scorer.load(build("Contract", family)), table.with_columns(pl.lit("Yes").alias("Churn")))


def _same_bits(scorer: Scorer, table: pl.DataFrame) -> None:
    rows = table.filter(pl.col("MonthlyCharges").is_finite()).head(70)
    whole = score_piece(scorer, rows, 0).good
    for size in (1, 27):
        parts = [score_piece(scorer, rows.slice(first, size), first).good for first in range(0, 70, size)]

        assert_frame_equal(pl.concat(parts), whole, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_memory_does_not_grow_with_the_table(
    tmp_path: Path, package_folder: Path, table: pl.DataFrame, form: str
) -> None:
    """Two and a half million rows (of JSON, half a million), which would take gigabytes as they are, in what the first hundred thousand need."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from modelyard.packaging import Scorer\n"
        "from modelyard.serving import score_file\n"
        "score_file(Scorer.load(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for rows in (100_000, 500_000 if form == "jsonl" else 2_500_000):
        source = tmp_path / f"{rows}.{form}"
        wide = pl.concat([table.filter(pl.col("MonthlyCharges").is_finite())] * (rows // 990 + 1)).head(rows)
        wide = wide.with_columns(pl.int_range(pl.len()).alias(f"extra_{place}") for place in range(8))
        if form == "parquet":
            wide.write_parquet(source)
        elif form == "csv":
            wide.write_csv(source)
        else:
            wide.write_ndjson(source)
        del wide
        command = [
            sys.executable,
            "-c",
            script,
            str(package_folder),
            str(source),
            str(tmp_path / f"out-{rows}.parquet"),
        ]
        said = subprocess.run(command, check=True, timeout=1_200, capture_output=True, text=True)
        peaks.append(int(said.stdout))

    assert peaks[1] < peaks[0] + 500, peaks

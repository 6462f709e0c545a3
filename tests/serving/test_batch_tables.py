"""Scores that go to a table: each row once, whatever happens, and the table appears whole."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from tests.data_room.servers import PASSWORD
from tests.serving.test_batch_resumed import SCRIPT, SMALL, broken_off

from modelyard.core import ConfigError, DataError, StateError
from modelyard.data import read_source
from modelyard.packaging import Scorer
from modelyard.serving import score_file


@pytest.fixture
def scorer(package_folder: Path) -> Scorer:
    """The package's scorer."""
    return Scorer.load(package_folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address of each kind; the working directory is the test's own."""
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
        return
    address = request.getfixturevalue("postgres")
    yield address
    ask(address, "DROP TABLE IF EXISTS scores, scores_quarantine, scores__unfinished, modelyard_parts")
    ask(address, "DROP TABLE IF EXISTS scores_quarantine__unfinished")


def ask(address: str, statement: str) -> list[Any]:
    """Rows of a statement."""
    engine = sa.create_engine(address.replace("${YARD_PASSWORD}", PASSWORD), poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


def tables(address: str) -> list[str]:
    """Names of all tables."""
    engine = sa.create_engine(address.replace("${YARD_PASSWORD}", PASSWORD), poolclass=sa.NullPool)
    names = sorted(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


@pytest.fixture
def source(tmp_path: Path, row: dict[str, Any]) -> Path:
    """Five hundred rows, every fiftieth of which breaks the contract."""
    rows = [{**row, "number": number, "tenure": float(number % 72)} for number in range(500)]
    for place in range(13, 500, 50):
        rows[place]["MonthlyCharges"] = float("inf")
    pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64}).write_parquet(tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_a_table_gets_what_a_file_gets(tmp_path: Path, scorer: Scorer, source: Path, database: str) -> None:
    """Same rows, same scores to the last bit; broken off twice, each row is there once, and nothing shows before the end."""
    score_file(scorer, source, tmp_path / "out.parquet")
    broken_off(scorer, source, f"{database}#scores", after=3)
    before = tables(database)
    broken_off(scorer, source, f"{database}#scores", after=2)
    report = score_file(scorer, source, f"{database}#scores", settings=SMALL)
    expected = pl.read_parquet(tmp_path / "out.parquet")
    found = read_source(database, query='SELECT * FROM scores ORDER BY "number"').frame
    columns = ["number", "tenure", "prediction_score", "prediction_label"]

    assert before == ["modelyard_parts", "scores__unfinished", "scores_quarantine__unfinished"]
    assert tables(database) == ["modelyard_parts", "scores", "scores_quarantine"]
    assert (report.rows, report.scored, report.quarantined, report.resumed) == (500, 490, 10, 250)
    assert found.columns == expected.columns
    assert_frame_equal(found.select(columns), expected.select(columns), check_dtypes=False, check_exact=True)
    assert [number for (number,) in ask(database, 'SELECT "row" FROM scores_quarantine ORDER BY 1')] == [
        *range(13, 500, 50)
    ]
    assert PASSWORD not in str(report)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_later_batch_replaces_its_own_table(tmp_path: Path, scorer: Scorer, source: Path, database: str) -> None:
    """The table of the night before stays until the new one is whole; a quarantine that is empty by now goes."""
    score_file(scorer, source, f"{database}#scores", settings=SMALL)
    rows = pl.read_parquet(source).filter(pl.col("MonthlyCharges").is_finite()).head(120)
    rows.write_parquet(source)
    broken_off(scorer, source, f"{database}#scores", after=1)
    between = ask(database, "SELECT COUNT(*) FROM scores")
    report = score_file(scorer, source, f"{database}#scores", settings=SMALL)

    assert between == [(490,)]
    assert (report.resumed, report.quarantine) == (50, None)
    assert ask(database, "SELECT COUNT(*) FROM scores") == [(120,)]
    assert tables(database) == ["modelyard_parts", "scores"]


@pytest.mark.slow
def test_killed_in_the_middle_of_a_transaction(
    tmp_path: Path, package_folder: Path, source: Path, database: str
) -> None:
    """SIGKILL at three moments, then once more in peace: every row once."""
    command = [sys.executable, "-c", SCRIPT, str(package_folder), str(source), f"{database}#scores"]
    for parts in (1, 3, 6):
        process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while process.poll() is None and _parts(database) < parts:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, cwd=tmp_path, check=True, timeout=300)

    assert ask(database, 'SELECT COUNT(*), COUNT(DISTINCT "number") FROM scores') == [(490, 490)]
    assert ask(database, 'SELECT COUNT(*), COUNT(DISTINCT "row") FROM scores_quarantine') == [(10, 10)]
    assert tables(database) == ["modelyard_parts", "scores", "scores_quarantine"]


def _parts(database: str) -> int:
    try:
        return int(ask(database, "SELECT COUNT(*) FROM modelyard_parts WHERE part >= 0")[0][0])
    except sa.exc.SQLAlchemyError:  # no table yet, or somebody writes
        return 0


def test_a_table_of_others_is_left_alone(scorer: Scorer, source: Path, database: str) -> None:
    """A table that was not made here is not replaced, whatever it holds."""
    ask(database, "CREATE TABLE scores (precious INTEGER)")
    ask(database, "INSERT INTO scores VALUES (7)")

    with pytest.raises(DataError, match=r"there is a table of this name, which modelyard did not make.*got scores\."):
        score_file(scorer, source, f"{database}#scores")
    assert ask(database, "SELECT * FROM scores") == [(7,)]


def test_addresses_that_take_no_rows(tmp_path: Path, scorer: Scorer, source: Path, monkeypatch: Any) -> None:
    """No table, a name that is none, another kind of database, a password, a server that is not there: one sentence each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORD", "never-shown")
    cases: dict[str, tuple[type[Exception], str]] = {
        "sqlite:///shop.db": (ConfigError, "scores in a database need a table"),
        'sqlite:///shop.db#sco"res': (ConfigError, "scores in a database need a table"),
        "mysql://host/shop#scores": (ConfigError, "rows go to PostgreSQL or SQLite"),
        "postgresql+psycopg://ann:x1@host/shop#scores": (ConfigError, "the address holds a password"),
        "postgresql+psycopg://ann:${WORD}@127.0.0.1:1/shop#scores": (StateError, "the database does not take the rows"),
        "sqlite:////no/such/folder/shop.db#scores": (StateError, "the database does not take the rows"),
    }
    for address, (kind, sentence) in cases.items():
        with pytest.raises(kind, match=sentence) as raised:
            score_file(scorer, source, address)
        assert "never-shown" not in str(raised.value)
        assert "x1" not in str(raised.value)


def test_a_database_to_a_database(tmp_path: Path, scorer: Scorer, source: Path, database: str) -> None:
    """Rows of a query, scored into a table beside it; broken off, it goes on only if the query still gives the same rows."""
    place = tmp_path / "rows.db"
    rows = (
        pl.read_parquet(source).drop("TotalCharges").with_columns(pl.lit(None, dtype=pl.Float64).alias("TotalCharges"))
    )
    with sqlite3.connect(place) as connection:
        names = ", ".join(f'"{name}"' for name in rows.columns)
        connection.execute(f"CREATE TABLE customers ({names})")
        connection.executemany(f"INSERT INTO customers VALUES ({', '.join('?' * rows.width)})", rows.rows())
    query = 'SELECT * FROM customers ORDER BY "number"'
    count = iter(range(9))

    def stop(_event: object) -> None:
        if next(count) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(scorer, f"sqlite:///{place}", f"{database}#scores", query=query, settings=SMALL, progress=stop)
    report = score_file(scorer, f"sqlite:///{place}", f"{database}#scores", query=query, settings=SMALL)
    connection.execute("UPDATE customers SET tenure = 5 WHERE number = 4")
    connection.commit()
    connection.close()
    again = score_file(scorer, f"sqlite:///{place}", f"{database}#scores", query=query, settings=SMALL)

    assert (report.rows, report.resumed, again.resumed) == (500, 200, 0)
    assert ask(database, "SELECT COUNT(*) FROM scores") == [(again.scored,)]

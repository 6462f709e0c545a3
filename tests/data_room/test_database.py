import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from tests.data_room.servers import PASSWORD, free_port, postgres_cluster

from modelyard.core import ConfigError, DataError, MissingExtraError
from modelyard.data import read_declared, read_source, store_version
from modelyard.problem import load_problem
from modelyard.problem.schema import DataSource
from modelyard.store import Workspace

ROWS = [(3, "x", 1.5), (1, "y", None), (2, None, 2.5)]


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A SQLite database with a table of three customers."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE customers (id INTEGER, word TEXT, price REAL)")
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A real PostgreSQL of this module's own, with a password."""
    with pytest.MonkeyPatch.context() as patch, postgres_cluster() as address:
        patch.setenv("YARD_PASSWORD", PASSWORD)
        engine = sa.create_engine(address.replace("${YARD_PASSWORD}", PASSWORD))
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE customers (id uuid, day date, seen timestamptz, price numeric(8,2), paid boolean, word text)"
            )
            connection.exec_driver_sql("CREATE SEQUENCE numbers")
            connection.exec_driver_sql(
                "INSERT INTO customers VALUES"
                " ('00000000-0000-0000-0000-00000000000b', '2026-02-01', '2026-02-01 10:00+02', 12.50, true, 'é'),"
                " ('00000000-0000-0000-0000-00000000000a', '2026-01-01', '2026-01-01 10:00+00', NULL, false, NULL)"
            )
        engine.dispose()
        yield address


def test_a_query_gives_rows_and_is_noted(shop: str) -> None:
    """The query's order is kept where it states one, and the query stands in the notes."""
    query = "SELECT * FROM customers ORDER BY word NULLS LAST"

    table = read_source(shop, query=query)

    assert table.frame.rows() == [(3, "x", 1.5), (1, "y", None), (2, None, 2.5)]
    assert table.frame.dtypes == [pl.Int64, pl.String, pl.Float64]
    assert table.notes == (f"rows of the query: {query}",)


def test_rows_without_an_order_are_one_version(shop: str) -> None:
    """A query without ORDER BY is sorted by value, so that chance in the database makes no new version."""
    forward = read_source(shop, query="SELECT * FROM customers")
    backward = read_source(shop, query="SELECT * FROM (SELECT * FROM customers) AS c WHERE id > 0")

    assert forward.frame["id"].to_list() == [1, 2, 3]
    assert forward.frame.equals(backward.frame)
    assert forward.notes[1] == "the query states no order: rows are sorted by value"


def test_a_relative_sqlite_file_lies_beside_the_project_file(shop: str, tmp_path: Path) -> None:
    """``sqlite:///shop.db`` in a project file names a file in the project's folder."""
    data = DataSource(source="sqlite:///shop.db", query="SELECT id FROM customers ORDER BY id", target="id")

    assert read_declared(data, tmp_path).frame["id"].to_list() == [1, 2, 3]


def test_reading_changes_nothing(shop: str) -> None:
    """A statement that deletes is refused, and what it did is rolled back."""
    with pytest.raises(DataError, match="the query gives no rows"):
        read_source(shop, query="DELETE FROM customers")

    assert read_source(shop, query="SELECT * FROM customers").frame.height == 3


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (None, "a database needs a query; got no data.query; its tables are customers. Set data.query"),
        ("SELECT * FROM costumers", "the database refused the query; got no such table: costumers"),
        ("SELECT id, id FROM customers", "column names occur more than once; got 'id'"),
        ("SELECT id FROM customers WHERE id > 9", "the table has no rows"),
    ],
)
def test_bad_queries_are_one_sentence(shop: str, query: str | None, sentence: str) -> None:
    """No query, a wrong one, and one without rows: each has its sentence and its cure."""
    with pytest.raises(DataError) as caught:
        read_source(shop, query=query)

    assert sentence in caught.value.sentence
    assert caught.value.cure


def test_a_query_belongs_to_a_database(tmp_path: Path) -> None:
    """A query beside a file is refused, since it would have no effect."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")

    with pytest.raises(ConfigError, match="only a database takes a query"):
        read_source(tmp_path / "t.csv", query="SELECT 1")


def test_postgresql_gives_plain_types(postgres: str) -> None:
    """Every type of the server comes as one of the plain six: decimals as numbers, UUIDs as text, moments in UTC."""
    table = read_source(postgres, query="SELECT * FROM customers ORDER BY day")

    assert table.frame.dtypes == [pl.String, pl.Date, pl.Datetime("us"), pl.Float64, pl.Boolean, pl.String]
    assert table.frame["price"].to_list() == [None, 12.5]
    assert [moment.hour for moment in table.frame["seen"]] == [10, 8]
    assert table.frame["id"][0].endswith("0a")


def test_postgresql_is_read_only(postgres: str) -> None:
    """The server itself refuses a writing query."""
    with pytest.raises(DataError, match="refused the query"):
        read_source(postgres, query="UPDATE customers SET word = 'z' RETURNING word")
    with pytest.raises(DataError, match=r"cannot execute setval\(\) in a read-only transaction"):
        read_source(postgres, query="SELECT setval('numbers', 7)")


def test_a_server_that_drops_the_connection_in_the_middle(postgres: str) -> None:
    """The server ends the session after 50,000 rows: one sentence says how far it came."""
    query = (
        "SELECT i, CASE WHEN i = 50000 THEN pg_terminate_backend(pg_backend_pid()) END AS b"
        " FROM generate_series(1, 100000) AS i ORDER BY i"
    )
    with pytest.raises(DataError) as caught:
        read_source(postgres, query=query)

    assert "the database broke off after 40,000 rows; got" in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_the_password_is_never_shown(
    postgres: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither the version's record, nor a file of the project, nor an error with all its causes holds the password."""
    table = read_source(postgres, query="SELECT * FROM customers")
    record = store_version(table.frame, postgres, workspace, notes=table.notes)

    assert record.source == postgres
    assert "${YARD_PASSWORD}" in record.source
    assert not any(PASSWORD.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    monkeypatch.setenv("YARD_PASSWORD", "wrong-and-secret")
    with pytest.raises(DataError, match=r"cannot be reached.*password authentication failed") as caught:
        read_source(postgres, query="SELECT 1")
    assert "wrong-and-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_password_in_the_address_is_refused_unseen(tmp_path: Path) -> None:
    """The project file, and whoever reads, refuse a password in the address without repeating it."""
    address = "postgresql+psycopg://ann:hunter2@localhost/shop"
    (tmp_path / "modelyard.yaml").write_text(f"schema_version: 1\ndata: {{source: '{address}', target: y}}\n")

    with pytest.raises(ConfigError, match=r"must not hold a password\. Write \$\{NAME\}") as of_file:
        load_problem(tmp_path)
    with pytest.raises(ConfigError, match="the address holds a password") as of_reader:
        read_source(f"{address}?sslpassword=hunter2", query="SELECT 1")

    for caught in (of_file, of_reader):
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_servers_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, a server that is not running, a driver and a scheme that nobody has."""
    with pytest.raises(DataError, match=r"cannot be reached; got connection failed"):
        read_source(f"postgresql+psycopg://yard@127.0.0.1:{free_port()}/postgres", query="SELECT 1")
    monkeypatch.delenv("YARD_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="YARD_PASSWORD is not set"):
        read_source("postgresql+psycopg://yard:${YARD_PASSWORD}@127.0.0.1/postgres", query="SELECT 1")
    with pytest.raises(DataError, match=r"needs the package 'MySQLdb', which is not installed"):
        read_source("mysql://127.0.0.1/shop", query="SELECT 1")
    with pytest.raises(DataError, match=r"got postgres://\. Did you mean 'postgresql'\?"):
        read_source("postgres://127.0.0.1/shop", query="SELECT 1")


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg, the sentence says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[postgresql\]'"):
        read_source("postgresql+psycopg://127.0.0.1/shop", query="SELECT 1")

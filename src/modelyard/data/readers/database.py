"""Databases: the rows of one query, through any SQLAlchemy address; no password is ever shown."""

import contextlib
import datetime as dt
import decimal
import re
import secrets as random
import uuid
from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa

from modelyard.core import DataError, MissingExtraError, ModelyardError
from modelyard.data.readers.blocks import Blocks
from modelyard.data.readers.protocol import Certainty, Raw, Source
from modelyard.data.table import Table, spool
from modelyard.problem.address import fill_in

__all__ = ["DatabaseReader"]

_CHUNK_ROWS = 20_000
_CONNECT_TIMEOUT_S = 15
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)
_EXTRAS = {"psycopg": "postgresql"}
_PLAIN = (bool, int, float, str, bytes, dt.date, dt.time, dt.timedelta)


class DatabaseReader:
    """Reads what one query gives; notes the query, and the order of rows if the query leaves it open.

    The query runs in a transaction that is rolled back, read-only where the database can say so. Rows are fetched in
    chunks from a cursor on the server; with a scratch folder they wait there, and are never all in memory, unless the
    query states no order and they have to be sorted.
    """

    name = "sql"
    reads = "databases: sqlite:///file.db, postgresql+psycopg://host/name, or any address of SQLAlchemy, with a query"
    takes_query = True

    def recognises(self, source: Source) -> Certainty:
        """By the scheme, if SQLAlchemy has a dialect of that name."""
        if not source.scheme:
            return Certainty.NO
        try:
            sa.engine.url.make_url(f"{source.scheme}://").get_dialect()
        except sa.exc.ArgumentError:  # NoSuchModuleError is one, and so is a scheme that SQLAlchemy cannot parse
            return Certainty.NO
        except ImportError:  # the dialect is known, its package is not there
            return Certainty.NAME
        return Certainty.NAME

    def state(self, source: Source) -> str:  # noqa: ARG002 - the protocol's parameter
        """Nothing: one statement sees one state of the database."""
        return ""

    def read(self, source: Source) -> Raw:
        """The rows of the query.

        Raises
        ------
        ConfigError
            If an environment variable that the address names is not set.
        DataError
            If the database cannot be reached, refuses the query, breaks off, or the query gives no rows.
        MissingExtraError
            If the database's driver is not installed.
        """
        address, secrets = fill_in(source.location)
        engine = _engine(address, source)
        try:
            with _explained(source, secrets, "cannot be reached", "Check the address, that it runs, and the login"):
                connection = engine.connect()
            with connection:
                if source.query is None:
                    raise _no_query(connection, source)
                table = _rows(connection, source, secrets)
        finally:
            engine.dispose()
        if _ORDERED.search(source.query):
            return Raw(table, (f"rows of the query: {source.query}",))
        return Raw(
            _sorted(table, source),
            (f"rows of the query: {source.query}", "the query states no order: rows are sorted by value"),
        )


def _sorted(table: Table, source: Source) -> Table:
    """Rows of a query without an order come as they like; the same rows have to be the same version."""
    rows = table.rows.sort(table.columns, nulls_last=True, maintain_order=True) if table.columns else table.rows
    try:
        if source.scratch is None:
            return Table(rows.collect())
        path = source.scratch / f"sorted-{random.token_hex(4)}.parquet"
        spool(rows, path)
        return Table(pl.scan_parquet(path, glob=False))
    except pl.exceptions.PolarsError:  # columns of objects have no order
        return table


def _engine(address: str, source: Source) -> sa.Engine:
    url = sa.engine.url.make_url(address)
    # A server that does not answer is an answer, too; each driver has its own word for the patience.
    patience = {"connect_timeout": _CONNECT_TIMEOUT_S} if url.get_backend_name() == "postgresql" else {}
    try:
        return sa.create_engine(url, connect_args=patience, poolclass=sa.pool.NullPool)
    except ImportError as error:
        package = error.name or url.get_driver_name()
        if package in _EXTRAS:
            raise MissingExtraError(package, extra=_EXTRAS[package], needed_for="reading this database") from error
        raise DataError(
            f"this database needs the package {package!r}, which is not installed",
            where=source.location,
            cure=f"Run: pip install {package}",
        ) from error


@contextlib.contextmanager
def _explained(source: Source, secrets: tuple[str, ...], what: str, cure: str) -> Iterator[None]:
    """Turn the driver's error into one sentence, with every secret replaced; the driver's own error is cut off."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    else:
        return
    for secret in secrets:
        reason = reason.replace(secret, "…")
    # Cut off from the driver's error, so that no traceback shows what the driver was given.
    raise DataError(f"the database {what}", where=source.location, got=reason[:160], cure=cure) from None


def _no_query(connection: sa.Connection, source: Source) -> ModelyardError:
    tables = sorted(sa.inspect(connection).get_table_names())[:8]
    example = tables[0] if tables else "…"
    return DataError(
        "a database needs a query",
        where=source.location,
        got=f"no data.query; its tables are {', '.join(tables)}" if tables else "no data.query",
        cure=f"Set data.query, such as: SELECT * FROM {example}",  # noqa: S608 - words for a person
    )


def _rows(connection: sa.Connection, source: Source, secrets: tuple[str, ...]) -> Table:
    options: dict[str, Any] = {"stream_results": True, "max_row_buffer": _CHUNK_ROWS}
    if connection.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    with _explained(source, secrets, "refused the query", "Try the query in the database's own client, then mend it"):
        result = connection.execution_options(**options).exec_driver_sql(source.query or "")
    if not result.returns_rows:
        raise DataError(
            "the query gives no rows", where=source.location, got=(source.query or "")[:80], cure="Give a SELECT"
        )
    names = list(result.keys())
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            "column names occur more than once",
            where="the query's result",
            got=", ".join(map(repr, twice)),
            cure="Name the columns in the query: SELECT a.id AS a_id, …",
        )
    cursor = result.cursor
    try:
        return _fetched(result, names, source, secrets)
    finally:  # SQLAlchemy leaves the cursor of a broken connection open
        if cursor is not None:
            cursor.close()


def _fetched(result: sa.CursorResult[Any], names: list[str], source: Source, secrets: tuple[str, ...]) -> Table:
    """The rows, chunk by chunk: in memory, or in the source's scratch folder."""
    blocks = Blocks(source.scratch / f"rows-{random.token_hex(4)}", str) if source.scratch is not None else None
    columns: list[list[Any]] = [[] for _ in names]
    fetched = 0
    while True:
        after = f"broke off after {fetched:,} rows"
        with _explained(source, secrets, after, "Run the command again; nothing of the broken reading was kept"):
            rows = result.fetchmany(_CHUNK_ROWS)
        fetched += len(rows)
        for cells, values in zip(columns, zip(*rows, strict=True), strict=True) if rows else ():
            cells.extend(values)
        if blocks is not None and (rows or not fetched):
            blocks.add(_frame(names, columns))
            columns = [[] for _ in names]
        if not rows:
            return Table(_frame(names, columns)) if blocks is None else blocks.table()


def _frame(names: list[str], columns: list[list[Any]]) -> pl.DataFrame:
    return pl.DataFrame([_series(name, cells) for name, cells in zip(names, columns, strict=True)])


def _series(name: str, cells: list[Any]) -> pl.Series:
    """A column in the type of its values; mixed values become text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if decimal.Decimal in kinds and kinds <= {decimal.Decimal, int, float}:
        return pl.Series(name, [None if cell is None else float(cell) for cell in cells], dtype=pl.Float64)
    if kinds == {memoryview}:
        return pl.Series(name, [None if cell is None else bytes(cell) for cell in cells], dtype=pl.Binary)
    if kinds & {list, dict}:
        raise DataError(
            "the cells of a column are not single values",
            where=f"column {name!r}",
            got="lists or records",
            cure="Take its parts in the query, one value per column, or leave it out",
        )
    if kinds == {uuid.UUID} or len(kinds - {int, float}) > 1 or not all(issubclass(kind, _PLAIN) for kind in kinds):
        return pl.Series(name, [None if cell is None else str(cell) for cell in cells], dtype=pl.String)
    if kinds == {int} and any(abs(cell) >= 2**63 for cell in cells if cell is not None):
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    if kinds and kinds <= {int, float} and float in kinds:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return pl.Series(name, cells, strict=False)

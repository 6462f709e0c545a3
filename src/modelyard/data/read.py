"""Tables from files, addresses and frames, in plain types, with notes on every decision the reader took."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data.dtypes import plain_columns
from modelyard.data.readers import Raw, Reader, Source, reader_for
from modelyard.data.table import SPOOL_CELLS, ColumnStore, Table
from modelyard.problem.address import holds_password, is_url, without_password
from modelyard.problem.schema import DataSource

__all__ = ["SourceTable", "located", "open_source", "read_declared", "read_source", "read_table"]


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """A table as it was read.

    Parameters
    ----------
    table
        The rows, in plain types; see :func:`modelyard.data.dtypes.plain_types`.
    notes
        What the reader decided: encoding, delimiter, sheet, query, values that became missing.
    """

    table: Table
    notes: tuple[str, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """The rows, in memory."""
        return self.table.frame()


def read_table(source: Path | str | object) -> pl.DataFrame:
    """The rows of a file, an address or a frame; :func:`read_source` without its notes."""
    return read_source(source).frame


def read_declared(data: DataSource, root: Path, *, scratch: Path | None = None) -> SourceTable:
    """The table that a project file in the folder ``root`` declares; see :func:`open_source`.

    Raises
    ------
    DataError, ConfigError, MissingExtraError
        As :func:`read_source`.
    """
    return open_source(located(data.source, root), query=data.query, sheet=data.sheet, scratch=scratch)


def located(source: str, root: Path) -> str:
    """A source as it is read and shown: paths, and SQLite's files, lie relative to ``root``.

    >>> located("shop.csv", Path("/p")), located("s3://b/shop.csv", Path("/p")), located("sqlite:///a.db", Path("/p"))
    ('/p/shop.csv', 's3://b/shop.csv', 'sqlite:////p/a.db')
    """
    if not is_url(source):
        return str(root / source)
    scheme, _, rest = source.partition(":///")
    if scheme.startswith("sqlite") and rest and not rest.startswith(("/", ":memory:", "file:")):
        return f"{scheme}:///{root / rest}"
    return source


def read_source(
    source: Path | str | object, *, query: str | None = None, sheet: str | None = None, may_be_empty: bool = False
) -> SourceTable:
    """The rows of a file, a folder of parts, an address, or a pandas, Polars or Arrow frame, in memory.

    The kind of a file is taken from its ending, or from its first bytes if the ending says nothing; see
    :mod:`modelyard.data.readers` for all kinds.

    Parameters
    ----------
    source
        A path, an address such as ``s3://…`` or ``postgresql+psycopg://…``, or a frame.
    query
        What is asked of a database.
    sheet
        The sheet of a workbook; the first with rows by default.
    may_be_empty
        Whether a table of columns without rows is an answer; a night without new rows is one.

    Raises
    ------
    DataError
        If there is no such source, it is empty, damaged or ragged, changes while it is read, names occur twice, or it
        has no rows.
    ConfigError
        If the address holds a password, or names an environment variable that is not set.
    MissingExtraError
        If a package is needed that is not installed.
    """
    return open_source(source, query=query, sheet=sheet, may_be_empty=may_be_empty)


def open_source(
    source: Path | str | object,
    *,
    query: str | None = None,
    sheet: str | None = None,
    may_be_empty: bool = False,
    scratch: Path | None = None,
) -> SourceTable:
    """As :func:`read_source`; a large table waits in files below ``scratch`` and is never whole in memory.

    That holds for local Parquet, Arrow and delimited files and for folders of them. Databases, objects, JSON and
    workbooks come whole.

    Parameters
    ----------
    scratch
        A folder that need not exist yet; the table is of use as long as its files are there. None keeps the table
        in memory.

    Raises
    ------
    DataError, ConfigError, MissingExtraError
        As :func:`read_source`.
    """
    if isinstance(source, str | Path):
        return _read(Source(str(source), query, sheet, scratch=scratch), may_be_empty=may_be_empty)
    return _plain(Raw(_from_frame(source)), Source("the frame given"), may_be_empty=may_be_empty)


def _plain(raw: Raw, source: Source, *, may_be_empty: bool) -> SourceTable:
    """The rows in plain types, column by column."""
    table = raw.table
    if not table.columns or (table.height == 0 and not may_be_empty):
        raise DataError(
            "the table has no rows",
            where=source.location,
            got=f"{table.height} rows, {len(table.columns)} columns",
            cure="Export it again, with rows",
        )
    scratch = source.scratch
    store = ColumnStore(scratch / "plain" if scratch is not None and table.cells > SPOOL_CELLS else None)
    notes = plain_columns(_columns(table, source), store)
    return SourceTable(store.table(), (*raw.notes, *notes))


def _columns(table: Table, source: Source) -> Iterator[pl.Series]:
    """The columns as they lie in the source, which may turn out to be damaged only now."""
    for name in table.columns:
        try:
            yield table[name]
        except pl.exceptions.PolarsError as error:
            raise DataError(
                "the file is damaged",
                where=source.location,
                got=f"column {name!r}: {str(error).splitlines()[0][:120]}",
                cure="Copy or export it again",
            ) from error


def _read(source: Source, *, may_be_empty: bool) -> SourceTable:
    """The rows of an unchanged source."""
    if holds_password(source.location):
        raise ConfigError(
            "the address holds a password",
            where=without_password(source.location),
            cure="Write ${NAME} in its place, and set the environment variable NAME",
        )
    if source.path is not None:
        _require_file(source.path)
    reader = reader_for(source)
    _refuse_needless(source, reader)
    before = reader.state(source)
    try:
        table = _plain(reader.read(source), source, may_be_empty=may_be_empty)
    except DataError:
        # A file that is written while it is read looks damaged; what is wrong with it is that it changes.
        _require_unchanged(reader, source, before)
        raise
    _require_unchanged(reader, source, before)
    return table


def _require_unchanged(reader: Reader, source: Source, before: str) -> None:
    if reader.state(source) != before:
        raise DataError(
            "the source changed while it was read",
            where=source.location,
            cure="Wait until whoever writes it is done, then run the command again",
        )


def _refuse_needless(source: Source, reader: Reader) -> None:
    """Refuse a query or a sheet that the source has no use for: whoever wrote it expects an effect."""
    if source.query is not None and not reader.takes_query:
        raise ConfigError(
            "only a database takes a query", where=source.location, got="data.query", cure="Remove data.query"
        )
    if source.sheet is not None and reader.name not in ("workbook", "object storage"):
        raise ConfigError(
            "only a workbook has sheets", where=source.location, got="data.sheet", cure="Remove data.sheet"
        )


def _require_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(path), cure=_similar_file(path)) from error
    except OSError as error:
        raise DataError(
            "the file cannot be read",
            where=str(path),
            got=error.strerror or str(error),
            cure="Check the path and its permissions",
        ) from error
    if size == 0 and path.is_file():
        raise DataError(
            "the file is empty", where=str(path), cure="Export the table again, with a header line and rows"
        )


def _similar_file(path: Path) -> str:
    """A cure that names a file with the same stem or ending, if the folder has one."""
    beside = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
    same = [name for name in beside if Path(name).stem == path.stem or name.lower() == path.name.lower()]
    if same:
        return f"Did you mean {same[0]!r}?"
    return f"Check the path; it is looked up from {Path.cwd()}"


def _from_frame(source: object) -> pl.DataFrame:
    """A frame of another library as Polars; a pandas index is left behind."""
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    import narwhals as nw

    native: Any = source
    try:
        frame = nw.from_native(native, eager_only=True)
    except (TypeError, ValueError, nw.exceptions.DuplicateError) as error:
        if "unique" in str(error) or "duplicate" in str(error).lower():
            raise _names_twice() from error
        raise DataError(
            "the source is neither a file nor a frame",
            got=type(source).__name__,
            cure="Give a path, or a pandas, Polars or Arrow frame",
        ) from error
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise _names_twice()
    return pl.DataFrame([pl.Series(str(name), frame[name].to_arrow()) for name in frame.columns])


def _names_twice() -> DataError:
    return DataError(
        "column names occur more than once", where="the frame given", cure="Give every column its own name"
    )

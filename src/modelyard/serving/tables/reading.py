"""From the bytes of a body to a table: sizes first, then the bytes, then what they say."""

from collections.abc import Collection

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelyard.serving.formats import FieldError, RefusedRequestError
from modelyard.serving.tables.forms import TableForm, TableLimits
from modelyard.serving.tables.sizes import UnreadableError, arrow_sizes, messages_of_file, parquet_bytes

__all__ = ["read_body"]

_FOOTER_TEXT_BYTES, _FOOTER_ITEMS = 4 << 20, 1 << 17
_MOST_COLUMNS = 10_000


_UNREADABLE = (
    UnreadableError,
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    ValueError,
    OverflowError,
)
"""What readers raise over bytes that are not what they seem."""


def read_body(body: bytes, form: TableForm, wanted: Collection[str], limits: TableLimits) -> pl.DataFrame:
    """The wanted columns of a table; others are not unpacked from Parquet.

    Raises
    ------
    RefusedRequestError
        400 if the bytes are no such table, 413 if it is too large, 422 if a column is no plain column or there is no row.
    """
    try:
        table = _parquet(body, wanted, limits) if form is TableForm.PARQUET else _arrow(body, form, wanted, limits)
        _validate(table)
        _require_text_fits(table, limits)
        frame = pl.DataFrame(pl.from_arrow(_written_out(table)))
    except _UNREADABLE as error:
        raise RefusedRequestError(
            400,
            "malformed-table",
            "the body is not the table that its content type names",
            cure="Write it again with Arrow, Polars, pandas or DuckDB, and send it whole",
            errors=[FieldError("", f"{len(body)} bytes", form.value)],
        ) from error
    if not frame.height:
        raise RefusedRequestError(422, "not-rows", "there is no row", cure="Send a table with at least one row")
    return frame


def _parquet(body: bytes, wanted: Collection[str], limits: TableLimits) -> pa.Table:
    """The wanted columns of a Parquet file; text stays coded, so that repeated text is not written out."""
    reader = pa.BufferReader(body)
    footer = {"thrift_string_size_limit": _FOOTER_TEXT_BYTES, "thrift_container_size_limit": _FOOTER_ITEMS}
    with pq.ParquetFile(reader, **footer) as file:
        schema, metadata = file.schema_arrow, file.metadata
        names = _plain_columns(schema, wanted)
        _limit_rows(metadata.num_rows, limits)
        places = [place for place, column in enumerate(_paths(metadata)) if column in names]
        _limit_bytes(parquet_bytes(body, metadata, places), limits)
        texts = [name for name in names if _is_text(schema.field(name).type)]
    with pq.ParquetFile(pa.BufferReader(body), read_dictionary=texts, **footer) as file:
        return file.read(columns=names, use_threads=False)


def _paths(metadata: pq.FileMetaData) -> list[str]:
    return [metadata.schema.column(place).path for place in range(metadata.num_columns)]


def _arrow(body: bytes, form: TableForm, wanted: Collection[str], limits: TableLimits) -> pa.Table:
    """The wanted columns of an Arrow stream or file."""
    is_file = form is TableForm.ARROW_FILE
    messages = messages_of_file(body) if is_file else pa.ipc.MessageReader.open_stream(pa.BufferReader(body))
    rows, size = arrow_sizes(messages)
    _limit_rows(rows, limits)
    _limit_bytes(size, limits)
    with (pa.ipc.open_file if is_file else pa.ipc.open_stream)(pa.BufferReader(body)) as reader:
        names = _plain_columns(reader.schema, wanted)
        return reader.read_all().select(names)


def _plain_columns(schema: pa.Schema, wanted: Collection[str]) -> list[str]:
    """Names of the wanted columns that are there, each once and of a plain type."""
    if len(schema.names) > _MOST_COLUMNS:
        raise _too_large(f"{len(schema.names)} columns", f"at most {_MOST_COLUMNS} columns")
    names = [name for name in schema.names if name in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    errors = [FieldError(name, "two columns", "one column of that name") for name in twice]
    errors += [
        FieldError(name, str(schema.field(name).type)[:120], "numbers, text, Booleans, dates or times", rule="type")
        for name in names
        if name not in twice and not _is_plain(schema.field(name).type)
    ]
    if errors:
        raise RefusedRequestError(
            422, "not-rows", "a column is not plain", cure="Send one flat column for each field", errors=errors
        )
    return names


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_plain(kind: pa.DataType) -> bool:
    """Numbers, text, Booleans, dates; coded text too."""
    types = pa.types
    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    checks = (
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_boolean,
        types.is_date,
        types.is_timestamp,
    )
    return _is_text(kind) or types.is_string_view(kind) or types.is_null(kind) or any(check(kind) for check in checks)


def _validate(table: pa.Table) -> None:
    """Hold every offset and every text against the bytes that are there; readers trust them."""
    table.validate(full=True)
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            chunk.dictionary.validate(full=True)


def _written_out(table: pa.Table) -> pa.Table:
    """The columns alone: no metadata, which may hold anything, and no codes, since a date may stand there as text."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _require_text_fits(table: pa.Table, limits: TableLimits) -> None:
    """Coded text and views repeat their bytes: a short table may be a long one once it is written out."""
    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            if pa.types.is_dictionary(chunk.type):
                lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
            elif pa.types.is_string_view(chunk.type):
                total += int(pl.Series(pl.from_arrow(chunk)).str.len_bytes().sum())
                continue
            else:
                continue
            total += pc.sum(lengths.cast(pa.int64())).as_py() or 0
    _limit_bytes(total, limits)


def _limit_rows(rows: int, limits: TableLimits) -> None:
    if rows > limits.rows:
        raise _too_large(f"{rows} rows", f"at most {limits.rows} rows")


def _limit_bytes(size: int, limits: TableLimits) -> None:
    if size > limits.bytes:
        raise _too_large(f"{size} bytes when it is unpacked", f"at most {limits.bytes} bytes")


def _too_large(got: str, expected: str) -> RefusedRequestError:
    return RefusedRequestError(
        413,
        "table-too-large",
        f"the table has {got}, where {expected} are taken",
        cure="Send it in several parts, or use batch scoring",
        errors=[FieldError("", got, expected)],
    )

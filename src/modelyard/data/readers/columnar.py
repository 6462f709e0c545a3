"""Columnar files: Parquet, and Arrow in files (Feather) and streams."""

from collections.abc import Callable

import polars as pl

from modelyard.core import DataError
from modelyard.data.readers.protocol import FileReader, Raw, Source
from modelyard.data.table import Table, TableLike

__all__ = ["ArrowReader", "ParquetReader"]

_PARQUET = b"PAR1"
_ARROW_FILE = b"ARROW1"
_ARROW_STREAM = b"\xff\xff\xff\xff"
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_FEATHER_1 = b"FEA1"


class ParquetReader(FileReader):
    """Reads Parquet; notes nothing, since the file says its types itself."""

    name = "parquet"
    reads = "Parquet: .parquet, .pq"
    suffixes = frozenset((".parquet", ".pq"))
    marks = (_PARQUET,)

    def read(self, source: Source) -> Raw:
        """The rows of one file.

        Raises
        ------
        DataError
            If the file is cut short, damaged or something else.
        """
        start, end = _ends(source, len(_PARQUET))
        if start != _PARQUET or end != _PARQUET:
            raise _damaged("Parquet file", source, "cut short" if start == _PARQUET else "not a Parquet file")
        return Raw(_opened("Parquet file", pl.scan_parquet, pl.read_parquet, source))


class ArrowReader(FileReader):
    """Reads Arrow's IPC format, as a file (Feather version 2) and as a stream, whatever the ending says."""

    name = "arrow"
    reads = "Arrow: .arrow, .feather, .ipc, .arrows"
    suffixes = frozenset((".arrow", ".feather", ".ipc", ".arrows"))
    marks = (_ARROW_FILE, _FEATHER_1, _ARROW_STREAM)

    def read(self, source: Source) -> Raw:
        """The rows of one file or stream.

        Raises
        ------
        DataError
            If it is cut short, damaged, of Feather's first version, or something else.
        """
        start, end = _ends(source, len(_END_OF_STREAM))
        if start.startswith(_FEATHER_1):
            raise DataError(
                "the file is in the first version of Feather, which is no longer read",
                where=source.location,
                cure="Write it again as Feather version 2, or as Parquet",
            )
        if start.startswith(_ARROW_FILE):
            if not end.endswith(_ARROW_FILE):
                raise _damaged("Arrow file", source, "cut short")
            return Raw(_opened("Arrow file", pl.scan_ipc, pl.read_ipc, source))
        if not start.startswith(_ARROW_STREAM):
            raise _damaged("Arrow file", source, "not an Arrow file")
        frame = _decoded(
            "Arrow stream", pl.read_ipc_stream, source, str(source.path) if source.path else source.bytes()
        )
        whole = end == _END_OF_STREAM
        return Raw(frame, () if whole else ("the stream has no end mark: whoever wrote it may have been interrupted",))


def _opened(
    form: str,
    scan: Callable[..., pl.LazyFrame],
    decode: Callable[[str | bytes], pl.DataFrame],
    source: Source,
) -> TableLike:
    """The rows of a file, left on the disk until they are taken; those of bytes that were fetched, in memory."""
    if source.path is None:
        return _decoded(form, decode, source, source.bytes())
    try:
        table = Table(scan(source.path, glob=False))
        return table if table.height >= 0 and table.columns else pl.DataFrame()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(form, source, str(error).splitlines()[0][:120]) from error


def _decoded(
    form: str, decode: Callable[[str | bytes], pl.DataFrame], source: Source, content: str | bytes
) -> pl.DataFrame:
    try:
        return decode(content)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(form, source, str(error).splitlines()[0][:120]) from error


def _ends(source: Source, length: int) -> tuple[bytes, bytes]:
    """The first and the last bytes."""
    if source.path is None:
        return source.bytes()[:length], source.bytes()[-length:]
    with source.path.open("rb") as file:
        start = file.read(length)
        file.seek(max(0, source.path.stat().st_size - length))
        return start, file.read(length)


def _damaged(form: str, source: Source, got: str) -> DataError:
    return DataError(f"the {form} is damaged", where=source.location, got=got, cure="Copy or export it again")

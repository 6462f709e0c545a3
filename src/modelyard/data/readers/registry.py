"""All readers, and which of them a source belongs to."""

import functools
from importlib.metadata import entry_points

from modelyard.core import DataError
from modelyard.data.readers.columnar import ArrowReader, ParquetReader
from modelyard.data.readers.database import DatabaseReader
from modelyard.data.readers.delimited import DelimitedReader
from modelyard.data.readers.folder import FolderReader
from modelyard.data.readers.json_records import JsonLinesReader, JsonReader
from modelyard.data.readers.object_storage import OBJECT_SCHEMES, ObjectStorageReader
from modelyard.data.readers.protocol import Certainty, Raw, Reader, Source
from modelyard.data.readers.workbook import WorkbookReader
from modelyard.problem import did_you_mean

__all__ = ["reader_for", "readers"]

_DATABASES = ("postgresql", "sqlite", "mysql", "mariadb", "oracle", "mssql")
_PACKED = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip file", b"\x28\xb5\x2f\xfd": "a zstandard file"}


@functools.cache
def readers() -> tuple[Reader, ...]:
    """The readers of this project, and those of other packages (entry points ``modelyard.readers``)."""
    own: tuple[Reader, ...] = (
        ParquetReader(),
        ArrowReader(),
        WorkbookReader(),
        JsonReader(),
        JsonLinesReader(),
        DelimitedReader(),
        DatabaseReader(),
        FolderReader(_read_file),
        ObjectStorageReader(_read_file),
    )
    return (*own, *(point.load()() for point in entry_points(group="modelyard.readers")))


def reader_for(source: Source) -> Reader:
    """The reader that is surest that the source is its own; of two that are equally sure, the one that came first.

    Raises
    ------
    DataError
        If no reader takes it: the scheme is unknown, or the file is packed.
    """
    if source.scheme == "" and not source.suffix.startswith((".xls", ".ods")):
        _refuse_packed(source)
    chosen = max(readers(), key=lambda reader: reader.recognises(source))
    if chosen.recognises(source) is Certainty.NO:
        raise DataError(
            "this kind of address is not known",
            where=source.location,
            got=f"{source.scheme}://",
            cure=did_you_mean(source.scheme, (*OBJECT_SCHEMES, *_DATABASES)),
        )
    return chosen


def _refuse_packed(source: Source) -> None:
    head = source.head()
    for mark, form in _PACKED.items():
        if head.startswith(mark):
            raise DataError(
                "the file is packed", where=source.location, got=form, cure="Unpack it first, then name the table in it"
            )


def _read_file(source: Source) -> Raw:
    """One part of a folder, or one object that was fetched."""
    return reader_for(source).read(source)

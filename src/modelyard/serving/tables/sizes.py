"""What a compressed table would take up, added up from its own headers before anything is unpacked.

The footer of a Parquet file may say anything: what counts are the headers of its pages, since those sizes are what the
reader sets aside and fills. Arrow IPC names the length of every compressed buffer in front of it. Sources: the
Parquet format's ``PageHeader`` in Thrift's compact protocol, and Arrow's ``Message.fbs``.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["UnreadableError", "arrow_sizes", "messages_of_file", "parquet_bytes"]

_MOST_PAGES = 20_000
_MOST_NESTING = 16
_MOST_ITEMS = 100_000
_UNCOMPRESSED, _COMPRESSED = 2, 3  # fields of a PageHeader
_BINARY, _LIST, _SET, _MAP, _STRUCT = 8, 9, 10, 11, 12  # types of Thrift's compact protocol
_HEADER_KIND, _HEADER = 1, 2  # fields of Arrow's Message
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3  # kinds of its header
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3  # fields of a RecordBatch
_DATA = 1  # field of a DictionaryBatch
_FOOTER_BLOCKS = (2, 3)  # fields of a Footer: dictionaries and record batches
_MARK = b"ARROW1"


class UnreadableError(ValueError):
    """The bytes do not follow their format."""


def parquet_bytes(body: bytes, metadata: pq.FileMetaData, columns: Sequence[int]) -> int:
    """Bytes that the pages of some columns take up once they are unpacked.

    Raises
    ------
    UnreadableError
        If the pages are not where the footer says, or there are too many.
    """
    total = pages = 0
    for group in range(metadata.num_row_groups):
        for column in columns:
            chunk = metadata.row_group(group).column(column)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            end = start + chunk.total_compressed_size
            if not chunk.num_values:
                continue
            if not 0 < start <= end <= len(body):
                raise UnreadableError("a column lies outside of the file")
            while start < end:
                reader = _Thrift(body, start)
                sizes = reader.struct()
                total += _size(sizes, _UNCOMPRESSED)
                start = reader.place + _size(sizes, _COMPRESSED)
                pages += 1
                if pages > _MOST_PAGES:
                    raise UnreadableError("the file has too many pages")
    return total


def _size(fields: dict[int, int], name: int) -> int:
    size = fields.get(name, -1)
    if size < 0:
        raise UnreadableError("a page has no size")
    return size


class _Thrift:
    """Reads integers of one struct in Thrift's compact protocol, and steps over all else."""

    def __init__(self, body: bytes, place: int) -> None:
        self._body = body
        self.place = place

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The integers of the struct that begins here, by field."""
        if depth > _MOST_NESTING:
            raise UnreadableError("a header is nested too deeply")
        found: dict[int, int] = {}
        field = 0
        while True:
            head = self._byte()
            if head == 0:
                return found
            step, kind = head >> 4, head & 15
            field = field + step if step else self._number()
            value = self._value(kind, depth)
            if value is not None:
                found[field] = value

    def _value(self, kind: int, depth: int) -> int | None:
        """One value; only integers are told."""
        if kind in (1, 2):  # a Boolean is its own type
            return None
        if kind in (4, 5, 6):
            return self._number()
        if kind == _STRUCT:
            self.struct(depth + 1)
        elif kind in (_LIST, _SET):
            self._items(depth)
        elif kind in (3, 7, _BINARY):
            width = {3: 1, 7: 8}.get(kind) or self._varint()
            self.place += width
        else:
            raise UnreadableError("a header has an unknown type")
        return None

    def _items(self, depth: int) -> None:
        head = self._byte()
        count = head >> 4
        count = self._varint() if count == 15 else count
        if count > _MOST_ITEMS or depth > _MOST_NESTING:
            raise UnreadableError("a header is too long")
        for _ in range(count):
            self._value(3 if head & 15 in (1, 2) else head & 15, depth + 1)

    def _byte(self) -> int:
        if self.place >= len(self._body):
            raise UnreadableError("a header is cut short")
        self.place += 1
        return self._body[self.place - 1]

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise UnreadableError("a number is too long")

    def _number(self) -> int:
        """A signed number in zigzag form."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def messages_of_file(body: bytes) -> Iterator[pa.ipc.Message]:
    """The messages that the footer of an Arrow file names: those that a reader of files will read.

    Raises
    ------
    UnreadableError
        If the footer does not follow the format.
    """
    try:
        if not (body.startswith(_MARK) and body.endswith(_MARK)):
            raise UnreadableError("the marks of an Arrow file are missing")
        end = len(body) - len(_MARK) - 4
        start = end - struct.unpack_from("<i", body, end)[0]
        if not 0 < start < end:
            raise UnreadableError("the footer lies outside of the file")
        blocks = _footer_blocks(body[start:end])
    except (struct.error, IndexError) as error:
        raise UnreadableError("the footer cannot be read") from error
    whole = pa.py_buffer(body)
    for offset, head, length in blocks:
        if min(offset, head, length) < 0 or offset + head + length > len(body):
            raise UnreadableError("a message lies outside of the file")
        yield pa.ipc.read_message(whole.slice(offset, head + length))


def _footer_blocks(footer: bytes) -> list[tuple[int, int, int]]:
    """Offset, and lengths of head and body, of every dictionary and record batch."""
    table = _Flat(footer, struct.unpack_from("<I", footer, 0)[0])
    blocks = [block for field in _FOOTER_BLOCKS for block in table.structs(field, "<qi4xq")]
    return [(int(offset), int(head), int(length)) for offset, head, length in blocks]


def arrow_sizes(messages: Iterable[pa.ipc.Message]) -> tuple[int, int]:
    """Rows and unpacked bytes of the messages of an Arrow stream or file.

    Raises
    ------
    UnreadableError
        If a message does not follow the format.
    """
    rows = total = 0
    try:
        for message in messages:
            found = _batch(message.metadata.to_pybytes())
            if found is None:
                continue
            is_data, batch = found
            length = batch.number(_LENGTH, "<q")
            if length < 0:
                raise UnreadableError("a batch has a length below 0")
            rows += length if is_data else 0
            total += _unpacked(batch, message.body)
    except (struct.error, IndexError) as error:
        raise UnreadableError("a message cannot be read") from error
    return rows, total


def _unpacked(batch: "_Flat", body: pa.Buffer) -> int:
    """Bytes of a batch's buffers; a compressed one begins with its length, or with -1 if it was left as it is."""
    if not batch.has(_COMPRESSION):
        return int(body.size)
    total, data = 0, memoryview(body)
    for offset, length in batch.structs(_BUFFERS, "<qq"):
        if not 0 <= offset <= offset + length <= len(data):
            raise UnreadableError("a buffer lies outside of its message")
        declared = struct.unpack_from("<q", data, offset)[0] if length >= 8 else 0
        if declared < -1:
            raise UnreadableError("a buffer has a length below 0")
        total += length if declared == -1 else declared
    return total


def _batch(metadata: bytes) -> tuple[bool, "_Flat"] | None:
    """The record batch of a message, and whether it is data and no dictionary; None for a schema."""
    message = _Flat(metadata, struct.unpack_from("<I", metadata, 0)[0])
    kind = message.number(_HEADER_KIND, "<B")
    if kind == _RECORD_BATCH:
        return True, message.table(_HEADER)
    if kind == _DICTIONARY_BATCH:
        return False, message.table(_HEADER).table(_DATA)
    return None


class _Flat:
    """A table of a FlatBuffer."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place
        self._fields = place - self._read("<i", place)

    def has(self, field: int) -> bool:
        """Whether a field is there."""
        return self._at(field) is not None

    def number(self, field: int, form: str) -> int:
        """A number; 0 if it is not there."""
        place = self._at(field)
        return 0 if place is None else int(self._read(form, place))

    def table(self, field: int) -> "_Flat":
        """A table within the table."""
        return _Flat(self._data, self._target(field))

    def structs(self, field: int, form: str) -> list[tuple[Any, ...]]:
        """A vector of structs."""
        if not self.has(field):
            return []
        place, width = self._target(field), struct.calcsize(form)
        count = self._read("<I", place)
        if count * width > len(self._data):
            raise UnreadableError("a vector is longer than its message")
        return [struct.unpack_from(form, self._data, place + 4 + width * number) for number in range(count)]

    def _target(self, field: int) -> int:
        place = self._at(field)
        if place is None:
            raise UnreadableError("a field is missing")
        return place + int(self._read("<I", place))

    def _at(self, field: int) -> int | None:
        """Where a field lies."""
        slot = 4 + 2 * field
        if slot >= self._read("<H", self._fields):
            return None
        offset = self._read("<H", self._fields + slot)
        return self._place + int(offset) if offset else None

    def _read(self, form: str, place: int) -> Any:
        if place < 0:
            raise UnreadableError("an offset points before the message")
        return struct.unpack_from(form, self._data, place)[0]

"""The forms of a table, by content type, and how large one may be."""

import dataclasses
import enum
from collections.abc import Iterable

__all__ = ["TableForm", "TableLimits", "table_forms"]


class TableForm(enum.StrEnum):
    """Content types of tables, as registered with IANA."""

    ARROW_STREAM = "application/vnd.apache.arrow.stream"
    ARROW_FILE = "application/vnd.apache.arrow.file"
    PARQUET = "application/vnd.apache.parquet"


@dataclasses.dataclass(frozen=True)
class TableLimits:
    """How many rows a table may have, and how many bytes it may take up once it is unpacked."""

    rows: int
    bytes: int


_FAMILY = b"application/vnd.apache."
"""What all of them begin with: a look for it spares JSON the rest."""

_BY_NAME = {form.value: form for form in TableForm}


def table_forms(headers: Iterable[tuple[bytes, bytes]]) -> tuple[TableForm | None, TableForm | None]:
    """The forms of a request's body and of its answer; None for JSON.

    The answer has the first form that the caller accepts, or that of the body if it does not mind.

    >>> parquet, json = b"application/vnd.apache.parquet", b"application/json"
    >>> table_forms([(b"content-type", parquet), (b"accept", b"*/*")])[1].name
    'PARQUET'
    >>> table_forms([(b"content-type", parquet), (b"accept", json)])[1] is None
    True
    """
    kind = accept = b""
    for name, value in headers:
        if name == b"content-type":
            kind = value
        elif name == b"accept":
            accept = value
    if _FAMILY not in kind.lower() and _FAMILY not in accept.lower():
        return None, None
    sent = _BY_NAME.get(_name(kind.decode("latin-1")))
    return sent, _accepted(accept.decode("latin-1"), sent)


def _accepted(accept: str, sent: TableForm | None) -> TableForm | None:
    """The form of the answer."""
    for part in accept.split(","):
        name = _name(part)
        if name in _BY_NAME:
            return _BY_NAME[name]
        if name == "application/json":
            return None
    return sent


def _name(text: str) -> str:
    """A media type without its parameters."""
    return text.partition(";")[0].strip().lower()

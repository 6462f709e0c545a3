"""The forms of a table, by content type."""

import enum

__all__ = ["TableForm", "accepted_form", "sent_form"]


class TableForm(enum.StrEnum):
    """Content types of tables, as registered with IANA."""

    ARROW_STREAM = "application/vnd.apache.arrow.stream"
    ARROW_FILE = "application/vnd.apache.arrow.file"
    PARQUET = "application/vnd.apache.parquet"


_FAMILY = b"application/vnd.apache."
"""What all of them begin with: a look for it spares JSON the rest."""

_BY_NAME = {form.value: form for form in TableForm}


def sent_form(content_type: bytes) -> TableForm | None:
    """The form of a body; None if it is no table.

    >>> sent_form(b"application/vnd.apache.parquet").name
    'PARQUET'
    """
    return _BY_NAME.get(_name(content_type.decode("latin-1"))) if _FAMILY in content_type.lower() else None


def accepted_form(accept: bytes, sent: TableForm | None) -> TableForm | None:
    """The form of the answer: the first that the caller names, as the body was if it does not mind, None for JSON.

    >>> accepted_form(b"application/json, */*", TableForm.PARQUET) is None
    True
    >>> accepted_form(b"*/*", TableForm.PARQUET).name
    'PARQUET'
    """
    if sent is None and _FAMILY not in accept.lower():
        return None
    for part in accept.decode("latin-1").split(","):
        name = _name(part)
        if name in _BY_NAME:
            return _BY_NAME[name]
        if name == "application/json":
            return None
    return sent


def _name(text: str) -> str:
    """A media type without its parameters."""
    return text.partition(";")[0].strip().lower()

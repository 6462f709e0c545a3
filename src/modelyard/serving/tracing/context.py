"""The caller's trace, from W3C's ``traceparent`` header (Trace Context, level 1)."""

import re
from collections.abc import Iterable

__all__ = ["trace_id_of"]

_HEADER = b"traceparent"
_FORM = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def trace_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The trace that the caller names; empty if it names none, or not in the standard's form.

    >>> trace_id_of([(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    '0af7651916cd43dd8448eb211c80319c'
    """
    for name, value in headers:
        if name == _HEADER:
            match = _FORM.fullmatch(value.strip())
            return match[1].decode() if match else ""
    return ""

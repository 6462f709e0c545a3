"""Text from bytes: which encoding they are in, and large files written again as UTF-8."""

import codecs
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from modelyard.core import DataError

__all__ = ["as_utf8", "decode"]

_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CP1252_HOLES = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_HEAD_BYTES = 4096
_PIECE_BYTES = 1 << 20

Pieces = Callable[[], Iterator[bytes]]
"""Gives the bytes from their beginning, each time it is called."""


def decode(raw: bytes, where: str) -> tuple[str, str]:
    """Text of ``raw`` and the encoding it was read with.

    UTF-8 first, UTF-16 and UTF-32 by their byte order marks, or by the zero bytes of Latin text; else Windows-1252,
    or Latin-1 where a byte has no meaning in Windows-1252.

    Raises
    ------
    DataError
        If the bytes are no text at all.
    """
    encoding = _encoding(lambda: iter((raw,)), where)
    with _refusing(where):
        return raw.decode(encoding).removeprefix("\ufeff"), encoding


def as_utf8(path: Path, folder: Path, where: str) -> tuple[Path, str]:
    """A file of the same text in UTF-8, and the encoding that ``path`` has: ``path`` itself if it is UTF-8 already.

    Raises
    ------
    DataError
        As :func:`decode`.
    """
    encoding = _encoding(lambda: _pieces(path), where)
    if encoding == "utf-8":
        return path, encoding
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "utf-8.txt"
    with (
        _refusing(where),
        path.open(encoding=encoding, newline="") as source,
        written.open("w", encoding="utf-8", newline="") as target,
    ):
        while piece := source.read(_PIECE_BYTES):
            target.write(piece.removeprefix("\ufeff"))
    return written, encoding


def _encoding(pieces: Pieces, where: str) -> str:
    head = next(pieces(), b"")[:_HEAD_BYTES]
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    zeros = head.count(0)
    if zeros > len(head) // 4:
        return "utf-16-be" if head[:1] == b"\x00" else "utf-16-le"
    if zeros:
        raise _not_text(where)
    if _is_utf8(pieces()):
        return "utf-8"
    holes = any(len(piece.translate(None, _CP1252_HOLES)) < len(piece) for piece in pieces())
    return "latin-1" if holes else "cp1252"


def _is_utf8(pieces: Iterator[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


@contextlib.contextmanager
def _refusing(where: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise _not_text(where) from error


def _not_text(where: str) -> DataError:
    return DataError(
        "the file is not text in a known encoding",
        where=where,
        got="bytes that no text has",
        cure="Save it as UTF-8 CSV, or give it the ending of its real format (.parquet, .jsonl)",
    )

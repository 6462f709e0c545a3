"""Where a function's predictions go: lines on standard output, or a folder that several instances share."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec

from modelyard.core import StateError
from modelyard.serving.prediction_log import LogKind, PredictionLog

__all__ = ["FolderLog", "FunctionLog", "LineLog"]


class FunctionLog(Protocol):
    """Takes records; an answer leaves only after its record was taken."""

    def write(self, kind: LogKind, records: Sequence[Any]) -> None:
        """Take all of them, or raise ``StateError``."""
        ...


class LineLog:
    """One line of JSON for each record, for platforms that collect what a process prints.

    A line is the record of the prediction log with one member more, ``log``: ``predictions`` or ``feedback``. How long
    it is kept, and whether it survives, is the platform's matter: the line is handed to it, and no more can be known.

    Parameters
    ----------
    stream
        Standard output by default.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._encoder = msgspec.json.Encoder()

    def write(self, kind: LogKind, records: Sequence[Any]) -> None:
        """Print the records in one piece."""
        mark = b'{"log":"%s",' % kind.value.encode()
        lines = b"".join(mark + self._encoder.encode(record)[1:] + b"\n" for record in records)
        stream = self._stream or sys.stdout.buffer
        try:
            stream.write(lines)
            stream.flush()
        except OSError as error:
            raise StateError(
                "standard output takes no records, so no answer may leave",
                got=error.strerror or str(error),
                cure="See what the platform does with the output of its functions",
            ) from error


class FolderLog:
    """The prediction log of the server, in a folder that outlives the function, such as a network file system.

    Parameters
    ----------
    folder
        Instances may share it; each writes segments of its own.

    Raises
    ------
    ModelyardError
        If it cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self._logs = {kind: PredictionLog(folder, kind) for kind in LogKind}

    def write(self, kind: LogKind, records: Sequence[Any]) -> None:
        """Append the records; the operating system has them when this returns."""
        self._logs[kind].append(records)

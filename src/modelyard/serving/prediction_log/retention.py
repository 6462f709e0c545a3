"""Keeping the log for so many days: what is older goes, in files and in the database."""

import dataclasses
import datetime as dt
from pathlib import Path

import polars as pl

from modelyard.core import Record, StateError
from modelyard.serving.prediction_log.segments import LogKind

__all__ = ["RetentionReport", "remove_old"]


@dataclasses.dataclass(frozen=True)
class RetentionReport(Record):
    """What was removed.

    Parameters
    ----------
    before
        Records of earlier moments went.
    files, rows
        Compacted files, and the records in them. A file goes when its last record is old enough.
    database_rows
        Rows of the copy in a database.
    refused
        What a database said that took nothing; ``""`` if all went well.
    """

    before: dt.datetime
    files: int
    rows: int
    database_rows: int
    refused: str = ""


def remove_old(folder: Path, before: dt.datetime, *, sink: str | None = None) -> RetentionReport:
    """Remove whole compacted files, and rows of the copy, that are older than a moment.

    Segments that are not compacted stay, whatever they hold: run :func:`~modelyard.serving.compact` first.
    A database that cannot be reached is named in the report, and keeps its rows until the next time.
    """
    files = rows = 0
    for kind in LogKind:
        for path in sorted(folder.glob(f"{kind.value}-*.parquet")):
            last, count = (
                pl.scan_parquet(path, glob=False).select(pl.col("at").max(), pl.len().alias("n")).collect().row(0)
            )
            if last is not None and last < before:
                path.with_suffix(".torn").unlink(missing_ok=True)
                path.unlink()
                files += 1
                rows += count
    removed, refused = _remove_rows(sink, before) if sink else (0, "")
    return RetentionReport(before, files, rows, removed, refused)


def _remove_rows(sink: str, before: dt.datetime) -> tuple[int, str]:
    from modelyard.serving.prediction_log.sink import LogDatabase

    try:
        return LogDatabase(sink).remove_before(before), ""
    except StateError as error:
        return 0, error.sentence

"""When a model was last asked, told cheaply: from what the log's files say of themselves."""

import datetime as dt
from pathlib import Path

import polars as pl

__all__ = ["last_request"]


def last_request(folder: Path) -> dt.datetime | None:
    """The moment of the last logged answer; None if there is none.

    Compacted files are asked for their latest record, of which Parquet keeps count; a segment that is still being written is
    as old as its last write.
    """
    moments = [_latest(path) for path in folder.glob("predictions-*.parquet")]
    moments += [_written(path) for path in folder.glob("predictions-*.jsonl")]
    return max((moment for moment in moments if moment is not None), default=None)


def _latest(path: Path) -> dt.datetime | None:
    found: dt.datetime | None = pl.scan_parquet(path, glob=False).select(pl.col("at").max()).collect().item()
    return found


def _written(path: Path) -> dt.datetime | None:
    """When a segment was last written to; None if it is gone meanwhile, or holds no record but its header."""
    try:
        with path.open("rb") as stream:
            if sum(1 for _ in zip(stream, range(2), strict=False)) < 2:
                return None
        return dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC)
    except FileNotFoundError:
        return None

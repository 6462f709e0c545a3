"""Looking for single records in a log, a file at a time."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from modelyard.serving.prediction_log.segments import LogKind, segment_paths
from modelyard.serving.prediction_log.tables import read_part

__all__ = ["find_records", "scan_predictions"]


def scan_predictions(folder: Path) -> Iterator[pl.LazyFrame]:
    """Each file of the predictions, to be asked for what is needed of it; columns as in :func:`~modelyard.serving.read_predictions`.

    What a version said in shadow is among them, under its ``role``.
    """
    for frame in _parts(folder, LogKind.PREDICTIONS):
        has_role = "role" in frame.collect_schema()
        yield frame if has_role else frame.with_columns(pl.lit(None, pl.String).alias("role"))


def find_records(folder: Path, kind: LogKind, id_: str) -> pl.DataFrame | None:
    """The records of one id, in the order of time; None if the log has none.

    A prediction has one answer, and one record more for each version that was asked in its shadow; a label may have
    been corrected.
    """
    frames = scan_predictions(folder) if kind is LogKind.PREDICTIONS else _parts(folder, kind)
    found = [part for part in (frame.filter(pl.col("id") == id_).collect() for frame in frames) if part.height]
    return pl.concat(found, how="diagonal_relaxed").sort("at", maintain_order=True) if found else None


def _parts(folder: Path, kind: LogKind) -> Iterator[pl.LazyFrame]:
    """Compacted files as they lie there; a segment, open or closed, read whole."""
    segments = segment_paths(folder, kind)  # looked for first: one that is compacted meanwhile is among the files then
    compacted = {path.stem for path in folder.glob(f"{kind.value}-*.parquet")}
    for stem in sorted(compacted):
        yield pl.scan_parquet(folder / f"{stem}.parquet", glob=False)
    for path in segments:
        part = None if path.stem in compacted else read_part(path, kind)
        if part is not None:
            yield part.lazy()

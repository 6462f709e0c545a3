"""The prediction log part by part: what was counted is not read again, and one part is in memory at a time."""

import dataclasses
import tempfile
from pathlib import Path

import polars as pl

from modelyard.serving import read_predictions
from modelyard.serving.prediction_log import LogKind

__all__ = ["LogPart", "log_parts", "read_moments", "read_part"]


@dataclasses.dataclass(frozen=True)
class LogPart:
    """A segment, or the Parquet file that compaction made of it.

    Parameters
    ----------
    name
        The same for both, so that compaction is no new part.
    path
        The file.
    mark
        Size and time of the file: while they stay, so does what it holds.
    """

    name: str
    path: Path
    mark: str


def log_parts(folder: Path) -> tuple[LogPart, ...]:
    """All parts of the log in their order; empty if there is no log."""
    found: dict[str, LogPart] = {}
    for suffix in (".jsonl", ".parquet"):  # of a segment that is both, the Parquet file counts
        for path in folder.glob(f"{LogKind.PREDICTIONS.value}-*{suffix}"):
            try:
                about = path.stat()
            except FileNotFoundError:
                continue
            found[path.stem] = LogPart(path.stem, path, f"{suffix}:{about.st_size}:{about.st_mtime_ns}")
    return tuple(found[name] for name in sorted(found))


def read_part(part: LogPart, digest: str) -> pl.DataFrame:
    """What one package answered, in one part; as :func:`modelyard.serving.read_predictions` gives it."""
    with tempfile.TemporaryDirectory(prefix="modelyard-part-") as place:
        # A folder that holds one part alone, under both names: compaction may turn it into Parquet meanwhile.
        for path in (part.path.with_suffix(".jsonl"), part.path.with_suffix(".parquet")):
            (Path(place) / path.name).symlink_to(path.resolve())
        return read_predictions(Path(place)).filter(pl.col("digest") == digest)


def read_moments(part: LogPart, digest: str) -> pl.DataFrame:
    """Id and moment of every answer in one part, for joining labels; of a Parquet file no other column is read."""
    if part.path.suffix != ".parquet":
        return read_part(part, digest).select("id", "at")
    scan = pl.scan_parquet(part.path, glob=False).filter(pl.col("digest") == digest)
    return scan.select("id", "at").collect()

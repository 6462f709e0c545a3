"""Tables to audit: two real ones as they are, and large ones made from real rows. Equal calls write equal files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

__all__ = ["TARGETS", "grown", "table"]

ROOT = Path(__file__).parents[2]
TARGETS = {"adult_census": "income", "bank_additional": "y"}
"""Target of each real table; the grown ones are made of the first."""

_CHUNK = 250_000
_REDRAWN = 0.05


def table(name: str, folder: Path) -> Path:
    """The Parquet file of a table: a real one's name, or rows x columns such as ``1000000x50``."""
    if name in TARGETS:
        return ROOT / "tests" / "data" / f"{name}.parquet"
    path = folder / f"{name}.parquet"
    if not path.exists():  # in a process of its own: what a parent holds counts as the peak of its children
        subprocess.run([sys.executable, __file__, name, str(path)], check=True)
    return path


def _write(name: str, path: Path) -> None:
    """Make a table; the file appears when it is whole."""
    rows, columns = (int(part) for part in name.split("x"))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pl.concat(grown(rows, columns)).write_parquet(part, row_group_size=_CHUNK)
    part.replace(path)


def grown(rows: int, columns: int) -> Iterator[pl.DataFrame]:
    """Rows of adult_census drawn again, its columns repeated under new names; numbers jittered, categories redrawn.

    Every fifth number is made continuous by a jitter of a twentieth of its spread; the others are moved by whole
    steps and stay whole. One category in twenty is drawn anew. Gaps stay where they are, and so does the target.
    """
    real = pl.read_parquet(ROOT / "tests" / "data" / "adult_census.parquet").drop("uci_split")
    features = [name for name in real.columns if name != "income"]
    for start in range(0, rows, _CHUNK):
        random = np.random.default_rng([20_240_101, start])
        drawn = real[random.integers(0, real.height, min(_CHUNK, rows - start))]
        series = [drawn["income"]]
        for place in range(columns - 1):
            name = features[place % len(features)]
            series.append(_changed(drawn[name], place, random).alias(f"{name}_{place // len(features)}"))
        yield pl.DataFrame(series)


def _changed(values: pl.Series, place: int, random: np.random.Generator) -> pl.Series:
    """A column like another one, but not equal to it."""
    if values.dtype.is_numeric():
        noise = random.normal(size=len(values)) * float(values.std() or 1.0) / 20  # type: ignore[arg-type]
        return values + pl.Series(noise) if place % 5 == 0 else values + pl.Series(noise.round()).cast(values.dtype)
    redrawn = values[random.integers(0, len(values), len(values))]
    return values.zip_with(pl.Series(random.random(len(values)) >= _REDRAWN), redrawn)


if __name__ == "__main__":
    _write(sys.argv[1], Path(sys.argv[2]))

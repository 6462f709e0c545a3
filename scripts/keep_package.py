"""Build a small package with the present code and keep it among the tests' data, for the day the protocol goes up.

Run it before the number in ``modelyard.packaging.manifest`` is raised; what is kept then is read by every later version
(``tests/packaging/test_protocol.py``).
"""

import gzip
import io
import tarfile
import tempfile
from pathlib import Path

import polars as pl

from modelyard.packaging import PROTOCOL
from modelyard.project import Project

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "data" / "telco_churn.parquet"
COLUMNS = ("tenure", "MonthlyCharges", "Contract", "PaymentMethod", "Churn")
ROWS = 1_000
SETTINGS = (
    "name=kept",
    "owner=ada",
    "training.families=[lightgbm]",
    "training.folds=2",
    "training.tuning_rounds=0",
    "training.workers=1",
    "training.params={lightgbm: {num_leaves: 6, learning_rate: 0.3}}",
)


def build(folder: Path) -> Path:
    """The package's folder: contracts of telephone customers, all the way from the table."""
    table = folder / "customers.parquet"
    gaps = pl.when(pl.int_range(ROWS) % 17 == 0).then(None).otherwise(pl.col("tenure")).alias("tenure")
    pl.read_parquet(TABLE).select(COLUMNS).head(ROWS).with_columns(gaps).write_parquet(table)
    Project.new(folder / "kept", data=table, target="Churn")
    project = Project.open(folder / "kept", settings=SETTINGS)
    project.train(accept="an example")
    project.evaluate()
    return project.package().folder


def archive(folder: Path) -> bytes:
    """The folder as a compressed archive whose bytes depend on its files alone."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as out:
        for path in sorted(folder.rglob("*")):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            if path.is_file():
                entry.size = path.stat().st_size
                out.addfile(entry, io.BytesIO(path.read_bytes()))
    return gzip.compress(tar.getvalue(), mtime=0)


if __name__ == "__main__":
    target = ROOT / "tests" / "data" / "packages" / f"protocol-{PROTOCOL}.tar.gz"
    with tempfile.TemporaryDirectory() as place:
        target.write_bytes(archive(build(Path(place))))
    print(f"{target}: {target.stat().st_size / 1e3:.0f} KB")

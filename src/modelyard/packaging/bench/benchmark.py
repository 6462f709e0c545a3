"""Measuring a package again, where it shall run."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

from modelyard.core import Clock, IntegrityError, Record, system_clock, write_json_atomic
from modelyard.packaging.bench.limits import Limit, held_against
from modelyard.packaging.latency import BatchLatency, Measurement, measure_batches
from modelyard.packaging.package import Package, load_package

__all__ = ["Benchmark", "bench_file", "bench_package", "read_benchmark"]

_SIZES = (1, 10, 1_000)
_MB = 1e6


@dataclasses.dataclass(frozen=True)
class Benchmark(Record):
    """A package on one machine, at one time.

    Parameters
    ----------
    package, name, version
        The package's digest, and what it is called.
    at
        When it was measured.
    measurement
        One row, throughput, memory and cold start.
    batches
        Latency of requests of several sizes.
    limits
        Those that the package's card declares.
    """

    package: str
    name: str
    version: str
    at: dt.datetime
    measurement: Measurement
    batches: tuple[BatchLatency, ...]
    limits: tuple[Limit, ...]

    @property
    def ok(self) -> bool:
        """True if every declared limit is kept here."""
        return all(limit.kept for limit in self.limits)


def bench_package(folder: Path | str, *, clock: Clock = system_clock) -> Benchmark:
    """Measure a package in a fresh process, hold it against its limits, and write what was found beside it.

    Raises
    ------
    IntegrityError
        If a file is not what was packaged.
    ModelyardError
        If the process fails, or the file cannot be written.
    """
    package = load_package(folder)
    measurement, batches = measure_batches(package.folder, _SIZES)
    operation = package.read_json("card.json")["operation"]
    manifest = package.manifest
    limits = held_against(operation["constraints"], measurement, manifest.bytes / _MB)
    found = Benchmark(manifest.digest, manifest.name, manifest.version, clock(), measurement, batches, limits)
    write_json_atomic(bench_file(package.folder), found.to_dict())
    return found


def bench_file(folder: Path) -> Path:
    """Where the measurement of a package lies: beside its folder, since nothing in it may change."""
    place = folder.resolve()
    return place.with_name(f"{place.name}.bench.json")


def read_benchmark(package: Package) -> Benchmark | None:
    """The last measurement of this very package; None if there is none, or it was of other bytes."""
    path = bench_file(package.folder)
    if not path.is_file():
        return None
    try:
        found = Benchmark.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, AttributeError) as error:
        raise IntegrityError(
            "the measurement beside the package cannot be read",
            where=str(path),
            got=str(error),
            cure=f"Run: modelyard bench {package.folder}",
        ) from error
    return found if found.package == package.manifest.digest else None

"""Measuring: in a process of its own, and failing in words."""

from pathlib import Path

import pytest

from modelyard.core import ModelyardError
from modelyard.packaging import Package
from modelyard.packaging.latency import measure_package


def test_a_package_is_measured_as_a_server_would_run_it(bike_package: Package) -> None:
    """Speed, memory and cold start are plausible: one row in well under 20 ms, below 500 MB, within a minute."""
    measured = measure_package(bike_package.folder)

    assert 0.001 < measured.latency_p50_ms <= measured.latency_p99_ms < 20
    assert measured.throughput_per_s > 1000
    assert 30 < measured.memory_mb < 500
    assert 0.05 < measured.cold_start_s < 60
    assert "Python 3." in measured.machine


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    """The other process's last word is part of the error."""
    with pytest.raises(ModelyardError, match=r"could not be measured.*there is no package"):
        measure_package(tmp_path)

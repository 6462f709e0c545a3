"""A benchmark: measured in a process of its own, held against the declared limits, kept beside the package."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.archives import unpack
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import IntegrityError, ModelyardError, digest_file, digest_json
from modelyard.packaging import load_package
from modelyard.packaging.bench import Benchmark, bench_file, bench_package, held_against, read_benchmark
from modelyard.packaging.latency import Measurement

KEPT = Path(__file__).parents[1] / "data" / "packages" / "protocol-1.tar.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small package."""
    unpack(KEPT, tmp_path / "package")
    return tmp_path / "package"


def _declare(folder: Path, **limits: float) -> None:
    """The same package with other limits on its card."""
    card = json.loads((folder / "card.json").read_text())
    card["operation"]["constraints"] |= limits
    (folder / "card.json").write_text(json.dumps(card))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["card.json"] = digest_file(folder / "card.json")
    manifest.pop("digest")
    (folder / "manifest.json").write_text(json.dumps({**manifest, "digest": digest_json(manifest)}))


def test_a_package_is_measured_and_the_file_lies_beside_it(folder: Path) -> None:
    """One, ten and a thousand rows; the package itself is untouched."""
    before = load_package(folder).manifest

    found = bench_package(folder)

    assert [batch.rows for batch in found.batches] == [1, 10, 1_000]
    assert all(0 < batch.p50_ms <= batch.p90_ms <= batch.p99_ms for batch in found.batches)
    assert found.measurement.cold_start_s > 0
    assert (found.limits, found.ok) == ((), True)
    assert load_package(folder).manifest == before
    assert read_benchmark(load_package(folder)) == found == Benchmark.from_dict(found.to_dict())
    assert bench_file(folder) == folder.parent / "package.bench.json"


def test_limits_are_held_against_what_was_measured() -> None:
    """Largest values and one least value; what is not declared is no limit, and what is exactly at it keeps it."""
    measured = Measurement(0.1, 2.0, 5_000.0, 100.0, 0.5, "here")
    declared = {"latency_p99_ms": 2.0, "throughput_per_s": 6_000.0, "memory_mb": 99.0, "training_minutes": 1.0}

    limits = held_against({**declared, "model_size_mb": None}, measured, 1.0)

    assert [(limit.name, limit.kept) for limit in limits] == [
        ("latency_p99_ms", True),
        ("throughput_per_s", False),
        ("memory_mb", False),
    ]
    assert [limit.in_words for limit in limits if not limit.kept] == [
        "throughput_per_s 5000 below 6000",
        "memory_mb 100 above 99",
    ]


def _command(*arguments: str | Path) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_the_command_refuses_what_exceeds_its_limits_and_verify_shows_it(folder: Path) -> None:
    """Exit code 3, with the limits; `package verify` shows the same figures later."""
    _declare(folder, memory_mb=1.0, throughput_per_s=10.0)

    code, record = _command("bench", folder)

    assert (code, record["ok"]) == (3, False)
    assert {limit["name"]: limit["kept"] for limit in record["limits"]} == {
        "memory_mb": False,
        "throughput_per_s": True,
    }

    code, seen = _command("package", "verify", folder)

    assert (code, seen["ok"]) == (0, True)
    assert seen["benchmark"]["measurement"] == record["measurement"]

    _declare(folder, memory_mb=500.0)  # other bytes, another package: that measurement is not its own
    assert read_benchmark(load_package(folder)) is None


def test_a_measurement_that_cannot_be_read_is_an_error(folder: Path) -> None:
    """It lies where anybody may write."""
    assert read_benchmark(load_package(folder)) is None

    bench_file(folder).write_text("[]")
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_benchmark(load_package(folder))


def test_what_cannot_be_loaded_is_not_measured(folder: Path) -> None:
    """Changed bytes, and a model file that no library reads."""
    (folder / "plan.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"plan\.json has changed"):
        bench_package(folder)

    shutil.rmtree(folder)
    with pytest.raises(ModelyardError, match="there is no package"):
        bench_package(folder)

"""The tests that a package brings along: they run where only scoring is installed, and they notice."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelyard.core import digest_file, digest_json
from modelyard.packaging import Package, Scorer, load_package

TRAINING = ("sklearn", "scipy", "pandas", "pyarrow", "catboost", "optuna", "mlflow", "fastapi", "joblib")
"""What is not installed where a package is only scored: importing one of these is an error there.

LightGBM is installed, for its shared library; its Python package would import scikit-learn.
"""

_PYTEST = f"""
import sys
sys.modules.update(dict.fromkeys({TRAINING!r}))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def _run(folder: Path, *options: str) -> tuple[int, str]:
    """``pytest PACKAGE/tests``, from anywhere, without the libraries that train."""
    words = [sys.executable, "-c", _PYTEST, str(folder / "tests"), "-q", *options]
    alone = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder.parent, timeout=300, env=alone)
    return done.returncode, done.stdout


def _seal(folder: Path) -> None:
    """Exchange digests for those of the files as they are now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("digest")
    manifest["files"] = {name: digest_file(folder / name) for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "digest": digest_json(manifest)}))


@pytest.mark.parametrize(
    "package",
    ["churn_package", *(pytest.param(name, marks=pytest.mark.slow) for name in ("bike_package", "contract_package"))],
)
def test_the_tests_of_a_package_pass(package: str, request: pytest.FixtureRequest) -> None:
    """Two classes, a value with dates, three classes: all tests pass, and the package is untouched by them."""
    built: Package = request.getfixturevalue(package)
    columns, golden = len(Scorer.load(built).contract.columns), len(Scorer.load(built).golden.rows)

    code, out = _run(built.folder)

    assert code == 0, out[-3000:]
    found = re.search(r"(\d+) passed", out)
    assert found is not None
    assert int(found[1]) > columns + golden
    assert "skipped" not in out
    assert load_package(built.folder).manifest == built.manifest


def test_columns_and_ranges_stand_in_the_tests_for_people_to_read(churn_package: Package) -> None:
    """Names, kinds and ranges are literals."""
    schema = churn_package.read("tests/test_schema.py").decode()
    ranges = churn_package.read("tests/test_ranges.py").decode()

    assert "'tenure': ('numeric', True)" in schema
    assert "'Contract': ('category', True)" in schema
    assert re.search(r"'tenure': \([01]\.0, 72\.0\)", ranges)
    assert "OUTPUTS = 'probability'" in ranges


def _planted(contract_or_golden: dict[str, Any], name: str) -> None:
    if name == "golden.json":
        contract_or_golden["rows"][0]["expected"] = [0.5, 0.25, 0.25]
    elif name == "contract.json":
        contract_or_golden["columns"][1]["nullable"] = True
    else:
        scaled = next(encoding for encoding in contract_or_golden["encodings"] if "center" in encoding)
        scaled["center"] += 1


@pytest.mark.parametrize(
    ("name", "fails"),
    [
        pytest.param("golden.json", "test_golden.py", marks=pytest.mark.slow),
        pytest.param("plan.json", "test_golden.py", marks=pytest.mark.slow),
        ("contract.json", "test_schema.py"),
    ],
)
def test_a_package_that_was_changed_fails_its_tests(
    contract_package: Package, tmp_path: Path, name: str, fails: str
) -> None:
    """Another answer, another contract, another encoding, with digests to match: the tests say which."""
    folder = tmp_path / "changed"
    shutil.copytree(contract_package.folder, folder)
    content = json.loads((folder / name).read_text())
    _planted(content, name)
    (folder / name).write_text(json.dumps(content))
    _seal(folder)

    code, out = _run(folder, "--tb=no", "-x")

    assert code == 1
    assert re.search(rf"FAILED .*{fails}", out)


def test_a_package_whose_bytes_were_changed_is_not_even_opened(churn_package: Package, tmp_path: Path) -> None:
    """The tests begin with the digests."""
    folder = tmp_path / "changed"
    shutil.copytree(churn_package.folder, folder)
    (folder / "plan.json").write_text("{}")

    code, out = _run(folder, "--tb=line", "-x")

    assert code == 1
    assert "plan.json has changed" in out

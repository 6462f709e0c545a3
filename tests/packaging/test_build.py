"""Building: what stands in a package, what is proved before it appears, and what is refused."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import GateRefusedError, StateError
from modelyard.data import ReferenceProfile, bin_labels, count_bins, debiased_psi
from modelyard.packaging import MANIFEST_FILE, PROTOCOL, Package, Scorer, load_package
from modelyard.problem.sections.alerts import ALERT_KINDS
from modelyard.training.model import FittedModel

FILES = {
    "MLmodel",
    "card.html",
    "card.json",
    "card.md",
    "conda.yaml",
    "conformal.json",
    "contract.json",
    "golden.json",
    "metrics.json",
    "plan.json",
    "python_env.yaml",
    "reference.json",
    "requirements.txt",
    *(f"runbooks/{kind}.md" for kind in ALERT_KINDS),
    "tests/conftest.py",
    "tests/pytest.ini",
    "tests/test_golden.py",
    "tests/test_invariances.py",
    "tests/test_ranges.py",
    "tests/test_schema.py",
}


def test_a_package_holds_what_the_design_says(churn_package: Package) -> None:
    """The files are those of the design, the model in LightGBM's own text."""
    assert set(churn_package.manifest.files) == FILES | {"model/lightgbm.txt"}
    assert churn_package.manifest.bytes == sum(
        (churn_package.folder / name).stat().st_size for name in churn_package.manifest.files
    )


def test_the_manifest_says_where_the_package_comes_from(churn: Any, churn_package: Package) -> None:
    """Protocol, data set, split, run, commit, ledger position, author and time are on record."""
    manifest = churn_package.manifest

    assert (manifest.protocol, manifest.name, manifest.version) == (PROTOCOL, "churn", "3")
    assert manifest.run_id == churn.run.record.id
    assert manifest.split_id == churn.split.record.id
    assert manifest.dataset_id == churn.split.record.dataset_id
    assert (manifest.author, manifest.code_commit, manifest.ledger_position) == ("ada", "abc", 7)
    assert manifest.created_at == dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)


def test_no_file_holds_a_pickle(churn_package: Package) -> None:
    """No file starts like a pickle or has a pickle's name."""
    for name in churn_package.manifest.files:
        assert not name.endswith((".pkl", ".pickle", ".joblib"))
        assert not churn_package.read(name).startswith((b"\x80\x04", b"\x80\x05"))


def test_json_files_hold_no_nan(churn_package: Package) -> None:
    """Every JSON file is strict JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for path in churn_package.folder.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_parity_and_speed_are_on_record(churn: Any, churn_package: Package) -> None:
    """``metrics.json`` has the parity of both paths, and the measured speed, size and memory."""
    metrics = churn_package.read_json("metrics.json")

    assert metrics["parity"]["ok"]
    assert metrics["parity"]["max_abs_difference"] <= 1e-9
    assert metrics["parity_on_table"]["rows"] == churn.split.validation.frame.height
    measured = metrics["measurement"]
    assert 0 < measured["latency_p50_ms"] <= measured["latency_p99_ms"] < 20
    assert measured["throughput_per_s"] > 1000
    assert 30 < measured["memory_mb"] < 500
    assert metrics["openings"] == 1


def test_the_reference_profile_counts_training_rows(churn: Any, churn_package: Package) -> None:
    """Features over the training rows; the score by the model's own answers, which tell more here than other fits' do."""
    profile = ReferenceProfile.from_dict(churn_package.read_json("reference.json"))
    own = churn.run.model("final").predict(churn.split.train.frame)

    assert profile.rows == churn.split.train.frame.height
    assert [feature.name for feature in profile.features][:-1] == [column.name for column in churn.run.record.columns]
    score = profile.features[-1]
    assert sum(score.counts) == len(own)
    assert score.counts[bin_labels(score).index("NULL")] == 0
    assert (score.low, score.high) == (own.min(), own.max())


def test_scores_of_several_classes_are_profiled_by_the_highest(contract_types: Any, contract_package: Package) -> None:
    """As the prediction log holds the highest probability, so does the profile; and the mix of decided labels."""
    profile = ReferenceProfile.from_dict(contract_package.read_json("reference.json"))
    own = contract_types.run.model("final").predict(contract_types.split.train.frame)
    label = profile.features[-2]
    classes = contract_types.run.record.classes
    decided = np.bincount(own.argmax(axis=1), minlength=len(classes))

    assert profile.features[-1].low == own.max(axis=1).min()
    assert label.name == "label"
    assert dict(zip(bin_labels(label), label.counts, strict=True)) == {
        **{name: count for name, count in zip(classes, decided.tolist(), strict=True) if count},
        **dict.fromkeys(("OTHER", "NULL", "NEW", "SPIKE"), 0),
    }


def test_a_model_that_knows_its_rows_is_profiled_by_other_fits(project_of: Any, tmp_path: Path) -> None:
    """Trees that are grown out are surer of the rows that they were fitted on than of any that will come."""
    grown_out = {"extra_trees": {"min_samples_leaf": 1}}
    project = project_of("churn", "extra_trees", 1500, params=grown_out)
    out_of_fold = project.run.out_of_fold(project.run.record.winner)
    package = project.build(tmp_path / "package")
    score = ReferenceProfile.from_dict(package.read_json("reference.json")).features[-1]

    assert sum(score.counts) == len(out_of_fold)
    assert list(score.counts) == count_bins(score, pl.Series(out_of_fold)).tolist()
    assert (score.low, score.high) == (out_of_fold.min(), out_of_fold.max())


def test_unchanged_data_are_quiet_for_a_tree_of_few_leaves(project_of: Any, tmp_path: Path) -> None:
    """Every fit has leaves of its own, so by other fits' scores each window had drifted (an index of 1 to 4)."""
    project = project_of("churn", "decision_tree", 3000)
    scorer = Scorer.load(project.build(tmp_path / "package"))
    score = scorer.profile.features[-1]
    counts = count_bins(score, pl.Series(scorer.score_frame(project.split.validation.frame)))

    assert debiased_psi(score.counts, counts) < 0.05


def test_the_contract_is_that_of_all_rows_learnt_from(churn: Any, churn_package: Package) -> None:
    """The final model has learnt from training and validation rows, and so has the contract."""
    tenure = next(column for column in Scorer.load(churn_package).contract.columns if column.name == "tenure")
    development = churn.split.development.frame["tenure"]

    assert (tenure.low, tenure.high) == (development.min(), development.max())


def test_packages_never_change(churn: Any, churn_package: Package) -> None:
    """Building over an existing package is refused, and it stays as it was."""
    with pytest.raises(StateError, match="there is a package already"):
        churn.build(churn_package.folder)

    assert load_package(churn_package.folder).manifest == churn_package.manifest


@dataclasses.dataclass(frozen=True)
class _Liar(FittedModel):
    """A training pipeline whose predictions are not what its estimator gives."""

    def predict(self, frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        return super().predict(frame) + 1e-6


def test_no_parity_no_package(churn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer that differs from training by a millionth is refused, and nothing appears."""
    model = churn.run.model("final")
    liar = _Liar(**{field.name: getattr(model, field.name) for field in dataclasses.fields(model)})
    monkeypatch.setattr(type(churn.run), "model", lambda run, which: liar)

    with pytest.raises(GateRefusedError, match=r"does not answer as the training pipeline does.*1e-06, where 1e-09"):
        churn.build(tmp_path / "package")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"latency_p99_ms": 1e-6}, "latency_p99_ms .* above 1e-06"),
        ({"model_size_mb": 0.001}, "model_size_mb .* above 0.001"),
        ({"memory_mb": 1.0}, "memory_mb .* above 1"),
        ({"throughput_per_s": 1e12}, r"throughput_per_s .* below 1e\+12"),
        ({"latency_p99_ms": 1e-6, "model_size_mb": 0.001}, "latency_p99_ms .*; model_size_mb"),
    ],
)
def test_declared_limits_are_enforced(bike: Any, tmp_path: Path, limits: dict[str, float], named: str) -> None:
    """A package that is too slow, too large or too hungry is refused by name and number, and nothing appears."""
    constraints = bike.problem.constraints.model_copy(update=limits)
    problem = bike.problem.model_copy(update={"constraints": constraints})

    with pytest.raises(GateRefusedError, match=named):
        bike.build(tmp_path / "package", problem=problem)

    assert list(tmp_path.iterdir()) == []


def test_limits_that_hold_are_no_obstacle(bike: Any, tmp_path: Path) -> None:
    """Generous limits let the package through, and stand on its card."""
    constraints = bike.problem.constraints.model_copy(update={"latency_p99_ms": 1000.0, "model_size_mb": 100.0})

    package = bike.build(tmp_path / "package", problem=bike.problem.model_copy(update={"constraints": constraints}))

    card = package.read_json("card.json")
    assert card["operation"]["constraints"]["latency_p99_ms"] == 1000.0


def test_parts_that_do_not_belong_together_are_refused(churn: Any, bike: Any, tmp_path: Path) -> None:
    """An evaluation of another run, or a split of another run, is refused before anything is written."""
    with pytest.raises(StateError, match="evaluation is of another run"):
        churn.build(tmp_path / "package", evaluation=bike.evaluation)
    with pytest.raises(StateError, match="trained on another split"):
        churn.build(tmp_path / "package", split=bike.split)

    assert list(tmp_path.iterdir()) == []


def test_details_may_be_left_out(bike: Any, tmp_path: Path) -> None:
    """Without details, the card says what is not known."""
    package = bike.build(tmp_path / "package", details=None)

    assert (package.manifest.author, package.manifest.ledger_position) == ("", None)
    assert (package.folder / MANIFEST_FILE).exists()
    assert "identity: code commit" in package.read_json("card.json")["not_provided"]


def test_building_does_not_open_the_test_part(bike: Any, bike_package: Package) -> None:
    """The sealed part stays sealed."""
    assert bike.split.test.openings() == 0
    assert bike_package.read_json("metrics.json")["test"] == []

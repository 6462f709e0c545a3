"""The project file: strict, explained, overridable."""

from pathlib import Path

import pytest

from modelyard.core import ConfigError
from modelyard.problem import Task, json_schema, load_problem

MINIMAL = "data: {source: t.csv, target: y}\n"


def _project(folder: Path, text: str, **overlays: str) -> Path:
    (folder / "modelyard.yaml").write_text(text, encoding="utf-8")
    for env, overlay in overlays.items():
        (folder / f"modelyard.{env}.yaml").write_text(overlay, encoding="utf-8")
    return folder


def test_source_and_target_are_enough(tmp_path: Path) -> None:
    """Everything else has a default."""
    problem = load_problem(_project(tmp_path, MINIMAL)).problem

    assert problem.task is Task.AUTO
    assert problem.split.test == 0.15
    assert problem.policy.two_person is True


def test_later_sources_win_and_are_named(tmp_path: Path) -> None:
    """The overlay beats the file, --set beats the overlay, and explain says so."""
    root = _project(
        tmp_path, MINIMAL + "owner: ada\ntraining: {folds: 3, seed: 1}\n", prod="training: {folds: 4}\nowner: grace\n"
    )
    loaded = load_problem(root, env="prod", settings=["training.folds=7"])
    explained = {key: (value, origin) for key, value, origin in loaded.explain()}

    assert explained["training.folds"] == ("7", "--set training.folds=7")
    assert explained["owner"] == ("grace", "modelyard.prod.yaml")
    assert explained["training.seed"] == ("1", "modelyard.yaml")
    assert explained["split.train"] == ("0.7", "default")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("data: {source: t.csv, targt: y}\n", "unknown key 'data.targt'. Did you mean 'target'?"),
        ("data: {source: t.csv}\n", "the key 'data.target' is missing"),
        (MINIMAL + "metrics: {primary: auc_roc}\n", "Did you mean 'roc_auc'?"),
        (MINIMAL + "split: {train: 0.9}\n", "train + validation + test must be 1"),
        (MINIMAL + "metrics: {guardrails: {roc_auc: high}}\n", "metrics.guardrails.roc_auc is not allowed"),
        (MINIMAL + "existing_system: {rule: a > 1, constant: 3}\n", "at most one of column, rule, constant"),
        (MINIMAL + "evaluation: {quantiles: [0.9, 0.1]}\n", "evaluation.quantiles is not allowed: levels must rise"),
        (MINIMAL + "evaluation: {quantiles: [0.1, 0.1]}\n", "be named once, such as [0.1, 0.5, 0.9]"),
        (MINIMAL + "evaluation: {quantiles: [0, 0.5]}\n", "evaluation.quantiles.0 is not allowed"),
        (
            MINIMAL + "task: binary\nevaluation: {quantiles: [0.5]}\n",
            "evaluation.quantiles is not allowed: only the task regression has quantiles, and this one is binary",
        ),
        ("data: [\n", "not valid YAML"),
        ("just text\n", "must hold keys and values"),
        (MINIMAL + "schema_version: 2\n", "schema_version is not allowed"),
    ],
)
def test_mistakes_are_named_with_a_cure(tmp_path: Path, text: str, sentence: str) -> None:
    """Each mistake gives one sentence that names the key and what to do."""
    root = _project(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load_problem(root)

    assert sentence in str(caught.value)


def test_missing_project_file_names_the_cure(tmp_path: Path) -> None:
    """A folder without a project file is told how to make one."""
    with pytest.raises(ConfigError, match="modelyard new NAME"):
        load_problem(tmp_path)


@pytest.mark.parametrize("setting", ["folds", "=3", "a..b=1", "training.folds=["])
def test_malformed_settings_are_refused(tmp_path: Path, setting: str) -> None:
    """A --set value must look like key.sub=value."""
    with pytest.raises(ConfigError):
        load_problem(_project(tmp_path, MINIMAL), settings=[setting])


def test_schema_forbids_unknown_keys_and_describes_each() -> None:
    """Editors get a description for every key, and a red line under a wrong one."""
    schema = json_schema()

    assert schema["additionalProperties"] is False
    for definition in schema["$defs"].values():
        for name, value in definition.get("properties", {}).items():
            assert value.get("description"), name


def test_a_key_may_have_its_older_name(tmp_path: Path) -> None:
    """A later source wins whichever name it uses, and the origin is told by the name of today."""
    root = _project(tmp_path, MINIMAL + "training: {class_weights: false}\n")
    old, new = load_problem(root), load_problem(root, settings=["training.imbalance=true"])

    assert (old.problem.training.imbalance, new.problem.training.imbalance) == (False, True)
    assert old.origins["training.imbalance"] == "modelyard.yaml"
    assert new.origins["training.imbalance"] == "--set training.imbalance=true"
    with pytest.raises(ConfigError, match="class_weights"):
        load_problem(_project(tmp_path, MINIMAL + "training: {class_weights: false, imbalance: true}\n"))

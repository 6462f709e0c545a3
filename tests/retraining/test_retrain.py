from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard import Project
from modelyard.audit import acknowledge_finding
from modelyard.core import DataError, Severity, StateError
from modelyard.data import load_split
from modelyard.governance import Stage
from modelyard.retraining import Decision, Outcome
from modelyard.retraining.telling import tell
from modelyard.store import load_record
from modelyard.training.run import load_run

Plant = Any


def verdicts(decision: Decision) -> list[tuple[str, bool]]:
    """Gate and verdict, in order."""
    return [(gate.gate, gate.passed) for gate in decision.gates]


def production(project: Project) -> int | None:
    """The version in production."""
    return project.status().production


def test_the_same_table_brings_nothing_new(plant: Plant) -> None:
    """All rows are known, those of the sealed part too; the decision is kept and in the ledger."""
    project = plant.open()
    decision = project.retrain(plant.table(plant.old))
    (row,) = project.ledger().rows(action="model.retrained")
    kept = load_record(Decision, project.workspace.folder("retraining", decision.id), "decision", cure="")

    assert (decision.outcome, decision.rows_new, decision.run_id) == (Outcome.STOPPED, 0, None)
    assert verdicts(decision) == [("data", False)]
    assert "0 of 400 rows are new, 400 were known; 150 are needed" in decision.reason
    assert kept == decision
    assert (row.subject, row.details["outcome"]) == (decision.id, "stopped")
    assert production(project) == 1


def test_too_few_new_rows_stop_it(plant: Plant) -> None:
    """Old rows do not count, nor do rows without a label."""
    unlabelled = plant.new[149:400].with_columns(pl.lit(None, dtype=pl.String).alias("Churn"))
    decision = plant.open().retrain(plant.table(pl.concat([plant.old, plant.new[:149], unlabelled])))

    assert (decision.outcome, decision.rows_new) == (Outcome.STOPPED, 149)
    assert verdicts(decision) == [("data", False)]


def test_a_broken_contract_stops_it(plant: Plant) -> None:
    """Text in a numeric column of every third row is the product of a broken pipeline."""
    broken = plant.new.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0)
        .then(pl.lit("abc"))
        .otherwise(pl.col("tenure").cast(str))
        .alias("tenure")
    )
    decision = plant.open().retrain(plant.table(broken))

    assert decision.outcome is Outcome.STOPPED
    assert verdicts(decision) == [("data", True), ("contract", False)]
    assert "tenure" in decision.reason


def test_rows_that_cannot_be_divided_stop_it(plant: Plant) -> None:
    """New rows of one class only are a no with a reason, not a crash."""
    decision = plant.open().retrain(plant.table(plant.new.filter(pl.col("Churn") == "No")))

    assert verdicts(decision) == [("data", True), ("contract", True), ("split", False)]
    assert "constant" in decision.reason


def test_a_new_error_stops_it_until_somebody_decides(plant: Plant) -> None:
    """The champion's stored audit knew no range; with one declared the audit says no, and yes to an acknowledged error."""
    project = plant.open("data.ranges={tenure: [0, 30]}")
    champion = project.workspace.folder("audits", str(project.workspace.pointer("split"))) / "audit.json"
    before = champion.read_bytes()
    unlearnable = plant.table(plant.new.with_columns(pl.col("Churn").shuffle(seed=3)))

    stopped = project.retrain(unlearnable)
    assert verdicts(stopped)[-1] == ("audit", False)
    assert "outside the declared range" in stopped.reason
    assert champion.read_bytes() == before

    acknowledge_finding(project.workspace.ledger, project.actor, "impossible-values:tenure", "long contracts", None)
    assert ("audit", True) in verdicts(project.retrain(unlearnable))


@pytest.mark.parametrize("column", ["Churn", "tenure"])
def test_a_missing_column_is_refused(plant: Plant, column: str) -> None:
    """A table without the target, or without a feature, is an error with a cure, and no decision."""
    project = plant.open()
    with pytest.raises(DataError, match=column):
        project.retrain(plant.table(plant.new.drop(column)))

    assert project.ledger().rows(action="model.retrained") == ()


@pytest.mark.parametrize("setting", ["data.positive='No'", "data.target=Partner", "task=multiclass"])
def test_another_question_is_refused(plant: Plant, setting: str) -> None:
    """A champion is not compared with a challenger that answers something else."""
    with pytest.raises(StateError, match="another question"):
        plant.open(setting).retrain(plant.table(plant.new))


def test_without_a_champion_there_is_nothing_to_retrain(plant: Plant, tmp_path: Any) -> None:
    """A project without production says which command comes first."""
    Project.new(tmp_path / "other", data=plant.table(plant.old), target="Churn")
    with pytest.raises(StateError, match="promote"):
        Project.open(tmp_path / "other").retrain(plant.table(plant.new))


def test_a_champion_that_is_no_worse_stays(plant: Plant) -> None:
    """Shuffled labels teach nothing: the comparison says no, nothing is registered, the new test stays sealed."""
    project = plant.open()
    decision = project.retrain(plant.table(plant.new.with_columns(pl.col("Churn").shuffle(seed=3))))

    assert decision.outcome is Outcome.CHAMPION_STAYS
    assert verdicts(decision)[-1] == ("comparison", False)
    assert decision.run_id is not None
    split = load_split(load_run(decision.run_id, project.workspace).record.split_id, project.workspace)
    assert split.test.openings() == 0
    assert [item.version for item in project._registry.versions("churn")] == [1]
    assert production(project) == 1


def test_a_call_that_died_between_its_run_and_its_files_leaves_none(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is stored, the files of its search are not yet removed: the next call uses the one and removes the others."""

    def died(folder: Path) -> None:
        raise KeyboardInterrupt(folder.name)

    project, table = plant.open(), plant.table(plant.new)
    runs = project.workspace.folder("runs")
    with monkeypatch.context() as patched:
        patched.setattr("modelyard.training.engine.verbs.remove_search", died)
        with pytest.raises(KeyboardInterrupt, match=r"^\.search-"):
            project.retrain(table)
    left = sorted(path.name for path in runs.iterdir())
    assert [name for name in left if name.startswith(".search-")] != []

    decision = project.retrain(table)
    assert sorted(path.name for path in runs.iterdir()) == [name for name in left if not name.startswith(".")]
    assert decision.run_id == max(left)


def test_a_limit_that_the_package_breaks_is_a_no(plant: Plant) -> None:
    """A better model that needs more memory than it may is packaged, refused and not registered."""
    project = plant.open("constraints.memory_mb=1")
    decision = project.retrain(plant.table(plant.new))

    assert decision.outcome is Outcome.CHAMPION_STAYS
    assert verdicts(decision)[-2:] == [("segments", True), ("package", False)]
    assert "memory" in decision.reason
    assert [item.version for item in project._registry.versions("churn")] == [1]
    assert production(project) == 1


def test_a_segment_that_loses_is_a_no(plant: Plant) -> None:
    """Better on the whole, and yet no: whoever pays by mail behaves the other way round, and is judged wrongly."""
    by_mail, leaves = pl.col("PaymentMethod") == "Mailed check", pl.col("Churn") == "Yes"
    opposite = pl.when(leaves).then(pl.lit("No")).otherwise(pl.lit("Yes"))
    changed = plant.new.with_columns(Churn=pl.when(by_mail).then(opposite).otherwise("Churn"))
    project = plant.open("segments=[PaymentMethod]", "retraining.max_segment_loss=0.05")
    decision = project.retrain(plant.table(changed))

    assert verdicts(decision)[-2:] == [("comparison", True), ("segments", False)]
    assert "PaymentMethod = Mailed check loses" in decision.reason


def test_a_better_challenger_is_registered_and_not_promoted(plant: Plant) -> None:
    """Real labels teach: version 2 waits, version 1 serves, and no row of the old sealed part was learnt from.

    Once version 2 is in production, the rows of both tables are known, the old sealed part included.
    """
    project = plant.open()
    before = {name: project.workspace.pointer(name) for name in ("split", "run", "evaluation", "package")}
    decision = project.retrain(plant.table(pl.concat([plant.old, plant.new])))

    assert decision.outcome is Outcome.CHALLENGER, decision.reason
    assert verdicts(decision) == [
        (gate, True) for gate in ("data", "contract", "audit", "comparison", "segments", "package")
    ]
    assert (decision.challenger_version, decision.champion_version, decision.rows_new) == (2, 1, 900)
    assert [item.stage for item in project._registry.versions("churn")] == [Stage.PRODUCTION, Stage.CANDIDATE]
    assert {name: project.workspace.pointer(name) for name in before} == before

    base = load_split(str(before["split"]), project.workspace)
    split = load_split(load_run(str(decision.run_id), project.workspace).record.split_id, project.workspace)
    learnt, validated = (set(part.frame["customerID"]) for part in (split.train, split.validation))
    sealed = set(plant.old["customerID"]) - set(base.development.frame["customerID"])
    assert len(sealed) == base.test.size
    assert not sealed & (learnt | validated)
    assert validated <= set(plant.new["customerID"])
    assert set(base.development.frame["customerID"]) <= learnt
    assert split.test.openings() == 1
    assert base.test.openings() == 1

    hasty = project.retrain(plant.table(pl.concat([plant.old, plant.new])))
    assert hasty.outcome is Outcome.STOPPED
    assert "Version 2 has learnt from the same rows" in hasty.reason

    (note,) = project.alerts.open()
    assert (note.key, note.severity) == ("churn/retraining-challenger/model", Severity.INFO)
    project.approve(2, "better")
    tell(project.workspace, project.problem, decision, project.actor)
    assert project.alerts.open() == ()
    project.promote(2)
    again = project.retrain(plant.table(pl.concat([plant.old, plant.new])))
    assert (again.outcome, again.rows_new, again.champion_version) == (Outcome.STOPPED, 0, 2)
    assert project.ledger().verify().ok

"""Parkinson's patients at home (regression, groups): the perfect test for leaks across groups."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure
from tests.yard import found

from modelyard import data

pytestmark = pytest.mark.journey

SECOND_TARGET = {"motor_UPDRS": "a second target, measured with the first"}
BEST_HONEST_MAE = 6.0
"""By patient, 8 to 11; random rows of known patients give 1 to 3, which is a leak."""


@pytest.mark.slow  # another journey of its kind runs for every change
def test_by_python(yard: JourneyYard, data_folder: Path) -> None:
    """No patient is on two sides, and nothing seems to work: the naive baseline stays, and that is said."""
    source = data_folder / "parkinsons_telemonitoring.parquet"
    project = yard.project(source, "total_UPDRS", data={"exclude": SECOND_TARGET})

    check = project.check()
    split = data.load_split(project.status().split_id or "", project.workspace)
    subjects = [set(part.frame["subject"]) for part in (split.train, split.validation)]
    sealed = pl.read_parquet(source).filter(~pl.col("subject").is_in(subjects[0] | subjects[1]))

    assert project.problem.data.group == "subject"
    assert check.split.startswith("A group column, 'subject', is declared")
    assert subjects[0].isdisjoint(subjects[1])
    assert check.test_rows == sealed.height  # all rows of the other patients, and no others

    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")

    assert run.record.fold_strategy == "group"
    assert figure(evaluation, "mae") >= BEST_HONEST_MAE
    assert run.record.winner == "naive"
    assert "no candidate beats it beyond noise" in run.record.why

    yard.release(project, 1)
    assert project.score(source, yard.folder / "scores.parquet").scored == 5_875
    assert project.monitor(data=source).verdict.value in ("quiet", "watch", "alarm")
    assert project.status().ledger_ok


@pytest.mark.slow  # the same life as by Python, through the door that the churn journey takes
def test_by_command(yard: JourneyYard, data_folder: Path) -> None:
    """The same by command: ``new`` finds the patients, and the card of the naive answer can be released."""
    source = data_folder / "parkinsons_telemonitoring.parquet"
    answer = yard.new(source, "total_UPDRS", data={"exclude": SECOND_TARGET})

    assert (answer.exit_code, answer.record["inferred"]["data.group"]["value"]) == (0, "subject")
    assert yard.done("audit")["rows"] < 5_875
    run = yard.done("train")
    assert (run["winner"], run["fold_strategy"]) == ("naive", "group")
    assert figure(yard.done("evaluate", "--open-test", "it is finished"), "mae") >= BEST_HONEST_MAE
    yard.done("package")
    assert yard.done("register")["version"] == 1
    assert yard.done("ledger", "verify")["ok"]


@pytest.mark.slow  # the same life as by Python, through the door that the churn journey takes
def test_by_command_without_the_group(yard: JourneyYard, data_folder: Path) -> None:
    """With rows drawn at random the figure is too good, and the audit says why."""
    source = data_folder / "parkinsons_telemonitoring.parquet"
    wrong = {"group": None, "exclude": SECOND_TARGET}
    quick = {"families": ["lightgbm"], "tuning_rounds": 0, "folds": 2}
    assert yard.new(source, "total_UPDRS", data=wrong, training=quick).exit_code == 0

    audit = yard.run("audit").record
    yard.run("train", "--accept", "to show what a leak looks like")
    evaluation = yard.done("evaluate")
    winner = next(item for item in evaluation["validation"] if item["name"] == "winner")
    mae = next(metric["value"] for metric in winner["metrics"] if metric["name"] == "mae")

    assert "subject" in {subject for _, subject in found(audit, "error", "warning")}
    assert mae < BEST_HONEST_MAE

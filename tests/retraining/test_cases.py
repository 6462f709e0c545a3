"""Cases: one is under way at a time, and each ends once."""

import dataclasses
from typing import Any

import polars as pl
import pytest

from modelyard import Project
from modelyard.core import new_id
from modelyard.retraining.cases import CaseBook, CaseNotes, Inputs, case_under_way
from modelyard.retraining.cases.book import StoppedError
from modelyard.retraining.question import settings_digest
from modelyard.retraining.records import GateResult
from modelyard.store import load_record, save_record

Plant = Any


def begun(project: Project) -> str:
    """Id of a case that somebody else has begun with other inputs, and whose rows lie there."""
    inputs = Inputs("another package", "another table", "", "", update=False, despite="")
    book = CaseBook(project.workspace, project.actor)
    case = book.begin(inputs, project._production(), "")
    case.keep(pl.DataFrame({"a": [1]}))
    case.done("collected", GateResult("data", passed=True, detail="enough"), rows_new=1, data="x")
    return case.id


def decided_again(project: Project, id_: str) -> str:
    """As if the process had died between the decision and its row: a case with a decision that the ledger lacks."""
    folder, copy = (project.workspace.folder("retraining", name) for name in (id_, new_id()))
    notes = load_record(CaseNotes, folder, "case", cure="")
    save_record(copy, "case", dataclasses.replace(notes, id=copy.name))
    text = (folder / "decision.json").read_text(encoding="utf-8")
    (copy / "decision.json").write_text(text.replace(id_, copy.name), encoding="utf-8")
    project.workspace.point("retraining", copy.name)
    return copy.name


def test_other_inputs_give_up_what_was_begun(plant: Plant) -> None:
    """Status shows an unfinished case; a call with another table ends it in the ledger, and keeps none of its rows."""
    project = plant.open()
    old = begun(project)
    told = project.status().retraining
    decision = project.retrain(plant.table(plant.old))
    (row,) = project.ledger().rows(action="model.retraining_given_up")

    assert told is not None
    assert "collected" in told
    assert (row.subject, row.details["step"]) == (old, "collected")
    assert not (project.workspace.folder("retraining", old) / "rows.parquet").exists()
    assert decision.id != old
    assert project.status().retraining is None
    assert [row.subject for row in project.ledger().rows(action="model.retrained")] == [decision.id]


@pytest.mark.parametrize("same", [True, False])
def test_a_decision_and_its_row_do_not_part(plant: Plant, same: bool) -> None:
    """The next call, with the same table or another, gives a decision its row; the same call answers with it."""
    project = plant.open()
    first = project.retrain(plant.table(plant.old))
    lost = decided_again(project, first.id)
    again = project.retrain(plant.table(plant.old if same else plant.old[:300]))
    subjects = [row.subject for row in project.ledger().rows(action="model.retrained")]

    assert subjects == [first.id, lost] if same else [first.id, lost, again.id]
    assert (again.id == lost) is same
    assert project.ledger().rows(action="model.retraining_given_up") == ()


def test_notes_that_cannot_be_read_are_no_case(plant: Plant) -> None:
    """A damaged file costs the work of one case, not the next retraining."""
    project = plant.open()
    (project.workspace.folder("retraining", begun(project)) / "case.json").write_text("{", encoding="utf-8")

    assert case_under_way(project.workspace) is None
    assert project.retrain(plant.table(plant.old)).rows_new == 0


def test_a_step_is_noted_in_its_place(plant: Plant) -> None:
    """Doing a step again replaces its note; a refusal ends the case whenever it is noted."""
    project = plant.open()
    begun(project)
    case = CaseBook(project.workspace, project.actor).under_way()
    assert case is not None
    case.done("packaged", made="churn-2-abc")
    case.done("collected", GateResult("data", passed=True, detail="more"))
    with pytest.raises(StoppedError):
        case.done("audited", GateResult("audit", passed=False, detail="a leak"))

    assert [step.name for step in case.notes.steps] == ["collected", "packaged", "audited"]
    assert (case.notes.made("packaged"), case.notes.gates[0].detail) == ("churn-2-abc", "more")
    assert case_under_way(project.workspace) == case.notes


@pytest.mark.parametrize(
    ("setting", "matters"),
    [
        ("owner=ada", False),
        ("monitoring.window=week", False),
        ("training.folds=4", True),
        ("retraining.confidence=0.9", True),
    ],
)
def test_which_settings_make_another_case(plant: Plant, setting: str, matters: bool) -> None:
    """Whoever answers for a model does not change what a retraining gives; folds and gates do."""
    before, after = (settings_digest(plant.open(*settings).problem) for settings in ((), (setting,)))

    assert (before != after) is matters

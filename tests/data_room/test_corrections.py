import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.core import Actor, ConfigError, DataError, IntegrityError, StateError
from modelyard.data import (
    Dataset,
    Split,
    corrected_split,
    corrections_in_force,
    extend_split,
    load_version,
    make_split,
    record_correction,
    resolve,
    row_digests,
    store_version,
    undo_correction,
    unknown_rows,
    version_record,
)
from modelyard.data.splits.split import divided_rows
from modelyard.data.splits.strategies import Part
from modelyard.problem import Problem
from modelyard.store import Workspace

ROWS = 200


def customers() -> pl.DataFrame:
    """Two hundred customers, each of another age."""
    return pl.DataFrame(
        {
            "customer": [f"c{n}" for n in range(ROWS)],
            "age": [20 + n % 50 for n in range(ROWS)],
            "fee": [float(n) for n in range(ROWS)],
            "y": ["yes" if n % 3 == 0 else "no" for n in range(ROWS)],
        }
    )


class Desk:
    """A data set, its split, and somebody who reviews."""

    def __init__(self, folder: Path, frame: pl.DataFrame, actor: Actor, **data: Any) -> None:
        self.folder, self.actor = folder, actor
        self.workspace = Workspace(folder / "project")
        source = {"source": "t.csv", "target": "y", **data}
        self.problem = resolve(Problem.model_validate({"data": source}), frame)
        dataset = load_version(store_version(frame, "t.csv", self.workspace).id, self.workspace)
        self.base = make_split(dataset, self.problem, self.workspace, actor)

    @property
    def split(self) -> Split:
        """The split with the corrections in force."""
        return corrected_split(self.base, self.problem, self.workspace, self.actor)

    def sheet(self, rows: Sequence[Mapping[str, Any]], name: str = "sheet.csv") -> Path:
        """A reviewed sheet."""
        path = self.folder / name
        names = sorted({key for row in rows for key in row})
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def correct(self, rows: Sequence[Mapping[str, Any]], reason: str = "checked by phone") -> Any:
        """Record a sheet of these rows."""
        return record_correction(self.sheet(rows), reason, self.split, self.problem, self.workspace, self.actor)

    def sealed(self) -> pl.DataFrame:
        """The sealed rows, read behind the door and without an opening."""
        return pl.read_parquet(self.workspace.objects.path(self.base.record.test_digest))


@pytest.fixture
def desk(tmp_path: Path, actor: Actor) -> Desk:
    """Customers with an id."""
    return Desk(tmp_path, customers(), actor, id="customer")


@pytest.fixture
def nameless(tmp_path: Path, actor: Actor) -> Desk:
    """The same customers without an id."""
    return Desk(tmp_path, customers().drop("customer"), actor)


def flip(row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A line that says the other label."""
    return {"given": row["y"], "reviewed_label": "no" if row["y"] == "yes" else "yes", **more}


def test_labels_are_corrected_and_recorded(desk: Desk) -> None:
    """Two labels by id: the readable rows follow, a version names its parent, and the ledger says who, why and how many."""
    chosen = [desk.base.train.frame.row(3, named=True), desk.base.validation.frame.row(1, named=True)]
    found = desk.correct([flip(row, key=row["customer"]) for row in chosen])
    split = desk.split

    assert (found.labels, found.left_out, found.not_applied, found.by) == (2, 0, 0, "ada")
    assert split.train.frame["y"][3] != chosen[0]["y"]
    assert split.validation.frame["y"][1] != chosen[1]["y"]
    assert split.train.frame.drop("y").equals(desk.base.train.frame.drop("y"))
    assert (split.record.base, split.record.corrections) == (desk.base.record.id, (found.id,))
    assert "2 labels corrected" in split.record.reason
    (line,) = desk.workspace.ledger.rows(action="data.corrected")
    assert (line.subject, line.actor, line.details["labels"]) == (found.id, "ada", 2)
    assert (line.details["reason"], line.details["dataset_id"]) == ("checked by phone", desk.base.record.dataset_id)
    assert desk.workspace.objects.read(line.details["file_digest"]) == (desk.folder / "sheet.csv").read_bytes()
    version = version_record(split.record.dataset_id, desk.workspace)
    assert (version.parent, version.rows) == (desk.base.record.dataset_id, ROWS)
    was, becomes = (load_version(id_, desk.workspace).frame for id_ in (version.parent, version.id))
    differ = was.filter(was["y"] != becomes["y"])["customer"].to_list()
    assert sorted(differ) == sorted(row["customer"] for row in chosen)


def test_sealed_rows_are_never_touched(desk: Desk) -> None:
    """A line about a sealed row has no effect, and says so in a count; the sealed part keeps its digest and its openings."""
    secret = desk.sealed().row(0, named=True)
    known = desk.base.train.frame.row(0, named=True)
    desk.base.test.open("a first look", desk.actor)
    found = desk.correct([flip(row, key=row["customer"]) for row in (secret, known)])
    split = desk.split

    assert (found.labels, found.not_applied) == (1, 1)
    assert "1 line fits no row that may be looked at" in found.summary
    assert (split.test.digest, split.test.size, split.test.openings()) == (
        desk.base.test.digest,
        desk.base.test.size,
        1,
    )
    whole = load_version(split.record.dataset_id, desk.workspace).frame
    assert whole.filter(pl.col("customer") == secret["customer"])["y"].item() == secret["y"]
    with pytest.raises(DataError, match="no line of the sheet fits a row that may be looked at"):
        desk.correct([flip(secret, key=secret["customer"])])


@given(choice=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=40, unique=True), errors=st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_reviewed_only_its_rows_change(
    tmp_path_factory: pytest.TempPathFactory, actor: Actor, choice: list[int], errors: bool
) -> None:
    """For any sheet: rows that it does not name, and all sealed ones, stand in the corrected version as before."""
    desk = Desk(tmp_path_factory.mktemp("any"), customers().drop("customer"), actor)
    table = customers().drop("customer")
    digests = row_digests(table)
    rows = [table.row(n, named=True) | {"n": n} for n in choice]
    sheet = [
        {"digest": digests[row["n"]], "given": row["y"], "column": "y", "verdict": "error"}
        if errors
        else flip(row, digest=digests[row["n"]])
        for row in rows
    ]
    codes = divided_rows(Dataset("", table, desk.base.train.schema), desk.problem, desk.workspace)
    readable = [n for n in choice if codes[n] in (Part.TRAIN, Part.VALIDATION)]
    if not readable:
        with pytest.raises(DataError, match="no line of the sheet fits"):
            desk.correct(sheet)
        return
    found = desk.correct(sheet)
    whole = load_version(desk.split.record.dataset_id, desk.workspace).frame

    assert found.not_applied == len(choice) - len(readable)
    assert (found.left_out if errors else found.labels) == len(readable)
    expected = table.with_row_index("n").with_columns(hit=pl.col("n").is_in(readable))
    if errors:
        expected = expected.filter(~pl.col("hit"))
    else:
        other = pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes"))
        expected = expected.with_columns(y=pl.when("hit").then(other).otherwise("y"))
    assert whole.equals(expected.select(table.columns))


def test_the_same_sheet_twice_changes_nothing(desk: Desk) -> None:
    """Neither the split, nor the ledger, nor the record; a sheet of the same words under another name is the same."""
    row = desk.base.train.frame.row(5, named=True)
    first = desk.correct([flip(row, key=row["customer"])])
    split, ledger = desk.split.record, desk.workspace.ledger.verify().rows
    again = record_correction(
        desk.sheet([flip(row, key=row["customer"])], "copy.csv"),
        "again",
        desk.split,
        desk.problem,
        desk.workspace,
        desk.actor,
    )

    assert again == first
    assert desk.split.record == split
    assert desk.workspace.ledger.verify().rows == ledger


def test_a_correction_is_undone(desk: Desk) -> None:
    """The rows are as they came; the record stays in the ledger; it can be brought into force again."""
    row = desk.base.train.frame.row(5, named=True)
    first = desk.correct([flip(row, key=row["customer"])])
    corrected = desk.split.record.id
    undo_correction(first.id, "wrong sheet", desk.workspace, desk.actor)

    assert desk.split.record == desk.base.record
    assert corrections_in_force(desk.workspace) == ()
    assert [one.action for one in desk.workspace.ledger.rows(subject=first.id)] == [
        "data.corrected",
        "data.correction_undone",
    ]
    with pytest.raises(StateError, match="no correction of this id is in force"):
        undo_correction(first.id, "twice", desk.workspace, desk.actor)
    desk.correct([flip(row, key=row["customer"])], "it was right")
    assert desk.split.record.id == corrected


def test_errors_become_missing_or_leave_the_row_out(nameless: Desk) -> None:
    """A value judged an error is missing, a row judged one is left out, a legitimate value stays; all are counted."""
    frame = nameless.base.train.frame
    digests = row_digests(frame)
    found = nameless.correct(
        [
            {"position": 2, "digest": digests[2], "column": "fee", "given": frame["fee"][2], "verdict": "error"},
            {"position": 4, "digest": digests[4], "column": "fee", "given": frame["fee"][4], "verdict": "leave out"},
            {"position": 6, "digest": digests[6], "column": "fee", "given": frame["fee"][6], "verdict": "legitimate"},
            {"position": 7, "digest": digests[7], "column": "fee", "given": frame["fee"][7], "verdict": ""},
        ]
    )
    split = nameless.split
    expected = frame.with_columns(pl.Series("fee", frame["fee"].to_list()).scatter(2, None)).with_row_index("n")

    assert (found.missing, found.left_out, found.confirmed, found.not_applied) == (1, 1, 1, 0)
    assert split.train.frame.equals(expected.filter(pl.col("n") != 4).drop("n"))
    assert split.train.schema.column("fee").nullable
    assert (split.record.train_rows, split.validation.frame.height) == (frame.height - 1, split.record.validation_rows)


def test_equal_rows_are_corrected_as_often_as_named(tmp_path: Path, actor: Actor) -> None:
    """Of rows with one content, a line corrects one; the position decides which, where it still fits."""
    frame = pl.concat([customers().drop("customer", "fee")] * 3)
    desk = Desk(tmp_path, frame, actor)
    train = desk.base.train.frame
    digests = row_digests(train)
    twins = [place for place, digest in enumerate(digests) if digest == digests[0]]
    row = train.row(0, named=True)
    desk.correct([flip(row, digest=digests[0], position=twins[-1]), flip(row, digest=digests[0], position=99_999)])
    changed = [place for place in range(train.height) if train["y"][place] != desk.split.train.frame["y"][place]]

    assert len(twins) >= 2
    assert changed == sorted({twins[0], twins[-1]})


def test_corrections_go_on_when_the_source_grows(desk: Desk, tmp_path: Path) -> None:
    """Later versions keep what was decided for rows that are still there with the same value, and drop the rest."""
    frame = customers()
    chosen = [desk.base.train.frame.row(place, named=True) for place in (0, 1)]
    desk.correct([flip(row, key=row["customer"]) for row in chosen])
    mended = flip(chosen[1])["reviewed_label"]
    later = pl.concat(
        [
            frame.with_columns(
                y=pl.when(pl.col("customer") == chosen[1]["customer"]).then(pl.lit(mended)).otherwise("y")
            ),
            frame.head(40).with_columns(customer="n" + pl.col("customer"), fee=pl.col("fee") + 500),
        ]
    )
    dataset = load_version(store_version(later, "t.csv", desk.workspace).id, desk.workspace)
    base = make_split(dataset, desk.problem, desk.workspace, desk.actor)
    split = corrected_split(base, desk.problem, desk.workspace, desk.actor)
    readable = pl.concat([split.train.frame, split.validation.frame])
    labels = dict(readable.select("customer", "y").iter_rows())

    for row in chosen:
        if row["customer"] in labels:
            assert labels[row["customer"]] == flip(row)["reviewed_label"]
    assert any(row["customer"] in labels for row in chosen)


def test_a_corrected_row_is_not_new(desk: Desk) -> None:
    """Retraining with the table as it came finds no new row in it, now and after another retraining."""
    row = desk.base.train.frame.row(5, named=True)
    desk.correct([flip(row, key=row["customer"])])
    fresh = customers().with_columns(customer="n" + pl.col("customer"), fee=pl.col("fee") + 500)

    assert unknown_rows(customers(), desk.split, desk.workspace).height == 0
    larger = extend_split(desk.split, fresh, desk.problem, desk.workspace, desk.actor)
    assert unknown_rows(pl.concat([customers(), fresh]), larger, desk.workspace).height == 0


def test_numbers_are_corrected_as_numbers(tmp_path: Path, actor: Actor) -> None:
    """A numeric target takes a number, with a fraction too, in the parts and in the version."""
    frame = customers().with_columns(y=pl.int_range(ROWS) * 10)
    desk = Desk(tmp_path, frame, actor, id="customer")
    row = desk.base.train.frame.row(0, named=True)
    desk.correct([{"key": row["customer"], "given": int(row["y"]), "reviewed_label": "12.5"}])
    whole = load_version(desk.split.record.dataset_id, desk.workspace).frame

    assert desk.split.train.frame["y"][0] == 12.5
    assert whole.filter(pl.col("customer") == row["customer"])["y"].item() == 12.5
    with pytest.raises(DataError, match=r"line 2: the label is no number; got 'twelve'"):
        desk.correct([{"key": row["customer"], "given": "12.5", "reviewed_label": "twelve"}])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"key": "c1", "given": "no", "reviewed_label": "yse"}, r"line 2: the training part has no such class.*'yes'"),
        ({"key": "c1", "given": "no", "verdict": "eror"}, r"there is no such verdict.*Did you mean 'error'"),
        ({"key": "c1", "given": "no", "verdict": "error", "column": "agee"}, "no such column.*Did you mean 'age'"),
        ({"key": "c1", "given": "no", "reviewed_label": ""}, "the sheet holds no decision"),
        (
            {"key": "c1", "label": "no"},
            "no reviewed sheet of the audit; got no column given, reviewed_label or verdict",
        ),
        ({"given": "no", "reviewed_label": "yes"}, "no reviewed sheet of the audit; got no column key or digest"),
        ({"key": "c1", "given": "maybe", "reviewed_label": "yes"}, "no line of the sheet fits a row"),
    ],
)
def test_bad_sheets_are_one_sentence(desk: Desk, row: dict[str, str], sentence: str) -> None:
    """A slip of the reviewer is named by line, and nothing of the sheet is recorded."""
    with pytest.raises(DataError, match=sentence):
        desk.correct([row])

    assert desk.workspace.ledger.rows(action="data.corrected") == ()


def test_reasons_are_asked_for(desk: Desk) -> None:
    """Neither a correction nor its undoing goes without one."""
    row = desk.base.train.frame.row(5, named=True)
    with pytest.raises(ConfigError, match="a correction needs a reason"):
        desk.correct([flip(row, key=row["customer"])], " ")
    found = desk.correct([flip(row, key=row["customer"])])
    with pytest.raises(ConfigError, match="undoing needs a reason"):
        undo_correction(found.id, "", desk.workspace, desk.actor)


@pytest.mark.parametrize("name", ["correction.json", "lines.json"])
def test_changed_decisions_are_refused(desk: Desk, name: str) -> None:
    """What is stored must be what the ledger says was recorded."""
    row = desk.base.train.frame.row(5, named=True)
    found = desk.correct([flip(row, key=row["customer"])])
    path = desk.workspace.folder("corrections", found.id) / name
    content = json.loads(path.read_text("utf-8"))
    (content if name == "correction.json" else content[0])["reason" if name == "correction.json" else "becomes"] = "x"
    path.write_text(json.dumps(content), "utf-8")

    with pytest.raises(IntegrityError, match="a stored correction is not what was recorded"):
        _ = desk.split


def test_a_part_must_keep_two_classes(tmp_path: Path, actor: Actor) -> None:
    """Corrections that leave one class only are refused where the split is made."""
    frame = customers().with_columns(
        y=pl.when(pl.int_range(ROWS) % 50 == 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    desk = Desk(tmp_path, frame, actor, id="customer")
    rare = desk.base.train.frame.filter(pl.col("y") == "yes")
    desk.correct([flip(row, key=row["customer"]) for row in rare.iter_rows(named=True)])

    with pytest.raises(DataError, match="one class only"):
        _ = desk.split

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import StateError
from modelyard.data import Table, VersionDiff, diff_versions, store_version, version_records
from modelyard.data.comparison import _largest_gap, _rows_in_both, _total_variation
from modelyard.project import Project
from modelyard.store import Workspace

BEFORE = pl.DataFrame({"a": [1, 2, 3, 4], "b": ["x", "x", "y", None], "gone": [1.0, 2.0, 3.0, 4.0]})
AFTER = pl.DataFrame({"b": ["x", "x", "x", "z"], "a": [1, 2, 13, 14], "new": [True, False, True, False]})


def compared(before: pl.DataFrame, after: pl.DataFrame, workspace: Workspace) -> VersionDiff:
    """The difference between two frames as versions."""
    ids = [store_version(frame, "a test", workspace).id for frame in (before, after)]
    return diff_versions(ids[0][:8], ids[1], workspace)


def test_columns_rows_and_values_are_compared(workspace: Workspace) -> None:
    """Every kind of difference is counted: columns, order, rows by content, and shares of values."""
    diff = compared(BEFORE, AFTER, workspace)

    assert (diff.columns_added, diff.columns_removed, diff.columns_reordered) == (("new",), ("gone",), True)
    assert (diff.rows_added, diff.rows_removed, diff.rows_kept) == (2, 2, 2)
    assert {shift.column: shift.shift for shift in diff.shifts} == {"a": 0.5, "b": 0.333333}
    assert [shift.missing_before for shift in diff.shifts if shift.column == "b"] == [0.25]
    assert diff.summary == ("4 rows became 4; 2 are new, 2 are gone; new columns: 'new'; columns that are gone: 'gone'")
    assert VersionDiff.from_dict(diff.to_dict()) == diff


def test_a_changed_type_is_named(workspace: Workspace) -> None:
    """Numbers that became words: the type is named, no shift is made up, and the rows are compared as text."""
    diff = compared(
        BEFORE.select("a"), BEFORE.select(pl.col("a").replace_strict({1: "1", 2: "2", 3: "3", 4: "four"})), workspace
    )

    assert [(change.column, change.before, change.after) for change in diff.types] == [
        ("a", "numeric (Int64)", "category (String)")
    ]
    assert (diff.rows_kept, diff.rows_added, diff.shifts[0].shift) == (3, 1, None)


def test_another_order_of_the_same_rows_is_said(workspace: Workspace) -> None:
    """Versions differ by order alone: no row is new, nothing has moved, and the sentence says why there are two."""
    diff = compared(BEFORE, BEFORE.reverse(), workspace)

    assert (diff.rows_added, diff.rows_removed) == (0, 0)
    assert {shift.shift for shift in diff.shifts} == {0.0}
    assert diff.summary.endswith("their order differs")


def test_tables_without_a_common_column(workspace: Workspace) -> None:
    """There is nothing to compare rows by, and the counts say so."""
    diff = compared(pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]}), workspace)

    assert (diff.rows_kept, diff.rows_added, diff.shifts) == (None, None, ())


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.lists(st.integers(0, 3), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_shifts_are_what_counting_gives(first: list[int], second: list[int]) -> None:
    """Both measures and the common rows equal a count by hand, and do not depend on the direction."""
    share = [{value: values.count(value) / len(values) for value in range(4)} for values in (first, second)]
    gap = max(abs(sum(share[0][v] - share[1][v] for v in range(limit + 1))) for limit in range(4))
    a, b = pl.Series("a", first), pl.Series("a", second)

    assert _largest_gap(a, b) == pytest.approx(gap) == pytest.approx(_largest_gap(b, a))
    assert _total_variation(a, b) == pytest.approx(sum(abs(share[0][v] - share[1][v]) for v in range(4)) / 2)
    assert _rows_in_both(Table(a.to_frame()), Table(b.to_frame()), ["a"]) == sum(
        min(first.count(v), second.count(v)) for v in range(4)
    )


def test_versions_are_listed_and_ambiguous_ids_refused(workspace: Workspace) -> None:
    """All records come, the oldest first; an id that is nobody's is an error of state."""
    first = store_version(BEFORE, "a", workspace)
    second = store_version(AFTER, "b", workspace)

    assert [record.id for record in version_records(workspace)] == [first.id, second.id]
    with pytest.raises(StateError, match="no data set version of this id"):
        diff_versions("zz", first.id, workspace)


def answer(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What the command says."""
    command = [sys.executable, "-m", "modelyard", "data", *arguments, "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_changed_source_is_noticed_and_the_command_compares(tmp_path: Path, data_folder: Path) -> None:
    """After 43 rows more, check says which version it was and what differs; list, show and diff agree."""
    table = pl.read_parquet(data_folder / "telco_churn.parquet")
    table.head(900).write_parquet(tmp_path / "telco.parquet")
    project = Project.new(tmp_path / "churn", data=tmp_path / "telco.parquet", target="Churn")
    first = project.check()
    assert "source-changed" not in {finding.id for finding in project.check().findings}

    table.head(943).write_parquet(tmp_path / "telco.parquet")
    second = Project.open(tmp_path / "churn").check()

    finding = next(item for item in second.findings if item.id == "source-changed")
    assert f"since version {first.dataset_id}: 900 rows became 943; 43 are new, 0 are gone" in finding.message
    changes = [row for row in project.ledger().rows() if row.action == "data.changed"]
    assert [row.subject for row in changes] == [second.dataset_id]

    listed = json.loads(answer(tmp_path / "churn", "list", "--json").stdout)
    assert [record["id"] for record in listed] == [first.dataset_id, second.dataset_id]
    shown = json.loads(answer(tmp_path / "churn", "show", first.dataset_id[:6], "--json").stdout)
    assert shown["rows"] == 900
    diff = json.loads(answer(tmp_path / "churn", "diff", first.dataset_id, second.dataset_id, "--json").stdout)
    assert (diff["rows_added"], diff["rows_removed"], diff["rows_kept"]) == (43, 0, 900)
    people = answer(tmp_path / "churn", "diff", first.dataset_id, second.dataset_id).stdout
    assert f"{first.dataset_id} → {second.dataset_id}" in people
    assert "43 new, 0 gone, 900 kept" in people
    for arguments, sentence in {("dif",): "Did you mean 'diff'?", ("show",): "show takes one id"}.items():
        refused = answer(tmp_path / "churn", *arguments)
        assert refused.returncode == 2
        assert sentence in refused.stderr

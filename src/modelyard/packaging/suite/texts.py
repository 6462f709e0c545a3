"""The text of the tests; ``$NAME`` stands for what a package fills in."""

__all__ = ["CONFTEST", "GOLDEN", "HISTORIES", "INI", "INVARIANCES", "RANGES", "SCHEMA"]

INI = """\
[pytest]
# The plugin keeps byte code, and the last option pytest's cache, out of the package: its files are its digest.
addopts = -p modelyard.packaging.suite.quiet -p no:cacheprovider
"""

CONFTEST = '''\
"""The package around these tests, opened once: every file is verified against its digest."""

from pathlib import Path

import pytest

from modelyard.packaging import Scorer


@pytest.fixture(scope="session")
def scorer():
    """What answers."""
    return Scorer.load(Path(__file__).parents[1])


@pytest.fixture(scope="session")
def rows(scorer):
    """Ordinary requests, and those at the edges."""
    return [row.features for row in scorer.golden.rows]


@pytest.fixture(scope="session")
def close(scorer):
    """Compares scores, as exactly as the package promises."""
    from modelyard.packaging.golden import largest_difference

    return lambda got, expected: largest_difference(got, expected) <= scorer.golden.tolerance
'''

SCHEMA = '''\
"""What a request must look like."""

import pytest

COLUMNS = $COLUMNS
"""Column to kind, and whether the field must be there."""

WRONG = {"numeric": "no number", "boolean": "perhaps", "date": "never", "category": [1], "text": [1]}


def test_the_contract_names_these_columns(scorer):
    """Names, kinds and duties are those of the day on which the package was built."""
    columns = {column.name: (column.kind.value, column.must_be_there) for column in scorer.contract.columns}

    assert columns == COLUMNS


@pytest.mark.parametrize("name", COLUMNS)
def test_an_absent_field_is_refused_where_it_must_be_there(scorer, rows, name):
    """And only there."""
    row = {key: value for key, value in rows[0].items() if key != name}
    refused = [found.rule for found in scorer.contract.check_row(row) if found.column == name and found.rejects]

    assert refused == (["missing"] if COLUMNS[name][1] else [])


@pytest.mark.parametrize("name", [name for name, (kind, _) in COLUMNS.items() if kind in WRONG])
def test_a_wrong_type_is_refused(scorer, rows, name):
    """Whatever is not of the column's kind."""
    wrong = WRONG[COLUMNS[name][0]]
    refused = [found for found in scorer.contract.check_row(rows[0] | {name: wrong}) if found.column == name]

    assert [(found.rule, found.rejects) for found in refused] == [("type", True)]


def test_ordinary_rows_are_well_formed(scorer):
    """Rows that the model was validated on have every field that must be there, in its type."""
    ordinary = [row.features for row in scorer.golden.rows if row.origin == "validation"]
    found = [violation for row in ordinary for violation in scorer.contract.check_row(row)]

    assert [violation for violation in found if violation.rule in ("missing", "type")] == []
'''

RANGES = '''\
"""What goes in and what comes out lies where it should."""

import numpy as np
import pytest

RANGES = $RANGES
"""Numbers: the smallest and the largest that training saw."""

OUTPUTS = $OUTPUTS


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_a_range_are_ordinary(scorer, rows, name):
    """They break no rule, and are scored."""
    for value in RANGES[name]:
        row = rows[0] | {name: value}

        assert [found for found in scorer.contract.check_row(row) if found.column == name] == []
        assert np.isfinite(scorer.score_rows([row])).all()


@pytest.mark.parametrize("name", RANGES)
def test_far_beyond_a_range_is_noticed(scorer, rows, name):
    """Flagged or refused, as the contract says; scored all the same, if somebody asks."""
    low, high = RANGES[name]
    row = rows[0] | {name: high + 10 * max(high - low, 1.0)}

    assert {found.rule for found in scorer.contract.check_row(row) if found.column == name} <= {"range", "limit"}
    assert [found for found in scorer.contract.check_row(row) if found.column == name] != []
    assert np.isfinite(scorer.score_rows([row])).all()


def test_answers_lie_in_their_range(scorer, rows):
    """Probabilities between 0 and 1, of several classes with the sum 1; values are numbers."""
    scores = scorer.score_rows(rows)

    assert np.isfinite(scores).all()
    if OUTPUTS != "value":
        assert ((scores >= 0) & (scores <= 1)).all()
    if isinstance(OUTPUTS, int):
        assert scores.shape == (len(rows), OUTPUTS)
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
'''

INVARIANCES = '''\
"""What must not matter does not."""

import numpy as np
import pytest


def test_one_row_is_a_batch(scorer, rows, close):
    """A row scored alone and among others: the same answer, gaps and unseen categories included."""
    alone = np.concatenate([scorer.score_rows([row]) for row in rows])

    assert close(alone, scorer.score_rows(rows))


def test_the_order_of_columns_does_not_matter(scorer, rows):
    """Nor do fields that the contract does not name."""
    turned = [{**dict(reversed(row.items())), "no such column": 1} for row in rows]

    np.testing.assert_array_equal(scorer.score_rows(turned), scorer.score_rows(rows))


def test_the_order_of_rows_does_not_matter(scorer, rows, close):
    """Each row has its answer, wherever it stands."""
    assert close(scorer.score_rows(rows[::-1])[::-1], scorer.score_rows(rows))


def test_an_absent_field_is_a_missing_one(scorer, rows):
    """Left out or null: the same to the model."""
    for name in rows[0]:
        without = {key: value for key, value in rows[0].items() if key != name}

        np.testing.assert_array_equal(scorer.score_rows([without]), scorer.score_rows([rows[0] | {name: None}]))


@pytest.mark.parametrize("times", [1, 2])
def test_asking_again_changes_nothing(scorer, rows, times):
    """The scorer keeps nothing from one request to the next."""
    first = scorer.score_rows(rows[:1])
    for _ in range(times):
        scorer.score_rows(rows)

    np.testing.assert_array_equal(scorer.score_rows(rows[:1]), first)
'''

GOLDEN = '''\
"""Rows with known answers."""

import json
from pathlib import Path

import numpy as np
import pytest

GOLDEN = json.loads(Path(__file__).parents[1].joinpath("golden.json").read_text(encoding="utf-8"))
NAMES = [f"{place}-{row['origin']}" for place, row in enumerate(GOLDEN["rows"])]


@pytest.mark.parametrize("row", GOLDEN["rows"], ids=NAMES)
def test_a_golden_row_has_its_answer(scorer, close, row):
    """As the training pipeline answered on the day of the build."""
    got = scorer.score_rows([row["features"]]).reshape(-1)

    assert close(got, np.array(row["expected"]))
'''

HISTORIES = '''\
"""Histories with known answers, and what must not matter to a forecast."""

from pathlib import Path

import polars as pl
import pytest

from modelyard.packaging.courses.horizon import ForecastScorer, history_frame

COLUMNS = $COLUMNS
HORIZON = $HORIZON


@pytest.fixture(scope="module")
def scorer():
    """What tells; every file of the package is verified."""
    return ForecastScorer.load(Path(__file__).parents[1])


@pytest.fixture(scope="module")
def history(scorer):
    """The first golden history."""
    return history_frame(scorer.golden.histories[0].rows)


def test_golden_histories_have_their_answers(scorer):
    """As training told on the day of the build."""
    assert scorer.verify_golden().ok


def test_the_plan_reads_these_columns(scorer):
    """Those of the day on which the package was built."""
    assert scorer.plan.columns == COLUMNS


def test_every_series_is_told_to_its_horizon(scorer, history):
    """Step by step, within its interval."""
    told = scorer.tell(history)

    assert told["step"].to_list() == [*range(1, HORIZON + 1)] * told["series"].n_unique()
    assert ((told["low"] <= told["forecast"]) & (told["forecast"] <= told["high"])).all()


def test_the_order_of_rows_and_columns_does_not_matter(scorer, history):
    """Nor do columns that the plan does not read."""
    turned = history.select(reversed(history.columns)).reverse().with_columns(pl.lit(1).alias("no such column"))

    assert scorer.tell(turned).equals(scorer.tell(history))


def test_asking_again_changes_nothing(scorer, history):
    """The scorer keeps nothing from one history to the next."""
    assert scorer.tell(history).equals(scorer.tell(history))
'''

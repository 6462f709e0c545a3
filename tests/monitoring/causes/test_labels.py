"""How many rows to label, and which."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.monitoring.causes import LabelRequest
from modelyard.monitoring.causes.labels import labels_needed, request_labels, rows_to_label, write_request
from modelyard.problem import Task


def test_labels_needed() -> None:
    """By the formula for the rarer class, never below 300; a rare class needs more rows."""
    assert labels_needed(Task.BINARY, 0.8, 0.05, rarer_share=0.5) == 770
    assert labels_needed(Task.BINARY, 0.8, 0.05, rarer_share=0.1) == 3850
    assert labels_needed(Task.BINARY, 0.8, 0.5) == 300
    assert labels_needed(Task.REGRESSION, 72.0, 0.05) == 300


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 5))
def test_rows_are_drawn_once_each(rows: int, count: int, seed: int) -> None:
    """As many as asked for, or all; no row twice."""
    drawn = rows_to_label(np.random.default_rng(seed).random(rows), count, seed)

    assert len(drawn) == len(set(drawn)) == min(rows, count)


def test_every_tenth_of_the_scores_gives_as_many() -> None:
    """Ninety rows of a thousand: nine from each tenth, though most scores are low."""
    score = np.random.default_rng(0).random(1_000) ** 4
    drawn = rows_to_label(score, 90, seed=1)
    tenth = np.searchsorted(np.quantile(score, np.arange(0.1, 1, 0.1)), score[drawn])

    assert np.bincount(tenth, minlength=10) == pytest.approx([9] * 10, abs=1)


def test_a_request_says_what_is_missing() -> None:
    """A log of 50 rows gives 50 ids for 300 labels that are needed."""
    request = request_labels(pl.DataFrame({"id": range(50), "score": [0.5] * 50}), 300, seed=0)

    assert (request.needed, len(request.ids)) == (300, 50)
    assert "50 of them can be drawn now" in request.why


def test_the_file_is_ready_to_be_filled_in(tmp_path: Path) -> None:
    """Ids, scores, an empty label, and features under their own names, of the rows asked for alone."""
    log = pl.DataFrame({"id": ["a", "b"], "score": [0.1, 0.9], "label": ["No", "Yes"], "feature.age": [30, 40]})
    write_request(LabelRequest(300, "why", ("b",)), log, tmp_path / "rows.csv")

    assert (tmp_path / "rows.csv").read_text() == "id,score,label,age\nb,0.9,,40\n"

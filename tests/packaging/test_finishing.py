"""What every package goes through on its way from a draft."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelyard.data import Column, ColumnKind
from modelyard.packaging.finishing import LABEL, SCORE, own_answers_tell_more, reference_of, write_files

SHARES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])


def names(feature: str) -> list[str]:
    """Names in the profile of one feature of three rows, and of what was said of them."""
    frame = pl.DataFrame({feature: ["a", "b", "a"]})
    columns = [Column(feature, ColumnKind.CATEGORY, "String", nullable=False)]
    profile = reference_of(frame, columns, SHARES, ("1", "2"), minimum_tolerance=0.02)
    return [item.name for item in profile.features]


def test_what_was_said_stands_beside_the_features() -> None:
    """The decided label and the score of it."""
    assert names("colour") == ["colour", LABEL, SCORE]


def test_a_feature_called_label_keeps_its_name() -> None:
    """It is not counted a second time as what was decided; so it is in packages of every kind."""
    assert names(LABEL) == [LABEL, SCORE]


def test_a_model_of_few_leaves_tells_more_itself() -> None:
    """Each fit of a tree has numbers of its own: those of other fits look like drift."""
    random = np.random.default_rng(0)
    own, unseen = (random.choice([0.1, 0.3, 0.8], rows) for rows in (900, 300))
    other_fits = random.choice([0.12, 0.33, 0.75], 900)

    assert own_answers_tell_more(own, other_fits, unseen)


def test_a_model_that_knows_its_rows_by_heart_tells_less() -> None:
    """It is surer of rows that it was fitted on than of any that will come."""
    random = np.random.default_rng(0)
    other_fits, unseen = (random.beta(2, 2, rows) for rows in (900, 300))
    own = random.beta(0.5, 0.5, 900)

    assert not own_answers_tell_more(own, other_fits, unseen)


def test_files_are_written_by_what_they_hold(tmp_path: Path) -> None:
    """Bytes and text as they are, all else as JSON; folders are made."""
    write_files(tmp_path, {"model/weights": b"\x00\xff", "card.md": "größer\n", "tests/deep/plan.json": {"ä": 1.5}})

    assert (tmp_path / "model" / "weights").read_bytes() == b"\x00\xff"
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == "größer\n"
    assert (tmp_path / "tests" / "deep" / "plan.json").read_text(encoding="utf-8") == '{\n "ä": 1.5\n}\n'


def test_not_a_number_is_never_written(tmp_path: Path) -> None:
    """JSON knows none, so whoever reads it would fail later."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write_files(tmp_path, {"metrics.json": {"value": float("nan")}})

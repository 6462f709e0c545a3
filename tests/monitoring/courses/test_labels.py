"""Labels of anomalies: whether those that came stand for all answers."""

import numpy as np
import polars as pl

from modelyard.monitoring.courses.labels import in_words_of_answers, unfair_draw

ANSWERS = pl.DataFrame(
    {"id": [str(row) for row in range(1_000)], "label": ["anomaly" if row < 40 else "usual" for row in range(1_000)]}
)


def test_labels_drawn_by_lot_are_fair() -> None:
    """However few, and with every row labelled."""
    generator = np.random.default_rng(1)
    for count in (30, 200, 1_000):
        rows = generator.choice(1_000, count, replace=False).tolist()
        assert unfair_draw(ANSWERS, ANSWERS[rows], "anomaly") == ""


def test_labels_of_flagged_rows_alone_are_not() -> None:
    """Nobody looked at the others, so nobody knows what was missed; both shares are named."""
    said = unfair_draw(ANSWERS, pl.concat([ANSWERS.head(38), ANSWERS.tail(20)]), "anomaly")

    assert said == "labels are no fair draw: 95\u202f% of the flagged rows have one, 2.1\u202f% of the others"


def test_labels_of_usual_rows_alone_are_not_either() -> None:
    """Flagged rows that were blocked get no label: recall would be too low."""
    assert "0\u202f% of the flagged rows" in unfair_draw(ANSWERS, ANSWERS.tail(700), "anomaly")


def test_words_of_the_project_are_translated_and_others_kept() -> None:
    """What nobody knows stays as it came, and counts as unusable later."""
    labels = pl.DataFrame({"id": ["a", "b", "c"], "label": ["1", "0", "maybe"]})
    told = in_words_of_answers(labels, {"1": "anomaly", "0": "usual"})

    assert told["label"].to_list() == ["anomaly", "usual", "maybe"]

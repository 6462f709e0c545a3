"""Rows worth a label, agreement beyond chance, and what holds if people differ."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from modelyard.core import ConfigError
from modelyard.data.labelling import Annotations, LabelRule, cohen_kappa, rows_to_label, settle

words = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=40)


def said(annotator: str, labels: dict[str, str], day: int = 1) -> Annotations:
    """One file of labels."""
    return Annotations(f"{annotator}{day}", "", annotator, dt.datetime(2026, 1, day, tzinfo=dt.UTC), labels)


@given(words)
@settings(max_examples=40, deadline=None)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """And lies within its interval, which lies within -1 and 1."""
    first, second = [one for one, _ in pairs], [other for _, other in pairs]

    found = cohen_kappa(first, second)

    if len({*first, *second}) < 2:
        assert found.kappa is None
        return
    assert found.kappa is not None
    assert found.low is not None
    assert found.high is not None
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert -1 <= found.low <= found.kappa + 1e-9
    assert found.kappa - 1e-9 <= found.high <= 1


def test_the_interval_is_as_wide_as_repeated_samples_say() -> None:
    """2,000 samples of 200 rows: the kappas spread as the formula says, within a tenth."""
    random = np.random.default_rng(3)
    shares = np.array([[0.35, 0.10, 0.02], [0.05, 0.25, 0.03], [0.02, 0.03, 0.15]])
    kappas = []
    for counts in random.multinomial(200, shares.ravel(), size=2_000).reshape(-1, 3, 3) / 200:
        chance = counts.sum(axis=1) @ counts.sum(axis=0)
        kappas.append((np.trace(counts) - chance) / (1 - chance))
    cells = [(row, column) for row in range(3) for column in range(3) for _ in range(round(shares[row, column] * 200))]

    found = cohen_kappa([str(row) for row, _ in cells], [str(column) for _, column in cells])

    assert found.high is not None
    assert found.low is not None
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(np.std(kappas), rel=0.1)


def test_rows_by_chance_and_those_the_model_knows_least_of() -> None:
    """The stated shares, no row twice; the uncertain ones are the nearest to one half among the rest."""
    scores = np.linspace(0.0, 1.0, 101)

    found = rows_to_label(101, 20, random_share=0.25, seed=1, scores=scores)

    by_chance = found.filter(found["why"] == "random")["position"].to_list()
    uncertain = found.filter(found["why"] == "uncertain")["position"].to_list()
    rest = sorted((row for row in range(101) if row not in by_chance), key=lambda row: abs(row - 50))
    assert (len(by_chance), len(uncertain)) == (5, 15)
    assert sorted(abs(row - 50) for row in uncertain) == [abs(row - 50) for row in rest[:15]]
    assert set(by_chance).isdisjoint(uncertain)
    assert found.equals(rows_to_label(101, 20, random_share=0.25, seed=1, scores=scores))
    assert rows_to_label(7, 20, random_share=0.25, seed=1)["why"].to_list() == ["random"] * 7
    several = np.array([[0.9, 0.1, 0.0], [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]])
    assert rows_to_label(3, 1, random_share=0, seed=1, scores=several)["position"].to_list() == [1]
    with pytest.raises(ConfigError, match="between 0 and 1"):
        rows_to_label(7, 20, random_share=1.25, seed=1)


def test_majority_or_refusal() -> None:
    """Two of three hold under majority; one against one holds never; under unanimity no dispute does."""
    files = [
        said("ada", {"1": "x", "2": "x", "3": "y", "4": "x"}),
        said("bob", {"1": "x", "2": "y", "3": "x"}),
        said("cy", {"1": "x", "2": "x"}),
    ]

    majority, unanimous = settle(files, LabelRule()), settle(files, LabelRule("unanimous", None, 2))

    assert majority.labels == {"1": "x", "2": "x", "4": "x"}
    assert [(item.row, item.held) for item in majority.disputes] == [("2", "x"), ("3", None)]
    assert majority.disputes[0].labels == {"ada": "x", "bob": "y", "cy": "x"}
    assert (unanimous.labels, unanimous.too_few) == ({"1": "x"}, 1)
    assert [(item.first, item.second, item.rows) for item in majority.agreements] == [
        ("ada", "bob", 3),
        ("ada", "cy", 2),
        ("bob", "cy", 2),
    ]


def test_who_agrees_with_nobody_is_left_out_by_the_rule() -> None:
    """And is named with the figure; without the rule everybody counts; a later word of one's own replaces the earlier."""
    right = {str(row): "x" if row % 2 else "y" for row in range(20)}
    wrong = {row: "y" if label == "x" else "x" for row, label in right.items()}
    files = [said("ada", right), said("bob", right), said("eve", right), said("eve", wrong, day=2)]

    strict, free = settle(files, LabelRule.parse("majority kappa>=0.4")), settle(files, LabelRule())

    assert strict.left_out == {"eve": pytest.approx(-1.0)}
    assert strict.labels == free.labels == right
    assert (len(strict.disputes), len(free.disputes)) == (0, 20)
    two = settle([said("ada", right), said("eve", wrong)], LabelRule.parse("majority kappa>=0.4"))
    assert (set(two.left_out), two.labels) == ({"ada", "eve"}, {})


@pytest.mark.parametrize("text", ["", "most", "majority kappa>=x", "majority annotators>=0", "unanimous kappa<0.4"])
def test_what_is_no_rule(text: str) -> None:
    """One sentence that shows how a rule is written."""
    with pytest.raises(ConfigError, match=r"kappa>=0\.4 and annotators>=2"):
        LabelRule.parse(text)

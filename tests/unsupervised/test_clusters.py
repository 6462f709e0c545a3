"""Clusters that were planted are found and described; noise has none."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unsupervised.conftest import ADA, blobs, divided, noise, row_problem

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind, Split
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.store import Workspace
from modelyard.unsupervised.archive import open_fitted
from modelyard.unsupervised.clusters.describe import describe
from modelyard.unsupervised.clusters.evaluate import evaluate_clusters
from modelyard.unsupervised.clusters.methods import methods_for
from modelyard.unsupervised.clusters.page import cluster_page
from modelyard.unsupervised.clusters.records import ClusterRun
from modelyard.unsupervised.clusters.search import search_clusters
from modelyard.unsupervised.clusters.stability import adjusted_rand, noise_like, prediction_strength, stability_of

Searched = tuple[ClusterRun, Split, Problem, Workspace]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Three round clusters; which is which is kept from the search."""
    problem = row_problem("clustering", "", {"exclude": {"member": "the truth"}}, most=4, repeats=8)
    split, workspace = divided(blobs(), problem, tmp_path_factory.mktemp("three"))
    return search_clusters(split, problem, workspace), split, problem, workspace


def test_three_clusters_are_found_and_are_the_planted_ones(three: Searched) -> None:
    """The simplest method wins with three, and its clusters are those that were planted."""
    run, split, _, workspace = three
    fitted = open_fitted(run.id, workspace)
    labels = fitted.assign(fitted.place(split.train.frame))
    planted = split.train.frame["member"].rank("dense").cast(pl.Int64).to_numpy()

    assert (run.method, run.count, run.unassigned) == ("kmeans", 3, 0)
    assert adjusted_rand(planted, labels) > 0.98
    assert [cluster.rows for cluster in run.clusters] == sorted((c.rows for c in run.clusters), reverse=True)
    assert all(cluster.stability > 0.95 for cluster in run.clusters)


def test_clusters_are_told_in_words(three: Searched) -> None:
    """The cluster to the right is the one where ``wide`` is very high."""
    run, *_ = three
    right = next(cluster for cluster in run.clusters if "`wide` is very high" in cluster.sentence)

    assert right.sentence.startswith(f"Cluster {right.number} ({right.rows:,} rows, ")
    assert right.traits[0].column == "wide"
    assert right.traits[0].strength > 1.5


def test_other_numbers_are_ruled_out_with_their_reasons(three: Searched) -> None:
    """Two and four clusters do not come again."""
    run, *_ = three
    reasons = {(item.method, item.count): item.reason for item in run.candidates}

    assert reasons["kmeans", 3] == ""
    assert reasons["kmeans", 2] == "half of the rows give other clusters"
    assert "again" in reasons["kmeans", 4] or "predict" in reasons["kmeans", 4]


def test_the_clusters_hold_on_the_sealed_rows(three: Searched) -> None:
    """Grouped anew, the sealed rows give the same clusters; the opening is counted."""
    run, split, problem, workspace = three
    before = evaluate_clusters(run, split, problem, workspace, actor=ADA, reason=None)
    result = evaluate_clusters(run, split, problem, workspace, actor=ADA, reason="final")

    assert (before.replication, before.openings) == (None, 0)
    assert result.openings == split.test.openings() == 1
    assert result.replication == pytest.approx(1.0, abs=0.05)
    assert result.answer.startswith("3 clusters by kmeans hold on ")
    assert result.findings == ()


def test_the_page_has_the_clusters_after_the_answer(three: Searched) -> None:
    """First the answer, then each cluster in words, then what was tried."""
    run, split, problem, workspace = three
    result = evaluate_clusters(run, split, problem, workspace, actor=ADA, reason=None)
    html = render_html(cluster_page(result, run, problem))

    assert html.index("The answer") < html.index("The clusters in words") < html.index("What was tried")
    assert "cluster 3" in html


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_uniform_noise_has_no_clear_clusters(seed: int, tmp_path: Path) -> None:
    """The answer is that there are none, and the evaluation says so."""
    problem = row_problem("clustering", most=3, repeats=5, methods=("kmeans", "hdbscan"))
    split, workspace = divided(noise(240, 2, seed=seed), problem, tmp_path)
    run = search_clusters(split, problem, workspace)
    result = evaluate_clusters(run, split, problem, workspace, actor=ADA, reason=None)

    assert (run.method, run.count, run.clusters) == ("none", 0, ())
    assert run.why.startswith("There are no clear clusters: ")
    assert result.answer.startswith("There are no clear clusters in 204 rows")


def test_one_round_heap_is_no_set_of_clusters(tmp_path: Path) -> None:
    """A normal heap can always be cut in two; noise of the same shape can be as well."""
    heap = pl.DataFrame(np.random.default_rng(5).normal(size=(300, 3)), schema=["a", "b", "c"])
    problem = row_problem("clustering", most=3, repeats=5, methods=("kmeans", "gaussian_mixture"))
    split, workspace = divided(heap, problem, tmp_path)

    assert search_clusters(split, problem, workspace).count == 0


def test_the_values_of_one_column_are_no_clusters(tmp_path: Path) -> None:
    """Noise beside a column of three countries: what repeats the column is ruled out, and says so."""
    rows = noise(300, 2).with_columns(country=pl.Series(["NL", "DE", "FR"] * 100))
    problem = row_problem("clustering", most=3, repeats=5, methods=("hdbscan",))
    split, workspace = divided(rows, problem, tmp_path)
    run = search_clusters(split, problem, workspace)

    assert run.count == 0
    assert run.candidates[0].reason in ("it only repeats the column country", "noise of the same shape has as much")


def test_the_same_question_gives_the_same_answer(three: Searched) -> None:
    """Made anew, the candidates and clusters are the same."""
    run, split, problem, workspace = three
    again = search_clusters(split, problem, workspace, resume=False)

    assert again.candidates == run.candidates
    assert again.clusters == run.clusters
    assert search_clusters(split, problem, workspace).created_at == again.created_at


def test_stability_and_prediction_strength_tell_true_from_false_counts() -> None:
    """Three clusters come again from halves and predict each other; five do not."""
    matrix = blobs(300).select("wide", "high").to_numpy()
    right, wrong = (methods_for(("kmeans",), 5)[place] for place in (1, 3))
    rands = {
        method.count: stability_of(method, matrix, method.fit(matrix, 0).labels, 6, 0) for method in (right, wrong)
    }

    assert np.mean(rands[3][0]) > 0.98
    assert np.mean(rands[5][0]) < 0.9
    assert min(rands[3][1].values()) > 0.95 > min(rands[5][1].values())
    assert (prediction_strength(right, matrix, 0) or 0) > 0.95
    assert (prediction_strength(wrong, matrix, 0) or 1) < 0.8


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), kind=st.sampled_from(["uniform", "normal"]))
def test_noise_keeps_the_shape_and_every_categorys_share(seed: int, kind: str) -> None:
    """Numbers keep their middle within the sampling error, zeros and ones are the same ones shuffled."""
    generator = np.random.default_rng(seed)
    ones = (generator.random((500, 1)) < 0.3).astype(float)
    matrix = np.column_stack([generator.normal(3, 2, size=(500, 2)), ones, 1 - ones])
    drawn = noise_like(matrix, ((2, 3),), kind, seed)

    assert drawn.shape == matrix.shape
    assert drawn[:, 2].sum() == matrix[:, 2].sum()
    assert (drawn[:, 2] + drawn[:, 3] == 1).all()
    assert np.abs(drawn[:, :2].mean(axis=0) - 3).max() < 2


def test_a_cluster_that_nothing_sets_apart_says_so() -> None:
    """Two halves of the same rows differ in no column."""
    rows = noise(200, 1)
    column = Column("x0", ColumnKind.NUMERIC, "Float64", nullable=False)
    clusters = describe(rows, (column,), np.arange(200) % 2, {0: 0.5, 1: 0.5})

    assert clusters[0].sentence.endswith("): no single column sets it apart.")
    assert (clusters[0].rows, clusters[0].traits) == (100, ())


def test_rows_that_are_all_alike_are_refused(tmp_path: Path) -> None:
    """One point is no cluster."""
    problem = row_problem("clustering")
    split, workspace = divided(pl.DataFrame({"x": [1.0] * 60}), problem, tmp_path)

    with pytest.raises(DataError, match="all rows are alike"):
        search_clusters(split, problem, workspace)

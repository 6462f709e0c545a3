"""Clusters as numbers: memberships that scikit-learn's models bear out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from modelyard.core import IntegrityError
from modelyard.features.exact.memberships import mixture_memberships, spherical_memberships, turned
from modelyard.packaging.predictors import ClusterPredictor, load_predictor
from modelyard.packaging.predictors.unlabelled import GroupRule
from modelyard.unsupervised.clusters.methods import NOWHERE, Dense, methods_for
from modelyard.unsupervised.rows import Array


def heaps(rows: int = 240) -> Array:
    """Three heaps of other widths."""
    generator = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 1.0], [0.0, 6.0, -1.0]])
    member = generator.integers(0, 3, rows)
    return centres[member] + (1 + member[:, np.newaxis] / 2) * generator.normal(size=(rows, 3))


def asked() -> Array:
    """Rows within, between, and far beyond."""
    generator = np.random.default_rng(1)
    return np.concatenate([heaps()[:50], 4 * generator.normal(size=(40, 3)), 100 * generator.normal(size=(10, 3))])


@pytest.mark.parametrize("count", [2, 3, 12])
def test_kmeans_assigns_as_scikit_learn_does(count: int) -> None:
    """The likeliest cluster is the one with the nearest centre."""
    method = methods_for(("kmeans",), count)[-1]
    grouping = method.fit(heaps(), 3)
    theirs = KMeans(count, n_init=5, random_state=3).fit(heaps())

    np.testing.assert_array_equal(grouping.labels, theirs.labels_)
    np.testing.assert_array_equal(grouping.assign(asked()), theirs.predict(asked()))


@pytest.mark.parametrize("features", [3, 14])
def test_a_mixture_gives_the_probabilities_of_scikit_learn(features: int) -> None:
    """With free shapes where there are few features, and along the axes where there are many."""
    generator = np.random.default_rng(2)
    matrix = np.column_stack([heaps(), generator.normal(size=(240, features - 3))])
    shape = "full" if features <= 10 else "diag"
    theirs = GaussianMixture(3, covariance_type=shape, reg_covar=1e-4, max_iter=200, tol=1e-2, random_state=5)
    theirs.fit(matrix)
    grouping = methods_for(("gaussian_mixture",), 3)[-1].fit(matrix, 5)
    rows = 1.5 * matrix + 0.5

    np.testing.assert_allclose(grouping.memberships(rows), theirs.predict_proba(rows), atol=1e-9)
    np.testing.assert_array_equal(grouping.labels, theirs.predict(matrix))


def test_density_takes_the_nearest_row_and_the_majority_of_equally_near_ones() -> None:
    """Rows in no cluster count as a group; what is near them is in none."""
    known = np.array([[0.0], [0.0], [0.0], [5.0], [9.0]])
    dense = Dense(np.array([1, 0, 1, 0, NOWHERE]), known)

    assert dense.assign(np.array([[0.1], [4.0], [20.0]])).tolist() == [1, 0, NOWHERE]
    np.testing.assert_allclose(dense.memberships(np.array([[-1.0]])), [[1 / 3, 2 / 3, 0.0]])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=1, max_size=6),
    st.lists(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2), min_size=2, max_size=5),
    st.floats(1e-6, 1e3),
)
def test_memberships_are_shares_of_one_that_do_not_depend_on_the_other_rows(
    rows: list[list[float]], centres: list[list[float]], variance: float
) -> None:
    """Bit for bit the same alone and among others, whatever the row."""
    matrix, middle = np.array(rows), np.array(centres)
    factors = np.repeat(np.eye(2)[np.newaxis] / variance, len(middle), axis=0)
    weights = np.full(len(middle), 1 / len(middle))
    for shares, alone in (
        (
            spherical_memberships(matrix, middle, variance),
            [spherical_memberships(row[np.newaxis], middle, variance) for row in matrix],
        ),
        (
            mixture_memberships(matrix, middle, factors, weights),
            [mixture_memberships(row[np.newaxis], middle, factors, weights) for row in matrix],
        ),
    ):
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
        assert ((shares >= 0) & (shares <= 1)).all()
        np.testing.assert_array_equal(shares, np.concatenate(alone))


@pytest.mark.parametrize("rule", list(GroupRule))
@pytest.mark.parametrize("directed", [False, True])
def test_files_bring_the_same_clusters_back(rule: GroupRule, directed: bool) -> None:
    """What was written answers bit for bit as before, for one row and for many."""
    generator = np.random.default_rng(0)
    answers = np.eye(3)[generator.integers(0, 3, 20)]
    arrays = {
        GroupRule.CENTRES: {"centres": generator.normal(size=(3, 2)), "variance": np.array([0.5])},
        GroupRule.MIXTURE: {
            "means": generator.normal(size=(3, 2)),
            "factors": np.repeat(np.triu(np.full((2, 2), 0.7))[np.newaxis], 3, axis=0),
            "weights": np.array([0.5, 0.25, 0.25]),
        },
        GroupRule.NEAREST: {"known": generator.normal(size=(20, 2)), "answers": answers},
    }[rule]
    arrays |= {"directions": generator.normal(size=(4, 2))} if directed else {}
    rows = generator.normal(size=(30, 4 if directed else 2))
    predictor = ClusterPredictor(rule, arrays)
    again = load_predictor(ClusterPredictor.kind, predictor.to_files())

    np.testing.assert_array_equal(again.predict_matrix(rows), predictor.predict_matrix(rows))
    np.testing.assert_array_equal([again.predict_row(row.tolist()) for row in rows], predictor.predict_matrix(rows))
    assert (again.features, again.outputs) == (rows.shape[1], 3)
    for lost in arrays.keys() - {"directions"}:
        with pytest.raises(ValueError, match=f"missing or too many: {lost}"):
            ClusterPredictor(rule, {name: array for name, array in arrays.items() if name != lost})


@pytest.mark.parametrize(
    ("rule", "arrays"),
    [
        (GroupRule.CENTRES, {"centres": np.zeros((2, 3)), "variance": np.zeros(1)}),
        (GroupRule.CENTRES, {"centres": np.zeros((0, 3)), "variance": np.ones(1)}),
        (GroupRule.CENTRES, {"centres": np.zeros((2, 3)), "variance": np.ones(1), "directions": np.zeros((5, 2))}),
        (GroupRule.MIXTURE, {"means": np.zeros((2, 3)), "factors": np.ones((2, 3, 3)), "weights": np.ones(3)}),
        (GroupRule.MIXTURE, {"means": np.zeros((2, 3)), "factors": np.zeros((2, 3, 3)), "weights": np.ones(2)}),
        (GroupRule.NEAREST, {"known": np.zeros((2, 3)), "answers": np.ones((3, 2))}),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(rule: GroupRule, arrays: dict[str, Array]) -> None:
    """As a mistake of the caller, or as a file that is damaged."""
    with pytest.raises(ValueError, match=r"fit together|features"):
        ClusterPredictor(rule, arrays)


def test_garbage_is_refused() -> None:
    """Files that are gone, no archive, or an archive of something else."""
    from modelyard.packaging.predictors.archive import archive_of

    for files in ({}, {"clusters.npz": b"garbage"}, {"clusters.npz": archive_of({"else": np.zeros(2)})}):
        with pytest.raises(IntegrityError, match="a model file cannot be read"):
            load_predictor(ClusterPredictor.kind, files)


def test_turning_is_a_matrix_product() -> None:
    """Summed feature by feature, so that rows do not depend on one another."""
    generator = np.random.default_rng(0)
    rows, directions = generator.normal(size=(7, 5)), generator.normal(size=(5, 2))

    np.testing.assert_allclose(turned(rows, directions), rows @ directions, rtol=1e-12)

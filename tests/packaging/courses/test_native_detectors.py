"""Detectors of anomalies as numbers: they say what scikit-learn's say."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from modelyard.core import IntegrityError
from modelyard.features.exact.distances import local_outlier_factors
from modelyard.packaging.courses.anomalies import native_detector
from modelyard.packaging.predictors import AnomalyPredictor, load_predictor
from modelyard.packaging.predictors.unlabelled import AnomalyPart, DistanceMeasure
from modelyard.problem.sections.courses import AnomalyPlan
from modelyard.unsupervised.anomalies.density import outlier_factors
from modelyard.unsupervised.anomalies.detectors import BASELINE, Detector, detector_kinds, fit_member, scale_of
from modelyard.unsupervised.rows import Array

NAMES = (BASELINE, "isolation_forest", "local_outlier_factor", "one_class_svm")


def on_a_grid(rows: int = 300) -> Array:
    """Whole numbers and zeros and ones: many rows lie on one another, and many are equally far."""
    generator = np.random.default_rng(0)
    return np.column_stack([generator.integers(0, 6, (rows, 2)), generator.integers(0, 2, (rows, 2))]).astype(float)


def asked(matrix: Array) -> Array:
    """Known rows, others, and some that lie far beyond."""
    generator = np.random.default_rng(1)
    return np.concatenate(
        [matrix[:40], matrix[:40] + generator.normal(size=(40, 4)), 50 * generator.normal(size=(10, 4))]
    )


def fitted(names: tuple[str, ...], matrix: Array) -> Detector:
    """Detectors on one scale."""
    kinds = [kind for kind in detector_kinds(AnomalyPlan(contamination=0.05)) if kind.name in names]
    members = tuple(fit_member(kind, matrix, 0) for kind in kinds)
    scales = [scale_of(member.raw(matrix)) for member in members]
    return Detector(members, tuple(middle for middle, _ in scales), tuple(spread for _, spread in scales))


@pytest.mark.parametrize("names", [*((name,) for name in NAMES), NAMES[1:]], ids=" ".join)
def test_a_native_detector_says_what_training_says(names: tuple[str, ...]) -> None:
    """On known rows, ties and rows far away; one by one and together; from the files as before them."""
    matrix = on_a_grid()
    detector = fitted(names, matrix)
    rows = asked(matrix)
    expected = detector.score(rows)
    native = native_detector(detector)
    again = load_predictor(AnomalyPredictor.kind, native.to_files())
    alone = np.array([again.predict_row(row.tolist())[0] for row in rows])

    np.testing.assert_allclose(native.predict_matrix(rows)[:, 0], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(again.predict_matrix(rows), native.predict_matrix(rows))
    np.testing.assert_allclose(alone, expected, rtol=1e-9, atol=1e-9)
    assert (again.features, again.outputs) == (4, 1)


def test_the_outlier_factor_is_that_of_scikit_learn() -> None:
    """Where no two rows are equally far; where there are, all of them count, as the paper says."""
    generator = np.random.default_rng(0)
    known, rows = generator.normal(size=(200, 3)), 2 * generator.normal(size=(50, 3))
    model = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(known)
    reach, density = model._distances_fit_X_[:, -1], model._lrd

    found = local_outlier_factors(rows, known, reach, density, 20)

    np.testing.assert_allclose(found, -model.score_samples(rows), rtol=1e-12)


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("features", [3, 18])
def test_many_rows_get_the_factors_that_each_gets_alone(grid: bool, features: int) -> None:
    """Candidates are found by scikit-learn, by a tree or by a matrix product; ties on a grid are all looked at."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(1_600, features))
    matrix = np.round(values).clip(-1, 1) if grid else values
    known, rows = matrix[:1_200], np.concatenate([matrix[1_000:], 1_000 + values[:20]])
    model = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(known)
    reach, density = model._distances_fit_X_[:, -1], model._lrd

    found = outlier_factors(rows, known, reach, density, 20)

    np.testing.assert_allclose(found, local_outlier_factors(rows, known, reach, density, 20), rtol=1e-12)


def test_equally_far_neighbours_all_count() -> None:
    """Of three rows that are equally far two would be drawn by the order of rows; all three give the same in any order."""
    known = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [9.0, 9.0]])
    reach, density = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.5, 0.25, 0.125])
    order = [3, 2, 0, 1]

    one = local_outlier_factors(np.zeros((1, 2)), known, reach, density, 2)
    other = local_outlier_factors(np.zeros((1, 2)), known[order], reach[order], density[order], 2)

    assert one[0] == pytest.approx(np.mean(density[:3]) * np.mean(reach[:3]))
    assert one[0] == other[0]


@pytest.mark.parametrize("name", NAMES)
def test_missing_and_damaged_files_are_refused(name: str) -> None:
    """Whatever is gone or garbage, the file is named."""
    files = native_detector(fitted((name,), on_a_grid(60))).to_files()

    for lost in files:
        kept = {other: content for other, content in files.items() if other != lost}
        with pytest.raises(IntegrityError, match="a model file cannot be read"):
            load_predictor(AnomalyPredictor.kind, kept)
        with pytest.raises(IntegrityError, match="a model file cannot be read"):
            load_predictor(AnomalyPredictor.kind, {**files, lost: b"garbage"})


def test_scales_that_divide_by_nothing_are_refused() -> None:
    """A spread is above zero, and there is a measure."""
    for parts in (
        [],
        [AnomalyPart(DistanceMeasure([0.0]), 0.0, 0.0)],
        [AnomalyPart(DistanceMeasure([0.0]), np.nan, 1.0)],
    ):
        with pytest.raises(IntegrityError, match=r"anomalies\.json"):
            AnomalyPredictor(parts)

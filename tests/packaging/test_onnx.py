"""ONNX files answer as their packages do, in a process that knows nothing of modelyard."""

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import ProbabilityCurve
from modelyard.core import GateRefusedError, StateError
from modelyard.core.actor import Actor
from modelyard.features import Encoding, encode_row
from modelyard.features.dates import CIRCLES, DateDifferenceEncoding, DateEncoding, DatePart
from modelyard.features.encodings import BooleanEncoding, CategoryEncoding, CategoryStyle, NumericEncoding
from modelyard.features.targets import TargetEncoding
from modelyard.features.transforms import BinsEncoding, InteractionEncoding, LogEncoding, SplineEncoding, fit_quantiles
from modelyard.packages import Packages
from modelyard.packaging import Package, Scorer
from modelyard.packaging.golden import as_requests, largest_difference
from modelyard.packaging.golden_rows import edge_rows
from modelyard.packaging.onnx import MISSING, export_onnx
from modelyard.packaging.onnx import export as exporting
from modelyard.packaging.onnx.columns import encoded, input_kinds
from modelyard.packaging.onnx.graph import Graph
from modelyard.packaging.onnx.parity import measure_parity, onnx_inputs
from modelyard.packaging.onnx.predictors import predicted
from modelyard.packaging.predictors import BlendPart, BlendPredictor, LinearPredictor, Link

CONVERTIBLE = (
    "constant",
    "linear",
    "lightgbm",
    "xgboost",
    "forest",
    "tree",
    "network",
    "realmlp",
    "catboost",
    "stochastic",
    "blend",
)

_PLAIN = """
import sys
sys.modules["modelyard"] = None
import json, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
said = {name.removeprefix("modelyard."): text for name, text in session.get_modelmeta().custom_metadata_map.items()}
kinds = json.loads(said["inputs"])
rows = json.load(sys.stdin)
def column(name, kind):
    if kind == "text":
        return numpy.array([["<NA>" if row[name] is None else str(row[name])] for row in rows], dtype=object)
    return numpy.array([[numpy.nan if row[name] is None else float(row[name])] for row in rows])
scores, labels = session.run(["score", "label"], {name: column(name, kind) for name, kind in kinds.items()})
print(json.dumps({"said": said, "scores": scores.tolist(), "labels": labels.tolist()}))
"""


def _content(plan: Any, files: Mapping[str, bytes]) -> bytes:
    graph, outputs = exporting.converted(plan, files)
    content: bytes = graph.model(outputs, {}).SerializeToString()
    return content


def _requests(fitted: Any) -> list[Any]:
    """Rows that the model has not seen, with gaps, and all edges."""
    rows = as_requests(fitted.held_out.select(column.name for column in fitted.contract.columns))
    return rows + [row for _, row in edge_rows(rows[0], fitted.contract)]


def _is_exact(fitted: Any) -> None:
    content = _content(fitted.scorer.plan, fitted.scorer._predictor.to_files())
    parity = measure_parity(content, fitted.scorer, input_kinds(fitted.scorer.plan.encodings), _requests(fitted))

    assert parity.rows > 100
    assert parity.decisions_differ == 0
    assert parity.max_abs_difference <= (2e-7 if "xgboost" in fitted.model.family else 1e-12)


@pytest.mark.parametrize("family", CONVERTIBLE)
def test_every_convertible_family_is_exact(fit_family: Any, family: str) -> None:
    """Three classes: to the twelfth digit; XGBoost, which itself answers in single precision, to the seventh."""
    _is_exact(fit_family("contract", family, 480))


@pytest.mark.parametrize("family", ["linear", "lightgbm", "xgboost", "forest", "realmlp"])
@pytest.mark.parametrize("table", ["bike", "bank"])
def test_values_with_dates_and_two_classes_are_exact(fit_family: Any, table: str, family: str) -> None:
    """Calendar parts are computed by the file itself."""
    _is_exact(fit_family(table, family, 480))


@pytest.mark.slow
@pytest.mark.parametrize("family", CONVERTIBLE)
@pytest.mark.parametrize("table", ["churn", "bike", "adult", "bank", "electricity", "parkinsons"])
def test_whole_tables_are_exact(fit_family: Any, table: str, family: str) -> None:
    """Up to 12,000 rows, the last quarter of them scored."""
    _is_exact(fit_family(table, family, 12_000))


@pytest.mark.parametrize("family", ["neighbours", "kernel", "additive"])
def test_a_family_without_an_exact_form_is_refused(fit_family: Any, family: str) -> None:
    """And the sentence says which have one."""
    fitted = fit_family("churn", family, 480)

    with pytest.raises(StateError, match=r"has no exact form in ONNX.*lightgbm.*docs/06-packaging\.md"):
        _content(fitted.scorer.plan, fitted.scorer._predictor.to_files())


@pytest.mark.parametrize(("table", "words"), [("messages", "text"), ("churn-own", "paid")])
def test_a_column_without_an_exact_form_is_refused(fit_family: Any, table: str, words: str) -> None:
    """Free text and features of one's own."""
    fitted = fit_family(table, "linear", 480)

    with pytest.raises(StateError, match=words):
        _content(fitted.scorer.plan, fitted.scorer._predictor.to_files())


def _features(encodings: Sequence[Encoding], rows: Sequence[Mapping[str, Any]]) -> np.ndarray[Any, Any]:
    """What the encodings give in ONNX Runtime."""
    import onnxruntime

    graph = Graph()
    model = graph.model({"features": (encoded(graph, encodings), False, None)}, {})
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features: np.ndarray[Any, Any] = session.run(None, onnx_inputs(rows, input_kinds(encodings)))[0]
    return features


PARTS = tuple(
    DatePart(name, fill=3.0, center=1.0, scale=2.0) for name in ("month", "day", "weekday", "hour", "epoch_days")
)
ENCODINGS: tuple[Encoding, ...] = (
    NumericEncoding("a"),
    NumericEncoding("a", fill=2.0, center=1.0, scale=3.0, indicator=True),
    LogEncoding("a", unit=2.0, fill=1.0, center=0.5, scale=2.0, indicator=True),
    fit_quantiles("a", np.random.default_rng(0).normal(size=500), fill=0.1, indicator=True),
    BinsEncoding("a", (-1.0, 0.0, 2.5), one_hot=True, indicator=True),
    BinsEncoding("a", (-1.0, 0.0, 2.5), one_hot=False),
    SplineEncoding("a", -3.0, 9.0, (0.1, 0.3, 0.5, 0.9), (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), 0.5, indicator=True),
    InteractionEncoding("a", "b", (0.5, 0.25), (1.0, 2.0), (3.0, 4.0)),
    BooleanEncoding("t"),
    BooleanEncoding("t", fill=0.25, indicator=True),
    CategoryEncoding("c", CategoryStyle.ONE_HOT, ("x", "y", ""), ("z", "w"), indicator=True),
    CategoryEncoding("c", CategoryStyle.CODES, ("x", "y"), missing_code=-1.0),
    CategoryEncoding("c", CategoryStyle.CODES, ("x", "y")),
    TargetEncoding("c", ("x", "y"), ((0.5,), (0.25,)), (0.3,), (0.7,), (0.1,), (2.0,)),
    DateEncoding("d", PARTS, indicator=True),
    DateEncoding("d", tuple(DatePart(name) for name in CIRCLES)),
    DateDifferenceEncoding("d", "e", fill=4.0, center=1.0, scale=100.0),
    DateDifferenceEncoding("e", "d"),
)
NUMBERS = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([-1.0, 0.0, 2.5, 1e300, -1e300, float("inf")])
MOMENTS = st.none() | st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9998, 12, 31)).map(  # noqa: DTZ001 - without a zone
    lambda moment: moment.replace(microsecond=0).isoformat()
)
ROW = st.fixed_dictionaries(
    {
        "a": NUMBERS,
        "b": NUMBERS,
        "t": st.none() | st.booleans() | st.sampled_from([0, 1]),
        "c": st.none() | st.sampled_from(["x", "y", "z", "w", "", "stranger", " x"]),
        "d": MOMENTS,
        "e": MOMENTS,
    }
)


def test_shares_set_back_are_set_back_in_onnx_too() -> None:
    """A model of three classes within a curve with shifts, within a blend that is calibrated: as the package answers."""
    import onnxruntime

    generator = np.random.default_rng(0)
    linear = LinearPredictor(generator.normal(size=(3, 2)), generator.normal(size=3), Link.SOFTMAX)
    inner = BlendPredictor([BlendPart(linear, 0, 2, 1.0)], ProbabilityCurve(1.0, offsets=(-0.2, -1.9, -3.2)))
    blend = BlendPredictor([BlendPart(inner, 0, 2, 1.0)], ProbabilityCurve(0.8, offsets=(0.1, 0.0, -0.3)))
    encodings, graph = (NumericEncoding("a"), NumericEncoding("b")), Graph()
    outputs = predicted(graph, encoded(graph, encodings), blend.kind, blend.to_files())
    model = graph.model({"score": (outputs, False, None)}, {})
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    matrix = generator.normal(size=(50, 2))
    rows = [{"a": a, "b": b} for a, b in matrix.tolist()]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, onnx_inputs(rows, input_kinds(encodings)))[0]

    assert np.allclose(found, blend.predict_matrix(matrix), rtol=0, atol=1e-12)
    assert not np.allclose(found, linear.predict_matrix(matrix), atol=0.05)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=40))
def test_every_encoding_gives_the_same_features(rows: list[dict[str, Any]]) -> None:
    """Whatever the row: numbers, flags, categories known and unknown, and the calendar from the year 1 to 9998."""
    expected = np.array([encode_row(ENCODINGS, row) for row in rows])

    got = _features(ENCODINGS, rows)

    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_the_calendar_is_right_on_every_day() -> None:
    """Month, day and weekday around ends of centuries, one of them a leap year."""
    starts = [dt.date(1896, 1, 1), dt.date(1996, 1, 1), dt.date(2396, 1, 1)]
    days = [start + dt.timedelta(days=number) for start in starts for number in range(9 * 366)]
    parts = (DateEncoding("d", (DatePart("month"), DatePart("day"), DatePart("weekday"))),)

    got = _features(parts, [{"d": day} for day in days])

    assert got.tolist() == [[day.month, day.day, day.isoweekday()] for day in days]


def test_a_level_that_is_called_missing_is_refused() -> None:
    """It could not be told from a missing value."""
    with pytest.raises(StateError, match="stands for a missing one"):
        _features([CategoryEncoding("c", CategoryStyle.CODES, ("x", MISSING))], [{"c": "x"}])


def test_a_column_that_is_read_in_two_ways_is_refused() -> None:
    """An input has one type."""
    with pytest.raises(StateError, match="number and text at once"):
        input_kinds([NumericEncoding("c"), CategoryEncoding("c", CategoryStyle.CODES, ("1", "2"))])


def test_epoch_seconds_do_not_fall_into_the_trap_of_single_precision(fit_family: Any) -> None:
    """Trees on seconds since 1970, which single precision rounds to two minutes: rounded rows flip, the file does not."""
    import dataclasses

    import lightgbm

    from modelyard.packaging.predictors import LightGBMPredictor

    random = np.random.default_rng(0)
    seconds = 1.7e9 + random.integers(0, 3_600, size=3_000).astype(np.float64)
    truth = (seconds.astype(np.int64) // 30) % 2
    model = lightgbm.LGBMClassifier(n_estimators=60, n_jobs=1, verbosity=-1, min_child_samples=5)
    predictor = LightGBMPredictor(model.fit(seconds[:, None], truth).booster_.model_to_string())
    fitted = fit_family("churn", "lightgbm", 480)
    plan = dataclasses.replace(fitted.scorer.plan, encodings=(NumericEncoding("s"),), classes=("0", "1"))
    parts = {"contract": fitted.contract, "profile": fitted.scorer.profile, "golden": fitted.scorer.golden}
    scorer = Scorer(fitted.scorer.manifest, plan, predictor, **parts)
    exact = scorer.decide(scorer.score_frame(pl.DataFrame({"s": seconds})))
    rounded = scorer.decide(scorer.score_frame(pl.DataFrame({"s": seconds.astype(np.float32).astype(np.float64)})))

    parity = measure_parity(_content(plan, predictor.to_files()), scorer, {"s": "number"}, [{"s": s} for s in seconds])

    assert sum(one != other for one, other in zip(exact, rounded, strict=True)) > 300
    assert (parity.rows, parity.decisions_differ) == (3_000, 0)
    assert parity.max_abs_difference <= 1e-12


def test_a_package_becomes_a_file_that_plain_onnx_runtime_runs(churn_package: Package, tmp_path: Path) -> None:
    """Without modelyard: golden rows, gaps and strangers among them, and the labels by the package's threshold."""
    scorer = Scorer.load(churn_package)
    rows = [row.features for row in scorer.golden.rows]

    exported = export_onnx(churn_package, tmp_path / "churn.onnx")
    words = [sys.executable, "-c", _PLAIN, exported.path]
    done = subprocess.run(words, input=json.dumps(rows), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)

    assert exported.golden.ok
    assert exported.held is None
    assert largest_difference(np.array(answer["scores"]), scorer.score_rows(rows)) <= 1e-12
    assert answer["labels"] == scorer.decide(scorer.score_rows(rows))
    assert answer["said"]["package"] == churn_package.manifest.digest
    assert json.loads(answer["said"]["threshold"]) == scorer.threshold
    assert json.loads(answer["said"]["parity"])["golden"]["decisions_differ"] == 0


def _shifted(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """A converter that is wrong by so much."""

    def wrong(graph: Graph, matrix: str, kind: str, files: Mapping[str, bytes]) -> str:
        return graph.add("Add", predicted(graph, matrix, kind, files), graph.constant(by))

    monkeypatch.setattr(exporting, "predicted", wrong)


def test_a_file_that_answers_differently_is_refused_unless_forced(
    churn_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference and the number of other decisions are told; forced, the file says it of itself."""
    _shifted(monkeypatch, 0.02)
    target = tmp_path / "wrong.onnx"

    with pytest.raises(GateRefusedError, match=r"2\.0e-02 at most and \d+ other decisions on \d+ golden rows"):
        export_onnx(churn_package, target)
    assert not target.exists()

    exported = export_onnx(churn_package, target, force=True)

    assert exported.forced
    assert not exported.golden.ok
    assert exported.golden.max_abs_difference == pytest.approx(0.02)
    assert target.stat().st_size == exported.bytes


def test_a_project_exports_its_newest_package(churn: Any, churn_package: Package, actor: Actor, tmp_path: Path) -> None:
    """With the validation part as further rows; the ledger knows."""
    folder = churn.workspace.folder("packages", "churn-3-export")
    shutil.copytree(churn_package.folder, folder)
    churn.workspace.point("package", folder.name)
    packages = Packages(churn.problem, churn.workspace, actor)

    exported = packages.export_onnx(tmp_path / "model.onnx")

    assert packages.verify().ok
    assert exported.held is not None
    assert exported.held.rows == churn.split.validation.frame.height
    assert exported.held.ok
    rows = [row for row in churn.workspace.ledger.rows() if row.action == "package.exported"]
    assert [(row.subject, row.details["forced"]) for row in rows] == [(churn_package.manifest.digest, False)]

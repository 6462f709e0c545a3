"""Real tables, fitted models of every family, and packages built from them."""

import dataclasses
import datetime as dt
import functools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.life import Life, trained

from modelyard.audit.audit import audit
from modelyard.data import (
    Column,
    Contract,
    ReferenceProfile,
    Schema,
    assign_roles,
    conform,
    derive_contract,
    infer_schema,
    read_table,
    resolve,
)
from modelyard.data.version import Dataset
from modelyard.evaluation import Evaluation
from modelyard.features import OWN_FILE, EncodingStyle, OwnFeatures, load_own_features
from modelyard.features.encoder import TableEncoder
from modelyard.packaging import GoldenSet, Manifest, Package, Scorer
from modelyard.packaging.build import BuildDetails, build_package
from modelyard.packaging.compile import compile_model
from modelyard.problem import Problem, Task
from modelyard.training.baselines import ConstantEstimator
from modelyard.training.blending import BlendEstimator, Calibration, Member
from modelyard.training.blending.encoders import EncoderUnion
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.families.incremental import StochasticGradient
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.networks import MultilayerPerceptron, RealMLP
from modelyard.training.families.optional import CatBoost, ExplainableBoosting
from modelyard.training.families.svm import SupportVectors
from modelyard.training.model import FittedModel
from modelyard.training.target import class_names, encode_target

DATA = Path(__file__).parents[1] / "data"
OWN_FORMS: Mapping[str, Family] = {
    "tree": DecisionTree(),
    "neighbours": NearestNeighbours(),
    "kernel": SupportVectors(exact_rows=500, landmarks=100),
    "network": MultilayerPerceptron(fallback_rounds=5),
    "realmlp": RealMLP(),
    "catboost": CatBoost(fallback_rounds=20),
    "additive": ExplainableBoosting(bags=1, max_rounds=60),
    "stochastic": StochasticGradient(),
}
FAMILIES = ("constant", "linear", "lightgbm", "xgboost", "forest", *OWN_FORMS, "blend")
MEMBERS = {"linear": 0.5, "lightgbm": 0.3, "forest": 0.2}
MOMENT = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)

TABLES: dict[str, dict[str, Any]] = {
    "churn": {"source": "telco_churn.parquet", "target": "Churn", "id": "customerID"},
    "contract": {"source": "telco_churn.parquet", "target": "Contract", "id": "customerID"},
    "bike": {
        "source": "bike_sharing_hourly.parquet",
        "target": "cnt",
        "time": "timestamp",
        "exclude": {"casual": "part of cnt", "registered": "part of cnt", "instant": "a row number"},
        "types": {"season": "category", "workingday": "boolean"},
    },
}

OPEN_TABLES: dict[str, dict[str, Any]] = {
    **TABLES,
    "adult": {"source": "adult_census.parquet", "target": "income"},
    "bank": {"source": "bank_additional.parquet", "target": "y", "time": "row_order"},
    "electricity": {"source": "electricity_elec2.parquet", "target": "price_up", "time": "row_order"},
    "messages": {"source": "sms_spam.parquet", "target": "label"},
    "parkinsons": {"source": "parkinsons_telemonitoring.parquet", "target": "total_UPDRS", "group": "subject"},
    "churn-own": TABLES["churn"],
    "bike-own": TABLES["bike"],
}
"""Every open data set of the tests, and two of them with features of the user's own."""

OWN_FEATURES = {
    "churn-own": """
import polars as pl
from modelyard.features import feature

@feature(inputs=["tenure", "MonthlyCharges"], meaning="What was paid so far", author="ada")
def paid(table):
    return pl.col("tenure") * pl.col("MonthlyCharges")

@feature(inputs=["Contract", "PaperlessBilling"], meaning="Contract and bill together", author="ada")
def kind(table):
    return pl.concat_str(["Contract", pl.col("PaperlessBilling").cast(pl.String)], separator="/")
""",
    "bike-own": """
import polars as pl
from modelyard.features import feature

@feature(inputs=["timestamp"], meaning="Whether most people work", author="ada")
def office(table):
    return pl.col("timestamp").dt.hour().is_between(9, 17)

@feature(inputs=["temp", "hum"], meaning="How it feels", author="ada")
def muggy(table):
    return pl.col("temp") * pl.col("hum")
""",
}


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A pipeline fitted on a real table with gaps, its compiled scorer, and rows that it has not seen."""

    model: FittedModel
    scorer: Scorer
    contract: Contract
    held_out: pl.DataFrame


def estimator(family: str, task: Task) -> Any:
    """An estimator of a family, quick to fit."""
    import lightgbm
    import xgboost
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    if not task.is_classification:
        return {
            "linear": Ridge(),
            "lightgbm": lightgbm.LGBMRegressor(n_estimators=30, n_jobs=1, verbosity=-1),
            "xgboost": xgboost.XGBRegressor(n_estimators=30, n_jobs=1),
            "forest": RandomForestRegressor(12, max_leaf_nodes=200, n_jobs=1, random_state=0),
        }[family]
    return {
        "linear": LogisticRegression(max_iter=500),
        "lightgbm": lightgbm.LGBMClassifier(n_estimators=30, n_jobs=1, verbosity=-1),
        "xgboost": xgboost.XGBClassifier(n_estimators=30, n_jobs=1),
        "forest": RandomForestClassifier(12, min_samples_leaf=3, n_jobs=1, random_state=0),
    }[family]


STYLES = {
    "constant": EncodingStyle.TREE,
    "linear": EncodingStyle.LINEAR,
    "lightgbm": EncodingStyle.TREE,
    "xgboost": EncodingStyle.TREE,
    "forest": EncodingStyle.FOREST,
    **{name: family.style for name, family in OWN_FORMS.items()},
}


def with_gaps(frame: pl.DataFrame, names: tuple[str, ...], seed: int) -> pl.DataFrame:
    """Every feature missing in one row of twenty."""
    random = np.random.default_rng(seed)
    return frame.with_columns(
        pl.when(pl.Series(random.random(frame.height) < 0.05)).then(None).otherwise(pl.col(name)).alias(name)
        for name in names
    )


def problem_of(table: str, **changes: Any) -> Problem:
    """The problem of a table."""
    return Problem.model_validate({"name": table, "data": OPEN_TABLES[table], **changes})


@functools.cache
def fit(table: str, family: str, most_rows: int = 2400) -> Fitted:
    """A family fitted on three quarters of a table's rows, or of some, and compiled."""
    frame = read_table(DATA / OPEN_TABLES[table]["source"])
    frame = frame.sample(min(most_rows, frame.height), seed=1, shuffle=True)
    problem = resolve(problem_of(table), frame)
    schema = infer_schema(frame, problem.data.types)
    roles = assign_roles(problem, schema)
    frame = with_gaps(conform(frame, schema), roles.features, seed=2)
    learnt = frame.height * 3 // 4
    train_rows, held_out = frame[:learnt], frame[learnt:]
    classes = class_names(problem, frame[problem.data.target])
    truth = encode_target(train_rows[problem.data.target], problem.task, classes)
    columns = tuple(schema.column(name) for name in roles.features)
    own = _own_features(table, train_rows, schema, roles.features)
    encoder: TableEncoder | EncoderUnion = TableEncoder(columns, STYLES.get(family, "tree"), own=own).fit(train_rows)
    if family == "constant":
        fitted: Any = ConstantEstimator.learn(truth, problem.task, len(classes), "mean")
    elif family == "blend":
        encoder, fitted = blend(columns, train_rows, truth, problem.task)
    elif family in OWN_FORMS:
        matrix, form = encoder.transform(train_rows), OWN_FORMS[family]
        data = FitData(problem.task, matrix, truth, np.zeros(len(matrix), dtype=bool))
        fitted = form.fit(data, form.defaults(problem.task), seed=0).estimator
    else:
        fitted = estimator(family, problem.task).fit(encoder.transform(train_rows), truth)
    model = FittedModel(encoder, fitted, family, problem.task, classes, tuple(range(len(classes))))
    plan, predictor = compile_model(model, 0.3)
    contract = derive_contract(Dataset("0" * 12, train_rows, schema), roles)
    empty = GoldenSet(predictor.tolerance, ())
    blank = ReferenceProfile(0, ())
    scorer = Scorer(manifest(), plan, predictor, contract=contract, profile=blank, golden=empty, own=own)
    return Fitted(model, scorer, contract, held_out)


def _own_features(table: str, rows: pl.DataFrame, schema: Schema, usable: tuple[str, ...]) -> OwnFeatures | None:
    """What stands in the table's ``features.py``, if it has one."""
    if table not in OWN_FEATURES:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / OWN_FILE).write_text(OWN_FEATURES[table])
        return load_own_features(Path(folder), rows, schema, usable)


def blend(
    columns: tuple[Column, ...], rows: pl.DataFrame, truth: Any, task: Task
) -> tuple[EncoderUnion, BlendEstimator]:
    """Members that read rows in three styles; classes are calibrated."""
    union = EncoderUnion({STYLES[name]: TableEncoder(columns, STYLES[name]).fit(rows) for name in MEMBERS})
    matrix, members = union.transform(rows), []
    for name, weight in MEMBERS.items():
        start, stop = union.span(STYLES[name])
        members.append(Member(name, estimator(name, task).fit(matrix[:, start:stop], truth), start, stop, weight))
    return union, BlendEstimator(members, Calibration(1.3, 0.2) if task is Task.BINARY else None)


def manifest(**changes: Any) -> Manifest:
    """A manifest of nothing."""
    blank = Manifest(
        protocol=1,
        name="model",
        version="1",
        digest="",
        files={},
        bytes=0,
        created_at=MOMENT,
        modelyard_version="0",
        code_commit="",
        dataset_id="",
        split_id="",
        run_id="",
        ledger_position=None,
        requirements={},
    )
    return dataclasses.replace(blank, **changes)


@dataclasses.dataclass(frozen=True)
class Project(Life):
    """Everything a package is built from."""

    evaluation: Evaluation

    def build(self, folder: Path, **changes: Any) -> Package:
        """The package of this project, with parts exchanged."""
        problem = changes.pop("problem", self.problem)
        roles = assign_roles(problem, self.split.train.schema)
        report = audit(self.split.train, problem, roles, seed=0)
        details = BuildDetails(author="ada", code_commit="abc", ledger_position=7, clock=lambda: MOMENT)
        parts = {"run": self.run, "split": self.split, "evaluation": self.evaluation, **changes}
        return build_package(
            parts["run"],
            parts["split"],
            parts["evaluation"],
            report,
            problem,
            version="3",
            folder=folder,
            details=parts.get("details", details),
        )


def _project(root: Path, problem: Problem, *, rows: int, reason: str | None) -> Project:
    life = trained(root, read_table(DATA / problem.data.source).sample(rows, seed=0, shuffle=True), problem)
    return Project(life.problem, life.workspace, life.split, life.run, life.evaluated(reason))


def _plan(*families: str) -> dict[str, Any]:
    prefer = "best" if len(families) > 1 else "simple"
    return {"families": families, "folds": 2, "tuning_rounds": 0, "workers": 1, "unit_minutes": None, "prefer": prefer}


@pytest.fixture(scope="session")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A churn model (LightGBM) with costs, protected groups, and the test part opened once."""
    problem = problem_of(
        "churn",
        objective="Call customers who are about to leave.",
        users="The retention team.",
        owner="Grace",
        costs={"true_positive": 100, "false_positive": -20, "volume_per_year": 10_000},
        protected=["gender"],
        segments=["Contract"],
        metrics={"guardrails": {"roc_auc": ">= 0.99"}},
        training=_plan("lightgbm"),
    )
    return _project(tmp_path_factory.mktemp("churn"), problem, rows=3000, reason="final evaluation")


@pytest.fixture(scope="session")
def bike(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Bicycle hire by time (ridge regression), the test part sealed."""
    problem = problem_of("bike", training=_plan("linear"), evaluation={"quantiles": [0.05, 0.5, 0.95]})
    return _project(tmp_path_factory.mktemp("bike"), problem, rows=3000, reason=None)


@pytest.fixture(scope="session")
def contract_types(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Kinds of contract, three classes (ridge penalised softmax)."""
    return _project(
        tmp_path_factory.mktemp("contract"),
        problem_of("contract", training=_plan("linear")),
        rows=1500,
        reason=None,
    )


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[..., Project]:
    """A project on some rows of a table, whose winner comes from one family, or is the best that several give."""

    def make(table: str, family: str | tuple[str, ...], rows: int, **changes: Any) -> Project:
        plan = (_plan(family) if isinstance(family, str) else _plan(*family)) | changes
        return _project(tmp_path / "project", problem_of(table, training=plan), rows=rows, reason=None)

    return make


@pytest.fixture(scope="session")
def churn_package(churn: Project, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of the churn model."""
    return churn.build(tmp_path_factory.mktemp("packages") / "churn-3")


@pytest.fixture(scope="session")
def bike_package(bike: Project, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of the bicycle model."""
    return bike.build(tmp_path_factory.mktemp("packages") / "bike-3")


@pytest.fixture(scope="session")
def contract_package(contract_types: Project, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of the three-class model."""
    return contract_types.build(tmp_path_factory.mktemp("packages") / "contract-3")


@pytest.fixture(params=[(table, family) for table in TABLES for family in FAMILIES], ids="-".join)
def fitted(request: pytest.FixtureRequest) -> Fitted:
    """Each family on each table: binary, three classes, regression with dates."""
    table, family = request.param
    return fit(table, family)


Fit = Callable[..., Fitted]


@pytest.fixture(scope="session")
def fit_family() -> Fit:
    """Fit one family on one table; fitted once a session."""
    return fit

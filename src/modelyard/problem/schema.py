"""The project file's schema. Its frozen models are what the other rooms call the problem."""

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from modelyard.problem.metrics import (
    COURSE_METRICS,
    METRICS,
    MetricInput,
    MetricSpec,
    default_metric,
    metrics_for,
)
from modelyard.problem.sections import (
    Address,
    AlertPlan,
    AnomalyPlan,
    ClusterPlan,
    CustomEstimator,
    Dependencies,
    DeployPlan,
    ForecastPlan,
    LogPlan,
    Policy,
    RecordsPlan,
    Retraining,
    SchedulePlan,
    SearchRange,
    StorePlan,
    Strict,
    TrainingPlan,
    WindowPlan,
)
from modelyard.problem.series import SeriesPlan, span_length
from modelyard.problem.suggestion import did_you_mean
from modelyard.problem.task import Task

__all__ = [
    "AlertPlan",
    "ColumnRule",
    "Constraints",
    "Costs",
    "CustomEstimator",
    "CustomMetric",
    "DataSource",
    "DeployPlan",
    "EvaluationPlan",
    "ExistingSystem",
    "FeaturePlan",
    "LogPlan",
    "Metrics",
    "Monitoring",
    "Policy",
    "Problem",
    "Retraining",
    "SchedulePlan",
    "SearchRange",
    "SplitPlan",
    "StorePlan",
    "Tracking",
    "TrainingPlan",
]

Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(gt=0, lt=1)]

_DURATION = r"^(\d+(mo|y|q|w|d|h|m|s))+$"
"""Lengths of time as Polars writes them: 30d, 12h, 1mo, 1w2d."""

_THRESHOLD = r"^\s*((recall|precision)\s*>=|positives\s*<=)\s*(0?\.\d+|1(\.0+)?)\s*$|^\s*positives\s*<=\s*\d+(\.\d+)?\s*a day\s*$"
"""What a threshold may be bound to: a share found, a share that is right, a share or a daily number called positive."""

Guardrail = Annotated[str, Field(pattern=r"^\s*(>=|<=|>|<)\s*-?\d+(\.\d+)?\s*$")]


class EventTable(Strict):
    """What happened to the entities of the rows; becomes features as of each row's prediction time."""

    source: str = Field(description="Table of events, one row each, relative to the project file.")
    entity: str = Field(description="Column that names whom an event concerns.")
    row_entity: str | None = Field(
        default=None, description="The same in the main table, if it has another name there."
    )
    time: str = Field(description="When the event became known.")
    windows: tuple[Annotated[str, Field(pattern=_DURATION)], ...] = Field(
        default=("30d", "365d"), description="Time before the prediction time: 30d, 12h, 1mo."
    )
    values: tuple[str, ...] = Field(default=(), description="Number columns to sum and average.")


class ColumnRule(Strict):
    """What is agreed about a feature, whatever training saw; what breaks it is refused, unless it is lenient."""

    categories: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="The only values there may be; others are rejected."
    )
    nullable: bool | None = Field(default=None, description="Whether a value may be missing; if not, null is rejected.")
    required: bool | None = Field(default=None, description="Whether the field itself must be there.")
    strictness: Literal["strict", "lenient"] | None = Field(
        default=None,
        description="strict: a value unlike all that training saw is rejected too, instead of flagged; lenient: one outside "
        "of what is declared is flagged, instead of rejected. A wrong type or an infinity is always rejected.",
    )
    reason: str = Field(min_length=1, description="Why; shown with the contract.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if {self.categories, self.nullable, self.required, self.strictness} == {None}:
            raise ValueError("give categories, nullable, required or strictness beside the reason")
        return self


class DataSource(Strict):
    """Where the rows come from and what the columns are for."""

    source: Address = Field(
        description="The table: a path relative to this file (CSV, JSON, JSONL, Parquet, Arrow, Excel, or a folder of "
        "parts), or an address (s3://, gs://, az://, or a database); ${NAME} stands for an environment variable."
    )
    query: str | None = Field(default=None, description="What is asked of a database: one SELECT.")
    sheet: str | None = Field(default=None, description="Sheet of a workbook; the first with rows by default.")
    target: str = Field(
        default="",
        description="Column to predict. Only clustering and anomaly detection do without; for anomalies it holds labels.",
    )
    positive: str | None = Field(
        default=None, description="Class of interest of a binary target; the rarer one by default."
    )
    id: str | None = Field(default=None, description="Column that names a row; never a feature.")
    time: str | None = Field(
        default=None, description="Column that orders the rows in time; makes the split time-ordered."
    )
    group: str | None = Field(default=None, description="Column whose rows belong together (a patient, a household).")
    label_time: str | None = Field(default=None, description="When the label became known; never a feature.")
    prediction_time: str | None = Field(default=None, description="When the prediction is asked for; never a feature.")
    weight: str | None = Field(
        default=None,
        description="How much a row counts in training, a number from 0 on; never a feature. Scores count all rows alike.",
    )
    exclude: dict[str, str] = Field(default_factory=dict, description="Columns that must not be used: name to reason.")
    types: dict[str, Literal["numeric", "category", "boolean", "date", "text", "identifier"]] = Field(
        default_factory=dict, description="Column kinds that override what was inferred."
    )
    ranges: dict[str, tuple[float | None, float | None]] = Field(
        default_factory=dict,
        description="Possible values of a number, [lowest, highest], either may be null: age: [0, 120]. Later rows outside "
        "are rejected.",
    )
    contract: dict[str, ColumnRule] = Field(
        default_factory=dict,
        description="What is agreed about features, by name: categories, nullable, required, strictness (strict or lenient), and "
        "the reason. It wins over what was learnt, and what breaks it is rejected; `modelyard contract` shows the whole.",
    )
    events: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")], EventTable] = Field(
        default_factory=dict, description="Event tables by name: features as of each row's prediction time."
    )
    series: SeriesPlan | None = Field(
        default=None,
        description="Rows that follow one another in time: lags and windows of their past become features.",
    )
    test_source: Address | None = Field(
        default=None, description="A test table of one's own; it becomes the sealed part."
    )
    test_query: str | None = Field(default=None, description="What is asked of it, if it is a database: one SELECT.")
    collection: str = Field(default="", description="How the data were collected, by whom, over which period.")
    known_biases: tuple[str, ...] = Field(default=(), description="Known biases and gaps of the data.")

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        for name, (low, high) in self.ranges.items():
            if low is not None and high is not None and low > high:
                raise ValueError(f"ranges.{name}: the lowest value {low:g} is above the highest {high:g}")
        if self.test_query is not None and self.test_source is None:
            raise ValueError("test_query needs test_source: the database that is asked")
        return self

    @model_validator(mode="after")
    def _lags_are_known(self) -> Self:
        for name, column in self.series.columns.items() if self.series else ():
            known = self.series.known_after(name, self.target) if self.series else 0
            for lag in column.lags:
                if span_length(lag) < known:
                    raise ValueError(
                        f"series.columns.{name}: the value {lag} before a row is not known yet when its prediction is "
                        "asked for; the horizon or known_after is longer"
                    )
        return self


class SplitPlan(Strict):
    """How rows are divided before anything looks at them."""

    strategy: Literal["auto", "random", "stratified", "group", "time", "column"] = Field(
        default="auto",
        description="auto: by time if a time column is declared, else by group, else stratified or random.",
    )
    train: Share = Field(default=0.70, description="Share of rows to learn from.")
    validation: Share = Field(default=0.15, description="Share of rows for the threshold and other choices.")
    test: Share = Field(default=0.15, description="Share of rows to seal.")
    column: str | None = Field(
        default=None, description="Column with the values train, validation, test (strategy: column)."
    )
    gap: Annotated[str, Field(pattern=_DURATION)] | Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Time left out before validation and test (strategy time), as long as labels take to come: 30d, 12h; "
        "a number if the time column is one.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the random draws.")

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, got {total:g}")
        if self.train == 0:
            raise ValueError("train must be above 0")
        if self.strategy == "column" and self.column is None:
            raise ValueError("strategy 'column' needs 'column'")
        return self


class CustomMetric(Strict):
    """A function of truth and predictions that is a metric like the others."""

    path: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="Dotted path of the function: my_metrics.profit (of my_metrics.py beside this file, or an installed "
        "package). It is called with truth and predictions as NumPy arrays, and weights if it has such a parameter.",
    )
    greater_is_better: bool = Field(description="The direction of improvement.")
    input: MetricInput = Field(
        default=MetricInput.PROBABILITY,
        description="What it judges: probability (of the positive class, or a column a class), label (decided classes, as "
        "codes) or value (regression).",
    )
    title: str = Field(default="", description="How people write it; its name by default.")
    undefined: float | None = Field(
        default=None, description="What stands where the function gives NaN; by default NaN is refused in a fold."
    )


class Metrics(Strict):
    """What counts as good."""

    primary: str | None = Field(default=None, description="The one metric that selects; by default fits the task.")
    guardrails: dict[str, Guardrail] = Field(
        default_factory=dict, description='Bounds other metrics must keep, such as roc_auc: ">= 0.80".'
    )
    custom: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], CustomMetric] = Field(
        default_factory=dict, description="Metrics of one's own: a name, and the function."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for name in self.custom:
            if name in METRICS | COURSE_METRICS:
                raise ValueError(f"custom.{name}: this is the name of a metric already; choose another")
        known = (*METRICS, *COURSE_METRICS, *self.custom)
        for name in (*self.guardrails, *([self.primary] if self.primary else [])):
            if name not in known:
                raise ValueError(f"unknown metric {name!r}. {did_you_mean(name, known)}")
        return self

    def own(self, task: Task) -> tuple[MetricSpec, ...]:
        """The metrics of one's own that are defined for ``task``."""
        specs = (
            MetricSpec(
                name,
                item.title or name.replace("_", " "),
                item.greater_is_better,
                item.input,
                (Task.REGRESSION,) if item.input is MetricInput.VALUE else (Task.BINARY, Task.MULTICLASS),
                item.path,
                undefined=item.undefined,
            )
            for name, item in self.custom.items()
        )
        return tuple(spec for spec in specs if task in spec.tasks or task is Task.AUTO)


class Costs(Strict):
    """What a decision is worth. Amounts are money per case: positive earns, negative costs."""

    currency: str = Field(default="EUR", description="ISO 4217 code shown beside amounts.")
    volume_per_year: int | None = Field(
        default=None, gt=0, description="Decisions per year; turns amounts into money a year."
    )
    true_positive: float | None = Field(default=None, description="Value of acting on a real positive.")
    false_positive: float | None = Field(default=None, description="Value of acting on a negative; usually below 0.")
    false_negative: float | None = Field(default=None, description="Value of missing a positive; usually below 0.")
    true_negative: float | None = Field(
        default=None, description="Value of rightly leaving a negative alone; usually 0."
    )
    per_error: float | None = Field(default=None, description="Value of one wrong class (multiclass); below 0.")
    per_unit_error: float | None = Field(
        default=None, description="Value of one unit of absolute error (regression); below 0."
    )

    @property
    def has_matrix(self) -> bool:
        """True if any cell of the binary cost matrix is given; the others count as 0."""
        cells = (self.true_positive, self.false_positive, self.false_negative, self.true_negative)
        return any(cell is not None for cell in cells)


class EvaluationPlan(Strict):
    """How sure the answers shall be."""

    coverage: float | None = Field(
        default=0.9,
        ge=0.5,
        lt=1,
        description="Share of cases in which a prediction's interval, or set of classes, shall hold the truth; null for none.",
    )
    quantiles: tuple[Level, ...] = Field(
        default=(),
        description="Levels, rising, of the quantiles that are told beside a predicted value (regression): [0.1, 0.5, 0.9]; "
        "below the one at 0.9 lie nine of ten true values.",
    )
    threshold: Annotated[str, Field(pattern=_THRESHOLD)] | None = Field(
        default=None,
        description="What the threshold must keep on held-out rows: 'recall >= 0.9', 'precision >= 0.8', 'positives <= 0.05' "
        "(a share of the rows), or 'positives <= 50 a day' (needs costs.volume_per_year).",
    )

    @field_validator("quantiles")
    @classmethod
    def _levels_rise(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if any(after <= before for before, after in itertools.pairwise(levels)):
            raise ValueError(f"levels must rise and be named once, such as [0.1, 0.5, 0.9]; got {list(levels)}")
        return levels


class ExistingSystem(Strict):
    """What decides today; every figure is shown against it."""

    column: str | None = Field(default=None, description="Column with today's score or decision; never a feature.")
    rule: str | None = Field(
        default=None, description="SQL expression over the columns: \"tenure < 12 AND Contract = 'M'\"."
    )
    constant: float | str | None = Field(default=None, description="One answer for everybody.")

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        given = [name for name in ("column", "rule", "constant") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give at most one of column, rule, constant; got {', '.join(given)}")
        return self

    @property
    def is_declared(self) -> bool:
        """True if there is something to compare with."""
        return any(value is not None for value in (self.column, self.rule, self.constant))


class Constraints(Strict):
    """Limits that hold at selection and at deployment; None means no limit."""

    latency_p99_ms: float | None = Field(
        default=None, gt=0, description="99th percentile of one prediction, in milliseconds."
    )
    throughput_per_s: float | None = Field(
        default=None, gt=0, description="Rows per second that one process must score."
    )
    memory_mb: float | None = Field(default=None, gt=0, description="Resident memory of a serving process, in MB.")
    model_size_mb: float | None = Field(default=None, gt=0, description="Size of the package, in MB.")
    training_minutes: float | None = Field(
        default=None, gt=0, description="Time for training; begun folds are finished."
    )


class Monitoring(WindowPlan):
    """What is watched, and when it is an alarm."""

    false_alarm_rate: float = Field(default=0.01, gt=0, lt=0.5, description="Chance of a false drift alarm per window.")
    tolerance: float = Field(default=0.02, ge=0, description="Population stability index that is harmless in any case.")
    performance_drop: float = Field(
        default=0.05, gt=0, lt=1, description="Relative loss of the primary metric that alarms."
    )


class FeaturePlan(Strict):
    """How columns become features, where the rules are not to decide alone."""

    selection: Literal["auto", "none"] | Annotated[int, Field(ge=1)] = Field(
        default="auto",
        description="Columns that may stay: a number for every family; none for all; auto cuts for families "
        "other than trees, where there is more than one column for ten training rows (of the rarer of two classes) and a linear model errs "
        "less with fewer.",
    )
    columns: dict[str, Literal["standard", "robust", "minmax", "quantile", "log", "spline", "bins"]] = Field(
        default_factory=dict,
        description="How a number column becomes features: standard, robust, minmax, quantile, log, spline or bins; "
        "trees heed bins alone, since the others change no order.",
    )
    interactions: tuple[tuple[str, str], ...] = Field(
        default=(), description="Pairs of number columns whose product is a feature too: [[age, income]]."
    )
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(
        default_factory=dict,
        description="Number columns in which predictions must never fall (increasing) or never rise (decreasing), all else "
        "equal: tenure: decreasing. Families that cannot keep it are left out.",
    )
    sentences: tuple[str, ...] = Field(
        default=(), description="Text columns that a pretrained sentence encoder reads too, beside TF-IDF."
    )

    @model_validator(mode="after")
    def _pairs_are_of_two(self) -> Self:
        seen = [frozenset(pair) for pair in self.interactions]
        for pair in self.interactions:
            if pair[0] == pair[1] or seen.count(frozenset(pair)) > 1:
                raise ValueError(f"interactions: {list(pair)} must be two different columns, named once")
        return self


class Tracking(Strict):
    """Where runs are recorded beside the local record, which is always kept."""

    backend: str = Field(default="local", description="local, mlflow, or another registered tracker.")
    uri: str | None = Field(default=None, description="Tracking URI; for mlflow an embedded SQLite store by default.")
    experiment: str | None = Field(default=None, description="Experiment name; the project's name by default.")


class Problem(Strict):
    """Everything that is asked of a model, from one project file."""

    schema_version: Literal[1] = Field(default=1, description="Version of this file's format.")
    name: str = Field(default="model", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="Name of the model.")
    objective: str = Field(default="", description="The business objective, in one sentence.")
    users: str = Field(default="", description="Who acts on the model's answers; shown on the model card.")
    out_of_scope: str = Field(default="", description="What the model must not be used for; shown on the model card.")
    task: Task = Field(
        Task.AUTO, description="auto, binary, multiclass, regression, forecasting, anomaly or clustering."
    )
    data: DataSource
    split: SplitPlan = SplitPlan()
    metrics: Metrics = Metrics()
    costs: Costs = Costs()
    existing_system: ExistingSystem = ExistingSystem()
    constraints: Constraints = Constraints()
    segments: tuple[str, ...] = Field(default=(), description="Columns by whose values performance is reported.")
    protected: tuple[str, ...] = Field(
        default=(), description="Protected columns: reported by value, watched for fairness."
    )
    expect: dict[str, Literal["increasing", "decreasing"]] = Field(
        default_factory=dict,
        description="How the prediction (the positive class, the value) should move with a column: tenure: decreasing. "
        "Checked by the evaluation, not enforced.",
    )
    owner: str = Field(default="", description="Person who answers for the model.")
    contact: str = Field(default="", description="How to reach the owner.")
    escalation: tuple[str, ...] = Field(default=(), description="Whom to call next, in order.")
    team: str = Field(default="", description="Team that the owner belongs to.")
    dependencies: Dependencies = Dependencies()
    policy: Policy = Policy()
    store: StorePlan = StorePlan()
    log: LogPlan = LogPlan()
    records: RecordsPlan = RecordsPlan()
    deploy: DeployPlan = DeployPlan()
    monitoring: Monitoring = Monitoring()
    alerts: AlertPlan = AlertPlan()
    retraining: Retraining = Retraining()
    schedule: SchedulePlan = SchedulePlan()
    features: FeaturePlan = FeaturePlan()
    training: TrainingPlan = TrainingPlan()
    evaluation: EvaluationPlan = EvaluationPlan()
    tracking: Tracking = Tracking()
    forecast: ForecastPlan = ForecastPlan()
    anomaly: AnomalyPlan = AnomalyPlan()
    clustering: ClusterPlan = ClusterPlan()

    @model_validator(mode="after")
    def _the_task_has_its_columns(self) -> Self:
        if not self.data.target and self.task not in (Task.ANOMALY, Task.CLUSTERING):
            raise PydanticCustomError("missing", "Field required", {"key": "data.target"})
        if self.task is Task.FORECASTING and self.data.time is None:
            raise PydanticCustomError("missing", "Field required", {"key": "data.time"})
        return self

    @model_validator(mode="after")
    def _scored_again_where_folds_are(self) -> Self:
        plan = self.training
        asked = {"nested": plan.nested is not None, "repeats": plan.repeats != 1, "seeds": plan.seeds != 1}
        asked["fits"] = plan.fits != "auto"
        for name in (name for name, wanted in asked.items() if wanted):
            if self.task in (Task.FORECASTING, Task.ANOMALY, Task.CLUSTERING):
                raise ValueError(
                    f"training.{name}: the candidates of a {self.task.value} task are not scored by these folds. Take it out"
                )
        return self

    @model_validator(mode="after")
    def _a_loss_can_be_seen(self) -> Self:
        asked, seen = self.retraining.triggers.performance, self.monitoring.performance_drop
        if asked is not None and asked < seen:
            raise ValueError(
                f"retraining.triggers.performance: monitoring sees a loss from {seen:g} on, so {asked:g} would not be met; "
                "lower monitoring.performance_drop too"
            )
        return self

    @model_validator(mode="after")
    def _days_can_be_counted(self) -> Self:
        if (self.evaluation.threshold or "").rstrip().endswith("a day") and self.costs.volume_per_year is None:
            raise ValueError(
                "evaluation.threshold: a number a day needs costs.volume_per_year, the decisions of a year"
            )
        return self

    @model_validator(mode="after")
    def _quantiles_are_of_values(self) -> Self:
        if self.evaluation.quantiles and self.task not in (Task.AUTO, Task.REGRESSION):
            message = f"only the task regression has quantiles, and this one is {self.task}"
            raise PydanticCustomError("value_error", message, {"key": "evaluation.quantiles"})
        return self

    @property
    def primary_metric(self) -> str:
        """The metric that selects; needs a resolved task if the file names none."""
        return self.metrics.primary or default_metric(self.task)

    @property
    def reported_metrics(self) -> tuple[MetricSpec, ...]:
        """All metrics of the task, those of one's own last; they are all reported, whatever was picked as primary."""
        return (*metrics_for(self.task), *self.metrics.own(self.task))

    def with_values(self, **changes: Any) -> "Problem":
        """A copy with top-level fields replaced, validated again."""
        return Problem.model_validate({**self.model_dump(), **changes})

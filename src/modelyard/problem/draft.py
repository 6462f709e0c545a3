"""The commented first ``modelyard.yaml`` that ``modelyard new`` writes."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record
from modelyard.problem.metrics import default_metric
from modelyard.problem.task import Task

__all__ = ["ProblemDraft", "write_draft"]


@dataclasses.dataclass(frozen=True)
class ProblemDraft(Record):
    """What is known when a project begins: choices, and the reason for each.

    Parameters
    ----------
    name, source, target
        Given by the user.
    task
        Inferred from the target.
    values
        Dotted key to inferred value, such as ``data.id``: ``customerID``; keys that are absent stay at their default.
    because
        Dotted key to the reason for the inferred value, in one sentence.
    """

    name: str
    source: str
    target: str
    task: Task
    values: Mapping[str, Any]
    because: Mapping[str, str]

    @property
    def inferred(self) -> Mapping[str, tuple[Any, str]]:
        """Dotted key to what was inferred and why; the metric is the task's usual one."""
        found = {"task": self.task.value, "metrics.primary": default_metric(self.task), **self.values}
        found.pop("data.query", None)  # given, not inferred
        usual = {"metrics.primary": f"The usual choice for {self.task}; all other metrics are reported too."}
        return {key: (value, (usual | dict(self.because)).get(key, "")) for key, value in found.items()}


def write_draft(draft: ProblemDraft) -> str:
    """The project file's text; every choice stands beside its reason, every other key as a comment.

    >>> text = write_draft(ProblemDraft("churn", "telco.csv", "Churn", Task.BINARY, {}, {}))
    >>> "target: Churn" in text
    True
    """
    return "\n".join((*_head(draft), *_data(draft), *_choices(draft), *_TAIL)) + "\n"


def _head(draft: ProblemDraft) -> list[str]:
    return [
        f"# {draft.name}: the one file that says what is asked of this model.",
        "# Every key but source and target has a default; 'modelyard explain config' shows all effective values.",
        "# yaml-language-server: $schema=.modelyard/schema.json",
        "schema_version: 1",
        f"name: {_scalar(draft.name)}",
        "",
        "# The business objective in one sentence: who decides what, with which benefit?",
        'objective: ""',
        "# Who acts on the answers, and what must the model not be used for? Both are shown on the model card.",
        'users: ""',
        'out_of_scope: ""',
        "",
        *_reason(draft, "task", "the values of the target"),
        f"task: {draft.task}",
        "",
    ]


def _data(draft: ProblemDraft) -> list[str]:
    lines = [
        "data:",
        f"  source: {_scalar(draft.source)}",
        *([f"  query: {_scalar(draft.values['data.query'])}"] if "data.query" in draft.values else []),
        f"  target: {_scalar(draft.target)}",
    ]
    hints = {
        "positive": "the class of interest",
        "id": "names a row, never a feature",
        "time": "orders the rows; makes the split time-ordered",
        "group": "rows that belong together: a patient, a household",
        "weight": "how much a row counts in training, never a feature",
    }
    for key, hint in hints.items():
        dotted = f"data.{key}"
        lines += [f"  {line}" for line in _reason(draft, dotted, "")]
        if dotted in draft.values:
            lines.append(f"  {key}: {_scalar(draft.values[dotted])}  # {hint}")
        else:
            lines.append(f"  # {key}:   # {hint}")
    lines += _excluded(draft)
    lines += [
        "  # How, by whom and over which period the data were collected; shown on the model card.",
        '  collection: ""',
        "  known_biases: []",
        "",
    ]
    return lines


def _excluded(draft: ProblemDraft) -> list[str]:
    """The excluded columns, each with its reason."""
    excluded: Mapping[str, str] = draft.values.get("data.exclude", {})
    if not excluded:
        return [
            "  # Columns that must not be used, each with its reason (known too late, forbidden, a leak):",
            "  exclude: {}",
        ]
    lines = ["  # Columns that must not be used, each with its reason:", "  exclude:"]
    return lines + [f"    {_scalar(column)}: {_scalar(reason)}" for column, reason in excluded.items()]


def _choices(draft: ProblemDraft) -> list[str]:
    metric = default_metric(draft.task)
    segments = draft.values.get("segments", ())
    protected = draft.values.get("protected", ())
    return [
        "# Rows are divided before anything looks at them; the test part is sealed and its openings are counted.",
        *_reason(draft, "split.strategy", ""),
        "split:",
        "  strategy: auto",
        "  train: 0.7",
        "  validation: 0.15",
        "  test: 0.15",
        "",
        "metrics:",
        f"  primary: {metric}   # the usual choice for {draft.task}; all other metrics are reported too",
        f"  guardrails: {{}}     # bounds that others must keep, such as: {{{metric}: {_example_bound(draft.task)}}}",
        "",
        *_reason(draft, "segments", ""),
        f"segments: {_sequence(segments)}   # performance is reported for each value of these columns",
        *_reason(draft, "protected", ""),
        f"protected: {_sequence(protected)}   # watched for fairness",
        "",
        *_COSTS[draft.task],
    ]


def _example_bound(task: Task) -> str:
    return '"<= 100"' if task is Task.REGRESSION else '">= 0.80"'


def _reason(draft: ProblemDraft, key: str, fallback: str) -> list[str]:
    """The comment that says why ``key`` was chosen."""
    reason = draft.because.get(key, fallback)
    return [f"# {reason[0].upper()}{reason[1:]}"] if reason else []


def _scalar(value: Any) -> str:
    """A YAML scalar; quoted whenever plain text could be read as something else."""
    if isinstance(value, str):
        plain = value.isascii() and value.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum()
        looks_typed = (
            value.lower() in {"yes", "no", "true", "false", "on", "off", "null", "y", "n"} or not value[0].isalpha()
        )
        return value if plain and not looks_typed else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _sequence(values: Any) -> str:
    return f"[{', '.join(_scalar(value) for value in values)}]"


_COSTS: Mapping[Task, list[str]] = {
    Task.BINARY: [
        "# What a decision is worth, in money per case: positive earns, negative costs. Sets the threshold.",
        "costs:",
        "  currency: EUR",
        "  # volume_per_year: 100000",
        "  # true_positive: 80      # acting on a real positive",
        "  # false_positive: -20    # acting on a negative",
        "  # false_negative: -150   # missing a positive",
        "  # true_negative: 0",
        "",
    ],
    Task.MULTICLASS: [
        "# What a wrong class costs, in money per case (negative).",
        "costs:",
        "  currency: EUR",
        "  # volume_per_year: 100000",
        "  # per_error: -10",
        "",
    ],
    Task.REGRESSION: [
        "# What one unit of absolute error costs, in money per case (negative).",
        "costs:",
        "  currency: EUR",
        "  # volume_per_year: 100000",
        "  # per_unit_error: -1.5",
        "",
    ],
}

_TAIL = [
    "# What decides today: a column, an SQL rule over the columns, or one constant answer.",
    "existing_system: {}",
    "#   rule: \"tenure < 12 AND Contract = 'Month-to-month'\"",
    "",
    "# Limits that hold at selection and at deployment.",
    "constraints: {}",
    "#   latency_p99_ms: 10",
    "#   model_size_mb: 50",
    "#   training_minutes: 10",
    "",
    "# No model goes into production without an owner.",
    'owner: ""',
    'contact: ""',
    "escalation: []",
    "",
    "policy:",
    "  tier: low          # what is at stake: low, medium or high; more is asked of a version above low",
    "  two_person: true   # nobody approves their own model",
    "",
    "monitoring:",
    "  window: day",
    "  performance_drop: 0.05   # alarm when the primary metric falls by more than this share",
    "",
    "retraining:",
    "  min_new_rows: 200",
    "  confidence: 0.95   # of the paired test against the champion",
    "",
    "features:",
    "  selection: auto   # columns that may stay: auto, none, or a number",
    "  # columns: {age: bins}   # numbers, in another way than by rule: quantile, spline, bins, log, minmax ...",
    "",
    "training:",
    "  seed: 0",
    "  folds: auto",
    "  families: auto              # linear, shallow_tree, random_forest, lightgbm, xgboost; with a budget many more",
    "  tuning_rounds: 8",
    "",
    "tracking:",
    "  backend: local   # or mlflow",
]

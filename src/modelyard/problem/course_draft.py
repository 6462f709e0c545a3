"""The first project file of a forecast, a search for anomalies or for clusters."""

from collections.abc import Mapping
from typing import Any

import yaml

from modelyard.problem.task import Task

__all__ = ["write_course_draft"]


def write_course_draft(name: str, task: Task, data: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The project file's text for a task with a course of its own; what was inferred stands beside what may be set.

    Parameters
    ----------
    name
        Of the model.
    task
        One that is not supervised.
    data
        The keys of ``data`` that are known.
    plan
        The keys of the task's own section that are known.

    >>> text = write_course_draft("shop", Task.CLUSTERING, {"source": "shop.csv"}, {"most": 6})
    >>> "task: clustering" in text, "most: 6" in text
    (True, True)
    """
    section, hints = _SECTIONS[task]
    lines = [
        f"# {name}: the one file that says what is asked of this model.",
        "# 'modelyard explain config' shows all effective values, also of the keys that do not stand here.",
        "# yaml-language-server: $schema=.modelyard/schema.json",
        "schema_version: 1",
        f"name: {name}",
        "",
        "# The business objective in one sentence: who decides what, with which benefit?",
        'objective: ""',
        f"task: {task.value}",
        "",
        _block("data", data),
        f"# {hints[0]}",
        _block(section, plan),
        *(f"# {hint}" for hint in hints[1:]),
        "",
        'owner: ""',
        'contact: ""',
        "",
        "training:",
        "  seed: 0",
    ]
    return "\n".join(lines) + "\n"


def _block(key: str, values: Mapping[str, Any]) -> str:
    """A mapping as YAML, in the order given."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return yaml.safe_dump({key: plain}, sort_keys=False, allow_unicode=True)


_SECTIONS: Mapping[Task, tuple[str, tuple[str, ...]]] = {
    Task.FORECASTING: (
        "forecast",
        (
            "How far ahead (in steps), how long a step is, and which columns name a series:",
            "Also: seasons, fill (of gaps), windows (of the backtest), test_windows (sealed), coverage, methods.",
        ),
    ),
    Task.ANOMALY: (
        "anomaly",
        (
            "The share of rows that may be called anomalies is stated, never estimated. Labels, if any, are data.target.",
            "Also: detectors, top (how many are listed with reasons).",
        ),
    ),
    Task.CLUSTERING: (
        "clustering",
        (
            "The largest number of clusters that is tried; that there are none is an answer too.",
            "Also: methods, repeats (resamples by which stability is measured).",
        ),
    ),
}

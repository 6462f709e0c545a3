"""Prometheus and Grafana: names that exist, labels that are bounded, rules that the real promtool takes and that fire when they must."""

import datetime as dt
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import MonitorReport, monitor
from modelyard.monitoring.exporting import board, monitoring_text, rule_file
from modelyard.monitoring.exporting.exposition import MOST_FEATURES
from modelyard.problem import Problem
from modelyard.serving.rest.metrics import ServingMetrics

MakeLog = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]
SERVING = Path(__file__).parents[3] / "src" / "modelyard" / "serving"
NOW = dt.datetime(2026, 11, 12, tzinfo=dt.UTC)

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing. Run: sudo apt-get install prometheus"
)


@pytest.fixture
def report(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> MonitorReport:
    """Eight days, the last two with customers who moved, and labels."""
    log, labels = make_log(8, lambda day: {"mean": 1.0 if day >= 6 else 0.0})
    return monitor(profile, log, labels, problem, reference_score=0.78, classes=("No", "Yes"))


def _samples(text: str) -> dict[str, float]:
    """Series to value, as a scraper would read them; every series has its HELP and TYPE before it."""
    known: set[str] = set()
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            known.add(line.split()[2])
        elif not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            assert series.partition("{")[0] in known
            assert series not in found
            found[series] = float(value)
    return found


def test_figures_of_a_run(report: MonitorReport) -> None:
    """Verdict, drift by what moved most, performance with its interval, open alerts, and when it ran."""
    found = _samples(monitoring_text(report, (), waiting=2, at=NOW))
    last = report.judged_windows[-1].end.timestamp()
    drift = {series: value for series, value in found.items() if series.startswith("modelyard_drift_psi{")}
    trails = {trail.feature: trail.results[-1].psi for trail in report.trails}

    assert found['modelyard_monitor_run_timestamp_seconds{model="churn"}'] == NOW.timestamp()
    assert found['modelyard_monitor_last_window_timestamp_seconds{model="churn"}'] == last
    assert found[f'modelyard_monitor_verdict{{model="churn",verdict="{report.verdict.value}"}}'] == 1.0
    assert sum(value for series, value in found.items() if "monitor_verdict" in series) == 1.0
    assert drift['modelyard_drift_psi{model="churn",feature="age"}'] == trails["age"]
    assert list(drift)[:2] == [f'modelyard_drift_psi{{model="churn",feature="{name}"}}' for name in ("score", "age")]
    assert found['modelyard_performance{model="churn",metric="roc_auc"}'] == report.performance[-1].value
    assert found['modelyard_alerts_open{model="churn",severity="error"}'] == 0.0
    assert found['modelyard_alert_messages_waiting{model="churn"}'] == 2.0
    assert found['modelyard_label_coverage_ratio{model="churn"}'] == 1.0


def test_an_empty_log_has_figures_too(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """No window and no metric are no series; that the monitor ran still is one."""
    log, _ = make_log(1)
    empty = monitor(profile, log.clear(), None, problem, reference_score=None)
    found = _samples(monitoring_text(empty, (), waiting=0, at=NOW))

    assert found['modelyard_monitor_verdict{model="churn",verdict="no data"}'] == 1.0
    assert not [series for series in found if "drift" in series or "performance" in series or "last_window" in series]


def test_labels_are_bounded_and_escaped(report: MonitorReport) -> None:
    """However many features a model has, ten and the score are series; a quote in a name breaks no line."""
    import dataclasses

    (score, first, *_) = report.trails
    many = tuple(
        dataclasses.replace(first, feature=name, results=(dataclasses.replace(first.results[-1], feature=name),))
        for name in (f'f"{number}\n' for number in range(300))
    )
    wide = dataclasses.replace(report, trails=(score, *many))
    text = monitoring_text(wide, (), waiting=0, at=NOW)

    assert text.count("modelyard_drift_psi{") == MOST_FEATURES + 1
    assert 'feature="f\\"0\\n"' in text


def test_rules_and_board_name_what_exists(report: MonitorReport, problem: Problem) -> None:
    """Every metric in them is exposed by the server, by the monitor, or recorded by the rules."""
    written = "\n".join(path.read_text(encoding="utf-8") for path in SERVING.rglob("*.py"))
    exposed = set(re.findall(r'"(modelyard_[a-z0-9_]+)"', written)) | set(
        re.findall(r"^# TYPE (\S+)", monitoring_text(report, (), waiting=0, at=NOW), flags=re.MULTILINE)
    )
    rules = yaml.safe_load(rule_file(problem))
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    expressions += [target["expr"] for panel in board(problem)["panels"] for target in panel.get("targets", ())]
    named = {name for text in expressions for name in re.findall(r"\bmodelyard[_:][a-z0-9_:]+", text)}

    assert {name for name in named if ":" in name} <= recorded
    assert {re.sub("_(bucket|count)$", "", name) for name in named if ":" not in name} <= exposed


def test_the_bucket_of_the_limit_exists(problem: Problem) -> None:
    """Latency is judged at a bound that the server's histogram has, written as the server or Prometheus 3 writes it."""
    limited = problem.with_values(constraints={"latency_p99_ms": 700})
    metrics = ServingMetrics()
    metrics.observe("predict", 200, 0.01)
    bounds = re.findall(r'le="([^"]+)"', metrics.render({}, {}))
    (pattern,) = set(re.findall(r'le=~"([^"]+)"', rule_file(limited).replace("\n", " ").replace("\\\\", "\\")))

    assert [bound for bound in bounds if re.fullmatch(pattern, bound)] == ["1"]
    assert re.fullmatch(pattern, "1.0")


def test_the_board_is_what_grafana_reads(problem: Problem) -> None:
    """By structure: ids once, panels side by side without overlap on 24 columns, each with a query, a unit and a source."""
    made = board(problem)
    panels = made["panels"]
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert json.loads(json.dumps(made)) == made
    assert 8 <= len(made["uid"]) <= 40
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert {panel["type"] for panel in panels} == {"row", "stat", "timeseries"}
    for panel in panels:
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    assert [variable["name"] for variable in made["templating"]["list"]] == ["source"]


def _promtool(*arguments: str | Path) -> str:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_promtool_takes_rules_queries_and_figures(report: MonitorReport, problem: Problem, tmp_path: Path) -> None:
    """The rule file, every query of the board, and the text of the figures; a name with a quote breaks nothing."""
    named = problem.with_values(owner='Ann "the owner"', alerts={"runbooks": "https://wiki.example.org/churn"})
    (tmp_path / "rules.yml").write_text(rule_file(named), encoding="utf-8")
    queries = [target["expr"] for panel in board(named)["panels"] for target in panel.get("targets", ())]
    asked = [{"record": f"board:query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "board.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "board", "rules": asked}]}), encoding="utf-8"
    )

    assert "SUCCESS" in _promtool("check", "rules", tmp_path / "rules.yml", tmp_path / "board.yml")
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=monitoring_text(report, (), waiting=0, at=NOW),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def _series(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f'{name}{{job="yard",instance="a:1"{"," if labels else ""}{labels}}}', "values": values}


def _scrapes(*, failing: str = "0", slow: int = 0, other: int = 0) -> list[dict[str, str]]:
    """Four hours of a server that answers 60 requests a minute; ``failing`` of them a minute end in a 500."""
    info = _series("modelyard_model_info", 'model="churn",version="1",digest="d"', "1x240")
    second = _series("modelyard_model_info", 'model="other",version="1",digest="e"', "1x240")
    second["series"] = second["series"].replace("a:1", "b:1")
    neighbour = _series("modelyard_requests_total", 'route="predict",status="500"', f"0+{other}x240")
    neighbour["series"] = neighbour["series"].replace("a:1", "b:1")
    found = [
        info,
        second,
        neighbour,
        _series("modelyard_requests_total", 'route="predict",status="200"', "0+60x240"),
        _series("modelyard_request_duration_seconds_bucket", 'route="predict",le="0.25"', f"0+{60 - slow}x240"),
        _series("modelyard_request_duration_seconds_bucket", 'route="predict",le="+Inf"', "0+60x240"),
        _series("modelyard_request_duration_seconds_count", 'route="predict"', "0+60x240"),
        _series("modelyard_ready", "", "1x240"),
    ]
    if failing != "0":
        found.append(_series("modelyard_requests_total", 'route="predict",status="500"', failing))
    return found


def _monitored(run: str, *, open_alerts: str = "0x240") -> list[dict[str, str]]:
    """Figures of the textfile collector."""
    return [
        _series("modelyard_monitor_run_timestamp_seconds", 'model="churn"', run),
        _series("modelyard_alerts_open", 'model="churn",severity="error"', open_alerts),
        _series("modelyard_alert_messages_waiting", 'model="churn"', "0x240"),
    ]


def _case(rules: Any, series: list[dict[str, str]], at: str, firing: set[str]) -> dict[str, Any]:
    """One test of ``promtool test rules``: at a moment exactly these alerts fire, with the labels and words of the rules."""
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": at,
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing) if name in alerts
                ],
            }
        ],
    }


@pytest.mark.slow
@needs_promtool
def test_rules_fire_when_they_must_and_not_before(problem: Problem, tmp_path: Path) -> None:
    """A quiet server and a monitor that runs: silence. A burning budget, a slow server, a stopped monitor: their alerts."""
    text = rule_file(problem.with_values(monitoring={"window": "hour"}))
    rules = yaml.safe_load(text)
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    fresh, stopped = "0+60x240", "0x240"
    burnt = {f"Modelyard{{}}{window}" for window in ("1h", "6h", "1d", "3d")}
    gone = {"ModelyardMonitorStale", "ModelyardServerGone"}
    cases = [
        _case(rules, [*_scrapes(other=30), *_monitored(fresh)], "3h", set()),
        _case(rules, [*_scrapes(failing="0+2x240"), *_monitored(fresh)], "3h", {one.format("Errors") for one in burnt}),
        _case(rules, [*_scrapes(slow=20), *_monitored(fresh)], "3h", {one.format("Slow") for one in burnt}),
        _case(rules, [*_scrapes(), *_monitored(fresh, open_alerts="1x240")], "1h", {"ModelyardAlertsOpenError"}),
        # Ten bad minutes that are over call nobody at night; the budget that they cost is for the morning.
        _case(
            rules,
            [*_scrapes(failing="0x59 0+30x9 270x170"), *_monitored(fresh)],
            "2h",
            {"ModelyardErrors1d", "ModelyardErrors3d"},
        ),
        _case(rules, [*_scrapes(), *_monitored(stopped)], "4h", {"ModelyardMonitorStale"}),
        _case(rules, [], "1h", gone),
    ]
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "5m", "tests": cases}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests, sort_keys=False), encoding="utf-8")

    assert "SUCCESS" in _promtool("test", "rules", tmp_path / "tests.yml")


def test_runbooks_stand_behind_every_alert(problem: Problem) -> None:
    """Each alert rule has a severity, an owner, and a kind that has a page."""
    from modelyard.packaging.runbooks import runbook_files

    rules = yaml.safe_load(rule_file(problem.with_values(owner="keller")))
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    pages = runbook_files(problem)

    assert len(alerts) >= 15
    for rule in alerts:
        assert rule["annotations"]["owner"] == "keller"
        assert f"runbooks/{rule['labels']['kind']}.md" in pages
        assert rule["labels"]["severity"] in ("error", "warning")

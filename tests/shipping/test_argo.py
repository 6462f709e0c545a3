"""A Rollout of Argo Rollouts: the project file's steps, and queries of metrics that the server really exposes."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.core import ConfigError
from modelyard.packaging import Package
from modelyard.problem import Problem, Task
from modelyard.rollout import Plan, Strategy, plan_of
from modelyard.rollout.records import AnalysisRule, GuardRule
from modelyard.serving.rest.metrics import ServingMetrics
from modelyard.shipping import Deployed, export_manifests
from modelyard.shipping.kubernetes import manifests
from modelyard.shipping.kubernetes.analysis import analysis_template
from modelyard.shipping.kubernetes.argo import left_out, rollout_objects

STEPS = [
    {"set_weight": 5},
    {"pause": {"duration": "10m"}},
    {"analysis": "guard"},
    {"pause": {}},
    {"analysis": "late_look"},
    {"set_weight": 100},
]
METRICS = [
    {"name": "latency_p99_ms", "threshold_range": {"max": 50}, "failure_limit": 2},
    {"name": "golden_rows", "threshold_range": {"max": 1}, "dry_run": True},
]
DEPLOY = {
    "strategy": {"canary": {"steps": STEPS}, "shadow": {"percent": 50}},
    "sticky": {"key": "customer"},
    "analysis": {
        "guard": {"interval": "1m", "count": 3, "min_samples": 100, "inconclusive_limit": 60, "metrics": METRICS},
        "late_look": {"interval": "2m", "count": 5},
        "unused": {},
    },
}
CONDITION = re.compile(r"len\(result\) > 0 && !isNaN\(result\[0\]\) && !?\(?result\[0\] <= [\d.]+\)?")


@pytest.fixture
def deployed(package: Package) -> Deployed:
    """The package under the image's usual name."""
    return Deployed(package, "registry.example.org/telco-churn:1")


@pytest.fixture
def plan() -> Plan:
    """The canary of a project file that says much."""
    data = {"source": "churn.csv", "target": "Churn"}
    problem = Problem.model_validate({"name": "telco_churn", "data": data, "deploy": DEPLOY})
    return plan_of(problem, Strategy.CANARY, task=Task.BINARY)


@pytest.fixture
def objects(deployed: Deployed, plan: Plan) -> dict[str, dict[str, Any]]:
    """The objects by kind and name."""
    return {f"{thing['kind']} {thing['metadata']['name']}": thing for thing in rollout_objects(deployed, plan)}


def test_the_steps_are_those_of_the_project_file(deployed: Deployed, objects: dict[str, dict[str, Any]]) -> None:
    """Shares, pauses with and without an end, and analyses, in order, of this package's digest; and nothing else."""
    spec = objects["Rollout telco-churn"]["spec"]
    canary = spec["strategy"]["canary"]
    args = [{"name": "digest", "value": deployed.package.manifest.digest}]

    assert objects["Rollout telco-churn"]["apiVersion"] == "argoproj.io/v1alpha1"
    assert canary["steps"] == [
        {"setWeight": 5},
        {"pause": {"duration": "600s"}},
        {"analysis": {"templates": [{"templateName": "telco-churn-guard"}], "args": args}},
        {"pause": {}},
        {"analysis": {"templates": [{"templateName": "telco-churn-late-look"}], "args": args}},
        {"setWeight": 100},
    ]
    assert canary["analysis"] == {
        "startingStep": 1,
        "templates": [{"templateName": "telco-churn-always"}],
        "args": args,
    }
    assert (canary["maxUnavailable"], canary["maxSurge"]) == (0, 1)
    assert spec.keys() == {"selector", "strategy", "template"}


def test_pods_service_and_autoscaler_are_those_of_a_deployment(
    deployed: Deployed, objects: dict[str, dict[str, Any]]
) -> None:
    """The same pod; the autoscaler leads to the Rollout, and every template that is named is there."""
    deployment, service, _, budget = manifests(deployed)
    rollout = objects["Rollout telco-churn"]
    scaled = objects["HorizontalPodAutoscaler telco-churn"]["spec"]["scaleTargetRef"]

    assert rollout["spec"]["template"] == deployment["spec"]["template"]
    assert rollout["spec"]["selector"] == deployment["spec"]["selector"]
    assert [objects["Service telco-churn"], objects["PodDisruptionBudget telco-churn"]] == [service, budget]
    assert scaled == {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "telco-churn"}
    assert [name for name in objects if name.startswith("AnalysisTemplate")] == [
        "AnalysisTemplate telco-churn-guard",
        "AnalysisTemplate telco-churn-always",
        "AnalysisTemplate telco-churn-late-look",
    ]


def test_guards_become_looks(objects: dict[str, dict[str, Any]]) -> None:
    """Limits, numbers of looks and bounds are those of the project file; too few requests are neither good nor bad."""
    looked = objects["AnalysisTemplate telco-churn-guard"]["spec"]
    always = objects["AnalysisTemplate telco-churn-always"]["spec"]
    by_name = {metric["name"]: metric for metric in looked["metrics"]}
    latency = by_name["latency_p99_ms"]

    assert list(by_name) == ["latency_p99_ms", "golden_rows", "error_rate"]
    assert looked["dryRun"] == [{"metricName": "golden_rows"}]
    assert (latency["interval"], latency["count"]) == ("60s", 3)
    assert (latency["failureLimit"], latency["inconclusiveLimit"]) == (2, 60)
    assert latency["successCondition"] == "len(result) > 0 && !isNaN(result[0]) && result[0] <= 50"
    assert latency["failureCondition"] == "len(result) > 0 && !isNaN(result[0]) && !(result[0] <= 50)"
    assert latency["provider"]["prometheus"]["query"].endswith(">= 100")
    assert all("count" not in metric for metric in always["metrics"])
    assert {argument["name"] for argument in looked["args"]} == {"digest", "prometheus"}


def test_bounds_on_both_sides_are_one_condition(deployed: Deployed) -> None:
    """Failure is what success is not, where there is a figure at all."""
    rule = AnalysisRule("guard", 60, 3, 1, (GuardRule("error_rate", low=0.1, high=0.2),))
    (metric,) = analysis_template(deployed, rule)["metrics"]

    assert metric["successCondition"].endswith("&& result[0] >= 0.1 && result[0] <= 0.2")
    assert metric["failureCondition"].endswith("&& !(result[0] >= 0.1 && result[0] <= 0.2)")


def test_queries_ask_for_metrics_that_exist(objects: dict[str, dict[str, Any]], deployed: Deployed) -> None:
    """Every name in a query is one that the server exposes, and every placeholder an argument of the template."""
    metrics = ServingMetrics()
    metrics.observe("predict", 200, 0.01)
    gauges = {"modelyard_parity_max_abs_difference": ("", 0.0)}
    exposed = metrics.render(gauges, {"model": "churn", "version": "1", "digest": "d"})
    for name, thing in objects.items():
        if not name.startswith("AnalysisTemplate"):
            continue
        arguments = {argument["name"] for argument in thing["spec"]["args"]}
        for metric in thing["spec"]["metrics"]:
            asked = metric["provider"]["prometheus"]

            assert set(re.findall(r"modelyard_\w+", asked["query"])) <= set(re.findall(r"modelyard_\w+", exposed))
            assert set(re.findall(r"\{\{args\.(\w+)\}\}", str(asked))) == arguments
            assert CONDITION.fullmatch(metric["successCondition"])
            assert CONDITION.fullmatch(metric["failureCondition"])
    golden = objects["AnalysisTemplate telco-churn-late-look"]["spec"]["metrics"][-1]
    assert golden["name"] == "golden_rows"
    assert golden["provider"]["prometheus"]["query"].endswith(f"/ {1e-9:g}")


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing. Run: sudo apt-get install prometheus"
)
def test_queries_tell_one_version_from_another(objects: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """The real PromQL: of two pods, that of the digest is looked at; too few requests give nothing at all."""
    metrics = objects["AnalysisTemplate telco-churn-guard"]["spec"]["metrics"]
    asked = {metric["name"]: metric["provider"]["prometheus"]["query"] for metric in metrics}
    latency, golden, errors = (asked[name] for name in ("latency_p99_ms", "golden_rows", "error_rate"))
    expected = {
        f"abs({_of(errors, 'new')} - 1 / 11) < bool 1e-9": 1,
        f"abs({_of(errors, 'old')} - 0.5) < bool 1e-9": 1,
        f"abs({_of(latency, 'new')} - 9.9) < bool 1e-9": 1,
        f"abs({_of(golden, 'new')} - 0.25) < bool 1e-9": 1,
        _of(errors, "idle"): None,
        _of(errors, "nobody"): None,
    }
    looks = [
        {"expr": query, "eval_time": "10m", "exp_samples": [] if value is None else [{"labels": "{}", "value": value}]}
        for query, value in expected.items()
    ]
    series = [
        *_pod("new", good=10, bad=1, gap=2.5e-10),
        *_pod("old", good=5, bad=5, gap=9.0),
        *_pod("idle", good=1, bad=0),
    ]
    content = {"tests": [{"interval": "15s", "input_series": series, "promql_expr_test": looks}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(content))
    words = ["promtool", "test", "rules", str(tmp_path / "test.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert "SUCCESS" in done.stdout, done.stderr + done.stdout


def _of(query: str, digest: str) -> str:
    return f"({query.replace('{{args.digest}}', digest)})"


def _pod(digest: str, *, good: int, bad: int, gap: float = 0.0) -> list[dict[str, str]]:
    """What one pod exposes in ten minutes: so many requests in 15 seconds, all of them answered within 10 ms."""
    pod = f'job="churn",instance="{digest}"'
    asked = f'{pod},route="predict"'
    known = {
        f'modelyard_model_info{{{pod},model="churn",version="1",digest="{digest}"}}': "1x40",
        f'modelyard_requests_total{{{asked},status="200"}}': f"0+{good}x40",
        f'modelyard_request_duration_seconds_bucket{{{asked},le="0.01"}}': f"0+{good + bad}x40",
        f'modelyard_request_duration_seconds_bucket{{{asked},le="+Inf"}}': f"0+{good + bad}x40",
        f"modelyard_parity_max_abs_difference{{{pod}}}": f"{gap}x40",
    }
    if bad:
        known[f'modelyard_requests_total{{{asked},status="500"}}'] = f"0+{bad}x40"
    return [{"series": name, "values": values} for name, values in known.items()]


def test_the_file_says_what_is_not_in_it(deployed: Deployed, plan: Plan, tmp_path: Path) -> None:
    """The head names guards that pods have no figure for, the shadow, and the key; the rest reads back."""
    path = tmp_path / "argo.yaml"
    kinds = export_manifests(deployed, "argo", path, plan)
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]

    assert kinds == [
        *("Rollout", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"),
        *["AnalysisTemplate"] * 3,
    ]
    assert list(yaml.safe_load_all(path.read_text())) == rollout_objects(deployed, plan)
    assert left_out(plan) == (
        "the step in shadow",
        "one version for each customer",
        "invalid_rate",
        "prediction_psi",
        "latency_p99_ms against the baseline",
    )
    assert "the step in shadow, one version for each customer, invalid_rate" in head[-1]


def test_what_cannot_be_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    """No steps without a project file, and no analysis that would look at nothing."""
    rule = AnalysisRule("late", 60, 3, 1, (GuardRule("money", alpha=0.05), GuardRule("error_rate")))
    with pytest.raises(ConfigError, match="needs the steps of a project file"):
        export_manifests(deployed, "argo", tmp_path / "file")
    with pytest.raises(ConfigError, match=r"looks at nothing that pods tell Prometheus.*got money, error_rate"):
        analysis_template(deployed, rule)
    assert not (tmp_path / "file").exists()

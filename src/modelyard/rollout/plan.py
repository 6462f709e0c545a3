"""From the project file to a plan: steps in order, and the guards that are at work."""

from collections.abc import Sequence

from modelyard.core import ConfigError
from modelyard.problem import Task
from modelyard.problem.duration import seconds_of
from modelyard.problem.schema import Problem
from modelyard.problem.sections.deploy import Analysis, CanaryStep, DeployPlan, Guard, Pause, ShadowPlan
from modelyard.rollout.records import GOLDEN, AnalysisRule, GuardRule, Plan, Step, StepKind, Strategy

__all__ = ["label_metric", "plan_of"]

_PAUSE = "10m"


def plan_of(problem: Problem, strategy: Strategy, *, task: Task) -> Plan:
    """What a rollout by ``strategy`` follows; ``task`` is the package's, since the project file may say ``auto``.

    Raises
    ------
    ConfigError
        If a figure is not defined for the task, or is in money without costs.
    """
    deploy = problem.deploy
    for name, analysis in deploy.analysis.items():
        for guard in analysis.metrics:
            _require_defined(guard.name, problem, task, f"deploy.analysis.{name}")
    steps: list[Step] = []
    if strategy is Strategy.AB:
        ab = deploy.strategy.ab
        steps = [Step(StepKind.COMPARE, ab.weight, seconds_of(ab.duration), analysis="ab")]
    else:
        shadow = deploy.strategy.shadow
        if strategy is Strategy.SHADOW or shadow is not None:
            steps.append(_shadow_step(shadow or ShadowPlan()))
        if strategy is Strategy.SHADOW:
            steps.append(Step(StepKind.PAUSE))
        steps += map(_step, deploy.strategy.canary.steps or _default_steps(problem.policy.canary_steps))
    analyses = [_analysis(name, analysis) for name, analysis in deploy.analysis.items()]
    if strategy is Strategy.AB:
        analyses.append(_comparison(problem, deploy, task))
    has_baseline = strategy is Strategy.AB or deploy.strategy.canary.baseline
    return Plan(strategy, tuple(steps), tuple(analyses), deploy.sticky.key, has_baseline)


def _default_steps(weights: Sequence[int]) -> tuple[CanaryStep, ...]:
    """The policy's shares, each below 100 with a pause and the analysis."""
    steps: list[CanaryStep] = []
    for weight in weights:
        steps.append(CanaryStep(set_weight=weight))
        if weight < 100:
            steps += [CanaryStep(pause=Pause(duration=_PAUSE)), CanaryStep(analysis="guard")]
    return tuple(steps)


def _shadow_step(shadow: ShadowPlan) -> Step:
    return Step(StepKind.SHADOW, shadow.percent, seconds_of(shadow.duration), shadow.min_samples)


def _step(declared: CanaryStep) -> Step:
    if declared.set_weight is not None:
        return Step(StepKind.WEIGHT, declared.set_weight)
    if declared.pause is not None:
        duration = declared.pause.duration
        return Step(StepKind.PAUSE, duration_s=None if duration is None else seconds_of(duration))
    return Step(StepKind.ANALYSIS, analysis=declared.analysis or "guard")


def _analysis(name: str, declared: Analysis) -> AnalysisRule:
    rules = tuple(_rule(guard, declared.min_samples) for guard in declared.guards)
    interval_s = seconds_of(declared.interval)
    return AnalysisRule(name, interval_s, declared.count, declared.inconclusive_limit, rules)


def _rule(guard: Guard, min_samples: int) -> GuardRule:
    bounds = guard.threshold_range
    return GuardRule(
        guard.name,
        None if bounds is None else bounds.min,
        None if bounds is None else bounds.max,
        guard.max_relative_change,
        1 if guard.name == GOLDEN else min_samples,
        guard.failure_limit,
        guard.dry_run,
        guard.alpha if guard.needs_labels else None,
    )


def _comparison(problem: Problem, deploy: DeployPlan, task: Task) -> AnalysisRule:
    """The guards that are always at work, and the figure that says which of the two is better."""
    ab, guard = deploy.strategy.ab, deploy.analysis["guard"]
    base = _analysis("ab", guard)
    metric = label_metric(problem, task)
    _require_defined(metric, problem, task, "deploy.strategy.ab.metric")
    rule = GuardRule(metric, min_samples=ab.min_samples, alpha=ab.alpha)
    guards = (rule, *(item for item in base.guards if item.name != metric))
    return AnalysisRule("ab", base.interval_s, base.count, base.inconclusive_limit, guards)


def label_metric(problem: Problem, task: Task) -> str:
    """The figure that says which of two versions is better, once labels come: that of the A/B plan."""
    named: str = problem.deploy.strategy.ab.metric
    if named != "auto":
        return named
    return "money" if _is_priced(problem, task) else "absolute_error" if task is Task.REGRESSION else "accuracy"


def _require_defined(metric: str, problem: Problem, task: Task, where: str) -> None:
    """Let a figure pass that can be measured for this model."""
    if metric == "money" and not _is_priced(problem, task):
        raise ConfigError("money needs prices", where=where, got="no costs for this task", cure="Fill in 'costs'")
    tasks = {"accuracy": (Task.BINARY, Task.MULTICLASS), "brier": (Task.BINARY,), "absolute_error": (Task.REGRESSION,)}
    if task not in tasks.get(metric, (task,)):
        fitting = ", ".join(name for name, items in tasks.items() if task in items)
        raise ConfigError(
            f"{metric} is not defined for {task}", where=where, got=metric, cure=f"Choose from: money, {fitting}"
        )


def _is_priced(problem: Problem, task: Task) -> bool:
    """True if the project file says what decisions of this task are worth."""
    costs = problem.costs
    if task is Task.REGRESSION:
        return costs.per_unit_error is not None
    return costs.per_error is not None or (task is Task.BINARY and costs.has_matrix)

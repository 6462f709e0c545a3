"""Plans of rollouts, from what a project file says."""

from modelyard.problem import Problem, Task
from modelyard.rollout import Plan, Strategy, plan_of

__all__ = ["plan"]


def plan(kind: Strategy = Strategy.CANARY, /, **deploy: object) -> Plan:
    """The plan that a section ``deploy`` asks for, or the default one."""
    problem = Problem.model_validate({"data": {"source": "t.csv", "target": "y"}, "deploy": deploy})
    return plan_of(problem, kind, task=Task.BINARY)

"""A project's rollouts as one person steers them: begin, look, resume, abort, promote."""

from modelyard.core import Actor, ConfigError
from modelyard.governance.records import Deployment
from modelyard.governance.registry import Registry
from modelyard.governance.roles import require_permission
from modelyard.governance.rollout_log import RolloutChange, RolloutView
from modelyard.governance.rollouts import Rollouts
from modelyard.problem import Problem, Task, did_you_mean
from modelyard.rollout import Strategy, plan_of
from modelyard.store import Workspace

__all__ = ["Steering"]


class Steering:
    """What a person may do with rollouts. Servers that run meanwhile follow within a second.

    Parameters
    ----------
    problem
        The project's; its section ``deploy`` becomes the plan.
    workspace
        The project's state.
    actor
        Who steers.
    """

    def __init__(self, problem: Problem, workspace: Workspace, actor: Actor) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor

    def begin(self, version: int, strategy: Strategy | str = Strategy.CANARY) -> RolloutView:
        """Roll out an approved version beside the one in production, on the way that the project file describes.

        Raises
        ------
        ConfigError
            If there is no such strategy, or its figures are not defined for this model.
        ModelyardError
            As :meth:`Rollouts.begin` raises.
        """
        require_permission(self._actor, "promote")
        known = [item.value for item in Strategy]
        if strategy not in known:
            raise ConfigError(
                "there is no such strategy", where="strategy", got=repr(strategy), cure=did_you_mean(strategy, known)
            )
        registry = Registry(self._workspace)
        package = registry.package(registry.version(self._problem.name, version))
        plan = plan_of(self._problem, Strategy(strategy), task=Task(package.read_json("plan.json")["task"]))
        return self._rollouts.begin(version, plan, self._actor, self._problem.policy, self._problem.owner)

    def latest(self) -> tuple[RolloutView, tuple[RolloutChange, ...]] | None:
        """The newest rollout, over or not, with everything that happened to it; None if there never was one."""
        view = self._rollouts.latest()
        return None if view is None else (view, self._rollouts.changes(view.rollout.id))

    def under_way(self) -> str | None:
        """Version, phase and share of the rollout that is not over, in a few words; None if there is none."""
        view = self._rollouts.current()
        return None if view is None else f"version {view.rollout.version}: {view.state.phase}, {view.state.weight} %"

    def taken_back(self) -> frozenset[int]:
        """Versions whose latest rollout was aborted; nobody is told to promote them."""
        return self._rollouts.taken_back()

    def resume(self) -> RolloutView:
        """End a pause; see :meth:`Rollouts.resume`."""
        return self._rollouts.resume(self._actor, self._problem.policy)

    def abort(self, reason: str) -> RolloutView:
        """Take every request from the version; see :meth:`Rollouts.abort`."""
        return self._rollouts.abort(self._actor, reason)

    def promote(self) -> Deployment:
        """Skip the steps that are left; see :meth:`Rollouts.promote`."""
        return self._rollouts.promote(self._actor, self._problem.policy, self._problem.owner)

    @property
    def _rollouts(self) -> Rollouts:
        return Rollouts(self._workspace, self._problem.name)

"""The jobs of a project, in the order in which they are done when all are due."""

from modelyard.core import ConfigError
from modelyard.problem import Problem
from modelyard.problem.sections import SchedulePlan
from modelyard.schedule.jobs.challenging import retrain
from modelyard.schedule.jobs.job import Job
from modelyard.schedule.jobs.keeping import checkpoint, tidy
from modelyard.schedule.jobs.releasing import roll_out
from modelyard.schedule.jobs.scoring import score_job
from modelyard.schedule.jobs.telling import tell
from modelyard.schedule.jobs.watching import monitor, review_month, review_week

__all__ = ["jobs_of"]

_OF_TARGETS = frozenset(("rollout", "retrain"))


def jobs_of(problem: Problem) -> tuple[Job, ...]:
    """What somebody waits for comes first, what takes longest last; people are told of what the jobs before them found.

    Anomalies and clusters are neither rolled out in steps nor retrained by themselves, so they have no such jobs.

    Raises
    ------
    ConfigError
        If the project file asks for one of these all the same.
    """
    plan = problem.schedule
    if not problem.task.is_supervised:
        _refuse_what_needs_a_target(problem)
        return tuple(job for job in _jobs(plan) if job.name not in _OF_TARGETS)
    return _jobs(plan)


def _refuse_what_needs_a_target(problem: Problem) -> None:
    """Refuse keys that would be passed over in silence."""
    asked = {"retraining.triggers": problem.retraining.triggers.any, "deploy.automatic": problem.deploy.automatic}
    for key, wanted in asked.items():
        if wanted:
            raise ConfigError(
                "this is for models that learn a target row by row",
                where=key,
                got=f"task: {problem.task}",
                cure="Take it out of the project file; train, package and promote again by hand where it is due",
            )


def _jobs(plan: SchedulePlan) -> tuple[Job, ...]:
    return (
        Job("rollout", plan.rollout, roll_out),
        *(Job(f"score-{work.name}", work.when, score_job(work)) for work in plan.score),
        Job("tidy", plan.tidy, tidy),
        Job("monitor", plan.monitor, monitor),
        Job("alerts", plan.alerts, tell),
        Job("review-weekly", plan.review.weekly, review_week),
        Job("review-monthly", plan.review.monthly, review_month),
        Job("checkpoint", plan.checkpoint, checkpoint),
        Job("retrain", plan.retrain, retrain),
    )

"""The jobs of a project, in the order in which they are done when all are due."""

from modelyard.problem import Problem
from modelyard.schedule.jobs.challenging import retrain
from modelyard.schedule.jobs.job import Job
from modelyard.schedule.jobs.keeping import checkpoint, tidy
from modelyard.schedule.jobs.releasing import roll_out
from modelyard.schedule.jobs.scoring import score_job
from modelyard.schedule.jobs.telling import tell
from modelyard.schedule.jobs.watching import monitor, review_month, review_week

__all__ = ["jobs_of"]


def jobs_of(problem: Problem) -> tuple[Job, ...]:
    """What somebody waits for comes first, what takes longest last; people are told of what the jobs before them found."""
    plan = problem.schedule
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

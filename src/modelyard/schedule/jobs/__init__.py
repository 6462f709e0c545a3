"""The jobs, each a thin call of the room that does the work.

Takes: the project, the moment that is served.
Gives: what was done in one sentence, or None if there was nothing to do.
Never: decides when it is due, or catches what its room raises.
"""

from modelyard.schedule.jobs.all_jobs import jobs_of
from modelyard.schedule.jobs.job import SCHEDULER, Job, Yard, zone_of

__all__ = ["SCHEDULER", "Job", "Yard", "jobs_of", "zone_of"]

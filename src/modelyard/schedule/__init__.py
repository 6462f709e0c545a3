"""The schedule: what is due is done, once, by one process at a time.

Takes: the times in the project file, the clock, and the work of the rooms above.
Gives: ``tick``, which does what is due and says it; ``watch``, a loop around it; files with which others call it.
Never: does anything twice for one moment, makes up a missed moment more than once, or lets a job that fails stop the others.
"""

from modelyard.schedule.records import Done, JobState, Outcome, Ran, Tick
from modelyard.schedule.verbs import Schedule

__all__ = ["Done", "JobState", "Outcome", "Ran", "Schedule", "Tick"]

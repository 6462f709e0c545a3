"""A tick: each job once for each moment, on SQLite and on PostgreSQL; failures wait, are told, and stop nobody."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from tests.schedule.stage import Stage, Work
from tests.shared_store import databases

from modelyard.core import DataError, LockedError, ProgressEvent
from modelyard.governance import AlertDesk, verify_ledger
from modelyard.schedule.jobs import SCHEDULER, Job, Yard, jobs_of
from modelyard.schedule.records import Done, Outcome


@pytest.fixture(scope="module")
def make_database() -> Iterator[Callable[[], str]]:
    """A real PostgreSQL of this module's own."""
    with databases() as make:
        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, make_stage: Callable[..., Stage]) -> Stage:
    """A project whose ledger lies in a database of each kind."""
    if request.param == "sqlite":
        return make_stage()
    return make_stage(request.getfixturevalue("make_database")())


def test_each_job_is_done_once_for_each_moment(shared: Stage) -> None:
    """A length begins at once, a time of day waits; a missed week is made up once; the ledger has what was done."""
    often, daily, idle = Work("1h"), Work("daily 06:30", "daily"), Work("1d", "idle", said=None)
    jobs = [one.job for one in (often, daily, idle)]
    first, again = shared.tick(*jobs), shared.tick(*jobs)
    shared.clock.forward(minutes=30)
    second = shared.tick(*jobs)
    shared.clock.forward(days=7, hours=2)
    late = shared.tick(*jobs)

    assert [(run.job, run.outcome.value, run.missed) for run in first.ran] == [
        ("work", "done", 0),
        ("idle", "nothing to do", 0),
    ]
    assert again.ran == ()
    assert again.next == dt.datetime(2026, 11, 2, 6, 30, tzinfo=dt.UTC)
    assert [run.job for run in second.ran] == ["daily"]
    assert [(run.job, run.missed) for run in late.ran] == [("work", 169), ("daily", 6), ("idle", 6)]
    assert [f"{slot:%m-%d %H:%M}" for slot in daily.slots] == ["11-02 06:30", "11-09 06:30"]
    assert [subject for subject, _ in shared.told("schedule.ran")] == [
        "churn/work",
        "churn/daily",
        "churn/work",
        "churn/daily",
    ]
    assert shared.told("schedule.ran")[-1][1]["missed"] == 6
    assert verify_ledger(shared.ledger).ok


def test_a_job_that_fails_waits_longer_each_time_and_stops_nobody(stage: Stage) -> None:
    """One, two, four minutes; each failure is on record; once it succeeds it begins anew."""
    bad = Work("1d", "bad", fails=DataError("the table is gone", where="new.csv", cure="Bring it back"))
    good = Work("1d", "good")
    tried: list[int] = []
    for minute in range(12):
        ran = {run.job: run for run in stage.tick(bad.job, good.job).ran}
        if "bad" in ran:
            tried.append(minute)
            assert ran["bad"].outcome is Outcome.FAILED
            assert ran["bad"].said == "new.csv: the table is gone. Bring it back."
        stage.clock.forward(minutes=1)
    bad.fails = None
    stage.clock.forward(minutes=10)
    healed = stage.tick(bad.job, good.job)

    assert tried == [0, 1, 3, 7]
    assert len(good.slots) == 1
    assert [details["failures"] for _, details in stage.told("schedule.failed")] == [1, 2, 3, 4]
    assert [(run.job, run.outcome.value) for run in healed.ran] == [("bad", "done")]
    assert stage.ticker([bad.job], stage.lease()).states()[0].failures == 0


def test_whatever_a_job_raises_is_said(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours is a failure like any other; the log has the trace."""
    (run,) = stage.tick(Work("1d", fails=ZeroDivisionError("by zero")).job).ran

    assert (run.outcome, run.said) == (Outcome.FAILED, "ZeroDivisionError: by zero")
    assert "the job failed" in caplog.text


def test_three_failures_are_one_alert_and_it_ends_by_itself(make_stage: Callable[..., Stage]) -> None:
    """The job of alerts, as the project has it, tells of the third failure, and of the end."""
    stage = make_stage(alerts={"sinks": {"file": {"kind": "file", "path": "told.jsonl"}}}, schedule={"alerts": "1m"})
    bad = Work("1d", "bad", fails=DataError("the table is gone"))
    tell = next(job for job in jobs_of(stage.problem) if job.name == "alerts")
    desk = AlertDesk(stage.ledger, "churn", SCHEDULER, clock=stage.clock)
    seen: list[int] = []
    for _ in range(6):
        stage.tick(bad.job, tell)
        seen.append(len(desk.open()))
        stage.clock.forward(minutes=1)
    (alert,) = desk.open()
    bad.fails = None
    stage.clock.forward(minutes=10)
    stage.tick(bad.job, tell)

    assert seen == [0, 0, 0, 1, 1, 1]
    assert (alert.key, alert.kind, alert.severity.value) == ("churn/schedule-failed/bad", "schedule", "error")
    assert alert.message == "The job bad failed 3 times in a row: the table is gone."
    assert desk.open() == ()
    assert [message.body["news"] for message, _ in desk.deliveries()] == ["opened", "resolved"]


def test_one_process_at_a_time(shared: Stage) -> None:
    """A second one is refused in one sentence; a killed one loses the lease by time; who lost it stops, and writes nothing."""
    work = Work("1h")
    killed, other = shared.lease(), shared.lease()
    killed.take()
    with pytest.raises(LockedError, match="another process does what is due for this model; got"):
        other.take()
    shared.clock.forward(seconds=61)
    with other.held():
        done = shared.ticker([work.job], other).tick()
        with pytest.raises(LockedError, match="another process has taken over"):
            shared.ticker([Work("1h", "theirs").job], killed).tick()

    assert [run.outcome for run in done.ran] == [Outcome.DONE]
    assert killed.is_lost
    assert [subject for subject, _ in shared.told("schedule.ran")] == ["churn/work"]


def test_a_clock_that_is_put_back_does_not_lock_for_ever(stage: Stage) -> None:
    """A lease that ends an hour from now cannot be one."""
    stage.lease().take()
    stage.clock.forward(hours=-1)
    stage.lease().take()


def test_a_run_that_killed_its_process_is_one_that_failed(stage: Stage) -> None:
    """Nothing says how it ended; it is tried again after its time, not at once."""

    def die(_yard: Yard, _slot: dt.datetime) -> Done:
        raise SystemExit

    work = Work("1d")
    with pytest.raises(SystemExit):
        stage.tick(Job("work", "1d", die))
    at_once = stage.tick(work.job)
    state = stage.ticker([work.job], stage.lease()).states()[0]
    stage.clock.forward(minutes=1)
    later = stage.tick(work.job)

    assert (at_once.ran, state.failures, state.said) == ((), 1, "it began and did not end")
    assert [(run.outcome.value, run.failures) for run in later.ran] == [("done", 0)]


def test_long_work_is_broken_off_when_the_process_is_to_end(stage: Stage) -> None:
    """It is no failure, nothing after it begins, and the next process goes on with it at once."""
    steps: list[int] = []

    def long(yard: Yard, _slot: dt.datetime) -> Done:
        for step in range(3):
            steps.append(step)
            yard.progress(ProgressEvent("training", step, 3, ""))
        return Done("trained")

    after, lease = Work("1d", "after"), stage.lease()
    with lease.held():
        ended = stage.ticker([Job("long", "1d", long), after.job], lease, stopping=lambda: bool(steps)).tick()
    done = stage.tick(Job("long", "1d", long), after.job)

    assert [(run.job, run.outcome.value, run.failures) for run in ended.ran] == [("long", "broken off", 0)]
    assert [(run.job, run.outcome.value) for run in done.ran] == [("long", "done"), ("after", "done")]
    assert steps == [0, 0, 1, 2]

"""The life of an alert: it opens once, gets worse, is taken, goes up, is over by itself."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError, Finding, NotPermittedError, Severity, StateError
from modelyard.core.actor import Actor, ActorSource
from modelyard.governance import AlertDesk, verify_ledger
from modelyard.monitoring.alerting import Move, Seen, conditions_of, judge
from modelyard.problem import Problem

Fault = Callable[..., Finding]
Tower = Any


def test_nothing_wrong_is_nothing_said(tower: Tower) -> None:
    """Quiet looks leave no alert, no message and no row."""
    for _ in range(3):
        tower.look([])
        tower.clock.forward(days=1)

    assert (tower.desk.all(), tower.told(), tower.workspace.ledger.rows()) == ((), [], ())


def test_twelve_columns_of_one_source_are_one_alert(tower: Tower, make_fault: Fault) -> None:
    """One key, one message, all columns named, the owner and a runbook with it."""
    (alert,) = tower.look([make_fault("null-rate", f"column_{number}") for number in range(12)])
    ((message, _),) = tower.desk.deliveries()

    assert (alert.key, alert.phase.value, len(alert.subjects)) == ("churn/null-rate/data", "open", 12)
    assert tower.told() == ["opened"]
    assert (message.body["owner"], message.body["runbook"]) == ("keller", "runbooks/quality.md")
    assert alert.title == "null rate: column_0, column_1, column_2 and 9 more"


def test_the_same_look_twice_says_nothing_new(tower: Tower, make_fault: Fault) -> None:
    """A monitor that runs again, or each minute, opens nothing and tells nobody."""
    faults = [make_fault("null-rate", "age")]
    tower.look(faults)
    rows = len(tower.workspace.ledger.rows())
    for _ in range(5):
        tower.look(faults)
        tower.clock.forward(minutes=1)

    assert tower.told() == ["opened"]
    assert len(tower.workspace.ledger.rows()) == rows


def test_it_ends_by_itself(tower: Tower, make_fault: Fault) -> None:
    """A quiet look resolves it, and says so; another look says no more."""
    tower.look([make_fault("null-rate", "age")])
    tower.clock.forward(days=2)
    (ended,) = tower.look([])
    tower.look([])

    assert (ended.phase.value, ended.ended_at) == ("resolved", tower.clock.now)
    assert tower.told() == ["opened", "resolved"]
    assert tower.desk.open() == ()


def test_what_could_not_be_judged_has_not_ended(tower: Tower, make_fault: Fault) -> None:
    """Without labels a loss stays open; without rows so does everything."""
    tower.look([make_fault("performance-drop", "roc_auc"), make_fault("drift", "age")])
    tower.clock.forward(days=1)
    tower.look([], judged=frozenset({"drift", "quality"}))

    assert [alert.key for alert in tower.desk.open()] == ["churn/performance-drop/model"]

    tower.look([], judged=frozenset())

    assert len(tower.desk.open()) == 1


def test_worse_is_said_at_once_and_is_open_again(tower: Tower, make_fault: Fault) -> None:
    """A warning that becomes an error is told within the cooldown, though somebody had taken it."""
    tower.problem = _with_rule(tower.problem, "latency", severity="warning")
    tower.look([make_fault("latency", "p99", Severity.WARNING)])
    taken = tower.desk.acknowledge(tower.desk.open()[0].id, "looking")
    tower.clock.forward(hours=1)
    (alert,) = tower.look([make_fault("latency", "p99")])

    assert (taken.phase.value, taken.taken_by) == ("acknowledged", "ada")
    assert (alert.phase.value, alert.taken_by, tower.told()) == ("open", "", ["opened", "worsened"])


def test_more_columns_are_told_after_the_cooldown(tower: Tower, make_fault: Fault) -> None:
    """A wider fault is news, but not every hour; fewer columns are none."""
    tower.problem = _with_rule(tower.problem, "quality", escalate_after=None)
    tower.look([make_fault("null-rate", "age")])
    tower.clock.forward(hours=1)
    tower.look([make_fault("null-rate", "age"), make_fault("null-rate", "income")])

    assert tower.told() == ["opened"]

    tower.clock.forward(hours=24)
    tower.look([make_fault("null-rate", "income")])

    assert tower.told() == ["opened", "changed"]
    assert tower.desk.open()[0].subjects == ("age", "income")


def test_flapping_is_told_once_a_cooldown(tower: Tower, make_fault: Fault) -> None:
    """On and off every two hours: one opening and one end a day, whatever happens between."""
    tower.problem = _with_rule(tower.problem, "quality", escalate_after=None)
    for _ in range(6):
        tower.look([make_fault("null-rate", "age")])
        tower.clock.forward(hours=2)
        tower.look([])
        tower.clock.forward(hours=2)

    assert tower.told() == ["opened", "resolved"]
    assert len(tower.desk.all()) == 6

    tower.clock.forward(hours=2)

    tower.look([make_fault("null-rate", "age")])

    assert tower.told() == ["opened", "resolved", "opened"]


def test_persistence_counts_windows_not_looks(tower: Tower, make_fault: Fault) -> None:
    """Three windows in a row are needed: looking at one of them often is not three; a gap starts anew."""
    tower.problem = _with_rule(tower.problem, "quality", persistence=3)
    faults = [make_fault("frozen-column", "age")]
    for _ in range(4):
        tower.look(faults, window="monday")
    tower.look(faults, window="tuesday")

    assert [alert.phase.value for alert in tower.desk.all()] == ["pending"]

    tower.look([], window="wednesday")
    for window in ("thursday", "friday", "saturday"):
        tower.look(faults, window=window)

    assert [alert.phase.value for alert in tower.desk.all()] == ["withdrawn", "open"]
    assert tower.told() == ["opened"]


def test_nobody_takes_it_so_it_goes_up(tower: Tower, make_fault: Fault) -> None:
    """After a day without acknowledgement, once for each name under escalation; not after it was taken."""
    tower.problem = tower.problem.with_values(escalation=("head of retention", "data office"))
    faults = [make_fault("null-rate", "age")]
    tower.look(faults)
    for _ in range(5):
        tower.clock.forward(hours=23)
        tower.look(faults)

    assert tower.told() == ["opened", "escalated", "escalated"]

    other = [make_fault("frozen-column", "age")]
    tower.look([*faults, *other])
    tower.desk.acknowledge(next(alert.id for alert in tower.desk.open() if alert.signal == "frozen-column"))
    tower.clock.forward(days=3)
    tower.look([*faults, *other])

    assert tower.told()[3:] == ["opened"]


def test_a_silence_has_a_reason_and_an_end(tower: Tower, make_fault: Fault) -> None:
    """Silenced alerts open and are kept; what is still open afterwards is told then."""
    with pytest.raises(ConfigError, match="needs a reason"):
        tower.desk.silence("churn/*", dt.timedelta(days=7), " ")
    with pytest.raises(ConfigError, match="between no time and a year"):
        tower.desk.silence("churn/*", dt.timedelta(days=800), "for good")
    tower.desk.silence("churn/null-rate/*", dt.timedelta(days=7), "the source moves house")
    tower.look([make_fault("null-rate", "age"), make_fault("frozen-column", "age")])

    assert len(tower.desk.open()) == 2
    assert tower.told() == ["opened"]
    assert [one.reason for one in tower.desk.silences()] == ["the source moves house"]

    tower.clock.forward(days=8)
    tower.look([make_fault("null-rate", "age")])

    assert tower.told() == ["opened", "opened", "resolved"]
    assert tower.desk.silences() == ()


def test_a_silence_can_be_ended(tower: Tower, make_fault: Fault) -> None:
    """No time at all ends it; its rows stay."""
    tower.desk.silence("churn/*", dt.timedelta(days=30), "a mistake")
    tower.desk.silence("churn/*", dt.timedelta(0), "it was one")
    tower.look([make_fault("null-rate", "age")])

    assert tower.told() == ["opened"]
    assert len(tower.workspace.ledger.rows(action="alerts.silenced")) == 2


def test_sinks_get_what_they_ask_for(tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """By severity, and a mailbox for escalations alone."""
    sinks = {
        "all": {"kind": "log", "least": "info"},
        "errors": {"kind": "log", "least": "error"},
        "boss": {"kind": "log", "only_escalations": True},
    }
    tower.problem = make_problem(sinks=sinks)
    faults = [make_fault("latency", "p99", Severity.WARNING)]
    tower.look(faults)
    tower.clock.forward(days=2)
    tower.look(faults)
    sent = [(message.body["news"], message.sink) for message, _ in tower.desk.deliveries()]

    assert sorted(sent) == [("escalated", "all"), ("escalated", "boss"), ("opened", "all")]


def test_people_say_whether_it_was_of_use(tower: Tower, make_fault: Fault) -> None:
    """After it opened, by the end of its id; the ledger has it."""
    tower.look([make_fault("null-rate", "age")])
    alert = tower.desk.open()[0]
    rated = tower.desk.rate(alert.id[-6:], useful=False, reason="a planned migration")

    assert rated.useful is False
    assert tower.workspace.ledger.rows(action="alert.rated")[0].details["details"] == {"useful": False}
    with pytest.raises(StateError, match="no such alert"):
        tower.desk.rate("nothing", useful=True)
    with pytest.raises(StateError, match="waits for nobody"):
        tower.desk.acknowledge(tower.desk.acknowledge(alert.id).id)


def test_a_viewer_only_looks(tower: Tower, make_fault: Fault) -> None:
    """Acknowledging, silencing and rating need a role."""
    tower.look([make_fault("null-rate", "age")])
    viewer = AlertDesk(tower.workspace.ledger, "churn", Actor("eve", ActorSource.OS_USER, ("viewer",)))
    id_ = viewer.open()[0].id
    for act in (
        lambda: viewer.acknowledge(id_),
        lambda: viewer.rate(id_, useful=True),
        lambda: viewer.silence("*", dt.timedelta(days=1), "because"),
    ):
        with pytest.raises(NotPermittedError, match="may not handle alerts"):
            act()


def test_declared_sources_divide_alerts(make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """Named columns and patterns first, event tables by themselves, the rest is the main table's; the score is the model's."""
    problem = make_problem(sources={"crm": ["age", "crm_*"]}).with_values(
        data={
            "source": "x.csv",
            "target": "Churn",
            "prediction_time": "day",
            "events": {"Orders": {"source": "o.csv", "entity": "who", "time": "at"}},
        }
    )
    names = ("age", "crm_segment", "Orders.count_30d", "income", "score")
    found = conditions_of([make_fault("drift", name) for name in names], problem, columns=frozenset(names) - {"score"})

    assert {one.key: one.subjects for one in found} == {
        "churn/drift/crm": ("age", "crm_segment"),
        "churn/drift/orders": ("Orders.count_30d",),
        "churn/drift/data": ("income",),
        "churn/drift/model": ("score",),
    }


def test_rules_let_through_what_they_say(make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """A warning is below the default of drift; off lets nothing through; named keys keep the other defaults."""
    warning = make_fault("drift", "age", Severity.WARNING)

    assert conditions_of([warning], make_problem()) == ()
    assert len(conditions_of([warning], make_problem(rules={"drift": {"severity": "warning"}}))) == 1
    assert conditions_of([make_fault("drift", "age")], make_problem(rules={"drift": {"severity": "off"}})) == ()
    assert make_problem(rules={"drift": {"owner": "ann"}}).alerts.rules["quality"].cooldown == "1d"


LOOKS = st.lists(
    st.tuples(st.sets(st.sampled_from(["null-rate", "frozen-column", "drift"])), st.integers(1, 40)),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(looks=LOOKS)
def test_whatever_happens_the_log_holds(
    looks: list[tuple[set[str], int]], tmp_path_factory: pytest.TempPathFactory, make_tower: Any, make_fault: Fault
) -> None:
    """At most one alert of a key is active; messages come in pairs at most; ledger and tables agree."""
    tower = make_tower(tmp_path_factory.mktemp("log"))
    for signals, hours in looks:
        tower.look([make_fault(signal, "age") for signal in sorted(signals)])
        keys = [alert.key for alert in tower.desk.open()]
        tower.clock.forward(hours=hours)

        assert sorted(keys) == sorted(f"churn/{signal}/data" for signal in signals)
    for alert in tower.desk.all():
        news = [message.body["news"] for message, _ in tower.desk.deliveries() if message.alert == alert.id]

        assert news.count("opened") <= 1
        assert news.count("resolved") <= news.count("opened")

    assert verify_ledger(tower.workspace.ledger).ok


def test_moves_are_pure(make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """The machine needs no store: a condition without an alert opens one."""
    problem = make_problem()
    (condition,) = conditions_of([make_fault("frozen-column", "age")], problem, columns=frozenset({"age"}))
    seen = Seen("churn", ("1",), "monday", (condition,), frozenset({"quality"}))
    (move,) = judge(seen, (), lambda kind: problem.alerts.rules[kind], dt.datetime.now(dt.UTC))

    assert isinstance(move, Move)
    assert (move.change.value, move.alert, move.condition) == ("opened", None, condition)


def _with_rule(problem: Problem, kind: str, **rule: Any) -> Problem:
    """The problem with one rule changed."""
    sinks = {name: sink.model_dump() for name, sink in problem.alerts.sinks.items()}
    return problem.with_values(alerts={"rules": {kind: rule}, "sinks": sinks})

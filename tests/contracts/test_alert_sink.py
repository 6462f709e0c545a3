"""What every sink of alerts must do, whatever it writes to: the duties of ``AlertSink``."""

import contextlib
import dataclasses
import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.receivers import LOGIN, mail_receiver, make_certificate, web_receiver

from modelyard.core import ConfigError, ModelyardError, Severity
from modelyard.monitoring.alerting import Notice
from modelyard.monitoring.alerting.notice import NOTICE_PROTOCOL
from modelyard.monitoring.alerting.sinks import AlertSink, make_sink, verify_signature
from modelyard.problem.sections import SinkPlan
from modelyard.problem.sections.alerts import SINK_KINDS

KEY = "the key of the webhook"
AWKWARD = 'a "quoted" <column>\r\nBcc: eve@example.org & \u202e=cmd|x'

NOTICE = Notice(
    protocol=NOTICE_PROTOCOL,
    id="message-1",
    alert="alert-1",
    key="churn/null-rate/crm",
    news="opened",
    model="churn",
    versions=("3",),
    kind="quality",
    signal="null-rate",
    source="crm",
    severity=Severity.ERROR,
    title="null rate: age",
    subjects=("age", "income"),
    message="`age` is missing in 40 % of the rows.",
    action="Ask the owner of the source.",
    owner="keller",
    contact="keller@example.org",
    escalation=("head of retention",),
    runbook="runbooks/quality.md",
    window="2026-11-21",
    opened_at=dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC),
    at=dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC),
)


@dataclasses.dataclass(frozen=True)
class Case:
    """A sink with a real other side: what arrived as text, and a way to take the other side down."""

    sink: AlertSink
    arrived: Callable[[], list[str]]
    down: Callable[[], AlertSink]


@pytest.fixture
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Case]:
    """Each sink in turn."""
    caplog.set_level(logging.INFO, "modelyard.alerts")
    with contextlib.ExitStack() as stack:
        yield CASES[request.param](tmp_path, monkeypatch, caplog, stack)


def _log(tmp_path: Path, _: Any, caplog: pytest.LogCaptureFixture, __: contextlib.ExitStack) -> Case:
    sink = make_sink(SinkPlan(kind="log"), tmp_path)
    return Case(sink, lambda: [json.dumps(vars(record)["alert"]) for record in caplog.records], lambda: sink)


def _file(tmp_path: Path, *_: Any) -> Case:
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    path = tmp_path / "deep" / "alerts.jsonl"
    sink = make_sink(SinkPlan(kind="file", path="deep/alerts.jsonl"), tmp_path)

    def down() -> AlertSink:
        return make_sink(SinkPlan(kind="file", path="taken/alerts.jsonl"), tmp_path)

    return Case(sink, lambda: path.read_text(encoding="utf-8").splitlines() if path.exists() else [], down)


def _web(kind: str) -> Callable[..., Case]:
    def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _: Any, stack: contextlib.ExitStack) -> Case:
        receiver = stack.enter_context(web_receiver())
        monkeypatch.setenv("HOOK", receiver.url)
        monkeypatch.setenv("HOOK_KEY", KEY)
        secret = "HOOK_KEY" if kind == "webhook" else None
        sink = make_sink(SinkPlan(kind=kind, url="${HOOK}", secret=secret, timeout_s=5), tmp_path)

        def down() -> AlertSink:
            receiver.status = 503
            return sink

        return Case(sink, lambda: [item.body.decode() for item in receiver.posted], down)

    return make


def _smtp(tmp_path: Path, _: Any, __: Any, stack: contextlib.ExitStack) -> Case:
    receiver = stack.enter_context(mail_receiver())
    plan = SinkPlan(
        kind="smtp", host="127.0.0.1", port=receiver.port, tls="none", sender="m@example.org", to=("a@example.org",)
    )

    def down() -> AlertSink:
        receiver.refuses = "451 try again later"
        return make_sink(plan, tmp_path)

    return Case(make_sink(plan, tmp_path), lambda: [mail.as_string() for mail in receiver.mails], down)


CASES: dict[str, Callable[..., Case]] = {
    "log": _log,
    "file": _file,
    "webhook": _web("webhook"),
    "slack": _web("slack"),
    "smtp": _smtp,
}
each_sink = pytest.mark.parametrize("case", sorted(CASES), indirect=True)


def test_every_shipped_sink_is_held_to_its_duties() -> None:
    """None is forgotten here."""
    assert set(CASES) == set(SINK_KINDS)


@each_sink
def test_it_keeps_the_protocol_and_delivers(case: Case) -> None:
    """When ``deliver`` comes back, the other side has the message with its id, model and owner; a second one as well."""
    assert isinstance(case.sink, AlertSink)
    case.sink.deliver(NOTICE)
    case.sink.deliver(dataclasses.replace(NOTICE, id="message-2"))
    first, second = case.arrived()

    assert "message-1" in first
    assert "message-2" in second
    assert "churn" in first
    assert "keller" in first


@each_sink
def test_awkward_text_changes_nothing_but_the_text(case: Case) -> None:
    """Quotes, line breaks, marks and bidirectional signs in a column's name add no header and no mention."""
    case.sink.deliver(dataclasses.replace(NOTICE, title=AWKWARD, subjects=(AWKWARD, "b"), message=AWKWARD))
    (arrived,) = case.arrived()

    assert "\nBcc: eve" not in arrived.partition("\n\n")[0]


@each_sink
def test_what_cannot_be_taken_is_an_error_that_holds_no_secret(request: pytest.FixtureRequest, case: Case) -> None:
    """The other side is down: an error of ours, which trying again may mend, and no key in it."""
    if request.node.callspec.params["case"] == "log":
        return
    with pytest.raises(ModelyardError) as caught:
        case.down().deliver(NOTICE)

    assert not isinstance(caught.value, ConfigError)
    assert KEY not in caught.value.sentence
    assert "/hook" not in caught.value.sentence


def test_a_webhook_is_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows the key can check it; a changed body, another key and an old message are found."""
    monkeypatch.setenv("HOOK_KEY", KEY)
    with web_receiver() as receiver:
        make_sink(SinkPlan(kind="webhook", url=receiver.url, secret="HOOK_KEY"), tmp_path).deliver(NOTICE)
    (got,) = receiver.posted
    timestamp, signature = got.headers["X-Modelyard-Timestamp"], got.headers["X-Modelyard-Signature"]
    now = time.time()

    assert got.headers["X-Modelyard-Delivery"] == "message-1"
    assert Notice.from_dict(json.loads(got.body)) == NOTICE
    assert verify_signature(KEY, timestamp, got.body, signature, now=now)
    assert not verify_signature(KEY, timestamp, got.body + b" ", signature, now=now)
    assert not verify_signature("another", timestamp, got.body, signature, now=now)
    assert not verify_signature(KEY, timestamp, got.body, signature, now=now + 301)
    assert not verify_signature(KEY, "soon", got.body, "sha256=é", now=now)


@pytest.mark.parametrize(
    ("status", "mend_first"), [(302, True), (401, True), (404, True), (408, False), (429, False), (500, False)]
)
def test_a_webhooks_answers(tmp_path: Path, status: int, mend_first: bool) -> None:
    """Some are worth another try, others wait for a person; a redirect is not followed."""
    with web_receiver() as receiver:
        receiver.status = status
        sink = make_sink(SinkPlan(kind="webhook", url=receiver.url), tmp_path)
        with pytest.raises(ModelyardError, match=f"status {status}: thank you") as caught:
            sink.deliver(NOTICE)

    assert isinstance(caught.value, ConfigError) is mend_first
    assert len(receiver.posted) == 1


def test_slack_shows_no_mention_that_data_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks within Slack's limits, and ``<!channel>`` as text."""
    with web_receiver() as receiver:
        monkeypatch.setenv("SLACK_WEBHOOK", receiver.url)
        long = dataclasses.replace(NOTICE, title="<!channel>", subjects=tuple(f"column_{n}" for n in range(900)))
        make_sink(SinkPlan(kind="slack", url="${SLACK_WEBHOOK}"), tmp_path).deliver(long)
    sent = json.loads(receiver.posted[0].body)
    (attachment,) = sent["attachments"]

    assert "&lt;!channel&gt;" in sent["text"]
    assert "<!" not in receiver.posted[0].body.decode()
    assert attachment["color"] == "#c0392b"
    assert max(len(block["text"]["text"]) for block in attachment["blocks"] if "text" in block) <= 3000


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mails_go_over_a_protected_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    """With STARTTLS and TLS, a login from the environment, and one Message-ID; a server that is not known is refused."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("MAIL_PASSWORD", LOGIN[1])
    with mail_receiver(certificate, implicit=tls == "tls") as receiver:
        settings: dict[str, Any] = {
            "kind": "smtp",
            "host": "127.0.0.1",
            "port": receiver.port,
            "tls": tls,
            "user": LOGIN[0],
            "password": "MAIL_PASSWORD",
            "sender": "monitor@example.org",
            "to": ("ann@example.org", "bob@example.org"),
        }
        make_sink(SinkPlan(**settings, ca="receiver.pem"), tmp_path).deliver(NOTICE)
        with pytest.raises(ModelyardError, match=r"(?i)certificate"):
            make_sink(SinkPlan(**settings), tmp_path).deliver(NOTICE)
        monkeypatch.setenv("MAIL_PASSWORD", "wrong pony")
        with pytest.raises(ConfigError) as caught:
            make_sink(SinkPlan(**settings, ca="receiver.pem"), tmp_path).deliver(NOTICE)
    (mail,) = receiver.mails

    assert receiver.recipients == [["ann@example.org", "bob@example.org"]]
    assert (mail["Message-ID"], mail["From"]) == ("<message-1@modelyard>", "monitor@example.org")
    assert mail["Subject"] == "[churn] error: null rate: age (new)"
    assert "Runbook: runbooks/quality.md" in mail.get_content()
    assert "wrong pony" not in caught.value.sentence


def test_a_password_needs_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set is named, not its value."""
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    plan = SinkPlan(
        kind="smtp", host="127.0.0.1", port=9, user="m", password="MAIL_PASSWORD", sender="m@x.org", to=("a@x.org",)
    )
    with pytest.raises(ConfigError, match="MAIL_PASSWORD is not set"):
        make_sink(plan, tmp_path).deliver(NOTICE)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"kind": "webhok", "url": "https://x.org"}, "Did you mean"),
        ({"kind": "webhook"}, "needs 'url'"),
        ({"kind": "webhook", "url": "https://ann:pw@x.org"}, "password"),
        ({"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/x"}, "is a secret"),
        ({"kind": "smtp", "host": "h", "sender": "s", "to": ["a"], "user": "u"}, "given together"),
        (
            {"kind": "smtp", "host": "h", "sender": "s", "to": ["a"], "user": "u", "password": "P", "tls": "none"},
            "without TLS",
        ),
    ],
)
def test_plans_that_cannot_work_are_refused(plan: dict[str, Any], said: str) -> None:
    """When the project file is read, not when something is wrong with the model."""
    with pytest.raises(ValueError, match=said):
        SinkPlan(**plan)


def test_other_packages_register_sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By entry point; one that does not keep the protocol is named."""
    (tmp_path / "pager.py").write_text(
        "class Pager:\n"
        "    def __init__(self, plan, root):\n"
        "        self.path = root / plan.settings['file']\n"
        "    def deliver(self, notice):\n"
        "        self.path.write_text(notice.id)\n",
        encoding="utf-8",
    )
    (tmp_path / "pager-1.dist-info").mkdir()
    (tmp_path / "pager-1.dist-info" / "METADATA").write_text("Name: pager\nVersion: 1\n", encoding="utf-8")
    (tmp_path / "pager-1.dist-info" / "entry_points.txt").write_text(
        "[modelyard.alert_sinks]\npager = pager:Pager\nbroken = pager:nothing\nother = builtins:dict\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    make_sink(SinkPlan(kind="pager", settings={"file": "page.txt"}), tmp_path).deliver(NOTICE)

    assert (tmp_path / "page.txt").read_text(encoding="utf-8") == "message-1"
    for name in ("broken", "other"):
        with pytest.raises(ConfigError, match="cannot be used"):
            make_sink(SinkPlan(kind=name), tmp_path)

"""The ASGI application: a bare dispatcher for the hot routes, FastAPI for control and documentation."""

import asyncio
import contextlib
import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from modelyard.core import StateError, new_id
from modelyard.serving.access import Guard
from modelyard.serving.answering import Answering
from modelyard.serving.endpoint import ActiveModel, Endpoint, activate
from modelyard.serving.explaining import Explaining
from modelyard.serving.following import Deployments, Follower
from modelyard.serving.formats import (
    LENGTH_HEADER,
    RefusedRequestError,
    decode_json,
    fill_tensors,
    invocation_answer,
    offered_outputs,
    open_inference_outputs,
    pack_tensors,
    parse_feedback,
    parse_inference,
    parse_invocation,
    parse_rows,
    requested_outputs,
    split_body,
    wants_uncertainty,
)
from modelyard.serving.formats.refusals import internal_failure, method_not_allowed
from modelyard.serving.health import GoldenWatch
from modelyard.serving.lane import Lane
from modelyard.serving.prediction_log.keeping import LEFT_OUT
from modelyard.serving.rest import (
    LEFT_OUT_HEADER,
    METRICS_CONTENT_TYPE,
    Answer,
    Match,
    Request,
    Route,
    ServingMetrics,
    json_answer,
    match_route,
    refusal_answer,
    text_answer,
)
from modelyard.serving.rest.documentation import build_control, model_metadata, server_metadata
from modelyard.serving.rest.messages import Receive, Scope, Send, secured, send_answer
from modelyard.serving.routing import Conductor, RolloutSource, routing_lines
from modelyard.serving.settings import ServingSettings
from modelyard.serving.tables import TableAnswering, answer_frame, table_forms, write_body
from modelyard.serving.tracing import TracedAnswering, Tracing, trace_id_of

__all__ = ["ServingApp", "create_app"]

_logger = logging.getLogger("modelyard.serving")


class ServingApp:
    """The application of one server process.

    Parameters
    ----------
    endpoint
        Gives the model that answers.
    settings
        Limits and the log folder.
    guard
        Lets requests pass or refuses them; by default everybody may ask everything.
    deployments
        What is in production, to be followed while the server runs; None to serve the first model to the end.
    rollouts
        Which version is on its way there; needs ``deployments``. None if none ever is.
    tracing
        Makes spans of requests; None for none.

    Raises
    ------
    ModelyardError
        If the log folder cannot be made or written to.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        settings: ServingSettings,
        *,
        guard: Guard | None = None,
        deployments: Deployments | None = None,
        rollouts: RolloutSource | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.metrics = ServingMetrics()
        self.answering = Answering.open(endpoint.active, settings, self.metrics)
        self._tracing = tracing
        if tracing is not None:
            self.answering = TracedAnswering.around(self.answering, tracing)
        self.explaining = Explaining(self.answering)
        self.tables = TableAnswering(self.answering)
        self.guard = guard or Guard()
        self.lane = Lane(endpoint, self.answering, self.guard, self._failure) if tracing is None else None
        self._follower = None
        if deployments is not None:
            self._follower = Follower(endpoint, deployments, on_swap=self.answering.take_over, also=settings.log.also)
        self._conductor = None
        if rollouts is not None and self._follower is not None:
            self._conductor = Conductor(endpoint, self.answering.routing, rollouts, settings, keep=self._follower.keep)
        self.golden = GoldenWatch(endpoint)
        self._looking: list[asyncio.Task[None]] = []
        self._ends = asyncio.Event()
        self._is_draining = False
        self._control: asyncio.Future[Any] | None = None
        self._handlers: Mapping[str, Callable[[Request], Awaitable[Answer]]] = {
            "predict": self._predict,
            "explain": self._explain,
            "feedback": self._feedback,
            "server_metadata": self._server_metadata,
            "server_live": self._live,
            "server_ready": self._ready,
            "model_metadata": self._model_metadata,
            "model_ready": self._model_ready,
            "infer": self._infer,
            "version_metadata": self._model_metadata,
            "version_ready": self._model_ready,
            "version_infer": self._infer,
            "invocations": self._invocations,
            "ping": self._ready,
            "live": self._live,
            "ready": self._ready,
            "golden": self._golden,
            "metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self._live_with_server(receive, send)
        elif self._tracing is None:
            await self._answer(scope, receive, send)
        else:
            await self._tracing.serve(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        started = time.perf_counter()
        match = match_route(scope["path"])
        template = match.template if match else "other"
        answer: Answer | None
        try:
            answer = await self._dispatch(scope, receive, send, match, started)
        except RefusedRequestError as error:
            answer = refusal_answer(error)
        except Exception as error:  # noqa: BLE001 - the edge of the process: the log gets it, the caller an id
            answer = self._failure(template, error, trace_id_of(scope["headers"]))
        if answer is not None:
            await send_answer(answer, send)
        self.metrics.observe(template, answer.status if answer else 200, time.perf_counter() - started)

    async def close(self) -> None:
        """Write what is pending and close the logs."""
        self._is_draining = True
        self._ends.set()
        await asyncio.gather(*self._looking)  # a swap under way is recorded before the end
        if self._conductor is not None:
            await self._conductor.close()
        await self.answering.close()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    # --- dispatch ----------------------------------------------------------------------------------------------

    async def _dispatch(
        self, scope: Scope, receive: Receive, send: Send, match: Match | None, started: float
    ) -> Answer | None:
        """The answer of the route's handler; None if the control application has answered."""
        route = _route(scope["method"], match)
        self.guard.admit(scope, route.needs)
        handler = self._handlers.get(route.operation)
        if handler is None or match is None:
            control = await self._control_app()
            await control({**scope, "method": "GET"}, receive, secured(send))
            return None
        return _marked(await handler(Request(scope, receive, self.settings, match.values, started)))

    async def _control_app(self) -> Any:
        """The FastAPI application, built in a thread when it is first asked for: its import takes a while."""
        if self._control is None:
            self._control = asyncio.ensure_future(asyncio.to_thread(build_control, self.endpoint))
        return await asyncio.shield(self._control)

    def _failure(self, template: str, cause: Exception, trace_id: str = "") -> Answer:
        """A failure of our own: the traceback goes to the log, with the caller's trace; its id goes to the caller."""
        instance = new_id()
        self.metrics.errors += 1
        extra = {"route": template, "error_id": instance} | ({"trace_id": trace_id} if trace_id else {})
        _logger.error("request failed", extra=extra, exc_info=cause)
        return refusal_answer(internal_failure(instance), instance)

    async def _live_with_server(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan protocol."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self._conductor is not None:
                    await self._conductor.look()  # a rollout under way holds from the first answer on
                looks = [self._again(self.settings.golden_s, self.golden.look)]
                if self._follower is not None or not self.guard.is_open:
                    looks.append(self._again(self.settings.follow_s, self._look_around))
                self._looking = [asyncio.get_running_loop().create_task(look) for look in looks]
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _again(self, every_s: float, look: Callable[[], Awaitable[object]]) -> None:
        """Look again and again, until the server ends."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ends.wait(), every_s)
            if self._ends.is_set():
                return
            try:
                await look()
            except Exception:  # the edge of a task: one look that fails must not be the last
                _logger.exception("looking around failed")

    async def _look_around(self) -> None:
        """See who may ask, what is in production, and what is on its way there."""
        if not self.guard.is_open:
            await asyncio.to_thread(self.guard.refresh)
        if self._follower is not None:
            await self._follower.look()
        if self._conductor is not None:
            await self._conductor.look()

    # --- predictions --------------------------------------------------------------------------------------------

    async def _predict(self, request: Request) -> Answer:
        model = self.endpoint.verified()
        uncertainty = wants_uncertainty(request.query, can=model.scorer.conformal is not None)
        form, accepted = table_forms(request.headers)
        if form is not None:
            body = await request.content()
            answers = await self.tables.answer(model, body, form, request.started, uncertainty=uncertainty)
            is_single = False
        else:
            parsed = parse_rows(await request.json())
            answers = await self.answering.answer(model, parsed.rows, request.started, uncertainty=uncertainty)
            is_single = parsed.is_single
        if accepted is not None:
            table = await asyncio.to_thread(write_body, answer_frame(answers, model.classes), accepted)
            return Answer(200, table, accepted.value.encode())
        return json_answer(answers[0] if is_single else {"predictions": answers})

    async def _explain(self, request: Request) -> Answer:
        model = self.endpoint.verified()
        return json_answer(await self.explaining.answer(model, parse_rows(await request.json()), request.started))

    async def _invocations(self, request: Request) -> Answer:
        model = self.endpoint.verified()
        rows = parse_invocation(await request.json(as_python=True))
        answers = await self.answering.answer(model, rows, request.started)
        return json_answer(invocation_answer(answers, model.classes))

    async def _infer(self, request: Request) -> Answer:
        model = self._named_model(request.values)
        self.endpoint.verified()
        length = request.header(LENGTH_HEADER)
        if length:
            head, data = split_body(await request.content(), length)
            body = fill_tensors(decode_json(head), data)
        else:
            body = await request.json()
        rows = parse_inference(body)
        names = requested_outputs(body, offered_outputs(model.classes))
        is_named = "version" in request.values
        answers = await self.answering.answer(model, rows, request.started, is_named=is_named)
        identifier = body.get("id")
        answer = {
            "model_name": model.name,
            "model_version": answers[0].version if answers else model.version,
            "id": identifier if isinstance(identifier, str) and identifier else new_id(),
            "outputs": open_inference_outputs(answers, model.classes, names),
        }
        packed, head_size = pack_tensors(answer, body)
        if head_size is None:
            return Answer(200, packed)
        return Answer(200, packed, b"application/octet-stream", ((LENGTH_HEADER, b"%d" % head_size),))

    async def _feedback(self, request: Request) -> Answer:
        at = dt.datetime.now(dt.UTC).isoformat()
        records = parse_feedback(await request.json(), self.endpoint.active.classes, at)
        await self.answering.take_feedback(records)
        return json_answer({"recorded": len(records)})

    # --- health and description -----------------------------------------------------------------------------------

    async def _live(self, _request: Request) -> Answer:
        return json_answer({"live": True})

    async def _ready(self, _request: Request) -> Answer:
        reason = await self._reason_not_ready()
        if reason:
            return json_answer({"ready": False, "reason": reason}, status=503)
        return json_answer({"ready": True})

    async def _model_ready(self, request: Request) -> Answer:
        model = self._named_model(request.values)
        reason = await self._reason_not_ready()
        return json_answer({"name": model.name, "ready": not reason}, status=503 if reason else 200)

    async def _reason_not_ready(self) -> str:
        """Why no predictions are given at the moment; empty if they are."""
        if self._is_draining:
            return "the server is stopping"
        if not self.endpoint.active.is_verified:
            return "the scorer does not reproduce its golden rows"
        if self.answering.predictions.is_failing and not self.answering.keeper.answers_always:
            try:
                await self.answering.predictions.probe()
            except StateError:
                return "the prediction log takes no records"
        return ""

    async def _golden(self, _request: Request) -> Answer:
        found = await self.golden.look()
        return json_answer({"ok": found.ok, **found.to_dict()}, status=200 if found.ok else 503)

    async def _server_metadata(self, _request: Request) -> Answer:
        return json_answer(server_metadata())

    async def _model_metadata(self, request: Request) -> Answer:
        return json_answer(model_metadata(self._named_model(request.values)))

    async def _metrics(self, _request: Request) -> Answer:
        model = self.endpoint.active
        log = self.answering.predictions
        gauges = {
            "modelyard_ready": ("Whether the model is verified.", float(model.is_verified)),
            "modelyard_parity_max_abs_difference": (
                "Largest difference between expected and replayed golden scores.",
                model.parity.max_abs_difference,
            ),
            **self.golden.gauges(),
            "modelyard_log_bytes_total": ("Bytes handed to the operating system.", log.bytes_written),
            "modelyard_log_records_total": ("Predictions logged.", log.records_written),
            "modelyard_log_failures_total": ("Writes that were refused.", log.writes_failed),
            "modelyard_log_pending_bytes": ("Bytes waiting for the disk.", log.pending_bytes),
            **self.answering.keeper.gauges(),
            "modelyard_fast_lane_total": ("Requests answered by the fast lane.", self.lane.taken if self.lane else 0),
        }
        info = {"model": model.name, "version": model.version, "digest": model.digest}
        text = self.metrics.render(gauges, info)
        if self._conductor is not None:
            text += "\n".join((*routing_lines(self.answering.routing), ""))
        return text_answer(text, METRICS_CONTENT_TYPE)

    def _named_model(self, values: Mapping[str, str]) -> ActiveModel:
        """The model that the path names."""
        model = self.endpoint.active
        version = values.get("version", model.version)
        if (values["name"], version) != (model.name, model.version):
            raise RefusedRequestError(
                404,
                "no-such-model",
                "this model or version is not served here",
                cure=f"Ask for model {model.name!r}, version {model.version!r}",
            )
        return model


def create_app(
    settings: ServingSettings,
    *,
    guard: Guard | None = None,
    deployments: Deployments | None = None,
    rollouts: RolloutSource | None = None,
    tracing: Tracing | None = None,
) -> ServingApp:
    """The application for a package: digests verified, golden rows replayed, log folder ready.

    A scorer that does not reproduce its golden rows does not stop the server, but it answers 503 and is never ready.

    Raises
    ------
    IntegrityError
        If a file of the package is not what was packaged.
    ModelyardError
        If the package or the log folder cannot be used.
    """
    model = activate(settings.package_folder, settings.log.also)
    if not model.is_verified:
        difference = {"max_abs_difference": model.parity.max_abs_difference, "tolerance": model.parity.tolerance}
        _logger.error("golden rows differ, so no answers are given", extra=difference)
    return ServingApp(
        Endpoint(model), settings, guard=guard, deployments=deployments, rollouts=rollouts, tracing=tracing
    )


def _route(method: str, match: Match | None) -> Route:
    """The route asked for; HEAD goes where GET goes, and the server leaves the body out."""
    if match is None:
        raise RefusedRequestError(404, "no-such-route", "there is no such route", cure="GET /docs lists the routes")
    route = match.methods.get("GET" if method == "HEAD" else method)
    if route is None:
        raise method_not_allowed(method, tuple(match.methods))
    return route


def _marked(answer: Answer) -> Answer:
    """An answer that leaves without a record says so in a header."""
    if not LEFT_OUT.get():
        return answer
    LEFT_OUT.set(False)
    return answer._replace(headers=(*answer.headers, LEFT_OUT_HEADER))

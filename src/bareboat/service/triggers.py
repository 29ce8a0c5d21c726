"""What calls a function: the entries of `functions.NAME.events`, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bareboat.service.api import Authorizer, RequestRules, RestCors, Throttle

if TYPE_CHECKING:
    from bareboat.service.model import Place

Source = Literal["sqs", "sns", "s3", "eventBridge"]


@dataclass(frozen=True, slots=True)
class HttpApiEvent:
    """A route of the HTTP API. `path` and `method` of the catch-all `httpApi: '*'` are "*" both ($default).

    Args:
        scopes: of which a token must have one.
        throttle: as the event has it; `HttpApi.throttles` has what holds.
        options: the authorizer as written, for a deployment.
    """

    method: str  # upper case; "*" is any (ANY)
    path: str  # "/items/{id}", "/files/{proxy+}", "*"
    where: Place
    authorizer: Authorizer | None = None
    scopes: tuple[str, ...] = ()
    throttle: Throttle | None = None
    options: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def route_key(self) -> str:
        """The route key that API Gateway shows: `POST /predict`, `ANY /x`, `$default`."""
        if self.path == "*":
            return "$default"
        return f"{'ANY' if self.method == '*' else self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class HttpEvent:
    """A method of the REST API (`http`).

    Args:
        method: upper case; "*" is any (ANY).
        path: "/items/{id}", "/{proxy+}".
        private: whether an API key is needed.
        asynchronous: whether the function is invoked without waiting.
        integration: AWS_PROXY is `lambda-proxy`, the default; others are not served locally.
        timeout_s: of the integration; 29 by default.
        throttle: as the event has it; `RestApi.throttles` has what holds.
        options: what a deployment needs as it is written: authorizer, cors, request, response, timeoutInMillis, ...
    """

    method: str
    path: str
    where: Place
    cors: RestCors | None = None
    authorizer: Authorizer | None = None
    scopes: tuple[str, ...] = ()
    private: bool = False
    rules: RequestRules = field(default_factory=RequestRules)
    throttle: Throttle | None = None
    asynchronous: bool = False
    integration: Literal["AWS_PROXY", "AWS", "HTTP_PROXY", "HTTP", "MOCK"] = "AWS_PROXY"
    timeout_s: float = 29.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def route_key(self) -> str:
        """The method and its resource, as `GET /items/{id}` or `ANY /{proxy+}`."""
        return f"{'ANY' if self.method == '*' else self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class ScheduleEvent:
    """`schedule`: one or more `rate(...)` / `cron(...)` / `at(...)` expressions.

    Args:
        rates: those that are known before a deployment.
        written: all of them, as written.
    """

    rates: tuple[str, ...]
    where: Place
    enabled: bool = True
    input: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    written: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """Messages, objects or events that call a function: sqs, sns, s3, eventBridge.

    Args:
        name: of the queue, topic, bucket or bus, as far as the file says; the last part of an ARN.
        config: as written.
        batch_size: of a queue: how many messages one invocation gets at most.
        reports_failures: whether the function names the messages that failed (`ReportBatchItemFailures`).
    """

    kind: Source
    name: str
    config: Any
    where: Place
    enabled: bool = True
    batch_size: int = 10
    reports_failures: bool = False


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event that is valid but not served locally: stream, cloudwatchLog, rabbitmq, ..."""

    kind: str
    config: Any
    where: Place


Event = HttpApiEvent | HttpEvent | ScheduleEvent | SourceEvent | OtherEvent

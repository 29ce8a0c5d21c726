"""Lambda's Invoke, answered by the local cloud."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from uuid import uuid4

from aws_cloud.live.functions import LiveFunctions
from aws_cloud.live.runner import Runner
from aws_cloud.messages import Answer, Refused, Request

if TYPE_CHECKING:
    from aws_cloud.formation.world import World

TAIL_BYTES = 4096


class Invoke:
    """Answers Invoke: waited for, as an event, or dry."""

    def __init__(self, functions: LiveFunctions, runner: Runner, world: World) -> None:
        self._functions = functions
        self._runner = runner
        self._world = world

    def answer(self, request: Request, name: str, qualifier: str) -> Answer:
        """Answer a call.

        Raises:
            Refused: as Lambda does.
        """
        import msgspec

        from bareboat.local.invocation import Throttled

        kind = request.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        request_id = str(uuid4())
        deployed = self._functions.at(request.operation.region, name, qualifier)
        try:
            msgspec.json.decode(request.body or b"{}")
        except msgspec.DecodeError as error:
            text = f"Could not parse request body into json: Could not parse payload into json: {error}"
            raise Refused("InvalidRequestContentException", text, 400, Type="User") from error
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
        if kind == "DryRun":
            return Answer(204, headers, b"")
        service, beside = self._functions.all_of(request.operation.region, deployed)
        cloud = self._runner.cloud(service, beside)
        context = base64.b64decode(request.headers.get("X-Amz-Client-Context") or "").decode()

        def run() -> object:
            return self._runner.invoke(
                cloud, deployed.name, request.body or b"{}", client_context=context, request_id=request_id,
                qualifier=qualifier,
            )  # fmt: skip

        if kind == "Event":
            self._world.start(run)
            return Answer(202, headers, b"", "local cloud")
        try:
            invocation = self._runner.invoke(
                cloud, deployed.name, request.body or b"{}", client_context=context, request_id=request_id,
                qualifier=qualifier,
            )  # fmt: skip
        except Throttled as error:
            raise Refused(error.code, error.words, 429, Reason=error.reason, Type="User") from error
        headers["X-Amz-Executed-Version"] = deployed.version
        if invocation.error:
            headers["X-Amz-Function-Error"] = invocation.error
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log.encode()[-TAIL_BYTES:]).decode()
        return Answer(200, headers, invocation.payload, "local cloud")

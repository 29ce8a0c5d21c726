"""The probe: deployed as any service is, asked, and taken away with all that it left."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bareboat.aws.belongings import find_belongings
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.deploy import apply
from bareboat.aws.deployed import find_deployed
from bareboat.aws.doctor.asking import Place, Reply, compared
from bareboat.aws.doctor.images import Fact, facts
from bareboat.aws.doctor.questions import Question, questions
from bareboat.aws.live import look
from bareboat.aws.parcels import make_shipment, parcels_of
from bareboat.aws.plan import make_plan
from bareboat.aws.remove import remove
from bareboat.aws.stack import find_stack
from bareboat.aws.template.build import bucket_template, make_template
from bareboat.aws.upload import upload
from bareboat.service import load_service

if TYPE_CHECKING:
    from bareboat.local.cloud import LocalCloud
    from bareboat.service.model import Service

FOLDER = Path(__file__).parent / "probe"
IMAGES = ("image-3-12", "image-3-13", "image-3-14", "image-arm64")
_READY_S = 60.0
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the probe told.

    Args:
        images: function of `probe/serverless.yml` -> what its image holds, or the error.
        facts: what of that bareboat takes for granted.
        took_s: how long each step took.
    """

    replies: tuple[Reply, ...] = ()
    images: Mapping[str, Any] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    took_s: Mapping[str, float] = field(default_factory=dict)


@contextmanager
def probe_service(region: str, stage: str = "") -> Iterator[Service]:
    """Yield the probe, copied to a folder that can be written to, with a stage of its own."""
    with tempfile.TemporaryDirectory(prefix="bareboat-doctor-") as scratch:
        folder = Path(scratch) / "probe"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
        yield load_service(folder, stage=stage or f"p{uuid4().hex[:8]}", region=region, env={})


def run_probe(
    aws: Aws,
    service: Service,
    *,
    asked: tuple[Question, ...] | None = None,
    looked_at: Collection[str] = IMAGES,
    on_step: OnStep = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Findings:
    """Deploy the probe, ask it, and remove it whatever happened in between.

    Args:
        asked: instead of all questions.
        looked_at: the functions that describe their image.
    Raises:
        RemoteError, AwsError: AWS refuses; the probe has then been removed as far as that is allowed.
    """
    took: dict[str, float] = {}

    @contextmanager
    def step(name: str, text: str) -> Iterator[None]:
        on_step(text)
        began = clock()
        yield
        took[name] = round(clock() - began, 2)

    try:
        with step("deploy", "Deploying the probe"):
            deploy_probe(aws, service)
        with step("ask", "Asking the probe"):
            replies = _ask(aws, service, questions() if asked is None else asked, on_step, sleep)
        with step("images", "Looking at the images of Lambda"):
            images = {name: _image(aws, service, name) for name in looked_at}
    finally:
        with step("remove", "Removing the probe"):
            remove_probe(aws, service)
    told = [fact for name, said in images.items() for fact in facts(service.functions[name], said)]
    return Findings(replies, images, tuple(told), took)


def deploy_probe(aws: Aws, service: Service) -> None:
    """Deploy as `bareboat deploy` does, the bucket first."""
    from bareboat.artifact import build

    built = build(service)
    artifacts = tuple({one.path: one for one in built.values()}.values())
    shipment, parcels = make_shipment(service, artifacts), parcels_of(service, artifacts)
    live = look(aws, service)
    plan = make_plan(aws, service, make_template(service, shipment), live)
    apply(
        aws,
        plan,
        send=lambda bucket: upload(aws, bucket, parcels) if bucket is not None else None,
        shipment=shipment,
        first=bucket_template(service),
    )


def remove_probe(aws: Aws, service: Service) -> None:
    """Remove the stack, its bucket with all versions, and its log groups."""
    found = find_belongings(aws, service)
    if found.stack is None and find_stack(aws, service.provider.stack_name) is None and not found.logs:
        return
    remove(aws, service, found)


def _ask(
    aws: Aws, service: Service, asked: tuple[Question, ...], on_step: OnStep, sleep: Callable[[float], None]
) -> tuple[Reply, ...]:
    if not asked:
        return ()
    deployed = find_deployed(aws, service)
    url = next(one.base for one in deployed.routes if one.api == "url")
    bases = {"httpApi": deployed.http_api_base, "url": url}
    with local_cloud(service) as cloud:
        live = Place(bases, via=aws.endpoint)
        local = Place({"httpApi": cloud.urls["httpApi"], "url": cloud.urls["url:echo"]})
        try:
            _wait_until_ready(live, sleep)
            return compared(asked, live, local, on_step)
        finally:
            live.close()
            local.close()


def _wait_until_ready(place: Place, sleep: Callable[[float], None]) -> None:
    """Wait until a new API is known in the domain name system, which takes some seconds."""
    probe = next(one for one in questions() if one.id == "event")
    waited_s = 0.0
    while place.ask(probe).status != 200 and waited_s < _READY_S:
        sleep(1.0)
        waited_s += 1.0


@contextmanager
def local_cloud(service: Service) -> Iterator[LocalCloud]:
    """Serve the probe here: what bareboat takes AWS to do."""
    from bareboat.artifact import build_here, targets_here
    from bareboat.local.cloud import LocalCloud

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        cloud = LocalCloud(service, build_here(service, targets_here(service)[0]), port=0, console=False)
        asyncio.run_coroutine_threadsafe(cloud.start(), loop).result(120)
        try:
            yield cloud
        finally:
            asyncio.run_coroutine_threadsafe(cloud.close(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def _image(aws: Aws, service: Service, name: str) -> Any:
    try:
        said = aws.call("lambda", "invoke", FunctionName=service.functions[name].full_name, Payload=b"{}")
        answer = json.loads(said["Payload"].read())
    except (AwsError, ValueError) as error:
        return {"error": str(error)}
    return {"error": answer.get("errorMessage")} if said.get("FunctionError") else answer

"""A stack that Serverless deployed -> what the first deployment of bareboat makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bareboat.aws.changes import Change
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.differences import Difference
from bareboat.aws.foreseen import foreseen, references
from bareboat.aws.leftovers import Leftover, leftover_of, plugin_notes
from bareboat.aws.live import Live, look
from bareboat.aws.owner import services_of
from bareboat.aws.plan import discard, make_plan
from bareboat.aws.preview import UNBUILT, preview_shipment
from bareboat.aws.progress import Progress
from bareboat.aws.stack import Stack, resources, stack_template
from bareboat.aws.template import naming
from bareboat.aws.template.build import make_template
from bareboat.aws.versions import code_keys
from bareboat.errors import RemoteError
from bareboat.service.model import Service

Origin = Literal["serverless", "bareboat", "unknown"]
_BUCKET = "ServerlessDeploymentBucket"
_LOOKED_AT = 10  # stacks whose templates are read to see whose they are
_DOMAINS = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")
# Each deployment makes these anew, Serverless's too.
BY_NATURE = frozenset(
    {
        "AWS::ApiGateway::Deployment",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::LayerVersionPermission",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
    }
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource that stays the very one that it is.

    Args:
        physical_id: such as the API's id; "" where only the template is known.
        changed: whether some of its properties change in place.
    """

    logical_id: str
    type: str
    physical_id: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class LostOutput:
    """An output that the new template does not have.

    Args:
        export: the name that other stacks import it by; "" where it is not exported.
        imported_by: the stacks that do, as far as AWS was asked: the deployment fails as long as they do.
    """

    name: str
    export: str = ""
    imported_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the first deployment would do to a stack.

    Args:
        stack: None where a stored template was read.
        changes: as CloudFormation says (`asked`), or as the templates let one foresee.
        kept: what stays.
        leftovers: logical id -> what is known of a resource that is taken out of the stack.
        plugins: (plugin, what it comes to) of those that did something outside of the stack.
        write: what in serverless.yml keeps what would be lost; {} where nothing has to be written.
        problems: what keeps the first deployment from taking this stack over.
    """

    stack_name: str
    stack: Stack | None
    origin: Origin
    asked: bool
    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]
    outputs: tuple[LostOutput, ...] = ()
    leftovers: Mapping[str, Leftover] = field(default_factory=dict)
    plugins: tuple[tuple[str, str], ...] = ()
    write: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes that lose data, or an address that clients know."""
        return tuple(change for change in self.changes if change.is_loss)

    @property
    def is_safe(self) -> bool:
        """Whether nothing is lost, and nothing keeps the deployment from being carried out."""
        return not (self.losses or self.problems or any(one.imported_by for one in self.outputs))

    def of(self, *kinds: str) -> tuple[Change, ...]:
        """Return the changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def adoption_of_template(service: Service, template: Mapping[str, Any], stack_name: str = "") -> Adoption:
    """Foresee what the first deployment makes of a stack of this template, without AWS.

    Args:
        template: what the stack was made of: `aws cloudformation get-template`, or the
            cloudformation-template-update-stack.json that `serverless package` leaves in .serverless.
        stack_name: of the stack, where it is known.
    Raises:
        ConfigurationError: serverless.yml makes no template.
    """
    new = make_template(service, preview_shipment(service))
    name = stack_name or service.provider.stack_name
    return _adoption(service, name, None, template, new, foreseen(template, new), {})


def adoption_of_stack(
    aws: Aws, service: Service, stack_name: str = "", *, progress: Progress | None = None
) -> tuple[Adoption, Live]:
    """Ask CloudFormation what the first deployment makes of a live stack. Nothing is changed.

    Args:
        stack_name: "" for the service's own.
    Raises:
        RemoteError: there is no such stack.
        AwsError: AWS refuses.
    """
    name = stack_name or service.provider.stack_name
    there = replace(service, provider=replace(service.provider, stack_name=name))
    live = look(aws, there)
    stack = live.stack
    if stack is None or live.template is None:
        raise RemoteError(
            f"there is no stack {name} in {aws.region}"
            if stack is None
            else f"nothing was made of the stack {name} yet ({stack.status})",
            expected="one that Serverless deployed",
            fix=_where(aws, service),
        )
    if stack.is_busy:
        raise RemoteError(
            f"somebody is at work on {name}: {stack.status}",
            expected="a stack at rest",
            fix="try again when it is done",
        )
    if not live.is_there:
        raise RemoteError(
            f"{name} is {stack.status}: its creation failed", expected="a stack that runs", fix="bareboat deploy"
        )
    new = make_template(there, preview_shipment(there))
    plan = make_plan(aws, there, new, live, progress=progress)
    discard(aws, plan)
    physical = {one.logical_id: one.physical_id for one in resources(aws, stack.id)}
    found = _adoption(service, name, stack, live.template, new, plan.changes, physical)
    taken = tuple(_taken_domains(aws, new, plan.changes))
    outputs = tuple(_imports(aws, one) for one in found.outputs)
    return replace(found, outputs=outputs, problems=(*found.problems, *taken)), live


def _adoption(
    service: Service,
    name: str,
    stack: Stack | None,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    changes: tuple[Change, ...],
    physical: Mapping[str, str],
) -> Adoption:
    changes = tuple(replace(change, properties=tuple(map(_built_later, change.properties))) for change in changes)
    touched = {change.logical_id: change.kind for change in changes}
    kept = tuple(
        Kept(logical_id, str(body.get("Type", "")), physical.get(logical_id, ""), touched.get(logical_id) == "modify")
        for logical_id, body in (old.get("Resources") or {}).items()
        if touched.get(logical_id, "modify") == "modify"
    )
    leftovers = {
        change.logical_id: known
        for change in changes
        if change.kind == "remove" and (known := leftover_of(change.type, change.logical_id)) is not None
    }
    write = to_write(service, old, new, changes, leftovers)
    problems = []
    if name != service.provider.stack_name:
        write = {"provider": {"stackName": name}, **write}
        problems.append(
            f"serverless.yml is about the stack {service.provider.stack_name}: a deployment would make a second one "
            f"beside {name}"
        )
    return Adoption(
        stack_name=name,
        stack=stack,
        origin=_origin(old),
        asked=stack is not None,
        changes=changes,
        kept=kept,
        outputs=tuple(_lost_outputs(old, new)),
        leftovers=leftovers,
        plugins=tuple(plugin_notes(service.plugins)),
        write=write,
        problems=tuple(problems),
    )


def to_write(
    service: Service,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    changes: tuple[Change, ...],
    leftovers: Mapping[str, Leftover],
) -> dict[str, Any]:
    """Return what in serverless.yml keeps what would be removed or replaced, as far as that can be written there."""
    before, own = old.get("Resources") or {}, service.resources.get("Resources") or {}
    removed = {
        change.logical_id: before[change.logical_id]
        for change in changes
        if change.kind == "remove" and not _belongs(change, leftovers)
    }
    known = {*(new.get("Resources") or {}), *(new.get("Parameters") or {}), *removed}
    while lacking := [name for name, body in removed.items() if not _names(body) <= known]:
        for name in lacking:
            del removed[name]
            known.discard(name)
    extensions: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    names = {naming.function_id(name): name for name in (*service.functions, *service.image_functions)}
    for change in changes:
        if change.kind not in ("replace", "maybe-replace") or change.type in BY_NATURE:
            continue
        properties = before[change.logical_id].get("Properties") or {}
        causes = {one.top for one in change.properties if one.recreates != "Never" and not one.cause}
        values = {top: properties[top] for top in sorted(causes) if top in properties}
        if change.logical_id in names and isinstance(values.get("FunctionName"), str):
            functions[names[change.logical_id]] = {"name": values.pop("FunctionName")}
        if values and change.logical_id in own:
            removed[change.logical_id] = {"Properties": values}
        elif values:
            extensions[change.logical_id] = {"Properties": values}
    found: dict[str, Any] = {"functions": functions} if functions else {}
    sections = {name: entries for name, entries in (("Resources", removed), ("extensions", extensions)) if entries}
    return {**found, "resources": sections} if sections else found


def _belongs(change: Change, leftovers: Mapping[str, Leftover]) -> bool:
    """Return whether nothing is missing without a resource that is taken out."""
    known = leftovers.get(change.logical_id)
    return known is not None and (known.belongs or known.type == "AWS::Lambda::Function") and not change.loss


def _names(body: Any) -> set[str]:
    """Return what of the template a resource refers to, what it depends on included."""
    depends = body.get("DependsOn") or []
    found = references(body) | set([depends] if isinstance(depends, str) else depends)
    return {name for name in found if not name.startswith("AWS::")}


def _built_later(one: Difference) -> Difference:
    """Return a difference in which code that nobody has built yet is told as such."""
    return replace(one, after="(what the deployment builds)") if UNBUILT in str(one.after) else one


def _origin(template: Mapping[str, Any]) -> Origin:
    """Return who deployed a template, by where its code lies."""
    keys = code_keys(template)
    if any("/code/" in key for key in keys):
        return "bareboat"
    outputs = template.get("Outputs") or {}
    is_serverless = f"{_BUCKET}Name" in outputs or _BUCKET in (template.get("Resources") or {})
    return "serverless" if is_serverless or any(key.startswith("serverless/") for key in keys) else "unknown"


def _lost_outputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[LostOutput]:
    before, after = old.get("Outputs") or {}, new.get("Outputs") or {}
    exports = {_export(body) for body in after.values()}
    for name, body in before.items():
        export = _export(body)
        if name not in after or (export and export not in exports):
            yield LostOutput(name, export)


def _export(output: Mapping[str, Any]) -> str:
    from bareboat.aws.template.difference import canonical

    said = (output.get("Export") or {}).get("Name", "")
    return str(canonical(said)) if said else ""


def _imports(aws: Aws, output: LostOutput) -> LostOutput:
    """Return an output with the stacks that import it."""
    if not output.export or "${" in output.export:
        return output
    try:
        found = tuple(aws.pages("cloudformation", "list_imports", "Imports", ExportName=output.export))
    except AwsError as error:
        if error.code in ("ValidationError", "AccessDenied", "AccessDeniedException"):  # not imported by any stack
            return output
        raise
    return replace(output, imported_by=found)


def _taken_domains(aws: Aws, new: Mapping[str, Any], changes: tuple[Change, ...]) -> Iterator[str]:
    """Say which domains the stack would make that are there already, outside of it."""
    for change in changes:
        if change.kind != "add" or change.type not in _DOMAINS:
            continue
        name = (new["Resources"][change.logical_id].get("Properties") or {}).get("DomainName")
        try:
            aws.call("apigateway", "get_domain_name", domainName=name)
        except AwsError as error:
            if error.status == 404 or error.code in ("NotFoundException", "AccessDenied", "AccessDeniedException"):
                continue
            raise
        yield (
            f"the domain {name} is there already, outside of the stack: the deployment would fail. It leads to the "
            "API's id, which stays: take `custom.bareboat.domains: stack` out"
        )


def _may_be(service: Service, stack_name: str, template: Mapping[str, Any] | None) -> bool:
    """Return whether a stack is of this service, whatever its stage: by where its code lies, else by its name."""
    services = services_of(template)
    return service.name in services if services else stack_name.startswith(f"{service.name}-")


def _where(aws: Aws, service: Service) -> str:
    """Say where else the stack may be: those of the region that look like the service's."""
    try:
        listed = aws.pages("cloudformation", "describe_stacks", "Stacks")
        deployed = [
            str(one["StackName"])
            for one in listed
            if one["StackName"].startswith(f"{service.name}-")
            or any(output.get("OutputKey") == f"{_BUCKET}Name" for output in one.get("Outputs") or ())
        ]
        deployed.sort(key=lambda name: not name.startswith(f"{service.name}-"))
        near = [name for name in deployed[:_LOOKED_AT] if _may_be(service, name, stack_template(aws, name))][:3]
    except AwsError:
        near = []
    hint = f"--stack {near[0]}" + (f" (or {', '.join(near[1:])})" if near[1:] else "") if near else "--stack NAME"
    return f"{hint}, --stage, --region, or the credentials of the right account"

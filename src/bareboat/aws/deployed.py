"""A live stack -> the functions, routes and addresses that it has, as its own template says, whoever wrote that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bareboat.aws.stack import Stack, find_stack, resources, stack_template
from bareboat.errors import RemoteError

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.service.model import Service

Json = dict[str, Any]
ApiKind = Literal["httpApi", "http", "url"]

FUNCTION, ALIAS, URL = "AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Url"
HTTP_API, ROUTE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"
REST_API, METHOD, RESOURCE = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method", "AWS::ApiGateway::Resource"
API_KEY, LAYER = "AWS::ApiGateway::ApiKey", "AWS::Lambda::LayerVersion"
API_MAPPING, PATH_MAPPING = "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGateway::BasePathMapping"
_THROUGH = frozenset({ALIAS, "AWS::Lambda::Version", "AWS::ApiGatewayV2::Integration"})


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A function of the stack.

    Args:
        name: in serverless.yml; for one that is not in it (any more), what stands behind `SERVICE-STAGE-`.
        full_name: on AWS.
        logical_id: in the template.
        log_group: where its log goes.
    """

    name: str
    full_name: str
    logical_id: str
    log_group: str


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """What requests can call.

    Args:
        key: `POST /predict`, `$default`; `ANY /` for a function URL.
        method: upper case; ANY for any.
        path: as API Gateway has it; "" for `$default`.
        function: the name of the function that it calls; "" for one of another stack, or none.
        auth: NONE, JWT, CUSTOM, AWS_IAM, COGNITO_USER_POOLS.
        needs_key: whether an API key is asked for.
        base: the address before the path, without a slash at the end.
    """

    api: ApiKind
    key: str
    method: str
    path: str
    function: str
    auth: str
    needs_key: bool
    base: str

    @property
    def url(self) -> str:
        """The whole address, path variables in braces."""
        return self.base + (self.path or "/")


class Deployed:
    """A service as it lives on AWS. What is asked for is fetched once.

    Args:
        service: says how functions are called and which stack it is.
        stack: as it was found.
    """

    def __init__(self, aws: Aws, service: Service, stack: Stack) -> None:
        self.aws = aws
        self.service = service
        self.stack = stack

    @cached_property
    def template(self) -> Json:
        """The stack's own template, as it was last deployed."""
        return stack_template(self.aws, self.stack.name) or {}

    @cached_property
    def physical(self) -> Mapping[str, str]:
        """Logical id -> physical id, of the resources that have one."""
        return {one.logical_id: one.physical_id for one in resources(self.aws, self.stack.name) if one.physical_id}

    def of_type(self, kind: str) -> Iterator[tuple[str, Json]]:
        """Yield logical id and properties of the template's resources of a type, in its order."""
        for logical_id, resource in self.template.get("Resources", {}).items():
            if resource.get("Type") == kind:
                yield logical_id, resource.get("Properties") or {}

    def physical_of(self, kind: str) -> list[str]:
        """Return the physical ids of the resources of a type, without those that were never made."""
        return [self.physical[logical_id] for logical_id, _ in self.of_type(kind) if logical_id in self.physical]

    # Functions

    @cached_property
    def functions(self) -> tuple[LiveFunction, ...]:
        """The functions of the stack, in the order of the template."""
        found = []
        for logical_id, properties in self.of_type(FUNCTION):
            full_name = self.physical.get(logical_id, "")
            if not full_name:
                continue  # never made: the stack's creation failed
            group = (properties.get("LoggingConfig") or {}).get("LogGroup")
            if isinstance(group, dict):
                group = self.physical.get(str(group.get("Ref", "")), "")
            found.append(
                LiveFunction(self._name(full_name), full_name, logical_id, str(group or f"/aws/lambda/{full_name}"))
            )
        return tuple(found)

    def function(self, name: str) -> LiveFunction:
        """Return a function by the name that serverless.yml gives it.

        Raises:
            RemoteError: the stack has none.
        """
        for one in self.functions:
            if name in {one.name, one.full_name}:
                return one
        names = ", ".join(one.name for one in self.functions)
        raise RemoteError(
            f"{self.stack.name} has no function {name}",
            expected=f"one of {names}" if names else "",
            fix="bareboat deploy, if it is new in serverless.yml",
        )

    def _name(self, full_name: str) -> str:
        known = {**self.service.functions, **self.service.image_functions}
        for name, function in known.items():
            if function.full_name == full_name:
                return name
        return full_name.removeprefix(f"{self.service.name}-{self.service.provider.stage}-")

    # Addresses

    @cached_property
    def routes(self) -> tuple[LiveRoute, ...]:
        """What requests can call: routes of the HTTP API, methods of the REST API, function URLs."""
        return (*self._http_api(), *self._rest_api(), *self._urls())

    def _http_api(self) -> Iterator[LiveRoute]:
        for _, properties in self.of_type(ROUTE):
            key = str(properties.get("RouteKey", ""))
            method, _, path = key.partition(" ")
            yield LiveRoute(
                "httpApi",
                key,
                method if path else "ANY",
                path,
                self._called(properties.get("Target")),
                str(properties.get("AuthorizationType") or "NONE"),
                needs_key=False,
                base=self.http_api_base,
            )

    @cached_property
    def http_api_base(self) -> str:
        """The address of the HTTP API; "" where there is none."""
        said = self.stack.outputs.get("HttpApiUrl", "")
        if said and self._is_aws(said, "execute-api", self.api_id(HTTP_API)):
            return said.rstrip("/")
        if not any(True for _ in self.of_type(ROUTE)):
            return ""
        found = self.api_id(HTTP_API)
        if not found:
            return ""
        return str(self.aws.call("apigatewayv2", "get_api", ApiId=found)["ApiEndpoint"]).rstrip("/")

    def api_id(self, kind: str) -> str:
        """Return the id of the stack's API of a type, or of the one that it adds to; "" where there is none."""
        for found in self.physical_of(kind):
            return found
        member, key = (ROUTE, "ApiId") if kind == HTTP_API else (METHOD, "RestApiId")
        for _, properties in self.of_type(member):
            if isinstance(properties.get(key), str):
                return str(properties[key])
        return ""

    def _rest_api(self) -> Iterator[LiveRoute]:
        paths = dict(self.of_type(RESOURCE))
        for _, properties in self.of_type(METHOD):
            integration = properties.get("Integration") or {}
            function = self._called(integration.get("Uri"))
            if properties.get("HttpMethod") == "OPTIONS" and integration.get("Type") == "MOCK":
                continue  # CORS: nobody's route
            path = _path(properties.get("ResourceId"), paths)
            method = str(properties.get("HttpMethod", "ANY"))
            yield LiveRoute(
                "http",
                f"{method} {path}",
                method,
                path,
                function,
                str(properties.get("AuthorizationType") or "NONE"),
                needs_key=bool(properties.get("ApiKeyRequired")),
                base=self.rest_api_base,
            )

    @cached_property
    def rest_api_base(self) -> str:
        """The address of the REST API, with its stage; "" where there is none."""
        said = self.stack.outputs.get("ServiceEndpoint", "")
        found = self.api_id(REST_API)
        if said and self._is_aws(said, "execute-api", found):
            return said.rstrip("/")
        suffix = _suffix(self.aws.region)
        stage = self.service.provider.stage
        return f"https://{found}.execute-api.{self.aws.region}.{suffix}/{stage}" if found else ""

    def _is_aws(self, url: str, kind: str, api_id: str) -> bool:
        """Return whether an output is the address that AWS gave an API or a function's URL.

        Requests with keys, tokens and signatures go there, and a template may say anything in its outputs.

        Args:
            kind: `execute-api` or `lambda-url`, the second part of the host's name.
            api_id: the first one; "" where it is not known.
        """
        at = urlsplit(url)
        first, _, rest = (at.hostname or "").partition(f".{kind}.")
        is_its_own = bool(rest) and (first == api_id.lower() if api_id else "." not in first)
        if self.aws.endpoint:  # what stands for AWS has names of its own
            return is_its_own or at.netloc == urlsplit(self.aws.endpoint).netloc
        suffix = _suffix(self.aws.region) if kind == "execute-api" else "on.aws"
        return at.scheme == "https" and is_its_own and rest == f"{self.aws.region}.{suffix}" and not at.username

    def _urls(self) -> Iterator[LiveRoute]:
        for logical_id, properties in self.of_type(URL):
            function = self._called(properties.get("TargetFunctionArn"))
            base = next(
                (
                    value
                    for name, value in self.stack.outputs.items()
                    if self._output_of(name, logical_id) and self._is_aws(value, "lambda-url", "")
                ),
                "",
            )
            if not base:
                base = self._asked_url(function, properties)
            yield LiveRoute(
                "url",
                "ANY /",
                "ANY",
                "/",
                function,
                str(properties.get("AuthType") or "NONE"),
                needs_key=False,
                base=base.rstrip("/"),
            )

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The addresses of the custom domains that the stack makes, each with its base path."""
        found = []
        for kind, key in ((API_MAPPING, "ApiMappingKey"), (PATH_MAPPING, "BasePath")):
            for _, properties in self.of_type(kind):
                said = properties.get("DomainName")
                name = self.physical.get(str(said.get("Ref", ""))) if isinstance(said, dict) else said
                if name:
                    found.append(f"https://{name}/{properties.get(key) or ''}".rstrip("/"))
        return tuple(dict.fromkeys(found))

    def _output_of(self, name: str, logical_id: str) -> bool:
        value = self.template.get("Outputs", {}).get(name, {}).get("Value")
        return isinstance(value, dict) and value.get("Fn::GetAtt") == [logical_id, "FunctionUrl"]

    def _asked_url(self, function: str, properties: Json) -> str:
        full_name = next((one.full_name for one in self.functions if one.name == function), "")
        if not full_name:
            return ""
        more = {"Qualifier": properties["Qualifier"]} if isinstance(properties.get("Qualifier"), str) else {}
        return str(self.aws.call("lambda", "get_function_url_config", FunctionName=full_name, **more)["FunctionUrl"])

    def _called(self, said: Any) -> str:
        """Return the name of the function that a part of the template leads to; "" where it is none of the stack."""
        resources = self.template.get("Resources", {})
        waiting, seen = list(_references(said)), set()
        while waiting:
            logical_id = waiting.pop(0)
            resource = resources.get(logical_id)
            if resource is None or logical_id in seen:
                continue
            seen.add(logical_id)
            if resource.get("Type") == FUNCTION:
                return next((one.name for one in self.functions if one.logical_id == logical_id), "")
            if resource.get("Type") in _THROUGH:
                properties = resource.get("Properties") or {}
                waiting += _references([properties.get(key) for key in ("FunctionName", "IntegrationUri")])
        return ""


def find_deployed(aws: Aws, service: Service) -> Deployed:
    """Return a service as it lives on AWS.

    Raises:
        RemoteError: it is not deployed.
        AwsError: AWS refuses.
    """
    name = service.provider.stack_name
    stack = find_stack(aws, name)
    if stack is None or stack.is_empty:
        raise RemoteError(
            f"{service.name} is not deployed: {aws.region} has no stack {name}",
            expected="a stack of this stage, in this region and account",
            fix=f"bareboat deploy --stage {service.provider.stage}, or another --stage or --region",
        )
    return Deployed(aws, service, stack)


def _suffix(region: str) -> str:
    """Return the end of AWS's host names in a region."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _references(said: Any) -> Iterator[str]:
    """Yield the logical ids that a value names by Ref, GetAtt or Sub."""
    if isinstance(said, dict):
        for key, value in said.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield str(value[0]) if isinstance(value, list) else str(value).partition(".")[0]
            elif key == "Fn::Sub":
                text = value[0] if isinstance(value, list) else value
                yield from (part.partition("}")[0].partition(".")[0] for part in str(text).split("${")[1:])
            else:
                yield from _references(value)
    elif isinstance(said, list):
        for value in said:
            yield from _references(value)


def _path(resource_id: Any, resources: Mapping[str, Json]) -> str:
    """Return the path of a method's resource: the parts from it up to the root."""
    parts: list[str] = []
    while isinstance(resource_id, dict) and resource_id.get("Ref") in resources:
        properties = resources[resource_id["Ref"]]
        parts.insert(0, str(properties.get("PathPart", "")))
        resource_id = properties.get("ParentId")
    return "/" + "/".join(parts)

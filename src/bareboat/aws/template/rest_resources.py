"""Paths of `http` events -> the tree of resources of a REST API."""

from __future__ import annotations

from typing import Any, NamedTuple

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.gateway import free_id
from bareboat.aws.template.targets import functions_of
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function
from bareboat.service.triggers import HttpEvent


class RestMethod(NamedTuple):
    """One `http` event with its function.

    Args:
        path: without slashes at its ends; "" is the root.
        verb: upper case; ANY for any.
    """

    function: Function
    event: HttpEvent
    path: str
    verb: str


def methods_of(draft: Draft) -> list[RestMethod]:
    """Return the methods of the REST API in the order of the file."""
    return [
        RestMethod(function, event, event.path.strip("/"), "ANY" if event.method == "*" else event.method)
        for function in functions_of(draft.service)
        for event in function.events
        if isinstance(event, HttpEvent)
    ]


def rest_api_id(draft: Draft) -> Any:
    """Return the id of the REST API: of the stack's, or of the one that `provider.apiGateway.restApiId` names."""
    return draft.service.provider.rest_api.options.get("restApiId") or {"Ref": naming.REST_API}


class RestTree:
    """The resources of a REST API; those that a shared API has already are not made again.

    Raises:
        ConfigurationError: a path lies between those that `restApiResources` names, and is not among them.
    """

    def __init__(self, draft: Draft, methods: list[RestMethod]) -> None:
        self._draft = draft
        options = draft.service.provider.rest_api.options
        root = options.get("restApiRootResourceId") or {"Fn::GetAtt": [naming.REST_API, "RootResourceId"]}
        self._ids: dict[str, Any] = {"": root}
        self._known = _known(options.get("restApiResources"))
        self._ids.update(self._known)
        for method in methods:
            self._add(method)

    def resource(self, path: str) -> Any:
        """Return the id of the resource of a path."""
        return self._ids[path]

    def _add(self, method: RestMethod) -> None:
        parts = method.path.split("/") if method.path else []
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path in self._ids:
                continue
            self._refuse_between(path, method)
            self._ids[path] = {
                "Ref": self._draft.add(
                    free_id(self._draft, naming.rest_resource_id(path), path),
                    "AWS::ApiGateway::Resource",
                    {
                        "ParentId": self._ids["/".join(parts[: depth - 1])],
                        "PathPart": parts[depth - 1],
                        "RestApiId": rest_api_id(self._draft),
                    },
                )
            }

    def _refuse_between(self, path: str, method: RestMethod) -> None:
        below = [known for known in self._known if known.startswith(f"{path}/")]
        if below:
            raise ConfigurationError(
                f"the shared REST API has the resource /{below[0]}, so it has /{path}, too, and its id is not known",
                expected="the id of each resource that is there already",
                fix=f"add /{path} to provider.apiGateway.restApiResources",
                where=str(method.event.where),
            )


def _known(said: Any) -> dict[str, Any]:
    """Return `restApiResources`, a mapping or a list of {path, resourceId}, by path."""
    if isinstance(said, list):
        return {str(each["path"]).strip("/"): each["resourceId"] for each in said if each.get("resourceId")}
    return {str(path).strip("/"): resource for path, resource in (said or {}).items()}

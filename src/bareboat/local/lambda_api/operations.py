"""A method and a path -> the operation of Lambda's API that they stand for, served here or not.

Source:
    The paths of AWS's service model of Lambda, 2015-03-31 with its later dates; the tests compare with botocore's.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

_FUNCTION = "functions/*"
_CAPACITY = "2025-11-30/capacity-providers"
_DURABLE = "2025-12-01/durable-executions/*"
_CALLBACK = "2025-12-01/durable-execution-callbacks/*"
_SIGNING = "2020-04-22/code-signing-configs"
_MAPPINGS = "2015-03-31/event-source-mappings"
_LAYERS = "2018-10-31/layers"
_VERSION = f"{_LAYERS}/*/versions/*"

# path, "*" for one segment -> method -> operation
PATHS: dict[str, dict[str, str]] = {
    f"2015-03-31/{_FUNCTION}/invocations": {"POST": "Invoke"},
    f"2014-11-13/{_FUNCTION}/invoke-async": {"POST": "InvokeAsync"},
    f"2021-11-15/{_FUNCTION}/response-streaming-invocations": {"POST": "InvokeWithResponseStream"},
    "2015-03-31/functions": {"GET": "ListFunctions", "POST": "CreateFunction"},
    f"2015-03-31/{_FUNCTION}": {"GET": "GetFunction", "DELETE": "DeleteFunction"},
    f"2015-03-31/{_FUNCTION}/configuration": {
        "GET": "GetFunctionConfiguration",
        "PUT": "UpdateFunctionConfiguration",
    },
    f"2015-03-31/{_FUNCTION}/code": {"PUT": "UpdateFunctionCode"},
    f"2015-03-31/{_FUNCTION}/versions": {"GET": "ListVersionsByFunction", "POST": "PublishVersion"},
    f"2015-03-31/{_FUNCTION}/aliases": {"GET": "ListAliases", "POST": "CreateAlias"},
    f"2015-03-31/{_FUNCTION}/aliases/*": {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"},
    f"2015-03-31/{_FUNCTION}/policy": {"GET": "GetPolicy", "POST": "AddPermission"},
    f"2015-03-31/{_FUNCTION}/policy/*": {"DELETE": "RemovePermission"},
    "2016-08-19/account-settings": {"GET": "GetAccountSettings"},
    "2017-03-31/tags/*": {"GET": "ListTags", "POST": "TagResource", "DELETE": "UntagResource"},
    f"2017-10-31/{_FUNCTION}/concurrency": {
        "PUT": "PutFunctionConcurrency",
        "DELETE": "DeleteFunctionConcurrency",
    },
    f"2019-09-30/{_FUNCTION}/concurrency": {"GET": "GetFunctionConcurrency"},
    f"2019-09-30/{_FUNCTION}/provisioned-concurrency": {
        "GET": "GetProvisionedConcurrencyConfig",
        "PUT": "PutProvisionedConcurrencyConfig",
        "DELETE": "DeleteProvisionedConcurrencyConfig",
    },
    f"2019-09-25/{_FUNCTION}/event-invoke-config": {
        "GET": "GetFunctionEventInvokeConfig",
        "PUT": "PutFunctionEventInvokeConfig",
        "POST": "UpdateFunctionEventInvokeConfig",
        "DELETE": "DeleteFunctionEventInvokeConfig",
    },
    f"2019-09-25/{_FUNCTION}/event-invoke-config/list": {"GET": "ListFunctionEventInvokeConfigs"},
    f"2021-10-31/{_FUNCTION}/url": {
        "GET": "GetFunctionUrlConfig",
        "POST": "CreateFunctionUrlConfig",
        "PUT": "UpdateFunctionUrlConfig",
        "DELETE": "DeleteFunctionUrlConfig",
    },
    f"2021-10-31/{_FUNCTION}/urls": {"GET": "ListFunctionUrlConfigs"},
    f"2020-06-30/{_FUNCTION}/code-signing-config": {
        "GET": "GetFunctionCodeSigningConfig",
        "PUT": "PutFunctionCodeSigningConfig",
        "DELETE": "DeleteFunctionCodeSigningConfig",
    },
    f"2021-07-20/{_FUNCTION}/runtime-management-config": {
        "GET": "GetRuntimeManagementConfig",
        "PUT": "PutRuntimeManagementConfig",
    },
    f"2024-08-31/{_FUNCTION}/recursion-config": {
        "GET": "GetFunctionRecursionConfig",
        "PUT": "PutFunctionRecursionConfig",
    },
    f"2025-11-30/{_FUNCTION}/function-scaling-config": {
        "GET": "GetFunctionScalingConfig",
        "PUT": "PutFunctionScalingConfig",
    },
    f"2025-12-01/{_FUNCTION}/durable-executions": {"GET": "ListDurableExecutionsByFunction"},
    _MAPPINGS: {"GET": "ListEventSourceMappings", "POST": "CreateEventSourceMapping"},
    f"{_MAPPINGS}/*": {
        "GET": "GetEventSourceMapping",
        "PUT": "UpdateEventSourceMapping",
        "DELETE": "DeleteEventSourceMapping",
    },
    _LAYERS: {"GET": "ListLayers"},
    f"{_LAYERS}/*/versions": {"GET": "ListLayerVersions", "POST": "PublishLayerVersion"},
    _VERSION: {"GET": "GetLayerVersion", "DELETE": "DeleteLayerVersion"},
    f"{_VERSION}/policy": {"GET": "GetLayerVersionPolicy", "POST": "AddLayerVersionPermission"},
    f"{_VERSION}/policy/*": {"DELETE": "RemoveLayerVersionPermission"},
    _SIGNING: {"GET": "ListCodeSigningConfigs", "POST": "CreateCodeSigningConfig"},
    f"{_SIGNING}/*": {
        "GET": "GetCodeSigningConfig",
        "PUT": "UpdateCodeSigningConfig",
        "DELETE": "DeleteCodeSigningConfig",
    },
    f"{_SIGNING}/*/functions": {"GET": "ListFunctionsByCodeSigningConfig"},
    _CAPACITY: {"GET": "ListCapacityProviders", "POST": "CreateCapacityProvider"},
    f"{_CAPACITY}/*": {
        "GET": "GetCapacityProvider",
        "PUT": "UpdateCapacityProvider",
        "DELETE": "DeleteCapacityProvider",
    },
    f"{_CAPACITY}/*/function-versions": {"GET": "ListFunctionVersionsByCapacityProvider"},
    _DURABLE: {"GET": "GetDurableExecution", "DELETE": "DeleteDurableExecution"},
    f"{_DURABLE}/history": {"GET": "GetDurableExecutionHistory"},
    f"{_DURABLE}/state": {"GET": "GetDurableExecutionState"},
    f"{_DURABLE}/checkpoint": {"POST": "CheckpointDurableExecution"},
    f"{_DURABLE}/pause": {"POST": "PauseDurableExecution"},
    f"{_DURABLE}/resume": {"POST": "ResumeDurableExecution"},
    f"{_DURABLE}/stop": {"POST": "StopDurableExecution"},
    f"{_CALLBACK}/fail": {"POST": "SendDurableExecutionCallbackFailure"},
    f"{_CALLBACK}/heartbeat": {"POST": "SendDurableExecutionCallbackHeartbeat"},
    f"{_CALLBACK}/succeed": {"POST": "SendDurableExecutionCallbackSuccess"},
    "2026-07-09/resource-policy/*": {
        "GET": "GetResourcePolicy",
        "PUT": "PutResourcePolicy",
        "DELETE": "DeleteResourcePolicy",
    },
}


class Found(NamedTuple):
    """An operation, and the decoded segments of the path that its `*` stand for."""

    operation: str
    names: tuple[str, ...]


def find(method: str, path: str) -> Found | None:
    """Return the operation of a request's method and raw path; None for what is none.

    A slash at the end, which the older paths have and SDKs write or not, means nothing.
    """
    segments = path.strip("/").split("/")
    for pattern, operations in _BY_LENGTH.get(len(segments), ()):
        if all(want in {"*", got} for want, got in zip(pattern, segments, strict=True)):
            names = tuple(unquote(got) for want, got in zip(pattern, segments, strict=True) if want == "*")
            operation = operations.get(method)
            return None if operation is None else Found(operation, names)
    return None


_BY_LENGTH: dict[int, list[tuple[list[str], dict[str, str]]]] = {}
for _path, _operations in PATHS.items():
    _pattern = _path.split("/")
    _BY_LENGTH.setdefault(len(_pattern), []).append((_pattern, _operations))

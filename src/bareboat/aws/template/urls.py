"""Function URLs, and who may call them."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.http_api import cors_configuration
from bareboat.aws.template.targets import condition_of, functions_of, target_arn, target_depends
from bareboat.service.api import FunctionUrl

_PERMISSION = "AWS::Lambda::Permission"


def add_urls(draft: Draft) -> None:
    """Add the URL of each function that has one."""
    for function in functions_of(draft.service):
        if function.url is not None:
            _add_url(draft, function.name, function.url)


def _add_url(draft: Draft, function: str, url: FunctionUrl) -> None:
    more = {"DependsOn": target_depends(draft, function), "Condition": condition_of(draft, function)}
    logical_id = naming.function_url_id(function)
    target = target_arn(draft, function)
    properties: Json = {"AuthType": url.auth, "TargetFunctionArn": target}
    if url.cors is not None:
        properties["Cors"] = cors_configuration(url.cors)
    if url.invoke_mode != "BUFFERED":
        properties["InvokeMode"] = url.invoke_mode
    draft.add(logical_id, "AWS::Lambda::Url", properties, **more)
    draft.output(logical_id, {"Fn::GetAtt": [logical_id, "FunctionUrl"]}, "Lambda Function URL")
    if more["Condition"]:
        draft.outputs[logical_id]["Condition"] = more["Condition"]
    if url.auth == "NONE":
        _add_permissions(draft, function, more)


def _add_permissions(draft: Draft, function: str, more: Json) -> None:
    """Let anybody call; since October 2025 AWS asks for the permission to invoke, too, where it is through the URL."""
    open_to_all = {"FunctionName": target_arn(draft, function), "Principal": "*"}
    draft.add(
        naming.url_permission_id(function),
        _PERMISSION,
        {**open_to_all, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        **more,
    )
    draft.add(
        naming.url_invoke_permission_id(function),
        _PERMISSION,
        {**open_to_all, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
        **more,
    )

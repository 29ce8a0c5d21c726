"""The roles that functions run with: the shared one, and those of functions with statements of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import functions_of
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function, Provider
from bareboat.service.role_names import LONGEST

Statement = Mapping[str, Any]


def given_role(provider: Provider, function: Function) -> Any:
    """Return the role that somebody else made, or that `resources` makes, as written; None for one made here."""
    if role := function.options.get("role"):
        return role
    shared = _iam(provider).get("role")
    return shared if _is_reference(shared) else provider.options.get("role")


def has_own_role(function: Function) -> bool:
    """Whether a role is made for the function alone (`iamRoleStatements`)."""
    return function.options.get("iamRoleStatements") is not None and not function.options.get("role")


def role_arn(provider: Provider, function: Function) -> Any:
    """Return what the function's Role is."""
    if has_own_role(function):
        return {"Fn::GetAtt": [naming.own_role_id(function.name), "Arn"]}
    role = given_role(provider, function) or naming.ROLE
    if isinstance(role, str) and not role.startswith("arn:"):
        return {"Fn::GetAtt": [role, "Arn"]}
    return role


def find_roles(draft: Draft) -> None:
    """Fill `draft.own_statements`, before anything is allowed to a function."""
    provider = draft.service.provider
    for function in functions_of(draft.service):
        given = given_role(provider, function)
        if has_own_role(function) or (given and given != naming.ROLE):
            draft.own_statements[function.name] = []


def add_roles(draft: Draft) -> None:
    """Add the roles, now that all is known that they must allow."""
    provider = draft.service.provider
    every = functions_of(draft.service)
    shared = [function for function in every if function.name not in draft.own_statements]
    if shared:
        said = _shared(provider)
        statements = [*_log_statements(shared), *said["statements"], *_network(draft, shared), *draft.statements]
        name = said["name"] or naming.role_name(draft.service.name, draft.stage)
        _add(draft, naming.ROLE, name, statements, policies=[*said["managedPolicies"], *draft.policies])
    for function in every:
        if has_own_role(function):
            _add_own(draft, function)


def _add_own(draft: Draft, function: Function) -> None:
    provider = draft.service.provider
    statements = [*_log_statements([function]), *draft.own_statements[function.name], *_network(draft, [function])]
    plugin = draft.service.custom.get("serverless-iam-roles-per-function") or {}
    if function.options.get("iamRoleStatementsInherit", plugin.get("defaultInherit")):
        statements += _shared(provider)["statements"]
    own = function.options["iamRoleStatements"]
    statements += own if isinstance(own, list) else [own]
    name = function.options.get("iamRoleStatementsName") or _own_name(draft, function)
    boundary = function.options.get("iamPermissionsBoundary") or plugin.get("iamGlobalPermissionsBoundary")
    _add(draft, naming.own_role_id(function.name), name, statements, boundary=boundary, function=function.name)


def _own_name(draft: Draft, function: Function) -> Any:
    """Return what serverless-iam-roles-per-function calls the role."""
    parts = [draft.service.name, draft.stage, function.name]
    length = len("-".join([*parts, draft.service.provider.region]))
    end = ["lambdaRole"] if length + 11 <= LONGEST else []
    if length > LONGEST:
        raise ConfigurationError(
            f"the role of functions.{function.name} would have a name of {length} characters",
            expected=f"at most {LONGEST}",
            fix=f"set functions.{function.name}.iamRoleStatementsName",
            where=str(function.where),
        )
    return {"Fn::Join": ["-", [*parts, {"Ref": "AWS::Region"}, *end]]}


def _add(
    draft: Draft,
    logical_id: str,
    name: Any,
    statements: list[Statement],
    *,
    policies: Iterable[Any] = (),
    boundary: Any = None,
    function: str = "",
) -> None:
    said = _shared(draft.service.provider)
    principals = ["lambda.amazonaws.com", *draft.trusted.get(function, ())]
    trust = {"Effect": "Allow", "Principal": {"Service": principals}, "Action": ["sts:AssumeRole"]}
    properties: Json = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        policy = {"PolicyName": naming.policy_name(draft.service.name, draft.stage), "PolicyDocument": document}
        properties["Policies"] = [policy]
    properties["Path"] = said["path"]
    properties["RoleName"] = name
    if policies:
        properties["ManagedPolicyArns"] = list(policies)
    if boundary or said["boundary"]:
        properties["PermissionsBoundary"] = boundary or said["boundary"]
    if said["tags"]:
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in said["tags"].items()]
    draft.add(logical_id, "AWS::IAM::Role", properties)


def _log_statements(functions: Iterable[Function]) -> list[Statement]:
    """Let functions write to their own log groups, and to nothing else."""
    names = []
    for function in functions:
        if not function.options.get("disableLogs"):
            own = _log_options(function).get("logGroup")
            names.append(own or naming.log_group_name(function.full_name))
    if not names:
        return []
    arns = []
    for name in names:
        if isinstance(name, str):
            arn: Any = f"{_LOG_GROUP}{name}:*"
        else:
            arn = [f"{_LOG_GROUP}${{Name}}:*", {"Name": name}]
        if {"Fn::Sub": arn} not in arns:
            arns.append({"Fn::Sub": arn})
    return [{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": arns}]


_LOG_GROUP = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"


def _log_options(function: Function) -> Mapping[str, Any]:
    return function.options.get("logs") or {}


def _network(draft: Draft, functions: Iterable[Function]) -> list[Statement]:
    """Let functions in a VPC have their network interfaces.

    Source:
        AWS Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC", required IAM
        permissions.
    """
    for function in functions:
        resource = draft.resources.get(naming.function_id(function.name), {})
        if "VpcConfig" in resource.get("Properties", {}):
            break
    else:
        return []
    actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [{"Effect": "Allow", "Action": actions, "Resource": "*"}]


def _iam(provider: Provider) -> Mapping[str, Any]:
    iam = provider.options.get("iam")
    return iam if isinstance(iam, dict) else {}


def _is_reference(role: Any) -> bool:
    return isinstance(role, str) or (isinstance(role, dict) and any(key == "Ref" or "::" in key for key in role))


def _shared(provider: Provider) -> dict[str, Any]:
    """Return what `provider.iam.role`, or the older keys beside it, say of the role that is made."""
    role = _iam(provider).get("role")
    said = role if isinstance(role, dict) and not _is_reference(role) else {}
    old = provider.options
    return {
        "name": said.get("name"),
        "path": said.get("path") or "/",
        "statements": said.get("statements") or old.get("iamRoleStatements") or [],
        "managedPolicies": said.get("managedPolicies") or old.get("iamManagedPolicies") or [],
        "boundary": said.get("permissionsBoundary")
        or said.get("permissionBoundary")
        or old.get("rolePermissionsBoundary"),
        "tags": said.get("tags") or {},
    }

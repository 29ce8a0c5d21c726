"""What a stack of Serverless may hold that bareboat's template does not: who put it there, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Leftover(NamedTuple):
    """What is known of a kind of resource that the first deployment takes out of the stack.

    Args:
        type, logical_id: patterns of the whole name.
        whose: who put it there.
        what: what becomes of it, and what bareboat has in its place.
        belongs: whether nothing is missing without it, so that serverless.yml need not name it.
    """

    type: str
    logical_id: str
    whose: str
    what: str
    belongs: bool = False


_LEFTOVERS = (
    Leftover(
        "AWS::Lambda::Version",
        ".*LambdaVersion.*",
        "Serverless",
        "each deployment publishes a version and leaves the one before; `bareboat rollback` publishes its code again",
        belongs=True,
    ),
    Leftover(
        "AWS::ApiGateway::Deployment",
        "ApiGatewayDeployment.*",
        "Serverless",
        "each deployment of a REST API has a new one, with Serverless too; the API's id and its stage stay",
        belongs=True,
    ),
    Leftover(
        "AWS::Lambda::LayerVersion(Permission)?",
        ".*LambdaLayer.*",
        "Serverless",
        "the layer's version before; versions that are retained stay at AWS",
        belongs=True,
    ),
    Leftover(
        "AWS::Lambda::Permission",
        ".*LambdaPermission.*",
        "Serverless",
        "what it allowed is allowed by another resource, or the event is no longer in serverless.yml",
        belongs=True,
    ),
    Leftover(
        "Custom::.*|AWS::IAM::Role|AWS::Lambda::Function",
        "CustomApiGatewayAccountCloudWatchRole|IamRoleCustomResourcesLambdaExecution|CustomDashresource.*",
        "Serverless",
        "the helper that let API Gateway write logs; the template does that itself now, and nothing is undone",
        belongs=True,
    ),
    Leftover(
        "AWS::CodeDeploy::.*|AWS::IAM::Role",
        ".*(CanaryDeployments|DeploymentGroup|CodeDeploy).*",
        "serverless-plugin-canary-deployments",
        "`custom.bareboat.canary` shifts traffic step by step without CodeDeploy (docs/deploy.md)",
        belongs=True,
    ),
    Leftover(
        "AWS::Lambda::Alias",
        ".*LambdaAlias.*",
        "serverless-plugin-canary-deployments, or provisioned concurrency that is no longer set",
        "the service's own routes and events call the function itself; others that call the alias fail",
    ),
    Leftover(
        ".*", "WarmUpPlugin.*", "serverless-plugin-warmup", "functions are not kept warm: set provisionedConcurrency"
    ),
    Leftover(
        "AWS::IAM::Role|AWS::Logs::SubscriptionFilter",
        "EnterpriseLogAccessIamRole|.*(LogsSubscriptionFilter|CloudWatchLogsSubscriptionFilter)",
        "Serverless's dashboard, or a plugin that forwards logs",
        "logs are no longer handed on",
    ),
    Leftover(
        "AWS::Logs::SubscriptionFilter",
        ".*",
        "a plugin that forwards logs",
        "logs are no longer handed on",
    ),
    Leftover(
        "AWS::CloudWatch::Alarm",
        ".*",
        "serverless-plugin-aws-alerts, or the like",
        "the alarm is gone; `custom.bareboat.alarms` makes alarms on errors, throttles and spend",
    ),
    Leftover("AWS::CloudWatch::Dashboard", ".*", "a plugin", "the dashboard is gone"),
    Leftover(
        "AWS::ApplicationAutoScaling::.*",
        ".*",
        "serverless-provisioned-concurrency-autoscaling, or the like",
        "capacity no longer follows the load",
    ),
    Leftover(
        "AWS::StepFunctions::.*",
        ".*",
        "serverless-step-functions",
        "the state machine is gone",
    ),
    Leftover(
        "AWS::ApiGateway(V2)?::(BasePathMapping|ApiMapping|DomainName)|AWS::Route53::.*",
        ".*",
        "serverless-domain-manager, or `resources`",
        "the custom domain no longer leads to the API",
    ),
    Leftover(
        "AWS::IAM::Role",
        ".*IamRoleLambdaExecution",
        "serverless-iam-roles-per-function",
        "the function takes the service's role, or the one that serverless.yml gives it",
        belongs=True,
    ),
    Leftover("Custom::.*|AWS::CloudFormation::CustomResource", ".*", "a plugin", "its function is told to undo it"),
    Leftover(
        "AWS::Lambda::Function",
        ".*LambdaFunction",
        "a function that is not in serverless.yml, or a plugin",
        "the function is gone",
    ),
)

# What plugins did outside of the stack, or need not do any more.
_PLUGINS = {
    "serverless-prune-plugin": "it only ever deleted old versions, which bareboat does after a deployment by itself",
    "serverless-domain-manager": (
        "the domain, its certificate and its DNS record are outside of the stack. They lead to the API's id, which "
        "stays: the domain goes on working, and bareboat does not touch it"
    ),
    "serverless-plugin-canary-deployments": "`custom.bareboat.canary` shifts traffic in its place",
    "serverless-s3-sync": "the files that it copied stay where they are; bareboat copies none",
    "serverless-plugin-log-retention": "provider.logRetentionInDays keeps logs as long as you say",
    "serverless-export-env": "it wrote a file on the machine, and nothing in the stack",
    "serverless-plugin-warmup": "functions are not kept warm: set provisionedConcurrency",
    "serverless-associate-waf": "it tied a web ACL to the API outside of the stack; that stays with the API's id",
}


_OUTPUTS = re.compile(r"(DomainName|DistributionDomainName|HostedZoneId|RegionalDomainName)(Http|Rest|Websocket)?")


def output_note(name: str) -> str:
    """Return what is known of an output that only the stack has; "" for nothing."""
    return "serverless-domain-manager's, which the domain does not need" if _OUTPUTS.fullmatch(name) else ""


def leftover_of(type_: str, logical_id: str) -> Leftover | None:
    """Return what is known of a resource that only the stack has."""
    for one in _LEFTOVERS:
        if re.fullmatch(one.type, type_) and re.fullmatch(one.logical_id, logical_id):
            return one
    return None


def plugin_notes(plugins: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (plugin, what it comes to when the stack is taken over) for those that did something outside of it."""
    for name in plugins:
        if name in _PLUGINS:
            yield name, _PLUGINS[name]

"""`plugins` -> what each comes to here."""

from __future__ import annotations

from bareboat.service.keys.file import PluginKeys
from bareboat.service.nodes import Node
from bareboat.service.report import Report

# What bareboat does by itself.
COUNTERPARTS: dict[str, str] = {
    "serverless-python-requirements": "`bareboat package` resolves and packages dependencies itself",
    "serverless-offline": "`bareboat serve` is the local HTTP API and REST API",
    "serverless-pseudo-parameters": "write ${AWS::Region} and the like in Fn::Sub",
    "serverless-deployment-bucket": "set provider.deploymentBucket",
    "serverless-dotenv": "set useDotenv: true",
    "serverless-api-gateway-throttling": "its limits are read",
    "serverless-api-stage": "its stage variables and limits are read",
    "serverless-plugin-stage-variables": "its stage variables are read",
    "serverless-apigw-binary": "its types are read",
    "serverless-prune-plugin": "`bareboat deploy` prunes old versions itself, down to its `number`",
    "serverless-iam-roles-per-function": "functions with iamRoleStatements have roles of their own",
    "serverless-domain-manager": "what it has made is left alone; custom.bareboat.domains: stack makes it in the stack",
}

# What will not happen.
MISSING: dict[str, str] = {
    "serverless-wsgi": "the WSGI application is not wrapped, and wsgi_handler.py is not made",
    "serverless-dotenv-plugin": "functions get no variables from .env; useDotenv: true makes ${env:} read it",
    "serverless-step-functions": "state machines are not made",
    "serverless-lift": "Lift constructs are not made",
    "serverless-plugin-warmup": "functions are not kept warm",
    "serverless-plugin-canary-deployments": "set custom.bareboat.canary",
    "serverless-plugin-aws-alerts": "its alarms are not made; set custom.bareboat.alarms",
    "serverless-plugin-tracing": "X-Ray is set only by provider.tracing",
    "serverless-plugin-log-retention": "set provider.logRetentionInDays",
    "serverless-plugin-datadog": "functions are not instrumented",
    "serverless-s3-sync": "files are not copied to S3",
    "serverless-add-api-key": "its API keys are not made; name them under provider.apiGateway.apiKeys",
    "serverless-plugin-scripts": "its scripts do not run",
    "serverless-scriptable-plugin": "its scripts do not run",
    "serverless-dynamodb-local": "no local DynamoDB is started",
    "serverless-localstack": "set AWS_ENDPOINT_URL",
    "serverless-package-python-functions": "dependencies are packaged as requirements files say",
}


def plugin_names(keys: list[str] | PluginKeys | None, node: Node | None, report: Report) -> tuple[str, ...]:
    """Return the plugins' names, with a note on each."""
    names = keys.modules or [] if isinstance(keys, PluginKeys) else keys or []
    listing = node.get("modules") if node is not None and node.is_mapping else node
    children = listing.value if listing is not None and isinstance(listing.value, list) else []
    for index, name in enumerate(names):
        place = children[index].place if index < len(children) else node.place if node else None
        if name in COUNTERPARTS:
            report.info(f"plugin {name}: {COUNTERPARTS[name]}", place)
        else:
            what = MISSING.get(name, "what it adds will not happen")
            report.warn(f"plugin {name} does not run here: {what}", place)
    return tuple(names)

"""Record what osls calls things: asks its `naming.js` for each of ASKED and writes `names.json`.

    python tests/contract/aws/record_names.py

osls is found at BAREBOAT_OSLS (its `bin/serverless.js`), or where benchmarks/peers.py installs it. Tests never run it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WRITTEN = Path(__file__).with_name("names.json")
OSLS = Path.home() / ".cache/bareboat-peers/node/osls/node_modules/osls/bin/serverless.js"

FUNCTIONS = ["predict", "my-function", "with_under_score", "camelCase", "v2"]
PATHS = ["", "items", "items/{id}", "files/{proxy+}", "a-b/c_d/E.f", "{a}-{b}", "items/{id}/sub"]
ROUTES = ["*", "GET /items/{id}", "* /any", "POST /predict", "ANY /files/{proxy+}", "GET /"]
OTHERS = ["queue", "my-queue.fifo", "jobs_1", "Über"]
PLANS = ["", "free", "gold"]
DIGEST = "mpm874C1hfQeX1s1iJ0rMTYD3oQRUzPaxswB6S4rL1E="

# [function of aws/template/naming.py, its arguments, method of naming.js, its arguments]
ASKED: list[tuple[str, list[object], str, list[object]]] = [
    *(
        (ours, [name], theirs, [name])
        for name in FUNCTIONS
        for ours, theirs in {
            "function_id": "getLambdaLogicalId",
            "version_output": "getLambdaVersionOutputLogicalId",
            "event_config_id": "getLambdaEventConfigLogicalId",
            "log_group_id": "getLogGroupLogicalId",
            "log_group_name": "getLogGroupName",
            "function_url_id": "getLambdaFunctionUrlLogicalId",
            "url_permission_id": "getLambdaFnUrlPermissionLogicalId",
            "url_invoke_permission_id": "getLambdaFnPermissionLogicalId",
            "layer_id": "getLambdaLayerLogicalId",
            "layer_output": "getLambdaLayerOutputLogicalId",
            "layer_hash_output": "getLambdaLayerHashOutputLogicalId",
            "layer_key_output": "getLambdaLayerS3KeyOutputLogicalId",
            "http_integration_id": "getHttpApiIntegrationLogicalId",
            "http_authorizer_id": "getHttpApiAuthorizerLogicalId",
            "http_permission_id": "getLambdaHttpApiPermissionLogicalId",
            "http_authorizer_permission_id": "getLambdaAuthorizerHttpApiPermissionLogicalId",
            "rest_authorizer_id": "getAuthorizerLogicalId",
            "rest_permission_id": "getLambdaApiGatewayPermissionLogicalId",
            "rest_model_id": "getModelLogicalId",
            "log_filter_permission_id": "getLambdaCloudWatchLogPermissionLogicalId",
            "bus_id": "getEventBridgeEventBusLogicalId",
            "stream_consumer_id": "getStreamConsumerLogicalId",
        }.items()
    ),
    *(
        (ours, [name, 3], theirs, [name, 3])
        for name in FUNCTIONS
        for ours, theirs in {
            "schedule_rule_id": "getScheduleLogicalId",
            "schedule_permission_id": "getLambdaSchedulePermissionLogicalId",
            "scheduler_id": "getSchedulerScheduleLogicalId",
            "bus_permission_id": "getEventBridgeLambdaPermissionLogicalId",
            "cloudwatch_rule_id": "getCloudWatchEventLogicalId",
            "cloudwatch_permission_id": "getLambdaCloudWatchEventPermissionLogicalId",
            "log_filter_id": "getCloudWatchLogLogicalId",
        }.items()
    ),
    *(
        (ours, [function, name], theirs, [function, name])
        for function in FUNCTIONS
        for name in OTHERS
        for ours, theirs in {
            "queue_mapping_id": "getQueueLogicalId",
            "topic_subscription_id": "getLambdaSnsSubscriptionLogicalId",
            "topic_permission_id": "getLambdaSnsPermissionLogicalId",
            "topic_queue_policy_id": "getTopicDLQPolicyLogicalId",
            "bucket_permission_id": "getLambdaS3PermissionLogicalId",
        }.items()
    ),
    *(
        (ours, [name], theirs, [name])
        for name in OTHERS
        for ours, theirs in {
            "topic_id": "getTopicLogicalId",
            "bucket_id": "getBucketLogicalId",
            "bus_rule_id": "getEventBridgeRuleLogicalId",
        }.items()
    ),
    *(("version_id", [name, DIGEST], "getLambdaVersionLogicalId", [name, DIGEST]) for name in FUNCTIONS),
    *(
        ("alias_id", [name, "provisioned"], "getLambdaProvisionedConcurrencyAliasLogicalId", [name])
        for name in FUNCTIONS
    ),
    *(("alias_id", [name, "snapstart"], "getLambdaSnapStartAliasLogicalId", [name]) for name in FUNCTIONS),
    *(("alias_id", [name, "durable"], "getLambdaDurableAliasLogicalId", [name]) for name in FUNCTIONS),
    *(
        ("layer_permission_id", ["shared-one", account], "getLambdaLayerPermissionLogicalId", ["shared-one", account])
        for account in ("*", "123456789012")
    ),
    *(("http_route_id", [route], "getHttpApiRouteLogicalId", [route]) for route in ROUTES),
    *(("rest_resource_id", [path], "getResourceLogicalId", [path]) for path in PATHS),
    *(
        (
            "rest_method_model_id",
            ["items/{id}", "post", kind],
            "getEndpointModelLogicalId",
            ["ItemsIdVar", "post", kind],
        )
        for kind in ("application/json", "application/vnd.api+json", "text/plain")
    ),
    *(
        ("rest_method_id", ["items/{id}", m], "getMethodLogicalId", ["ItemsIdVar", m])
        for m in ("any", "GET", "options")
    ),
    *(("rest_method_id", ["", m], "getMethodLogicalId", ["", m]) for m in ("any", "GET")),
    *(("rest_key_id", [2, plan], "getApiKeyLogicalId", [2, plan]) for plan in PLANS),
    *(("rest_plan_id", [plan], "getUsagePlanLogicalId", [plan]) for plan in PLANS),
    *(("rest_plan_key_id", [1, plan], "getUsagePlanKeyLogicalId", [1, plan]) for plan in PLANS),
    ("rest_deployment_id", ["1700000000000"], "generateApiGatewayDeploymentLogicalId", ["1700000000000"]),
    *(
        ("stream_mapping_id", ["my-function", kind, "a.table"], "getStreamLogicalId", ["my-function", kind, "a.table"])
        for kind in ("dynamodb", "kinesis")
    ),
    ("stream_consumer_name", ["predict", "events"], "getStreamConsumerName", ["predict", "events"]),
    *(
        (
            "broker_mapping_id",
            ["my-function", kind, "q-1" * 60],
            f"get{kind}EventLogicalId",
            ["my-function", "q-1" * 60],
        )
        for kind in ("RabbitMQ", "ActiveMQ", "Kafka")
    ),
    (
        "msk_mapping_id",
        ["predict", "c-1" * 40, "t.1" * 40],
        "getMSKEventLogicalId",
        ["predict", "c-1" * 40, "t.1" * 40],
    ),
]

ASK = """
const naming = Object.create(require(process.argv[1]));
naming.provider = {serverless: {service: {provider: {}}}};
const asked = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(asked.map(([method, args]) => naming[method](...args))));
"""


def main() -> int:
    """Ask osls and write what it says."""
    osls = Path(os.environ.get("BAREBOAT_OSLS", OSLS))
    naming = osls.parent.parent / "lib/plugins/aws/lib/naming.js"
    asked = json.dumps([(method, arguments) for _, _, method, arguments in ASKED])
    done = subprocess.run(
        ["node", "-e", ASK, str(naming)], input=asked, capture_output=True, text=True, timeout=60, check=True
    )
    names = json.loads(done.stdout)
    lines = [json.dumps([ours, given, name]) for (ours, given, _, _), name in zip(ASKED, names, strict=True)]
    WRITTEN.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

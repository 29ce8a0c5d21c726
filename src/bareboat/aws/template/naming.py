"""Names in serverless.yml -> logical ids and names on AWS, those that Serverless 3 and osls 4.3.1 give.

The same names are what makes a live stack of theirs one that can be taken over: CloudFormation knows a resource by its
logical id. Where theirs would be no logical id (letters and digits alone), what is not allowed is left out.
"""

from __future__ import annotations

from typing import Any

from bareboat.aws.template.words import SIGN, alphanumeric, camel_case, normal, path, start_case, upper_first

BUCKET = "ServerlessDeploymentBucket"
BUCKET_POLICY = "ServerlessDeploymentBucketPolicy"
BUCKET_OUTPUT = "ServerlessDeploymentBucketName"
ROLE = "IamRoleLambdaExecution"

HTTP_API = "HttpApi"
HTTP_API_STAGE = "HttpApiStage"
HTTP_API_LOG_GROUP = "HttpApiLogGroup"
REST_API = "ApiGatewayRestApi"
REST_API_STAGE = "ApiGatewayStage"
REST_API_LOG_GROUP = "ApiGatewayLogGroup"
REST_USAGE_PLAN = "ApiGatewayUsagePlan"

ALARM_TOPIC = "AlarmTopic"
ALARM_TOPIC_POLICY = "AlarmTopicPolicy"
BUDGET = "SpendBudget"

PROVISIONED = "provisioned"
SNAPSTART = "snapstart"
DURABLE = "durable"
LIVE = "live"

# functions


def function_id(function: str) -> str:
    """Logical id of a function."""
    return f"{normal(function)}LambdaFunction"


def version_id(function: str, digest: str) -> str:
    """Logical id of a function's version.

    Args:
        digest: of its code and configuration, base64 or hex.
    """
    return f"{normal(function)}LambdaVersion{SIGN.sub('', digest)}"


def version_output(function: str) -> str:
    """Output with the ARN of the version."""
    return f"{function_id(function)}QualifiedArn"


def alias_id(function: str, alias: str) -> str:
    """Logical id of a function's alias: provisioned, snapstart, durable or live."""
    kind = {PROVISIONED: "ProvConc", SNAPSTART: "SnapStart", DURABLE: "Durable", LIVE: "Live"}[alias]
    return f"{normal(function)}{kind}LambdaAlias"


def event_config_id(function: str) -> str:
    """Logical id of what happens to a function's asynchronous events."""
    return f"{normal(function)}LambdaEvConf"


def log_group_id(function: str) -> str:
    """Logical id of a function's log group."""
    return f"{normal(function)}LogGroup"


def log_group_name(full_name: str) -> str:
    """The log group of a function that is called so on AWS."""
    return f"/aws/lambda/{full_name}"


def function_url_id(function: str) -> str:
    """Logical id of a function's URL, and the output with it."""
    return f"{normal(function)}LambdaFunctionUrl"


def url_permission_id(function: str) -> str:
    """Logical id of the permission to call a function's URL."""
    return f"{normal(function)}LambdaPermissionFnUrl"


def url_invoke_permission_id(function: str) -> str:
    """Logical id of the permission to invoke a function through its URL."""
    return f"{normal(function)}LambdaPermissionFn"


def own_role_id(function: str) -> str:
    """Logical id of a function's own role, as serverless-iam-roles-per-function has it."""
    return f"{normal(function)}IamRoleLambdaExecution"


def alarm_id(function: str, metric: str) -> str:
    """Logical id of an alarm on a metric of a function, as serverless-plugin-aws-alerts has it."""
    return f"{normal(function)}Function{metric}Alarm"


def alarm_subscription_id(number: int) -> str:
    """Logical id of a subscription to the alarms, counted from 1."""
    return f"{ALARM_TOPIC}Subscription{number}"


# layers


def layer_id(layer: str) -> str:
    """Logical id of a layer; one that is retained has its digest after it."""
    return f"{normal(layer)}LambdaLayer"


def layer_permission_id(layer: str, account: str) -> str:
    """Logical id of an account's permission to use a layer."""
    return SIGN.sub("", f"{normal(layer)}{account.replace('*', 'Wild', 1)}LambdaLayerPermission")


def layer_output(layer: str) -> str:
    """Output with the ARN of a layer's version."""
    return f"{layer_id(layer)}QualifiedArn"


def layer_hash_output(layer: str) -> str:
    """Output with the digest of a layer."""
    return f"{layer_id(layer)}Hash"


def layer_key_output(layer: str) -> str:
    """Output with the key of a layer's archive in the bucket."""
    return f"{layer_id(layer)}S3Key"


# role


def role_name(service: str, stage: str) -> Any:
    """The name of the shared role."""
    return {"Fn::Join": ["-", [service, stage, {"Ref": "AWS::Region"}, "lambdaRole"]]}


def policy_name(service: str, stage: str) -> Any:
    """The name of the shared role's policy."""
    return {"Fn::Join": ["-", [service, stage, "lambda"]]}


# HTTP API


def api_name(service: str, stage: str, *, service_first: bool = False) -> str:
    """The name of an HTTP or REST API that is given none.

    Args:
        service_first: `shouldStartNameWithService`.
    """
    return f"{service}-{stage}" if service_first else f"{stage}-{service}"


def http_integration_id(function: str) -> str:
    """Logical id of an HTTP API's integration of a function."""
    return f"HttpApiIntegration{normal(function)}"


def http_route_id(route_key: str) -> str:
    """Logical id of a route. The route key is `POST /predict`, `* /any`; `*` alone is the catch-all."""
    return "HttpApiRouteDefault" if route_key == "*" else f"HttpApiRoute{path(route_key)}"


def http_authorizer_id(authorizer: str) -> str:
    """Logical id of an HTTP API's authorizer."""
    return f"HttpApiAuthorizer{normal(authorizer)}"


def http_permission_id(function: str) -> str:
    """Logical id of an HTTP API's permission to invoke a function."""
    return f"{normal(function)}LambdaPermissionHttpApi"


def http_authorizer_permission_id(authorizer: str) -> str:
    """Logical id of an HTTP API's permission to ask an authorizer's function."""
    return f"{normal(authorizer)}LambdaAuthorizerPermissionHttpApi"


def http_log_group_name(stack: str) -> str:
    """The log group of an HTTP API's accesses."""
    return f"/aws/http-api/{stack}"


# REST API


def rest_resource_id(resource: str) -> str:
    """Logical id of a resource: `items/{id}` is ApiGatewayResourceItemsIdVar."""
    return f"ApiGatewayResource{path(resource)}"


def rest_method_id(resource: str, method: str) -> str:
    """Logical id of a method; `resource` is the path, "" for the root."""
    return f"ApiGatewayMethod{path(resource)}{upper_first(method.lower())}"


def rest_validator_id(service: str) -> str:
    """Logical id of the request validator."""
    return f"ApiGateway{alphanumeric(service)}RequestValidator"


def rest_model_id(name: str) -> str:
    """Logical id of a model of the API."""
    return f"ApiGateway{upper_first(camel_case(name))}Model"


def rest_method_model_id(resource: str, method: str, content_type: str) -> str:
    """Logical id of a model that one method has for itself."""
    return f"{rest_method_id(resource, method)}{start_case(content_type)}Model"


def rest_authorizer_id(authorizer: str) -> str:
    """Logical id of a REST API's authorizer."""
    return f"{normal(authorizer)}ApiGatewayAuthorizer"


def rest_key_id(number: int, plan: str = "") -> str:
    """Logical id of an API key, counted from 1 in its plan; `plan` is "" for the only one."""
    return f"ApiGatewayApiKey{alphanumeric(plan)}{number}"


def rest_plan_id(plan: str = "") -> str:
    """Logical id of a usage plan; "" for the only one."""
    return f"{REST_USAGE_PLAN}{alphanumeric(plan)}"


def rest_plan_key_id(number: int, plan: str = "") -> str:
    """Logical id of what ties an API key to its plan."""
    return f"ApiGatewayUsagePlanKey{alphanumeric(plan)}{number}"


def rest_deployment_id(digest: str) -> str:
    """Logical id of a deployment of the API."""
    return f"ApiGatewayDeployment{digest}"


def rest_permission_id(function: str) -> str:
    """Logical id of a REST API's permission to invoke a function."""
    return f"{normal(function)}LambdaPermissionApiGateway"


# events


def schedule_rule_id(function: str, index: int) -> str:
    """Logical id of an EventBridge rule of a schedule, counted from 1."""
    return f"{normal(function)}EventsRuleSchedule{index}"


def schedule_permission_id(function: str, index: int) -> str:
    """Logical id of a schedule's permission to invoke."""
    return f"{normal(function)}LambdaPermissionEventsRuleSchedule{index}"


def scheduler_id(function: str, index: int) -> str:
    """Logical id of a schedule of EventBridge Scheduler (`method: scheduler`)."""
    return f"{normal(function)}SchedulerSchedule{index}"


def queue_mapping_id(function: str, queue: str) -> str:
    """Logical id of the mapping of an SQS queue."""
    return f"{normal(function)}EventSourceMappingSQS{alphanumeric(queue)}"


def stream_mapping_id(function: str, kind: str, stream: str) -> str:
    """Logical id of the mapping of a stream.

    Args:
        kind: dynamodb or kinesis.
    """
    return f"{normal(function)}EventSourceMapping{upper_first(kind)}{alphanumeric(stream)}"


def stream_consumer_name(function: str, stream: str, service: str = "", stage: str = "") -> str:
    """The name of a Kinesis consumer; with service and stage in `consumerNamingMode: serviceSpecific`."""
    return f"{function}{stream}{service}{stage}Consumer"


def stream_consumer_id(consumer: str) -> str:
    """Logical id of a Kinesis consumer of that name."""
    return f"{normal(consumer)}StreamConsumer"


def broker_mapping_id(function: str, kind: str, queue: str) -> str:
    """Logical id of the mapping of a message broker.

    Args:
        kind: RabbitMQ, ActiveMQ, Kafka.
    """
    limit = 158 if kind == "Kafka" else 150
    return f"{normal(function)}EventSourceMapping{kind}{alphanumeric(queue)[:limit]}"


def msk_mapping_id(function: str, cluster: str, topic: str) -> str:
    """Logical id of the mapping of a topic of MSK."""
    return f"{normal(function)}EventSourceMappingMSK{alphanumeric(cluster)[:79]}{alphanumeric(topic)[:79]}"


def topic_id(topic: str) -> str:
    """Logical id of an SNS topic that the service makes."""
    return f"SNSTopic{alphanumeric(topic)}"


def topic_subscription_id(function: str, topic: str) -> str:
    """Logical id of a function's subscription to a topic."""
    return f"{normal(function)}SnsSubscription{alphanumeric(topic)}"


def topic_permission_id(function: str, topic: str) -> str:
    """Logical id of a topic's permission to invoke."""
    return f"{normal(function)}LambdaPermission{alphanumeric(topic)}SNS"


def topic_queue_policy_id(function: str, topic: str) -> str:
    """Logical id of the policy of the queue that a subscription gives up to."""
    return f"{alphanumeric(topic)}To{normal(function)}DLQPolicy"


def bucket_id(bucket: str) -> str:
    """Logical id of an S3 bucket that the service makes."""
    return f"S3Bucket{alphanumeric(bucket)}"


def bucket_permission_id(function: str, bucket: str) -> str:
    """Logical id of a bucket's permission to invoke."""
    return f"{normal(function)}LambdaPermission{alphanumeric(bucket)}S3"


def bus_id(bus: str) -> str:
    """Logical id of an event bus that the service makes."""
    return f"{normal(bus)}EventBridgeEventBus"


def bus_rule_id(rule: str) -> str:
    """Logical id of an EventBridge rule of that name."""
    return f"{alphanumeric(rule)}EventBridgeRule"


def bus_permission_id(function: str, index: int) -> str:
    """Logical id of EventBridge's permission to invoke, counted from 1."""
    return f"{normal(function)}EventBridgeLambdaPermission{index}"


def cloudwatch_rule_id(function: str, index: int) -> str:
    """Logical id of the rule of a `cloudwatchEvent`, counted from 1."""
    return f"{normal(function)}EventsRuleCloudWatchEvent{index}"


def cloudwatch_permission_id(function: str, index: int) -> str:
    """Logical id of the permission of a `cloudwatchEvent`."""
    return f"{normal(function)}LambdaPermissionEventsRuleCloudWatchEvent{index}"


def log_filter_id(function: str, index: int) -> str:
    """Logical id of the subscription filter of a `cloudwatchLog`, counted from 1."""
    return f"{normal(function)}LogsSubscriptionFilterCloudWatchLog{index}"


def log_filter_permission_id(function: str) -> str:
    """Logical id of CloudWatch Logs' permission to invoke."""
    return f"{normal(function)}LambdaPermissionLogsSubscriptionFilterCloudWatchLog"

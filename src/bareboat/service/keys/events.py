"""Keys of `functions.NAME.events`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from bareboat.service.keys.apis import HttpAuthorizerKeys, HttpCorsKeys, Millis, RequestKeys, ThrottlingKeys
from bareboat.service.keys.base import CloudFormation, Keys, Said, Text, doc


class HttpApiAuthorizerRef(Keys):
    """The authorizer of a route: its name or id, and the scopes that it asks for."""

    id: Text | None = None
    name: str | None = None
    scopes: list[str] | None = None
    type: Literal["request", "jwt", "aws_iam"] | None = None


class HttpApiKeys(Keys):
    """A route of the HTTP API."""

    path: Annotated[
        str | None, doc("The path: /items/{id}, /files/{proxy+}, or '*' for every other request.", "must")
    ] = None
    method: Annotated[str | None, doc("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, or '*' for any.", "must")] = None
    authorizer: Annotated[
        str | HttpApiAuthorizerRef | None, doc("An authorizer of provider.httpApi.authorizers.", "should")
    ] = None
    throttling: Annotated[ThrottlingKeys | None, doc("serverless-api-gateway-throttling.")] = None


class HttpKeys(Keys):
    """A method of the REST API."""

    NAMES: ClassVar[dict[str, str]] = {"async_": "async"}

    path: Annotated[str | None, doc("The path, with or without the leading slash.", "must")] = None
    method: Annotated[str | None, doc("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY.", "must")] = None
    cors: Annotated[bool | HttpCorsKeys | None, doc("CORS of the method.", "must")] = None
    authorizer: Annotated[
        str | HttpAuthorizerKeys | None,
        doc("A function, a Cognito user pool's ARN, aws_iam, or a mapping.", "should"),
    ] = None
    request: Annotated[RequestKeys | None, doc("Parameters and schemas that are checked.", "should")] = None
    response: dict[str, Any] | None = None
    private: Annotated[bool | None, doc("Whether an API key is needed.", "should")] = None
    integration: str | None = None
    async_: Annotated[bool | None, doc("Whether the function is invoked without waiting.")] = None
    connection_id: Text | None = None
    connection_type: str | None = None
    operation_id: str | None = None
    timeout_in_millis: Annotated[Millis | None, doc("How long the method waits; 29000.")] = None
    throttling: Annotated[ThrottlingKeys | None, doc("serverless-api-gateway-throttling.")] = None


class ScheduleKeys(Keys):
    """Times at which the function is invoked."""

    rate: Annotated[list[str | CloudFormation] | None, doc("rate(...) or cron(...), one or a list.", "should")] = None
    enabled: bool | None = None
    name: str | None = None
    description: str | None = None
    input: str | dict[str, Any] | None = None
    input_path: str | None = None
    input_transformer: dict[str, Any] | None = None
    method: Literal["eventBus", "scheduler"] | None = None
    role_arn: Text | None = None
    group_name: Text | None = None
    timezone: str | None = None


class SqsKeys(Keys):
    """Messages of a queue."""

    arn: Annotated[Text | None, doc("The queue.", "must")] = None
    batch_size: Annotated[
        Annotated[int, Said("a whole number from 1 to 10000", ge=1, le=10000)] | None,
        doc("How many messages one invocation gets at most; 10."),
    ] = None
    enabled: bool | None = None
    maximum_batching_window: Annotated[int, Said("seconds from 0 to 300", ge=0, le=300)] | None = None
    function_response_type: Annotated[
        Literal["ReportBatchItemFailures"] | None, doc("The function names the messages that failed.")
    ] = None
    filter_patterns: list[dict[str, Any]] | None = None
    maximum_concurrency: Annotated[int, Said("a whole number from 2 to 1000", ge=2, le=1000)] | None = None


class SnsKeys(Keys):
    """Messages of a topic."""

    arn: Annotated[Text | None, doc("A topic that is there.", "must")] = None
    topic_name: Annotated[str | None, doc("A topic that is made.", "must")] = None
    display_name: str | None = None
    filter_policy: dict[str, Any] | None = None
    filter_policy_scope: str | None = None
    redrive_policy: dict[str, Any] | None = None


class S3Keys(Keys):
    """Objects in a bucket."""

    bucket: Annotated[Text | None, doc("The bucket.", "must")] = None
    event: Annotated[
        Annotated[str, Said("s3:ObjectCreated:* and the like", pattern="^s3:.+$")] | None,
        doc("s3:ObjectCreated:* and the like; that."),
    ] = None
    rules: Annotated[list[dict[str, Any]] | None, doc("prefix and suffix of the keys, one an entry.")] = None
    existing: bool | None = None
    force_deploy: bool | None = None


class EventBridgeKeys(Keys):
    """Events of an event bus."""

    event_bus: Text | None = None
    schedule: Annotated[str | None, doc("rate(...) or cron(...).")] = None
    pattern: Annotated[dict[str, Any] | None, doc("source, detail-type, detail, ...", "should")] = None
    name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    input: dict[str, Any] | None = None
    input_path: str | None = None
    input_transformer: dict[str, Any] | None = None
    retry_policy: dict[str, Any] | None = None
    dead_letter_queue_arn: Text | None = None


class StreamDestinationsKeys(Keys):
    """What gets batches of a stream that fail for good."""

    on_failure: Annotated[Text | None, doc("A queue or a topic: its ARN, or {arn, type}.")] = None


class StreamKeys(Keys):
    """Records of a DynamoDB or Kinesis stream."""

    arn: Annotated[Text | None, doc("The stream.", "must")] = None
    type: Annotated[
        Literal["dynamodb", "kinesis"] | None, doc("What the stream is, where its arn does not say it.")
    ] = None
    batch_size: Annotated[Annotated[int, Said("a whole number from 1 to 10000", ge=1, le=10000)] | None, doc("10.")] = (
        None
    )
    parallelization_factor: Annotated[int, Said("a whole number from 1 to 10", ge=1, le=10)] | None = None
    starting_position: Annotated[
        Literal["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"] | None, doc("Where reading begins; TRIM_HORIZON.")
    ] = None
    starting_position_timestamp: float | None = None
    enabled: bool | None = None
    consumer: Annotated[
        bool | Text | None, doc("A consumer of Kinesis with its own throughput: true for a new one, or its ARN.")
    ] = None
    batch_window: Annotated[int, Said("seconds from 0 to 300", ge=0, le=300)] | None = None
    maximum_retry_attempts: Annotated[int, Said("a whole number from -1 to 10000", ge=-1, le=10000)] | None = None
    bisect_batch_on_function_error: bool | None = None
    maximum_record_age_in_seconds: (
        Annotated[int, Said("-1, or seconds from 60 to 604800", ge=-1, le=604_800)] | None
    ) = None
    function_response_type: Literal["ReportBatchItemFailures"] | None = None
    destinations: StreamDestinationsKeys | None = None
    tumbling_window_in_seconds: Annotated[int, Said("seconds from 0 to 900", ge=0, le=900)] | None = None
    filter_patterns: list[dict[str, Any]] | None = None


class CloudwatchEventKeys(Keys):
    """Events of the default bus, in the older form."""

    event: Annotated[dict[str, Any] | None, doc("source, detail-type, detail, ...", "must")] = None
    input: str | dict[str, Any] | None = None
    input_path: str | None = None
    input_transformer: dict[str, Any] | None = None
    description: str | None = None
    name: str | None = None
    enabled: bool | None = None


class CloudwatchLogKeys(Keys):
    """Lines of a log group."""

    log_group: Annotated[str | None, doc("Its name.", "must")] = None
    filter: Annotated[str | None, doc("Which lines; all of them.")] = None


class RabbitmqKeys(Keys):
    """Messages of a RabbitMQ broker."""

    arn: Annotated[Text | None, doc("The broker.", "must")] = None
    basic_auth_arn: Annotated[Text | None, doc("A secret with user name and password.", "must")] = None
    queue: Annotated[str | None, doc("The queue's name.", "must")] = None
    virtual_host: str | None = None
    batch_size: Annotated[int, Said("a whole number from 1 to 10000", ge=1, le=10000)] | None = None
    maximum_batching_window: Annotated[int, Said("seconds from 0 to 300", ge=0, le=300)] | None = None
    enabled: bool | None = None
    filter_patterns: list[dict[str, Any]] | None = None


class EventKeys(Keys):
    """One event: exactly one of these keys."""

    http_api: Annotated[
        str | HttpApiKeys | None, doc("A route of the HTTP API: 'POST /predict', '*', or a mapping.", "must")
    ] = None
    http: Annotated[str | HttpKeys | None, doc("A method of the REST API: 'GET hello', or a mapping.", "must")] = None
    schedule: Annotated[
        str | ScheduleKeys | None, doc("rate(5 minutes), cron(0 12 * * ? *), or a mapping.", "should")
    ] = None
    s3: Annotated[str | S3Keys | None, doc("Objects in a bucket: its name, or a mapping.", "should")] = None
    sqs: Annotated[str | SqsKeys | None, doc("Messages of a queue: its ARN, or a mapping.", "should")] = None
    sns: Annotated[str | SnsKeys | None, doc("Messages of a topic: its name or ARN, or a mapping.", "should")] = None
    stream: Annotated[
        str | StreamKeys | None, doc("Records of a DynamoDB or Kinesis stream: its ARN, or a mapping.")
    ] = None
    event_bridge: Annotated[EventBridgeKeys | None, doc("Events of an event bus.", "should")] = None
    cloudwatch_event: Annotated[CloudwatchEventKeys | None, doc("Events of the default bus.")] = None
    cloudwatch_log: Annotated[str | CloudwatchLogKeys | None, doc("Lines of a log group: its name, or more.")] = None
    rabbitmq: Annotated[RabbitmqKeys | None, doc("Messages of a RabbitMQ broker.")] = None


REFUSED_EVENTS: dict[str, str] = {
    "websocket": "WebSocket APIs are out of scope",
    "alb": "load balancers are out of scope",
    "cloudFront": "Lambda@Edge is out of scope",
    "iot": "AWS IoT is out of scope",
    "iotFleetProvisioning": "AWS IoT is out of scope",
    "alexaSkill": "Alexa is out of scope",
    "alexaSmartHome": "Alexa is out of scope",
    "cognitoUserPool": "Cognito triggers are out of scope",
    "kafka": "Kafka is out of scope",
    "msk": "Kafka (MSK) is out of scope",
    "activemq": "ActiveMQ is out of scope",
}

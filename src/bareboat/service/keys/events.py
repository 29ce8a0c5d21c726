"""Keys of `functions.NAME.events`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from bareboat.service.keys.base import CloudFormation, Count, Keys, Text, doc


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


class HttpCorsKeys(Keys):
    """CORS of a REST method."""

    origin: str | None = None
    origins: list[str] | None = None
    headers: list[str] | None = None
    methods: list[str] | None = None
    allow_credentials: bool | None = None
    max_age: Count | None = None
    cache_control: str | None = None


class HttpKeys(Keys):
    """A method of the REST API."""

    NAMES: ClassVar[dict[str, str]] = {"async_": "async"}

    path: Annotated[str | None, doc("The path, with or without the leading slash.", "must")] = None
    method: Annotated[str | None, doc("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY.", "must")] = None
    cors: Annotated[bool | HttpCorsKeys | None, doc("CORS of the method.", "must")] = None
    authorizer: Annotated[str | dict[str, Any] | None, doc("A Lambda, Cognito or IAM authorizer.", "should")] = None
    request: Annotated[dict[str, Any] | None, doc("Parameters, schemas and templates of the request.", "should")] = None
    response: dict[str, Any] | None = None
    private: Annotated[bool | None, doc("Whether an API key is needed.", "should")] = None
    integration: str | None = None
    async_: Annotated[bool | None, doc("Whether the function is invoked without waiting.")] = None
    connection_id: Text | None = None
    connection_type: str | None = None
    operation_id: str | None = None
    timeout_in_millis: int | None = None


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


Raw = str | bool | dict[str, Any] | None


class EventKeys(Keys):
    """One event: exactly one of these keys."""

    http_api: Annotated[
        str | HttpApiKeys | None, doc("A route of the HTTP API: 'POST /predict', '*', or a mapping.", "must")
    ] = None
    http: Annotated[str | HttpKeys | None, doc("A method of the REST API: 'GET hello', or a mapping.", "must")] = None
    schedule: Annotated[
        str | ScheduleKeys | None, doc("rate(5 minutes), cron(0 12 * * ? *), or a mapping.", "should")
    ] = None
    s3: Annotated[Raw, doc("Objects in a bucket.", "should")] = None
    sqs: Annotated[Raw, doc("Messages of a queue.")] = None
    sns: Annotated[Raw, doc("Messages of a topic.")] = None
    stream: Annotated[Raw, doc("Records of a DynamoDB or Kinesis stream.")] = None
    event_bridge: Annotated[Raw, doc("Events of an event bus.")] = None
    cloudwatch_event: Annotated[Raw, doc("CloudWatch events.")] = None
    cloudwatch_log: Annotated[Raw, doc("Lines of a log group.")] = None
    rabbitmq: Annotated[Raw, doc("Messages of a RabbitMQ broker.")] = None


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

"""Which properties CloudFormation cannot change in place, for the types that serverless.yml makes.

Source: the `createOnlyProperties` of CloudFormation's resource schemas, as cfn-lint ships them; a contract test
compares.
"""

from __future__ import annotations

CREATE_ONLY: dict[str, frozenset[str]] = {
    type_: frozenset(properties.split())
    for type_, properties in {
        "AWS::ApiGateway::ApiKey": "GenerateDistinctId Name Value",
        "AWS::ApiGateway::Authorizer": "RestApiId",
        "AWS::ApiGateway::BasePathMapping": "BasePath DomainName",
        "AWS::ApiGateway::Deployment": "DeploymentCanarySettings RestApiId",
        "AWS::ApiGateway::DomainName": "DomainName",
        "AWS::ApiGateway::GatewayResponse": "ResponseType RestApiId",
        "AWS::ApiGateway::Method": "HttpMethod ResourceId RestApiId",
        "AWS::ApiGateway::Model": "ContentType Name RestApiId",
        "AWS::ApiGateway::RequestValidator": "Name RestApiId",
        "AWS::ApiGateway::Resource": "ParentId PathPart RestApiId",
        "AWS::ApiGateway::RestApi": "",
        "AWS::ApiGateway::Stage": "RestApiId StageName",
        "AWS::ApiGateway::UsagePlan": "",
        "AWS::ApiGateway::UsagePlanKey": "KeyId KeyType UsagePlanId",
        "AWS::ApiGatewayV2::Api": "ProtocolType",
        "AWS::ApiGatewayV2::ApiMapping": "DomainName",
        "AWS::ApiGatewayV2::Authorizer": "ApiId",
        "AWS::ApiGatewayV2::DomainName": "DomainName",
        "AWS::ApiGatewayV2::Integration": "ApiId",
        "AWS::ApiGatewayV2::Route": "ApiId",
        "AWS::ApiGatewayV2::Stage": "ApiId StageName",
        "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::Events::EventBus": "Name",
        "AWS::Events::Rule": "EventBusName Name",
        "AWS::IAM::Role": "Path RoleName",
        "AWS::Kinesis::StreamConsumer": "ConsumerName StreamARN Tags",
        "AWS::Lambda::Alias": "FunctionName Name",
        "AWS::Lambda::EventInvokeConfig": "FunctionName Qualifier",
        "AWS::Lambda::EventSourceMapping": (
            "EventSourceArn SelfManagedEventSource StartingPosition StartingPositionTimestamp"
        ),
        "AWS::Lambda::Function": "DurableConfig FunctionName PackageType TenancyConfig",
        "AWS::Lambda::LayerVersion": (
            "CompatibleArchitectures CompatibleRuntimes Content Description LayerName LicenseInfo"
        ),
        "AWS::Lambda::LayerVersionPermission": "Action LayerVersionArn OrganizationId Principal",
        "AWS::Lambda::Permission": (
            "Action EventSourceToken FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal PrincipalOrgID "
            "SourceAccount SourceArn"
        ),
        "AWS::Lambda::Url": "Qualifier TargetFunctionArn",
        "AWS::Lambda::Version": "CodeSha256 Description FunctionName ProvisionedConcurrencyConfig RuntimePolicy",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::Logs::SubscriptionFilter": "FilterName LogGroupName",
        "AWS::S3::Bucket": "BucketName BucketNamePrefix BucketNamespace",
        "AWS::S3::BucketPolicy": "Bucket",
        "AWS::SNS::Subscription": "Endpoint Protocol Region TopicArn",
        "AWS::SNS::Topic": "FifoTopic TopicName",
        "AWS::SNS::TopicPolicy": "",
        "AWS::SQS::Queue": "FifoQueue QueueName",
        "AWS::SQS::QueuePolicy": "",
        "AWS::Scheduler::Schedule": "Name",
    }.items()
}


def recreates(type_: str, name: str) -> str:
    """Return whether a change of a property makes a resource anew, as CloudFormation says it: Never, Always.

    Of a type that is not in the table nobody knows: Conditionally.

    Args:
        name: that of the property at the top, such as `FunctionName`.
    """
    properties = CREATE_ONLY.get(type_)
    if properties is None:
        return "Conditionally"
    return "Always" if name in properties else "Never"

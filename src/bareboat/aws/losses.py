"""What is lost when a resource is removed or made anew: data, and addresses that clients know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OBJECTS = "the objects in it"
_ROWS = "the rows in it"
_DATABASE = "the data in it"
_ADDRESS = "its address, which clients know"

_LOSSES: dict[str, str] = {
    "AWS::S3::Bucket": _OBJECTS,
    "AWS::S3Express::DirectoryBucket": _OBJECTS,
    "AWS::S3Tables::TableBucket": _OBJECTS,
    "AWS::DynamoDB::Table": _ROWS,
    "AWS::DynamoDB::GlobalTable": _ROWS,
    "AWS::Timestream::Table": _ROWS,
    "AWS::Cassandra::Table": _ROWS,
    "AWS::RDS::DBInstance": _DATABASE,
    "AWS::RDS::DBCluster": _DATABASE,
    "AWS::DocDB::DBCluster": _DATABASE,
    "AWS::Neptune::DBCluster": _DATABASE,
    "AWS::Redshift::Cluster": _DATABASE,
    "AWS::DSQL::Cluster": _DATABASE,
    "AWS::OpenSearchService::Domain": _DATABASE,
    "AWS::OpenSearchServerless::Collection": _DATABASE,
    "AWS::ElastiCache::ReplicationGroup": _DATABASE,
    "AWS::ElastiCache::CacheCluster": _DATABASE,
    "AWS::MemoryDB::Cluster": _DATABASE,
    "AWS::EFS::FileSystem": "the files in it",
    "AWS::FSx::FileSystem": "the files in it",
    "AWS::EC2::Volume": "the files in it",
    "AWS::EC2::Instance": "the files of its disks",
    "AWS::EC2::EIP": _ADDRESS,
    "AWS::Logs::LogGroup": "the logs in it",
    "AWS::SQS::Queue": "the messages in it, and its address",
    "AWS::SNS::Topic": "its subscriptions, and its ARN",
    "AWS::Kinesis::Stream": "the records in it",
    "AWS::KinesisFirehose::DeliveryStream": "the records on their way",
    "AWS::MSK::Cluster": "the records in it",
    "AWS::Events::Archive": "the events in it",
    "AWS::Events::EventBus": "its rules of others, and its ARN",
    "AWS::Cognito::UserPool": "its users",
    "AWS::Cognito::UserPoolClient": "its id and secret, which clients know",
    "AWS::Cognito::UserPoolDomain": _ADDRESS,
    "AWS::Cognito::IdentityPool": "its identities",
    "AWS::ApiGatewayV2::Api": _ADDRESS,
    "AWS::ApiGateway::RestApi": _ADDRESS,
    "AWS::ApiGateway::ApiKey": "its key, which clients know",
    "AWS::ApiGateway::DomainName": _ADDRESS,
    "AWS::ApiGatewayV2::DomainName": _ADDRESS,
    "AWS::Lambda::Url": _ADDRESS,
    "AWS::CloudFront::Distribution": _ADDRESS,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _ADDRESS,
    "AWS::Route53::HostedZone": "its name servers, which the domain names",
    "AWS::CertificateManager::Certificate": "the certificate",
    "AWS::KMS::Key": "what was encrypted with it cannot be read any more",
    "AWS::SecretsManager::Secret": "the secret in it",
    "AWS::SSM::Parameter": "its value",
    "AWS::ECR::Repository": "the images in it",
    "AWS::Backup::BackupVault": "the backups in it",
    "AWS::CloudFormation::Stack": "all that it made",
}


def loss_of(type_: str) -> str:
    """Return what is lost with a resource of a type, such as "the objects in it"; "" where nothing is."""
    return _LOSSES.get(type_, "")


# Types of which there can be only one of a name: the properties that name them.
_NAMES: dict[str, str] = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Events::EventBus": "Name",
    "AWS::OpenSearchService::Domain": "DomainName",
}


def fixed_name(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the property that names a resource, where it is the same before and after; else "".

    CloudFormation makes the new resource before it deletes the old one, so that it replaces none under the same name.

    Args:
        before, after: the resource's properties.
    Source:
        CloudFormation User Guide, "Name type": no updates that require replacement of a resource with a custom name.
    """
    name = _NAMES.get(type_, "")
    return name if name and before.get(name) is not None and before.get(name) == after.get(name) else ""

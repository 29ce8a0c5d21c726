"""What a removal leaves on purpose, and what of it can still cost money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.aws.belongings import Belongings
from bareboat.aws.losses import loss_of
from bareboat.aws.template.rest_stage import ACCOUNT_ID, ACCOUNT_ROLE_ID
from bareboat.service.model import RemoteModel, Service

_DOMAINS = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")


@dataclass(frozen=True, slots=True)
class Stay:
    """One thing that stays.

    Args:
        what: with its name on AWS.
        why: such as "DeletionPolicy: Retain".
        costs: whether it can cost money while nobody uses it.
        command: removes it; "" where none does by itself.
    """

    what: str
    why: str
    costs: bool = False
    command: str = ""


def what_stays(service: Service, found: Belongings) -> tuple[Stay, ...]:
    """Return what is left when the stage is removed."""
    return (
        *_kept(found),
        *_shared_bucket(found),
        *_layers(found),
        *_domains(service, found),
        *_keys(service),
        *_stores(service),
    )


def _kept(found: Belongings) -> Iterator[Stay]:
    for one in found.kept:
        if one.logical_id == ACCOUNT_ID:
            continue  # told with its role
        if one.logical_id == ACCOUNT_ROLE_ID:
            why = "API Gateway writes the logs of all REST APIs of this account and region with it, others' too"
            yield Stay(f"the role {one.physical_id}, and the account's setting that names it", why)
            continue
        yield Stay(
            f"{one.type} {one.physical_id}",
            f"DeletionPolicy of {one.logical_id}",
            costs=bool(loss_of(one.type)),
        )
    if any(one.type == "AWS::KMS::Key" for one in found.resources):
        yield Stay("the KMS keys of the stack", "AWS deletes keys after 7 to 30 days; they are not billed until then")


def _shared_bucket(found: Belongings) -> Iterator[Stay]:
    if found.sharers:
        yield Stay(
            "the stage's folder in the deployment bucket",
            f"{', '.join(found.sharers)} has its code and its records there too",
            costs=True,
        )
    if found.bucket is not None and not found.bucket.own:
        yield Stay(
            f"the bucket {found.bucket.name}",
            f"provider.deploymentBucket: only s3://{found.bucket.name}/{found.bucket.folder}/ is removed",
            costs=True,
        )


def _layers(found: Belongings) -> Iterator[Stay]:
    for name, versions in found.other_layers.items():
        listed = ", ".join(map(str, versions))
        yield Stay(
            f"layer {name}, versions {listed}",
            "this stack did not make them, or so long ago that AWS has forgotten it",
            command=f"aws lambda delete-layer-version --layer-name {name} --version-number {versions[0]}",
        )


def _domains(service: Service, found: Belongings) -> Iterator[Stay]:
    said = service.custom.get("customDomain") or service.custom.get("customDomains")
    made = {one.physical_id for one in found.resources if one.type in _DOMAINS}
    for entry in _entries(said):
        if entry["domainName"] in made:  # custom.bareboat.domains: stack
            yield Stay(f"the certificate of {entry['domainName']}", "the stack only uses it")
            continue
        yield Stay(
            f"the custom domain {entry['domainName']}, its certificate and its DNS record",
            "custom.customDomain: clients keep the name; it is not part of the stack",
            costs=True,
        )


def _entries(said: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the domains of serverless-domain-manager: one, one for each kind of API, or a list of either."""
    if isinstance(said, list):
        for one in said:
            yield from _entries(one)
    elif isinstance(said, Mapping) and isinstance(said.get("domainName"), str):
        yield said
    elif isinstance(said, Mapping):
        for one in said.values():
            if isinstance(one, Mapping):
                yield from _entries(one)


def _keys(service: Service) -> Iterator[Stay]:
    said = [service.provider.options.get("kmsKeyArn")]
    for one in (*service.functions.values(), *service.image_functions.values()):
        said += [one.options.get("kmsKeyArn"), one.options.get("awsKmsKeyArn")]
    for arn in dict.fromkeys(one for one in said if isinstance(one, str) and one.startswith("arn:")):
        yield Stay(f"the KMS key {arn}", "the stack only uses it", costs=True)


def _stores(service: Service) -> Iterator[Stay]:
    sources = [
        file.source
        for function in service.functions.values()
        for model in function.served_models
        for file in model.files
        if isinstance(file, RemoteModel)
    ]
    for source in dict.fromkeys(sources):
        yield Stay(f"the model {source}", "it is in a store of yours", costs=True)

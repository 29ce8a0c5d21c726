"""IAM: roles, and policies of their own."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, chosen


class Role(Kind):
    type = "AWS::IAM::Role"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("iam")
        name = properties.get("RoleName") or place.name(64)
        if len(name) > 64:
            raise Failed("Member must have length less than or equal to 64")
        try:
            role = client.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
                **chosen(properties, "Path", "Description", "PermissionsBoundary", "Tags"),
                **{key: int(properties[key]) for key in ("MaxSessionDuration",) if key in properties},
            )["Role"]
        except client.exceptions.EntityAlreadyExistsException as error:
            raise Failed(f"Role with name {name} already exists.", "AlreadyExists") from error
        self._set(place, name, properties, {})
        return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client, name = place.client("iam"), made.physical_id
        client.update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"])
        )
        boundary = properties.get("PermissionsBoundary")
        if boundary:
            client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
        elif old.get("PermissionsBoundary"):
            client.delete_role_permissions_boundary(RoleName=name)
        client.update_role(RoleName=name, **chosen(properties, "Description"))
        gone = {one["Key"] for one in old.get("Tags") or ()} - {one["Key"] for one in properties.get("Tags") or ()}
        if gone:
            client.untag_role(RoleName=name, TagKeys=sorted(gone))
        if properties.get("Tags"):
            client.tag_role(RoleName=name, Tags=properties["Tags"])
        self._set(place, name, properties, old)
        return made

    def _set(self, place: Place, name: str, properties: dict[str, Any], old: dict[str, Any]) -> None:
        client = place.client("iam")
        named = {one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies") or ()}
        for policy in {one["PolicyName"] for one in old.get("Policies") or ()} - set(named):
            client.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy, document in named.items():
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        managed, before = set(properties.get("ManagedPolicyArns") or ()), set(old.get("ManagedPolicyArns") or ())
        for arn in before - managed:
            client.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in managed - before:
            with suppress(ClientError):  # moto knows few of AWS's own policies
                client.attach_role_policy(RoleName=name, PolicyArn=arn)

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client, name = place.client("iam"), made.physical_id
        try:
            for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
                client.delete_role_policy(RoleName=name, PolicyName=policy)
            for one in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                client.detach_role_policy(RoleName=name, PolicyArn=one["PolicyArn"])
            client.delete_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            return


class RolePolicy(Kind):
    """`AWS::IAM::Policy`: an inline policy of the roles that it names."""

    type = "AWS::IAM::Policy"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        for role in properties.get("Roles") or ():
            place.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=properties["PolicyName"],
                PolicyDocument=json.dumps(properties["PolicyDocument"]),
            )
        return Made(place.name(), {"Id": place.name()})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.delete(place, made, old)
        self.create(place, properties)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        for role in properties.get("Roles") or ():
            with suppress(ClientError):
                place.client("iam").delete_role_policy(RoleName=role, PolicyName=properties["PolicyName"])


class ManagedPolicy(Kind):
    type = "AWS::IAM::ManagedPolicy"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("iam")
        policy = client.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or place.name(128),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
            **chosen(properties, "Path", "Description"),
        )["Policy"]
        for role in properties.get("Roles") or ():
            client.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
        return Made(policy["Arn"], {"PolicyArn": policy["Arn"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        place.client("iam").create_policy_version(
            PolicyArn=made.physical_id, PolicyDocument=json.dumps(properties["PolicyDocument"]), SetAsDefault=True
        )
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("iam")
        for role in properties.get("Roles") or ():
            with suppress(ClientError):
                client.detach_role_policy(RoleName=role, PolicyArn=made.physical_id)
        with suppress(client.exceptions.NoSuchEntityException):
            client.delete_policy(PolicyArn=made.physical_id)


KINDS = (Role, RolePolicy, ManagedPolicy)

"""The reason that CloudFormation gives for a failure -> what to do about it."""

from __future__ import annotations

import re

from bareboat.aws.stack import StackEvent
from bareboat.errors import Problem

_TAIL = re.compile(
    r"\s*\((?:RequestToken|Service|Status Code|Request ID|SDK Attempt Count)[^()]*(?:\([^()]*\)[^()]*)*\)"
)
_ACTION = re.compile(r"not authorized to perform:?\s+([a-z0-9-]+:[A-Za-z*]+)", re.IGNORECASE)
_WHO = re.compile(r"User:?\s+(arn:\S+)")
_TAGGING = "permissions error performing a tagging operation"

# What the reason holds (in lower case) -> the fix. The first that fits.
_FIXES: tuple[tuple[str, str], ...] = (
    ("nosuchkey", "bareboat deploy again: the code is uploaded anew"),
    ("not empty", "empty the bucket first, or keep it: DeletionPolicy: Retain in resources"),
    ("in use by", "take the import out of the other stack first, or keep the output"),
    ("export with name", "another service exports that name: stackName or service of one of them has to change"),
    ("is no longer supported", "provider: {runtime: python3.13}, or --runtime python3.13"),
    ("unreservedconcurrentexecution", "a smaller reservedConcurrency, or a higher limit: Service Quotas, Lambda"),
    ("unzipped size", "bareboat package shows what is large; --slim max, a layer, or an image"),
    ("less than function timeout", "VisibilityTimeout of the queue: six times the function's timeout (AWS's advice)"),
    ("cloudwatch logs role", "REST logs need a role in the account's settings of API Gateway: set it once by hand"),
    ("cannot be assumed", "bareboat deploy again: a new role takes some seconds until Lambda may use it"),
    ("does not have permissions to call", "allow it in provider.iam.role.statements"),
    ("unable to validate the following destination", "bareboat deploy again; the permission has to be there first"),
    ("less than or equal to 3008", "memorySize of at most 3008, or ask AWS Support for more: new accounts have less"),
    ("extraneous key", "take it out, or spell it as CloudFormation's page of the type does (resources, extensions)"),
    ("unsupported property", "take it out, or spell it as CloudFormation's page of the type does"),
    ("rate exceeded", "bareboat deploy again"),
    ("throttl", "bareboat deploy again"),
    ("internal failure", "bareboat deploy again; AWS had an error of its own"),
    ("limit exceeded", "ask for more under Service Quotas, or make less"),
    ("limitexceeded", "ask for more under Service Quotas, or make less"),
    ("quota", "ask for more under Service Quotas, or make less"),
)
_TAKEN = ("already exists", "alreadyexists", "already owned by you", "already owned by someone")


def failure(event: StackEvent) -> Problem:
    """Return what a failure of a resource is, and how to mend it where that is known."""
    reason = plain_reason(event.reason) or "AWS gives no reason"
    what = f"{event.logical_id} ({event.type}): {reason}" if not event.of_stack else reason
    return Problem(what, fix=fix_of(event))


def plain_reason(reason: str) -> str:
    """Return a reason without the tokens and ids that only AWS Support reads."""
    text = _TAIL.sub("", reason).strip()
    return text.removeprefix("Resource handler returned message: ").strip('"').strip()


def fix_of(event: StackEvent) -> str:
    """Return what to do about a failure; "" where that is not known."""
    reason = event.reason.lower()
    if (action := _ACTION.search(event.reason)) is not None:
        who = _WHO.search(event.reason)
        return f"allow {action.group(1)} to {who.group(1) if who else 'the one that deploys'} (docs/deploy.md)"
    if _TAGGING in reason:
        return f"allow tagging of {event.type} to the one that deploys (docs/deploy.md)"
    if "accessdenied" in reason or "access denied" in reason:
        return f"allow what {event.type} needs to the one that deploys (docs/deploy.md)"
    if "a version for this lambda function exists" in reason:
        return "change the function, be it its description: Lambda publishes nothing twice that has not changed"
    if any(text in reason for text in _TAKEN):
        return _taken(event)
    return next((fix for text, fix in _FIXES if text in reason), "")


def _taken(event: StackEvent) -> str:
    """Say what to do about a name that something outside of the stack has."""
    name = _name_in(event.reason) or event.physical_id
    if event.type == "AWS::Logs::LogGroup":
        return f"delete it, with its logs: aws logs delete-log-group --log-group-name {name or 'NAME'}"
    if event.type in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        return "another name: those of buckets are unique in all of AWS"
    if event.type == "AWS::Lambda::Function":
        return "another name (functions.NAME.name), or delete the function that has it"
    return "another name, or delete what has it: it belongs to no stack or to another one"


def _name_in(reason: str) -> str:
    """Return the name in a reason; newer ones have `identifier '{"/properties/Name":"NAME"}'`."""
    identifier = re.search(r"identifier '([^']+)'", reason)
    if identifier is not None:
        value = re.search(r':"([^"]+)"', identifier.group(1))
        return value.group(1) if value else identifier.group(1)
    older = re.search(r"([/A-Za-z0-9_.-]+) already exists", reason)
    return older.group(1) if older else ""

"""(Service, Shipment) -> the template of its stack."""

from __future__ import annotations

from bareboat.aws.shipment import Shipment
from bareboat.aws.template import naming
from bareboat.aws.template.alarms import add_alarms
from bareboat.aws.template.aliases import Rollout, find_aliases
from bareboat.aws.template.bucket import add_bucket
from bareboat.aws.template.domains import add_domains
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events import add_events
from bareboat.aws.template.functions import add_functions
from bareboat.aws.template.http_api import add_http_api
from bareboat.aws.template.layers import add_layers
from bareboat.aws.template.log_groups import add_log_groups
from bareboat.aws.template.resources import with_resources
from bareboat.aws.template.rest_api import add_rest_api
from bareboat.aws.template.roles import add_roles, find_roles
from bareboat.aws.template.urls import add_urls
from bareboat.service.model import Service

VERSION = "2010-09-09"
DESCRIPTION = "The AWS CloudFormation template for this Serverless application"
"""As Serverless's, so that taking over a stack does not change it."""


def make_template(service: Service, shipment: Shipment, *, rollout: Rollout | None = None) -> Json:
    """Return the template of a service's stack. The same input gives the same template.

    Args:
        rollout: what share of calls new versions get while they are tried; None for all.
    Raises:
        ConfigurationError: `resources` or `resources.extensions` do not fit what is generated.
    """
    draft = Draft(service, shipment)
    find_aliases(draft)
    find_roles(draft)
    add_bucket(draft)
    add_log_groups(draft)
    add_layers(draft)
    add_functions(draft, rollout)
    add_http_api(draft)
    add_rest_api(draft)
    add_urls(draft)
    add_domains(draft)
    add_events(draft)
    add_alarms(draft)
    add_roles(draft)
    return with_resources(_template(draft), service)


def bucket_template(service: Service) -> Json:
    """Return the template that a first deployment begins with: the bucket that the code goes to, and nothing else.

    It is empty of resources where `provider.deploymentBucket` names a bucket.
    """
    draft = Draft(service, Shipment({}))
    add_bucket(draft)
    del draft.outputs[naming.BUCKET_OUTPUT]["Export"]  # as Serverless's first stack, whose bucket it may have to be
    return _template(draft)


def _template(draft: Draft) -> Json:
    return {
        "AWSTemplateFormatVersion": VERSION,
        "Description": DESCRIPTION,
        "Resources": draft.resources,
        "Outputs": draft.outputs,
    }

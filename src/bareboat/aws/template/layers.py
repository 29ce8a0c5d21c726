"""Layers that the service makes: versions, and who else may use them."""

from __future__ import annotations

import hashlib
import json

from bareboat.aws.template import naming
from bareboat.aws.template.bucket import bucket_ref
from bareboat.aws.template.draft import Draft, Json
from bareboat.service.layer import Layer, LayerRef


def layer_ref(draft: Draft, ref: LayerRef) -> object:
    """Return an entry of a function's Layers."""
    if not ref.name:
        return ref.written
    return {"Ref": _logical_id(draft, draft.service.layers[ref.name])}


def add_layers(draft: Draft) -> None:
    """Add the layers that the shipment has, their permissions and outputs."""
    for name, code in draft.shipment.layers.items():
        layer = draft.service.layers[name]
        logical_id = _logical_id(draft, layer)
        properties = _properties(draft, layer)
        draft.add(
            logical_id, "AWS::Lambda::LayerVersion", properties, DeletionPolicy="Retain" if layer.retain else None
        )
        for account in layer.allowed_accounts:
            _permit(draft, layer, logical_id, account)
        draft.output(naming.layer_output(name), {"Ref": logical_id}, "Current Lambda layer version")
        draft.output(naming.layer_hash_output(name), _digest(draft, layer), "Current Lambda layer hash")
        draft.output(naming.layer_key_output(name), code.key, "Current Lambda layer S3Key")


def _properties(draft: Draft, layer: Layer) -> Json:
    properties: Json = {
        "Content": {"S3Bucket": bucket_ref(draft), "S3Key": draft.shipment.layers[layer.name].key},
        "LayerName": layer.full_name,
    }
    if layer.description:
        properties["Description"] = layer.description
    if layer.license:
        properties["LicenseInfo"] = layer.license
    if layer.runtimes:
        properties["CompatibleRuntimes"] = list(layer.runtimes)
    if layer.architectures:
        properties["CompatibleArchitectures"] = list(layer.architectures)
    return properties


def _permit(draft: Draft, layer: Layer, logical_id: str, account: str) -> None:
    permission = naming.layer_permission_id(layer.name, account)
    draft.add(
        permission + _digest(draft, layer) if layer.retain else permission,
        "AWS::Lambda::LayerVersionPermission",
        {"Action": "lambda:GetLayerVersion", "LayerVersionArn": {"Ref": logical_id}, "Principal": account},
        DeletionPolicy="Retain" if layer.retain else None,
        UpdateReplacePolicy="Retain" if layer.retain else None,
    )


def _logical_id(draft: Draft, layer: Layer) -> str:
    """Return a layer's logical id; where older versions are kept, each version has one of its own."""
    plain = naming.layer_id(layer.name)
    return plain + _digest(draft, layer) if layer.retain and layer.name in draft.shipment.layers else plain


def _digest(draft: Draft, layer: Layer) -> str:
    """Return what changes whenever a version must be new, 40 hex digits."""
    properties = _properties(draft, layer)
    properties["Content"] = draft.shipment.layers[layer.name].sha256
    return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:40]

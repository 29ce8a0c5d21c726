"""A service -> a Shipment as if its code had been built, to see what a template changes beside the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.artifact.model import MODEL_HANDLER
from bareboat.aws.bucket import bucket_name_of, folder_of
from bareboat.aws.parcels import code_key
from bareboat.aws.shipment import FunctionCode, ImageCode, Shipment, ZipCode
from bareboat.service.model import Function, Service

UNBUILT = "0" * 64
"""The digest of what has not been built."""


def preview_shipment(service: Service) -> Shipment:
    """Return the code of a service, all of it of the digest UNBUILT: nothing is built, and no network is used.

    What only a build knows is left out: the permissions that a model needs which is fetched at a cold start.
    """
    code = ZipCode(code_key(folder_of(service), UNBUILT), UNBUILT)
    functions = {
        name: FunctionCode(
            code,
            function.architecture,
            handler=function.handler or MODEL_HANDLER,
            runtime=f"python{function.python}",
        )
        for name, function in service.functions.items()
    }
    images = {
        name: FunctionCode(_image(service, function), function.architecture)
        for name, function in service.image_functions.items()
    }
    return Shipment({**functions, **images}, dict.fromkeys(service.layers, code), bucket_name_of(service))


def _image(service: Service, function: Function) -> ImageCode:
    said = function.options.get("image")
    about: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    name = str(about.get("name") or ("" if isinstance(said, Mapping) else said))
    images = (service.provider.options.get("ecr") or {}).get("images") or {}
    entry = images.get(name, {}) if isinstance(images, Mapping) else {}
    uri = about.get("uri") or (entry.get("uri") if isinstance(entry, Mapping) else entry) or name
    return ImageCode(
        str(uri),
        str(uri).rpartition("@sha256:")[2] if "@sha256:" in str(uri) else UNBUILT,
        command=tuple(about.get("command") or ()),
        entry_point=tuple(about.get("entryPoint") or ()),
        working_directory=str(about.get("workingDirectory") or ""),
    )

"""A function's name and qualifier -> the version that runs, its archive and its settings."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws_cloud.kept import Kept
from aws_cloud.live.runner import Deployed
from aws_cloud.messages import Refused
from aws_cloud.moto import ACCOUNT, Moto

if TYPE_CHECKING:
    from bareboat.service.model import Service


class LiveFunctions:
    """The functions that are deployed.

    Args:
        services: those that tests handed over; they say how a function is called in serverless.yml.
    """

    def __init__(self, moto: Moto, kept: Kept, services: list[Service]) -> None:
        self._moto = moto
        self.kept = kept
        self._services = services
        self.chance = random.Random(7)

    def service_of(self, full_name: str) -> tuple[Service, str]:
        """Return the service of a function, newest first, and the function's name in it.

        Raises:
            Refused: no test handed it over.
        """
        for service in reversed(self._services):
            for name, function in service.functions.items():
                if function.full_name == full_name:
                    return service, name
        raise Refused("TestCloudBug", f"no service with {full_name} was handed over: aws_cloud.serve(service)", 501)

    def at(self, region: str, full_name: str, qualifier: str = "") -> Deployed:
        """Return a function at a qualifier; an alias with weights chooses.

        Raises:
            Refused: there is none.
        """
        _, name = self.service_of(full_name)
        alias, version = "", qualifier or "$LATEST"
        client = self._moto.client("lambda", region)
        if version != "$LATEST" and not version.isdigit():
            alias = version
            try:
                said = client.get_alias(FunctionName=full_name, Name=alias)
            except ClientError as error:
                raise _missing(region, f"{full_name}:{qualifier}") from error
            version = self._chosen(said)
        code = self.kept.code.get((region, full_name, version))
        if code is None:
            raise _missing(region, f"{full_name}:{qualifier}" if qualifier else full_name)
        more = {} if version == "$LATEST" else {"Qualifier": version}
        said = client.get_function_configuration(FunctionName=full_name, **more)
        settings = {key: said[key] for key in ("Handler", "Runtime", "MemorySize", "Timeout")}
        settings["Environment"] = dict((said.get("Environment") or {}).get("Variables") or {})
        return Deployed(name, full_name, version, alias, code, settings)

    def all_of(self, region: str, called: Deployed) -> tuple[Service, dict[str, Deployed]]:
        """Return the service of a function, and its functions as they run beside it."""
        service, name = self.service_of(called.full_name)
        found = {name: called}
        for other, function in service.functions.items():
            if other != name and (region, function.full_name, "$LATEST") in self.kept.code:
                found[other] = self.at(region, function.full_name)
        return service, found

    def _chosen(self, alias: dict[str, Any]) -> str:
        drawn = self.chance.random()
        for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
            if drawn < weight:
                return str(version)
            drawn -= weight
        return str(alias["FunctionVersion"])


def _missing(region: str, name: str) -> Refused:
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
    return Refused("ResourceNotFoundException", f"Function not found: {arn}", 404, Type="User")

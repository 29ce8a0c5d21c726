"""serverless.yml -> Service."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bareboat.errors import ConfigurationError
from bareboat.service import runtimes
from bareboat.service.accounts import check_accounts
from bareboat.service.alarms import alarms_of
from bareboat.service.apis import ApiReader
from bareboat.service.check import Checker
from bareboat.service.compose import compose
from bareboat.service.dependencies import python_requirements, slim_level, wants_proof
from bareboat.service.deploying import check_deploying
from bareboat.service.domains import domains_of
from bareboat.service.draft import Context
from bareboat.service.functions import function_of
from bareboat.service.keys.deployment import REFUSED_BUCKET_KEYS, DeploymentBucketKeys
from bareboat.service.keys.events import REFUSED_EVENTS, EventKeys
from bareboat.service.keys.file import REFUSED_KEYS, REFUSED_PROVIDER_KEYS, ServerlessKeys
from bareboat.service.keys.provider import ProviderKeys
from bareboat.service.layer import Layer
from bareboat.service.layers import LayerReader, with_targets
from bareboat.service.model import Function, Place, Service
from bareboat.service.nodes import Node, plain
from bareboat.service.packages import package_rules
from bareboat.service.plugins import plugin_names
from bareboat.service.provider import check_name, provider_of
from bareboat.service.report import Report
from bareboat.service.role_names import check_role_name
from bareboat.service.sources import AwsResolver, Sources
from bareboat.service.variables import Resolver

_SERVICE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]+\Z")
_FLAGS = (("stage", "BAREBOAT_STAGE"), ("region", "BAREBOAT_REGION"))
NO_MEANING: dict[str, str] = {
    "frameworkVersion": "bareboat reads the file itself, and no version of Serverless is needed",
    "configValidationMode": "every problem is an error",
    "variablesResolutionMode": "variables are resolved as Serverless 3 does",
    "unresolvedVariablesNotificationMode": "a variable without a value is an error",
    "deprecationNotificationMode": "there is nothing to notify of",
    "disabledDeprecations": "there is nothing to notify of",
    "enableLocalInstallationFallback": "there is no second installation",
    "projectDir": "the folder of serverless.yml is the project",
    "app": "there is no dashboard",
    "org": "there is no dashboard",
    "tenant": "there is no dashboard",
    "dashboard": "there is no dashboard",
    "console": "there is no dashboard",
    "outputs": "there is no dashboard",
    "licenseKey": "no licence is needed",
}


def load_service(
    path: Path,
    *,
    stage: str | None = None,
    region: str | None = None,
    params: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    resolvers: Mapping[str, AwsResolver] | None = None,
) -> Service:
    """Read, resolve and check a serverless.yml.

    Args:
        path: the file, or the folder that holds it.
        stage, region: the --stage and --region flags; they win over BAREBOAT_STAGE and BAREBOAT_REGION, which win over
            the file.
        params: --param, for `${param:}`.
        options: further command line options, for `${opt:}`.
        env: the environment; None is the process's own.
        resolvers: callables for `ssm`, `s3`, `cf` and `aws`, called with the address and the parameters in parentheses,
            which return None where there is no such value. Without one a variable of that source stays as its text.
    Returns:
        The service; its notes say what will not happen as written.
    Raises:
        ConfigurationError: with every problem, each with file, line and column.
    """
    file = _find(Path(path))
    environment = dict(os.environ if env is None else env)
    flags = _flags({"stage": stage, "region": region}, environment)
    loader = _Loader(file, flags, params or {}, options or {}, environment, resolvers or {})
    return loader.load()


def _find(path: Path) -> Path:
    if path.is_dir():
        for name in ("serverless.yml", "serverless.yaml", "serverless.json"):
            if (path / name).is_file():
                return (path / name).absolute()
        path = path / "serverless.yml"
    if not path.is_file():
        raise ConfigurationError(
            f"there is no {path.name}",
            expected="a serverless.yml",
            fix="bareboat create --template lightgbm-iris --name NAME --path FOLDER",
            where=str(path),
        )
    if path.suffix not in (".yml", ".yaml", ".json"):
        raise ConfigurationError(f"{path.name} is no configuration file", expected="serverless.yml", where=str(path))
    return path.absolute()


def _flags(given: Mapping[str, str | None], environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {}
    for name, variable in _FLAGS:
        value = given[name]
        if value is not None:
            found[name] = (value, f"--{name}")
        elif environment.get(variable):
            found[name] = (environment[variable], variable)
    return found


class _Loader:
    def __init__(
        self,
        file: Path,
        flags: Mapping[str, tuple[str, str]],
        params: Mapping[str, str],
        options: Mapping[str, str],
        environment: Mapping[str, str],
        resolvers: Mapping[str, AwsResolver],
    ) -> None:
        self.file = file
        self.folder = file.parent
        self.flags = flags
        self.report = Report()
        self.checker = Checker(
            self.report.problems,
            {
                EventKeys: REFUSED_EVENTS,
                ServerlessKeys: REFUSED_KEYS,
                ProviderKeys: REFUSED_PROVIDER_KEYS,
                DeploymentBucketKeys: REFUSED_BUCKET_KEYS,
            },
        )
        self.sources = Sources(
            self.folder,
            options={**options, **{name: value for name, (value, _) in flags.items()}},
            origins={name: origin for name, (_, origin) in flags.items()},
            params=params,
            env=environment,
            resolvers=resolvers,
            dotenv=self.dotenv,
        )
        self.document: Path | None = None  # of custom.bareboat.openapi
        self.raw = Node(None, Place(file.name, 1, 1))
        self.resolver = Resolver(self.raw, self.sources, self.report.problems)

    def load(self) -> Service:
        root = self.read()
        self.resolver.root = self.raw = root
        tree = self.resolve(root)
        if tree.get("custom", "bareboat", "openapi") is not None:
            from bareboat.service.openapi import add_document, document_of

            add_document(tree, self.folder, self.report)
            self.document = document_of(tree, self.folder)
        keys = self.checker.keys(tree, ServerlessKeys, "")
        service = self.build(keys, tree)
        self.report.problems.raise_if_any()
        return replace(
            service,
            notes=self.report.notes,
            values=tuple(self.report.values),
            read=self.files_read(),
            awaits=(*self.resolver.awaited.kept, *self.resolver.awaited.assumed),
        )

    def files_read(self) -> tuple[Path, ...]:
        """Return the further files that the service depends on, those that would count if they were there included."""
        wanted = self.raw.get("useDotenv")
        names = (f".env.{self.resolver.stage()}", ".env") if wanted is not None and wanted.value is True else ()
        documents = (self.document,) if self.document is not None else ()
        return (*self.sources.read, *(self.folder / name for name in names), *documents)

    def read(self) -> Node:
        """Return the file as nodes, the older short forms spelt out."""
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{self.file.name} cannot be read: {error.strerror}", where=str(self.file)
            ) from error
        root = compose(data, self.file.name)
        if root.value is None:
            raise ConfigurationError(
                f"{self.file.name} is empty", expected="a service, a provider and functions", where=str(root.place)
            )
        if not isinstance(root.value, dict):
            kind = "a list" if isinstance(root.value, list) else "text"
            raise ConfigurationError(
                f"{self.file.name} is {kind}",
                expected="a mapping with service, provider, functions",
                where=str(root.place),
            )
        return root

    def dotenv(self) -> Path | None:
        """Return the .env file to read: .env.STAGE when it exists, else .env, when useDotenv asks for it."""
        wanted = self.raw.get("useDotenv")
        if wanted is None or wanted.value is not True:
            return None
        stage = self.resolver.stage()
        for name in (f".env.{stage}", ".env"):
            if (self.folder / name).is_file():
                return self.folder / name
        return None

    def resolve(self, root: Node) -> Node:
        """Return the tree without variables; parameters of other stages are left as they are."""
        entries = {}
        for key, child in root.items():
            if key == "params":
                entries[key] = self.resolve_params(child)
                continue
            entries[key] = self.resolver.resolve(child, key)
        tree = Node(entries, root.place, keys=root.keys)
        _spell_out(tree, self.report)
        for text, place in self.resolver.awaited.kept.items():
            self.report.info(f"{text} needs AWS and is not asked for here; it stays as text", place)
        for text, (place, value) in self.resolver.awaited.assumed.items():
            self.report.info(
                f"{text} needs AWS and is not asked for here; its default {plain(value)!r} is taken", place
            )
        return tree

    def resolve_params(self, node: Node) -> Node:
        node = self.resolver.shallow(node, "params")
        if not isinstance(node.value, dict):
            return node
        used = ("default", self.resolver.stage())
        entries = {
            key: self.resolver.resolve(child, f"params.{key}") if key in used else child for key, child in node.items()
        }
        return Node(entries, node.place, keys=node.keys)

    def build(self, keys: ServerlessKeys, tree: Node) -> Service:
        report = self.report
        for key, what in NO_MEANING.items():
            if tree.get(key) is not None:
                report.info(f"{key} has no meaning here: {what}", tree.key_place(key))
        name = self.name(keys, tree)
        provider_node = tree.get("provider") or Node({}, tree.place)
        if tree.get("provider") is None:
            report.problems.add(
                tree.place, "there is no provider", expected="provider: {name: aws, runtime: python3.13}"
            )
        elif provider_node.is_mapping:
            check_name(provider_node, report)
        provider_keys = keys.provider or ProviderKeys()
        provider = provider_of(provider_keys, provider_node, name, self.flags, self.checker, report)
        plugins = plugin_names(keys.plugins, tree.get("plugins"), report)
        requirements = python_requirements(tree.get("custom", "pythonRequirements"), self.checker, report)
        package = package_rules(keys.package, tree.get("package"), self.folder, "package", report)
        if package.patterns:
            report.value("package.patterns", list(package.patterns), tree.get("package") or "")
        pseudo = {
            "AWS::Region": provider.region,
            "AWS::StackName": provider.stack_name,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        apis = ApiReader(keys, tree, f"{name}-{provider.stage}-", pseudo, self.folder, self.checker, report)
        provider = apis.provider(provider)
        context = Context(
            service=name,
            folder=self.folder,
            provider=provider,
            provider_keys=provider_keys,
            provider_node=provider_node,
            plugins=plugins,
            requirements_file=requirements.file_name,
            has_artifact=package.artifact is not None,
            pseudo=pseudo,
            layers=self.layers(keys, tree, name, provider.stage),
            resources=self.resource_ids(tree),
            rest=apis.rest,
        )
        functions, images = self.functions(keys, tree, context)
        provider, functions = apis.with_routes(provider, functions)
        everything, custom = tree.get("custom"), tree.get("custom", "bareboat")
        slim = slim_level(custom, requirements, report)
        check_accounts(custom, provider.stage, report)
        check_deploying(custom, report)
        alarms = alarms_of(custom, self.checker, report)
        check_role_name(name, provider, (*functions.values(), *images.values()), tree, report)
        resources = tree.get("resources")
        default = (_python(provider.runtime), provider_keys.architecture or "x86_64")
        layers = with_targets(context.layers, functions.values(), default, report)
        return Service(
            name=name,
            path=self.file,
            folder=self.folder,
            provider=provider,
            functions=functions,
            package=package,
            python_requirements=requirements,
            slim=slim,
            proof=wants_proof(custom, self.report),
            custom=plain(everything) if everything is not None and everything.is_mapping else {},
            custom_bareboat=plain(custom) if custom is not None and custom.is_mapping else {},
            layers=layers,
            resources=plain(resources) if resources is not None and resources.is_mapping else {},
            plugins=plugins,
            image_functions=images,
            alarms=alarms,
            domains=domains_of(tree, provider.stage, report),
        )

    def layers(self, keys: ServerlessKeys, tree: Node, service: str, stage: str) -> dict[str, Layer]:
        """Return the layers that the service makes."""
        reader = LayerReader(self.folder, self.checker, self.report)
        found = reader.own(keys.layers or {}, tree.get("layers"))
        node = tree.get("custom", "pythonRequirements", "layer")
        of_project = reader.of_project(node, service, stage)
        if of_project is not None:
            if (other := found.get(of_project.name)) is not None:
                self.report.problems.add(
                    other.where,
                    f"layers.{other.name} and custom.pythonRequirements.layer make the same layer",
                    expected="one of them",
                )
            found[of_project.name] = of_project
        return found

    def resource_ids(self, tree: Node) -> tuple[str, ...]:
        """Return the names that a Ref may have beside those of functions and layers."""
        sections = (tree.get("resources", name) for name in ("Resources", "Parameters", "resources", "parameters"))
        return tuple(name for section in sections if section is not None for name, _ in section.items())

    def name(self, keys: ServerlessKeys, tree: Node) -> str:
        node = tree.get("service")
        if node is None:
            self.report.problems.add(tree.place, "there is no service", expected="service: NAME")
        elif not node.state and keys.service is not None and not _SERVICE_NAME.match(keys.service):
            self.report.problems.add(
                node.place,
                f"service is '{keys.service}'",
                expected="letters, digits and '-', a letter first, two at least",
            )
        if node is not None and keys.service:
            self.report.value("service", keys.service, node)
        return keys.service or "service"

    def functions(
        self, keys: ServerlessKeys, tree: Node, context: Context
    ) -> tuple[dict[str, Function], dict[str, Function]]:
        """Return the functions, and apart from them those that are container images."""
        found: dict[str, Function] = {}
        images: dict[str, Function] = {}
        node = tree.get("functions")
        for name, function_keys in (keys.functions or {}).items():
            if node is None or function_keys is None or not (child := node.value[name]).is_mapping:
                continue
            function = function_of(name, node.key_place(name), function_keys, child, context, self.report)
            if function is None:
                continue
            if child.get("image") is not None:
                images[name] = function
                self.report.warn(f"functions.{name} is a container image, which is not served locally yet", child.place)
            else:
                found[name] = function
        return found, images


def _python(runtime: str) -> str:
    """Return the Python version of what no function says more of."""
    known = runtime if runtime in runtimes.LIVE else runtimes.STAND_IN
    return known.removeprefix("python")


def _spell_out(tree: Node, report: Report) -> None:
    """Replace the short and older forms: `provider: aws`, `service: {name: x}`, lists of functions or resources."""
    provider, service = tree.get("provider"), tree.get("service")
    if provider is not None and isinstance(provider.value, str) and not provider.state:
        place = provider.place
        tree.value["provider"] = Node({"name": Node(provider.value, place)}, place, keys={"name": place})
    if service is not None and isinstance(service.value, dict) and service.get("name") is not None:
        report.info("service: {name: ...} is the older form of service: NAME; read as such", service.place)
        tree.value["service"] = service.value["name"]
    for key in ("functions", "resources", "layers"):
        node = tree.get(key)
        if node is not None and isinstance(node.value, list):
            tree.value[key] = _merged(key, node, report)
    functions = tree.get("functions")
    for _, function in functions.items() if functions is not None else ():
        events = function.get("events")
        if events is not None and isinstance(events.value, list):
            events.value[:] = [_spelt_event(event) for event in events.value]


def _spelt_event(event: Node) -> Node:
    """Return `- alexaSkill` as `- alexaSkill:`, so that what is wrong with it can be said."""
    if not isinstance(event.value, str) or event.state:
        return event
    return Node({event.value: Node(None, event.place)}, event.place, keys={event.value: event.place})


def _merged(key: str, node: Node, report: Report) -> Node:
    """Return a list of mappings as one mapping; resources are merged section by section."""
    entries: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for index, item in enumerate(node.value):
        if item.value is None or item.state:
            continue
        if not isinstance(item.value, dict):
            report.problems.add(item.place, f"{key}[{index}] is no mapping", expected="a mapping in the list")
            continue
        for name, child in item.value.items():
            if name in entries and key == "resources" and entries[name].is_mapping and child.is_mapping:
                both = {**entries[name].value, **child.value}
                entries[name] = Node(both, entries[name].place, keys={**entries[name].keys, **child.keys})
                continue
            if name in entries and key != "resources":
                report.problems.add(
                    item.key_place(name), f"{key}.{name} is given again", expected=f"it once; first at {keys[name]}"
                )
                continue
            entries[name] = child
            keys[name] = item.key_place(name)
    return Node(entries, node.place, keys=keys)

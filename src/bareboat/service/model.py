"""What serverless.yml says, parsed: the Service that the rest of bareboat works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bareboat.service.alarm import Alarms
from bareboat.service.api import FunctionUrl, HttpApi, RestApi
from bareboat.service.domain import CustomDomain
from bareboat.service.layer import Layer, LayerRef
from bareboat.service.triggers import Event

Architecture = Literal["x86_64", "arm64"]
Protocol = Literal["bareboat", "mlflow", "oip", "sagemaker"]
Engine = Literal["auto", "compiled", "onnx", "framework"]
Load = Literal["build", "cold-start"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, lines and columns counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know that is no error.

    Args:
        level: "info" for a key that bareboat has no use for, "warning" for something that will not happen as written.
    """

    level: Literal["info", "warning"]
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One effective setting and where it came from, for `bareboat check`.

    Args:
        path: dotted, such as `functions.predict.memorySize`.
        value: JSON-like.
        origin: `serverless.yml:9:17`, `default`, `--stage`, `BAREBOAT_STAGE`, `functions inherit provider.memorySize`.
    """

    path: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class PackageRules:
    """`package` of the service or of a function.

    Args:
        patterns: in order; `!` takes away. Legacy `include` and `exclude` are translated into these.
        individually: whether functions get an artifact of their own.
        artifact: a ready-made zip, absolute, instead of a build.
    """

    patterns: tuple[str, ...] = ()
    individually: bool = False
    artifact: Path | None = None


@dataclass(frozen=True, slots=True)
class PythonRequirements:
    """`custom.pythonRequirements`, what of it has a meaning here (serverless-python-requirements 6)."""

    file_name: str = "requirements.txt"
    slim: bool | None = None
    slim_patterns: tuple[str, ...] = ()
    slim_patterns_append_defaults: bool = True
    strip: bool = True
    zip: bool = False
    layer: bool = False
    no_deploy: tuple[str, ...] = ()
    vendor: str = ""
    use_pipenv: bool = True
    use_poetry: bool = True
    docker_extra_files: tuple[str, ...] = ()
    pip_extra_args: tuple[str, ...] = ()


Slim = Literal["none", "safe", "max"]
Dtype = Literal["float", "int", "bool", "string", "category", "datetime"]
Bounds = Literal["error", "warn", "ignore"]
Unknown = Literal["error", "missing"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of `functions.NAME.features` or `functions.NAME.signature.inputs`: a bare name, or a mapping.

    Args:
        name: the name that requests use.
        nullable: whether null and a missing key are taken as missing; else they are a 400. None leaves it to the
            model.
        dtype: None leaves it to the model.
        enum, minimum, maximum: what is expected; `bounds` says what happens to other values.
        default: what null and a missing key stand for.
        column: the model's own name for it; None goes by the place in the list.
        unknown: what a value is that the model's list of values does not have: a 400, or a missing value.
        places: where the entry stands (""), and where each of its keys does.
    """

    name: str
    nullable: bool | None = None
    dtype: Dtype | None = None
    enum: tuple[str | int | float | bool, ...] | None = None
    minimum: str | int | float | None = None
    maximum: str | int | float | None = None
    default: str | int | float | bool | None = None
    column: str | None = None
    unknown: Unknown | None = None
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def place(self, key: str = "") -> str:
        """Return where a key stands, or else the entry; "" when that is not known."""
        return str(self.places.get(key) or self.places.get("") or "")


@dataclass(frozen=True, slots=True)
class Output:
    """One entry of `functions.NAME.signature.outputs`: what an answer holds."""

    name: str
    dtype: Dtype | None = None
    enum: tuple[str | int | float | bool, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    where: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a store, pinned.

    Args:
        source: `s3://bucket/key` or an https address.
        version_id: of a bucket with versioning, else "".
        sha256: of its content, hex.
    """

    source: str
    version_id: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model in a store, as serverless.yml names it; `artifact.fetch` fills in what it is.

    Args:
        source: `s3://bucket/key`, the `s3://bucket/folder/` of an MLflow model, or an https address.
        where: the place in serverless.yml.
        version_id: the one that is asked for, "" for the newest, or the pinned one.
        sha256: what the content must be; "" for what the lock pins.
        load: whether the artifact holds the model, or fetches it at a cold start.
        file: the copy on this machine, once it is fetched: a file, or an MLflow model's folder.
        objects: what the copy is of: one object, or all of a folder.
    """

    source: str
    where: Place = field(compare=False)
    version_id: str = ""
    sha256: str = ""
    load: Load = "build"
    file: Path | None = None
    objects: tuple[StoredObject, ...] = ()

    @property
    def pin(self) -> str:
        """What bareboat.lock calls it."""
        return f"{self.source}?versionId={self.version_id}" if self.version_id else self.source


ModelFile = Path | RemoteModel


def local_file(file: ModelFile) -> Path:
    """Return the path of a model on this machine; a remote one must have been fetched."""
    if isinstance(file, RemoteModel):
        assert file.file is not None, f"{file.source} has not been fetched"
        return file.file
    return file


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model of a function: that of `functions.NAME.model`, or an entry of `functions.NAME.models`.

    Args:
        name: what requests call it.
        key: where it stands in serverless.yml, such as `functions.predict` or `functions.predict.models.churn`.
        files: of its versions, the default one first: absolute paths, or models in a store.
        features: None when the model's own names are used.
        labels: None when the model's own are answered, or class indices.
        outputs, bounds, features_key: as those of a Function.
        engine: what answers for it.
    """

    name: str
    key: str
    where: Place
    files: tuple[ModelFile, ...]
    features: tuple[Feature, ...] | None = None
    labels: tuple[str | int | float | bool, ...] | None = None
    outputs: tuple[Output, ...] = ()
    bounds: Bounds = "error"
    features_key: str = "features"
    engine: Engine = "auto"


@dataclass(frozen=True, slots=True)
class Function:
    """One function, with everything that it inherits from the provider filled in.

    Exactly one of `handler`, `model` and `models` is set. Paths are absolute.

    Args:
        full_name: the name on AWS, `service-stage-name` unless `name:` says otherwise.
        runtime: as declared, such as `python3.7`; `python` is the version that packaging and the local cloud use.
        handler: `package/module.function` as written.
        models: the entries of `models:`; the first is the default.
        features: None when the model's own names are used.
        outputs: what is declared of answers; () for nothing.
        bounds: what happens to a value outside minimum, maximum or enum.
        features_key: the key that gave `features`: features or signature.inputs.
        labels: None when class indices are answered.
        engine: what answers for the models.
        protocol: what clients speak.
        cache_mb: how much memory loaded models may take; None for a share of `memory_mb`.
        before, after: `module.function` that wrap a model function's input and output.
        samples: files or literal events.
        layers: in the order in which Lambda lays them over each other.
        url: its own address, where it has one.
        options: the keys that nothing but a deployment needs, as written (role, vpc, tags, ...).
    """

    name: str
    full_name: str
    where: Place
    runtime: str
    python: str  # "3.13"
    architecture: Architecture
    handler: str | None = None
    model: ModelFile | None = None
    models: tuple[ServedModel, ...] = ()
    features: tuple[Feature, ...] | None = None
    outputs: tuple[Output, ...] = ()
    bounds: Bounds = "error"
    features_key: str = "features"
    labels: tuple[str | int | float | bool, ...] | None = None
    engine: Engine = "auto"
    protocol: Protocol = "bareboat"
    cache_mb: int | None = None
    before: str | None = None
    after: str | None = None
    samples: tuple[Any, ...] = ()
    description: str = ""
    memory_mb: int = 1024
    timeout_s: int = 6
    ephemeral_storage_mb: int = 512
    reserved_concurrency: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    package: PackageRules = PackageRules()
    layers: tuple[LayerRef, ...] = ()
    http_api_payload: Literal["1.0", "2.0"] = "2.0"
    url: FunctionUrl | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def serves_models(self) -> bool:
        """Whether it is a model function, which has no handler."""
        return self.model is not None or bool(self.models)

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The names of those of its layers that the service makes."""
        return tuple(ref.name for ref in self.layers if ref.name)

    @property
    def served_models(self) -> tuple[ServedModel, ...]:
        """The models that it serves, the default one first. The one of `model:` is called as the function is."""
        if self.model is None:
            return self.models
        key = f"functions.{self.name}"
        model = ServedModel(
            name=self.name,
            key=key,
            where=self.where,
            files=(self.model,),
            features=self.features,
            labels=self.labels,
            outputs=self.outputs,
            bounds=self.bounds,
            features_key=self.features_key,
            engine=self.engine,
        )
        return (model,)


@dataclass(frozen=True, slots=True)
class Provider:
    """`provider`, with Serverless's defaults filled in."""

    stage: str = "dev"
    region: str = "us-east-1"
    runtime: str = ""
    stack_name: str = ""
    http_api: HttpApi = field(default_factory=HttpApi)
    rest_api: RestApi = field(default_factory=RestApi)
    tags: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """serverless.yml, parsed, resolved and validated.

    Args:
        path: the file; `folder` is its directory, the root of everything that is packaged.
        slim: how much of the dependencies is left out (docs/slimming.md).
        proof: whether samples are run to prove that slimmed packages answer as whole ones do (docs/proof.md).
        custom: `custom` as written, what plugins are told with it too.
        custom_bareboat: `custom.bareboat` as written.
        alarms: when somebody is told that something is wrong; None for never.
        image_functions: functions that are container images; they have neither handler nor model, so they stand apart.
        domains: the custom domains that the stack makes; those that are left as they are do not count.
        notes: what a person should know, in file order.
        values: each effective setting with its origin, in file order, for `check`.
        read: the files beside `path` that it says something of: those of `${file()}` and .env, there or not.
        awaits: the variables that need AWS and were not asked for, such as `${ssm:/key}`.
    """

    name: str
    path: Path
    folder: Path
    provider: Provider
    functions: Mapping[str, Function]
    package: PackageRules = PackageRules()
    python_requirements: PythonRequirements = PythonRequirements()
    slim: Slim = "safe"
    proof: bool = True
    custom: Mapping[str, Any] = field(default_factory=dict)
    custom_bareboat: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, Layer] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    image_functions: Mapping[str, Function] = field(default_factory=dict)
    alarms: Alarms | None = None
    notes: tuple[Note, ...] = ()
    values: tuple[Value, ...] = ()
    read: tuple[Path, ...] = ()
    awaits: tuple[str, ...] = ()
    domains: tuple[CustomDomain, ...] = ()

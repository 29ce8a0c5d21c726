"""Images that are built here, in the hands of skopeo, umoci, podman with runc, buildah and AWS's runtime client."""

from __future__ import annotations

import json
import platform
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bareboat.artifact.locking import Locking
from bareboat.container.base import open_base
from bareboat.container.build import build_image, host_platform
from bareboat.container.dockerfile import write_dockerfile
from bareboat.container.export import export_image
from bareboat.container.function_image import build_function_images
from bareboat.container.recipe import load_recipe
from bareboat.container.store import Store
from bareboat.container.surroundings import python_of
from bareboat.errors import ArtifactError, PackagingError
from bareboat.packaging.lock import LOCK, read_lock
from bareboat.service import load_service

ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
LIMITS = ("--network=host", "--ulimit=nofile=1000:1000", "--ulimit=nproc=1000:1000")  # see test_engines.py
HANDLER = """import json, sys


def answer(event, context):
    return {"sum": sum(event["numbers"]), "python": sys.version[:4]}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def version(base_tar: Path, store: Store) -> str:
    """The base's Python."""
    with store.adding():
        return python_of(open_base(str(base_tar), host_platform(), store)).version


@pytest.fixture(scope="module")
def podman(system_command: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Call podman with a storage of its own."""
    program, runc = system_command("podman"), system_command("runc")
    with tempfile.TemporaryDirectory(prefix="bb-", ignore_cleanup_errors=True) as folder:
        storage = (f"--root={folder}/root", f"--runroot={folder}/run", f"--storage-driver={driver(Path(folder))}")

        def call(*words: str) -> str:
            command = [
                program,
                *storage,
                f"--tmpdir={folder}/tmp",
                "--cgroup-manager=cgroupfs",
                f"--runtime={runc}",
                *words,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield call
        call("rm", "--all", "--force", "--time=0")


def driver(folder: Path) -> str:
    """Return overlay where a folder can be laid over others, else vfs, which copies every layer."""
    parts = [folder / name for name in ("lower", "upper", "work", "merged")]
    for part in parts:
        part.mkdir()
    options = f"lowerdir={parts[0]},upperdir={parts[1]},workdir={parts[2]}"
    done = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, parts[3]], capture_output=True, check=False
    )
    if done.returncode == 0:
        subprocess.run(["umount", parts[3]], check=True)
    return "vfs" if done.returncode else "overlay"


@pytest.fixture(scope="module")
def wheels(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(Path(__file__).parent / "wheels.py")


@pytest.fixture(scope="module")
def index(wheels: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index with wheels that say what torch's, cupy's and NVIDIA's real ones say."""
    folder = tmp_path_factory.mktemp("index")
    wheels.write_wheel(
        folder,
        "torch",
        "2.8.0+cu126",
        requires=[
            "nvidia-cuda-runtime-cu12==12.6.77; platform_system == 'Linux'",
            "nvidia-cudnn-cu12==9.10.2.21; platform_system == 'Linux'",
        ],
        commands={"torchrun": "torch.run:main"},
        files={
            "torch/__init__.py": b"__version__ = '2.8.0+cu126'\n",
            "torch/run.py": b"def main():\n    print('torchrun runs')\n",
        },
    )
    wheels.write_wheel(
        folder, "nvidia-cuda-runtime-cu12", "12.6.77", files={"nvidia/cuda_runtime/lib/libcudart.so.12": b"library"}
    )
    wheels.write_wheel(folder, "nvidia-cudnn-cu12", "9.10.2.21", files={"nvidia/cudnn/lib/libcudnn.so.9": b"library"})
    for name in ("cupy-cuda11x", "cupy-cuda12x"):
        wheels.write_wheel(folder, name, "13.6.0", files={f"{name.replace('-', '_')}.py": b""})
    with wheels.serving(folder) as address:
        yield address


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's Runtime API for one event; AWS, "Using the Lambda runtime API for custom runtimes"."""

    def __init__(self, event: Any) -> None:
        self.event = json.dumps(event).encode()
        self.answered = threading.Event()
        self.answer: tuple[str, Any] = ("", None)
        self.given = False
        super().__init__(("127.0.0.1", 0), _Invocations)


class _Invocations(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.server.given:
            self.server.answered.wait(60)
            self.close_connection = True
            return
        self.server.given = True
        self.send_response(200)
        for name, value in (
            ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("Lambda-Runtime-Deadline-Ms", "9999999999999"),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
            ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(self.server.event))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answer = (self.path, json.loads(body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answered.set()


def ours(folder: Path, tmp_path: Path, reference: str, command: Callable[[str], str]) -> Path:
    """Unpack an image of a layout with umoci."""
    unpacked = tmp_path / "unpacked"
    subprocess.run(
        [command("umoci"), "unpack", "--image", f"{folder}:{reference}", unpacked], check=True, capture_output=True
    )
    return unpacked / "rootfs"


def test_a_functions_image_answers_through_awss_client_in_a_container(
    tmp_path: Path,
    store: Store,
    base_tar: Path,
    version: str,
    podman: Callable[..., str],
    system_command: Callable[[str], str],
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "handler.py").write_text(HANDLER.replace("sum(", "adding.total(").replace("json, sys", "adding, sys"))
    (project / "lay" / "python").mkdir(parents=True)
    (project / "lay" / "python" / "adding.py").write_text("total = sum\n")  # lies at /opt/python in the image
    (project / "serverless.yml").write_text(
        f"service: adding\nprovider: {{name: aws, runtime: python{version}, architecture: {ARCHITECTURE}}}\n"
        "layers: {shared: {path: lay}}\nfunctions: {answer: {handler: handler.answer, layers: [shared]}}\n"
    )

    (made,) = build_function_images(load_service(project), store, base=str(base_tar))
    again = build_function_images(load_service(project), store, base=str(base_tar))
    export_image(store.layout, made.descriptor, [made.name], tmp_path / "image.tar")

    assert again[0].descriptor.digest == made.descriptor.digest
    assert [layer.name for layer in made.images[0].layers][-2:] == ["layer shared", "code"]
    inspected = subprocess.run(
        [system_command("skopeo"), "inspect", f"oci-archive:{tmp_path / 'image.tar'}"], check=True, capture_output=True
    )
    assert json.loads(inspected.stdout)["Digest"] == made.descriptor.digest
    podman("load", "--input", str(tmp_path / "image.tar"))
    with RuntimeApi({"numbers": [1, 2, 3]}) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{api.server_address[1]}"
        podman(
            "run", "--detach", "--name=answering", *LIMITS, f"--env=AWS_LAMBDA_RUNTIME_API={address}",
            "--env=AWS_LAMBDA_FUNCTION_NAME=answer", "localhost/adding:latest",
        )  # fmt: skip
        answered = api.answered.wait(60)
        logs = "" if answered else podman("logs", "answering")
        podman("rm", "--force", "--time=0", "answering")
        api.shutdown()
    assert answered, logs
    path, answer = api.answer
    assert path.endswith("/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response")
    assert answer == {"sum": 6, "python": version}


def test_a_change_of_the_code_changes_one_small_layer(
    tmp_path: Path, store: Store, base_tar: Path, version: str
) -> None:
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "requirements.txt").write_text("simplejson\n")
    (tmp_path / "serverless.yml").write_text(
        f"service: moving\nprovider: {{name: aws, runtime: python{version}, architecture: {ARCHITECTURE}}}\n"
        "functions: {answer: {handler: handler.answer}}\n"
    )

    (before,) = build_function_images(load_service(tmp_path), store, base=str(base_tar))
    (tmp_path / "handler.py").write_text(HANDLER + "# more\n")
    held = Locking(write=False, locked=True)
    (after,) = build_function_images(load_service(tmp_path), store, base=str(base_tar), locking=held)

    old = {layer.descriptor.digest for layer in before.images[0].layers}
    new = [layer for layer in after.images[0].layers if layer.descriptor.digest not in old]
    assert [layer.name for layer in new] == ["code"]
    assert new[0].descriptor.size < 20_000
    locked = [environment.name for environment in read_lock(tmp_path / LOCK).environments]
    assert [name.partition("@glibc")[0] for name in locked] == ["awslambdaric", "project"]


def test_a_base_without_the_functions_python_is_refused_with_what_it_has(
    tmp_path: Path, store: Store, base_tar: Path, version: str
) -> None:
    other = "3.12" if version != "3.12" else "3.13"
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "serverless.yml").write_text(
        f"service: wrong\nprovider: {{name: aws, runtime: python{other}, architecture: {ARCHITECTURE}}}\n"
        "functions: {answer: {handler: handler.answer}}\n"
    )

    with pytest.raises(ArtifactError, match=f"has /usr/bin/python{version}"):
        build_function_images(load_service(tmp_path), store, base=str(base_tar))


def project(folder: Path, base: str, index: str, *, cupy: str = "cupy-cuda12x") -> Path:
    folder.mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data" / "é.txt").write_text("1\n")
    (folder / "secret.txt").write_text("not in the image\n")
    (folder / "main.py").write_text(
        "import os, sys, torch\nprint(sys.argv[1:], os.environ['MODE'], torch.__version__, os.getcwd())\n"
    )
    (folder / "start.sh").write_text('#!/bin/sh\nexec python3 main.py "$@"\n')
    (folder / "image.yml").write_text(
        f"name: trained:1\nbase: {base}\nrequirements: ['--index-url {index}', torch, {cupy}]\n"
        "files: [main.py, start.sh, 'data/**']\nworkdir: /work\nenv: {MODE: 'a \"b\" $c \\d', N: 1}\n"
        "entrypoint: [./start.sh]\ncmd: [--epochs, 1]\nports: [6006]\nlabels: {maintainer: me}\ngpu: true\n"
    )
    return folder


def test_an_image_of_a_project_runs_with_its_packages_and_commands(
    tmp_path: Path, store: Store, base_tar: Path, index: str, podman: Callable[..., str]
) -> None:
    recipe = load_recipe(project(tmp_path / "project", str(base_tar), index))

    built = build_image(recipe, store)
    export_image(store.layout, built.descriptor, [built.name], tmp_path / "image.tar")
    podman("load", "--input", str(tmp_path / "image.tar"))

    assert built.gpu.statement.startswith("CUDA 12.6: the host must have NVIDIA driver 525 or later")
    said = podman("run", "--rm", *LIMITS, "localhost/trained:1")
    assert said == "['--epochs', '1'] a \"b\" $c \\d 2.8.0+cu126 /work\n"
    assert podman("run", "--rm", *LIMITS, "--entrypoint=torchrun", "localhost/trained:1") == "torchrun runs\n"
    assert (
        podman("run", "--rm", *LIMITS, "--entrypoint=busybox", "localhost/trained:1", "ls")
        == "data\nmain.py\nstart.sh\n"
    )


def test_cuda_that_does_not_agree_is_refused_at_its_line(
    tmp_path: Path, store: Store, base_tar: Path, index: str
) -> None:
    recipe = load_recipe(project(tmp_path / "project", str(base_tar), index, cupy="cupy-cuda11x"))

    with pytest.raises(PackagingError, match="several CUDA releases") as raised:
        build_image(recipe, store)

    assert raised.value.problems[0].where.endswith("image.yml:3:15")


def test_the_dockerfile_builds_the_same_files_environment_and_commands(
    tmp_path: Path, store: Store, base_tar: Path, index: str, system_command: Callable[[str], str]
) -> None:
    buildah, skopeo = system_command("buildah"), system_command("skopeo")
    with store.adding():
        base = open_base(str(base_tar), host_platform(), store)
        assert base.descriptor is not None
        store.tag("localhost/debian-with-python:1", base.descriptor)
    recipe = load_recipe(project(tmp_path / "project", "localhost/debian-with-python:1", index))
    built = build_image(recipe, store)
    export_image(store.layout, built.descriptor, ["trained:1"], tmp_path / "ours")
    export_image(store.layout, base.descriptor, ["base:1"], tmp_path / "base")

    written = write_dockerfile(recipe, store, recipe.folder / "Dockerfile")
    text = written.path.read_text()
    written.path.write_text(text.replace(f"@{base.descriptor.digest}", ""))  # no registry has it
    with tempfile.TemporaryDirectory(prefix="bb-", ignore_cleanup_errors=True) as folder:
        kind = driver(Path(folder))
        storage = ["--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", kind]
        there = f"containers-storage:[{kind}@{folder}/root+{folder}/run]localhost/debian-with-python:1"
        for command in (
            [skopeo, "copy", "--quiet", f"oci:{tmp_path / 'base'}:base:1", there],
            [buildah, *storage, "bud", "--isolation=chroot", "--pull-never", "--tag=theirs", "--file",
             str(written.path), str(recipe.folder)],
            [buildah, *storage, "push", "--quiet", "--disable-compression", "theirs",
             f"oci:{tmp_path / 'theirs'}:theirs:1"],
        ):  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

    mine = ours(tmp_path / "ours", tmp_path / "a", "trained:1", system_command)
    theirs = ours(tmp_path / "theirs", tmp_path / "b", "theirs:1", system_command)
    assert contents(mine, "work") == contents(theirs, "work")
    site = next(iter((mine / "usr/local/lib").glob("python3*/dist-packages"))).relative_to(mine)
    assert contents(mine, str(site)) == contents(theirs, str(site))
    assert contents(mine, "usr/local/bin").keys() == contents(theirs, "usr/local/bin").keys()
    assert config(tmp_path / "ours", "trained:1", skopeo) == config(tmp_path / "theirs", "theirs:1", skopeo)


def contents(root: Path, folder: str) -> dict[str, tuple[int, bytes]]:
    """Files with their rights; bytecode and what an installer says of itself aside."""
    return {
        str(path.relative_to(root)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and path.name not in {"RECORD", "INSTALLER", "REQUESTED"}
    }


def config(layout: Path, name: str, skopeo: str) -> dict[str, Any]:
    done = subprocess.run([skopeo, "inspect", "--config", f"oci:{layout}:{name}"], check=True, capture_output=True)
    said = json.loads(done.stdout)["config"]
    labels = {key: value for key, value in said.get("Labels", {}).items() if not key.startswith("io.buildah")}
    return {**said, "Env": sorted(said["Env"]), "Labels": labels}

"""Keys of `custom.pythonRequirements` (serverless-python-requirements 6)."""

from __future__ import annotations

from typing import Annotated, Any

from bareboat.service.keys.base import Keys, doc

List = list[str] | None


class PythonRequirementsKeys(Keys):
    """How dependencies are packaged."""

    file_name: Annotated[str | None, doc("requirements.txt.", "must")] = None
    slim: Annotated[bool | None, doc("Leave out tests, caches and metadata.", "must")] = None
    slim_patterns: Annotated[List | bool, doc("Further globs to leave out.", "should")] = None
    slim_patterns_append_defaults: Annotated[
        bool | None, doc("Whether slimPatterns adds to the defaults.", "should")
    ] = None
    strip: Annotated[bool | None, doc("Strip debug symbols in slim mode.", "should")] = None
    zip: Annotated[bool | None, doc("Dependencies ship ready to import all the same.", "must")] = None
    layer: Annotated[bool | dict[str, Any] | None, doc("Dependencies in a layer of their own.", "should")] = None
    no_deploy: Annotated[List, doc("Packages to leave out.", "should")] = None
    vendor: Annotated[str | None, doc("A folder of packages to copy.", "should")] = None
    use_pipenv: Annotated[bool | None, doc("Read Pipfile.lock.", "should")] = None
    use_poetry: Annotated[bool | None, doc("Read poetry.lock.", "should")] = None
    use_uv: bool | None = None
    docker_extra_files: Annotated[List, doc("Files to add at the root.", "must")] = None
    pip_cmd_extra_args: Annotated[List, doc("Arguments of pip install.", "should")] = None
    python_bin: str | None = None
    dockerize_pip: Annotated[bool | str | None, doc("No meaning here.", "must")] = None
    docker_ssh: bool | None = None
    docker_private_key: str | None = None
    docker_image: str | None = None
    docker_file: str | None = None
    docker_env: bool | list[str] | dict[str, Any] | None = None
    docker_build_cmd_extra_args: List = None
    docker_run_cmd_extra_args: List = None
    docker_rootless: bool | None = None
    cleanup_zip_helper: bool | None = None
    invalidate_caches: bool | None = None
    use_static_cache: bool | None = None
    use_download_cache: bool | None = None
    cache_location: bool | str | None = None
    static_cache_max_versions: int | None = None
    require_poetry_lock_file: bool | None = None
    poetry_with_groups: List = None
    poetry_without_groups: List = None
    poetry_only_groups: List = None


# What bareboat does instead, for the keys that have no meaning here.
NO_MEANING: dict[str, str] = {
    "cleanupZipHelper": "no zip helper is made",
    "pythonBin": "the interpreter of the declared runtime is found by its version",
    "dockerizePip": "wheels for Lambda's Linux are taken on any host, without Docker",
    "dockerExtraFiles": "missing native libraries such as libgomp.so.1 are found and bundled",
    "invalidateCaches": "caches are keyed by content",
    "useStaticCache": "caches are keyed by content",
    "useDownloadCache": "caches are keyed by content",
    "cacheLocation": "BAREBOAT_CACHE_DIR names the cache folder",
    "staticCacheMaxVersions": "caches are keyed by content",
    **dict.fromkeys(
        (
            "dockerSsh",
            "dockerPrivateKey",
            "dockerImage",
            "dockerFile",
            "dockerEnv",
            "dockerBuildCmdExtraArgs",
            "dockerRunCmdExtraArgs",
            "dockerRootless",
        ),
        "nothing is built in Docker",
    ),
}

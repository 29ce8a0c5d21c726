"""What the probe's functions do: hand back what they get, answer as they are told, fail, wait, describe their image."""

import json
import os
import re
import sys


def echo(event, context):
    """Answer with the event."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}


def answer(event, context):
    """Return what the request's body says, as it stands; `{"raise": text}` fails, `{"bytes": n}` is that much."""
    said = json.loads(event.get("body") or "{}")
    if isinstance(said, dict) and "raise" in said:
        raise ValueError(said["raise"])
    if isinstance(said, dict) and "bytes" in said:
        return {"statusCode": 200, "body": "x" * said["bytes"]}
    return said


def slow(event, context):
    """Run into the function's own timeout."""
    import time

    time.sleep(30)


def image(event, context):
    """Describe what there is beside the function: libraries, folders, variables, limits; no values of keys."""
    import platform
    import resource

    def names(folder):
        try:
            return sorted(os.listdir(folder))
        except OSError as error:
            return [type(error).__name__]

    hidden = ("KEY", "TOKEN", "SECRET")
    versions = {}
    for name in ("boto3", "botocore", "awslambdaric"):
        try:
            versions[name] = __import__(name).__version__
        except (ImportError, AttributeError):
            versions[name] = ""
    with open("/proc/self/maps") as maps:
        mapped = sorted({line.split()[-1] for line in maps if ".so" in line})
    symbols = []
    for folder in ("/lib64", "/usr/lib64", "/var/lang/lib", "/usr/lib/x86_64-linux-gnu"):
        try:
            with open(folder + "/libstdc++.so.6", "rb") as library:
                symbols = sorted({one.decode() for one in re.findall(rb"(?:GLIBCXX|CXXABI)_[0-9.]+", library.read())})
            break
        except OSError:
            continue
    return {
        "python": sys.version,
        "glibc": os.confstr("CS_GNU_LIBC_VERSION"),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "sys.path": sys.path,
        "environment": {k: "" if any(word in k for word in hidden) else v for k, v in sorted(os.environ.items())},
        "libraries": {
            folder: names(folder) for folder in ("/lib64", "/usr/lib64", "/var/lang/lib", "/var/runtime/lib")
        },
        "folders": {folder: names(folder) for folder in ("/", "/opt", "/var/task", "/var/runtime", "/tmp")},
        "mapped": mapped,
        "symbols": symbols,
        "versions": versions,
        "limits": {
            name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")
        },
        "user": [os.getuid(), os.getgid()],
        "cpus": os.cpu_count(),
        "modules": sorted(sys.modules),
    }

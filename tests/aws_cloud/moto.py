"""moto's server as a process, and clients that ask it directly."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from typing import Any

from botocore.config import Config
from botocore.session import Session

REGION = "us-east-1"
ACCOUNT = "123456789012"
_SERVER = """
import sys
from moto.apigateway.models import Stage
from moto.cloudwatch.models import Statistics
from moto.server import ThreadedMotoServer

known = Statistics.get_statistics_for_type

def statistic(self, stat):
    if not stat.startswith("p"):
        return known(self, stat)
    rising = sorted(self.metric_single_values_list)  # moto has no percentiles, and fails at them
    return rising[min(int(len(rising) * float(stat[1:]) / 100), len(rising) - 1)] if rising else None

Statistics.get_statistics_for_type = statistic
patched = Stage.apply_operations

def apply_operations(self, patches):
    for one in patches:  # moto does not take away what is set of a method
        if one["op"] == "remove":
            self.method_settings.pop(one["path"].removeprefix("/"), None)
    return patched(self, patches)

Stage.apply_operations = apply_operations
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


class Moto:
    """A moto server, which ends with this process at the latest: it waits for the end of its stdin."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.session = Session()
        self.session.set_credentials("testing", "testing")
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self.used: set[str] = set()

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a client of moto itself, whose calls the proxy does not see."""
        with self._lock:
            self.used.add(service)
            if (service, region) not in self._clients:
                config = Config(
                    retries={"max_attempts": 0}, proxies={}, s3={"addressing_style": "path"}, max_pool_connections=4
                )
                self._clients[service, region] = self.session.create_client(
                    service, region_name=region, endpoint_url=self.endpoint, config=config
                )
            return self._clients[service, region]

    def reset(self) -> None:
        """Forget everything; about 30 ms."""
        self.used.clear()
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._process.kill()
        self._process.communicate()

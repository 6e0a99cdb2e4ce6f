"""What is in `deploy/` works: the configuration of nginx in front of replicas, and the manifest for Kubernetes."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
import requests
import yaml
from kubernetes_validate import validate

from simulator.cli import serve
from tests.mail import free_port
from tests.processes import replicas
from tests.served import PATIENCE, World
from tests.test_readme import take_tour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.processes import Replica

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.33"


@contextmanager
def nginx(port: int, running: list[Replica], folder: Path) -> Iterator[Path]:
    """Run nginx in front of some replicas, and give the file where it says who answered each call."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing: install it (Debian: nginx-light)"
    log = folder / "answered"
    servers = "".join(f"server 127.0.0.1:{replica.port} max_fails=0;\n" for replica in running)
    text = (DEPLOY / "nginx.conf").read_text()
    for there, here in (
        ("/tmp/", f"{folder}/"),  # noqa: S108  as the configuration has it
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("server simulator:2265 max_fails=0;", servers),
        ("access_log off;", f"log_format who $upstream_addr; access_log {log} who;"),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-e", "stderr", "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    with subprocess.Popen(command) as process:
        try:
            yield log
        finally:
            process.terminate()


def wait_until_ready(address: str) -> None:
    """Wait until nginx listens."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            assert requests.get(f"{address}/readyz", timeout=PATIENCE).status_code == 200
        except requests.ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.02)
        else:
            return


def test_no_call_fails_while_one_replica_after_the_other_is_restarted(postgres: str, tmp_path: Path) -> None:
    port, is_over = free_port(), Event()
    with replicas(postgres, 3) as running, nginx(port, running, tmp_path):
        wait_until_ready(f"http://127.0.0.1:{port}")
        world = World(f"http://127.0.0.1:{port}")

        def keep_paying(_: int) -> list[str]:
            paid = []
            while not is_over.is_set():
                paid.append(world.pays())
            return paid

        with ThreadPoolExecutor(4) as threads:
            paying = [threads.submit(keep_paying, number) for number in range(4)]
            for replica in running:
                replica.stop()
                replica.start()
            is_over.set()
            paid = [payment for each in paying for payment in each.result()]
        assert len(paid) > 100
        for payment in paid:
            assert world.ask("GET", f"/v2/payment_sessions/{payment}")["state"] == "sent"


def test_the_tour_works_with_each_call_on_another_replica(postgres: str, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with replicas(postgres, 3, "--public-url", address) as running, nginx(port, running, tmp_path) as log:
        wait_until_ready(address)
        take_tour(address, tmp_path)
        answered = Counter(log.read_text().split())
    assert set(answered) == {f"127.0.0.1:{replica.port}" for replica in running}
    assert max(answered.values()) <= min(answered.values()) + 1


def manifests() -> dict[str, dict[str, object]]:
    """What the manifest has, by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


@pytest.mark.parametrize("kind", ["Deployment", "Job", "Service", "PodDisruptionBudget", "Secret"])
def test_the_manifest_is_as_kubernetes_wants_it(kind: str) -> None:
    validate(manifests()[kind], KUBERNETES, strict=True)


def test_the_manifest_asks_what_the_simulator_answers() -> None:
    text = (DEPLOY / "kubernetes.yaml").read_text()
    assert set(re.findall(r"path: ([^\s,]+)", text)) == {"/livez", "/readyz"}
    assert set(re.findall(r"BANKED_SIMULATOR_(\w+)", text)) == {"STORE", "ADMIN_TOKEN", "PUBLIC_URL"}
    labels = [each["spec"]["selector"] for each in (manifests()["Service"], manifests()["PodDisruptionBudget"])]
    assert labels == [{"app": "banked-simulator"}, {"matchLabels": {"app": "banked-simulator"}}]


def test_compose_has_what_it_mounts_and_sets_what_there_is_to_set() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {name for name, service in services.items() if service["profiles"] != ["scale"]} == set()
    known = {parameter.envvar for parameter in serve.params}
    for name in ("upgrade", "simulator"):
        assert set(services[name]["environment"]) <= known
    assert services["simulator"]["deploy"] == {"replicas": 3}
    [mounted] = services["nginx"]["volumes"]
    assert (ROOT / mounted.partition(":")[0]).is_file()
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)

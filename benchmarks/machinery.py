"""The setup of a measurement: processes pinned to cores, a bucket, a slow network, a load generator."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, LOAD_CORE = "0", "1"
ROUND_TRIP_S = 0.03

NGINX = """
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  log_format asked '$uri $http_range'; access_log {directory}/access.log asked;
  sendfile on; tcp_nodelay on; keepalive_requests 1000000;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{ listen 127.0.0.1:{port}; {tls} location /bucket/ {{ alias {root}/; }} }}
}}
"""

TLS = """
listen 127.0.0.1:{tls.port} ssl; ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};
"""

CONFIG = """
[server]
httpAddress = "127.0.0.1:{port}"
workers = {workers}
shutdownDelay = 0
[logging]
logfile = "{directory}/dvidpc.log"
[repo]
uuid = "{uuid}"
[cache]
memory = {memory}
index_memory = {index_memory}
{disk}
[store.bench]
engine = "ngprecomputed"
instance = "em"
{store}
"""

UUID = "b" * 32
NODE = f"/api/node/{UUID}/em"


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Tls:
    """A port for https, and a certificate for 127.0.0.1 with its key, which is its own authority."""

    port: int
    certificate: Path
    key: Path


def make_tls(directory: Path) -> Tls:
    """Write a new certificate (openssl)."""
    tls = Tls(free_port(), directory / "bucket.pem", directory / "bucket.key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bucket"
    names = "subjectAltName=IP:127.0.0.1"
    files = ["-addext", names, "-out", str(tls.certificate), "-keyout", str(tls.key)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return tls


@contextlib.contextmanager
def process(command: Sequence[str | Path], core: str | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """Run *command* while the context is open, pinned to *core* if it is given."""
    pinned = ["taskset", "-c", core, *command] if core else list(command)
    started = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(url: str) -> None:
    """Wait until *url* answers with any status."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


@contextlib.contextmanager
def bucket(root: Path, directory: Path, tls: Tls | None = None) -> Iterator[str]:
    """Run nginx with *root* as the bucket `bucket`, logging to `access.log`; yield its base URL.

    With *tls* the same bucket is also at `https://127.0.0.1:{tls.port}`.
    """
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    config = directory / "nginx.conf"
    also = "" if tls is None else TLS.format(tls=tls)
    config.write_text(NGINX.format(directory=directory, port=port, root=root, tls=also))
    with process([nginx, "-c", config], LOAD_CORE):
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/bucket/info")
        yield url


@contextlib.contextmanager
def slow_network(url: str) -> Iterator[str]:
    """Run a proxy in front of *url* that adds a round trip of ROUND_TRIP_S; yield its base URL."""
    port = free_port()
    target = url.rpartition(":")[2]
    script = Path(__file__).with_name("slow_proxy.py")
    with process([sys.executable, script, str(port), target, str(ROUND_TRIP_S)], LOAD_CORE):
        proxied = f"http://127.0.0.1:{port}"
        wait_for(f"{proxied}/bucket/info")
        yield proxied


@contextlib.contextmanager
def bare_server(directory: Path) -> Iterator[str]:
    """Run `bare_server.py`, the limit for cached answers; yield its base URL."""
    port = free_port()
    script = Path(__file__).with_name("bare_server.py")
    with process([sys.executable, script, str(port), directory], SERVER_CORE):
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/single")
        yield url


class Server:
    """A running dvidpc."""

    def __init__(self, url: str, started: "subprocess.Popen[bytes]") -> None:
        self.url = url
        self._process = started

    @property
    def processes(self) -> list[int]:
        """The server and its workers."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far."""
        return sum(cpu_seconds(pid) for pid in self.processes)

    def resident_bytes(self) -> int:
        """Return the resident memory in bytes."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes)
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def dvidpc(
    store: str,
    directory: Path,
    *,
    memory: int = 2**29,
    index_memory: int = 2**27,
    workers: int = 1,
    core: str | None = SERVER_CORE,
    disk: Path | None = None,
) -> Iterator[Server]:
    """Run dvidpc with the volume described by *store*, lines of TOML, and with a disk cache in *disk*."""
    port = free_port()
    config = directory / "config.toml"
    on_disk = "" if disk is None else f'disk = "2GiB"\ndisk_path = "{disk}"'
    memories = {"memory": memory, "index_memory": index_memory}
    values = {**memories, "workers": workers, "store": store, "disk": on_disk}
    config.write_text(CONFIG.format(port=port, directory=directory, uuid=UUID, **values))
    with process([sys.executable, "-m", "dvidpc", "serve", config], core) as started:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/healthz")
        yield Server(url, started)


def s3_store(url: str) -> str:
    """Return the lines of TOML for the volume in the bucket at *url*."""
    return f'ref = "s3://bucket"\nendpoint = "{url}"\nanonymous = true\npath_style = true\nregion = "x"'


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(
    urls: Sequence[str], directory: Path, *, seconds: float = 3, connections: int = 32
) -> tuple[float, int]:
    """Load one server with GETs of *urls* in turn; return requests per second and their number."""
    paths = [url.partition("//")[2].partition("/")[2] for url in urls]
    script = directory / "urls.lua"
    script.write_text(
        f"local paths = {{{', '.join(json.dumps('/' + path) for path in paths)}}}\nlocal n = 0\n"
        "request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]) end\n"
    )
    base = urls[0][: len(urls[0]) - len(paths[0]) - 1]
    command = [
        "taskset",
        "-c",
        LOAD_CORE,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}",
        "-s",
        str(script),
        base,
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise RuntimeError(f"{base} answered with errors:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    count = re.search(r"(\d+) requests in", output)
    if rate is None or count is None:
        raise RuntimeError(f"wrk said nothing of use:\n{output}")
    return float(rate[1]), int(count[1])

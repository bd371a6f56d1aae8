"""A real S3 service: Ceph's object gateway over one monitor and one store in memory, without privileges."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

from tests.certificates import Authority, make_authority
from tests.programs import need
from tests.servers import free_port, wait_until_ready

START_S = 20
PACKAGES = {
    "ceph": "ceph-common",
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "monmaptool": "ceph-base",
    "radosgw": "radosgw",
    "radosgw-admin": "radosgw",
}
"""Programs, and the Debian packages that they are in."""
DNS_NAME = "s3.example"
"""The host below which each bucket is a host of its own. Only a proxy of the tests knows it."""
Statement = Mapping[str, object]
SETTINGS = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{monitor_port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 0
paxos propose interval = 0.05
paxos min wait = 0.01
mon data = {directory}/mon
osd data = {directory}/osd
rgw data = {directory}/rgw
run dir = {directory}
crash dir = {directory}
admin socket = {directory}/$name.$pid.asok
log file = {directory}/$name.log
pid file =
rgw dns name = {dns_name}
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw sts min session duration = 1
rgw multipart min part size = 65536
rgw num control oids = 1
rgw gc max objs = 1
rgw lc max objs = 1
rgw objexp hints num shards = 1
rgw data log num shards = 1
rgw md log max shards = 1
"""
"""Settings of `ceph.conf`. The gateway's own `ms mon client mode` needs authentication, which is off here."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a user, or temporary ones."""

    key_id: str
    secret: str
    token: str | None = None

    def environ(self) -> dict[str, str]:
        """Return the variables in which the AWS libraries look for keys."""
        token = {} if self.token is None else {"AWS_SESSION_TOKEN": self.token}
        return {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret, **token}


@dataclass(frozen=True, slots=True)
class Ceph:
    """A running service and its administrator's commands."""

    directory: Path
    url: str
    tls_url: str
    authority: Authority
    """Issued the certificate of *tls_url*."""

    def admin(self, *arguments: str) -> None:
        """Run `radosgw-admin`."""
        _run(self.directory, "radosgw-admin", *arguments)

    def add_user(self, name: str) -> Keys:
        """Create a user."""
        keys = Keys(f"AKID{name.upper()}", f"made-up-secret-of-{name}")
        named = (f"--uid={name}", f"--display-name={name}")
        self.admin("user", "create", *named, f"--access-key={keys.key_id}", f"--secret={keys.secret}")
        return keys

    def client(self, keys: Keys, service: str = "s3") -> BaseClient:
        """Return botocore's client for a service."""
        return _client(self.url, service, keys)

    def assume_role(self, keys: Keys, user: str, duration_s: int) -> Keys:
        """Create a role that may read everything, and return temporary keys for it."""
        trust = allow("sts:AssumeRole", user)
        self.admin("role", "create", "--role-name=reader", f"--assume-role-policy-doc={trust}")
        rights = allow("s3:*", None, "arn:aws:s3:::*")
        self.admin("role-policy", "put", "--role-name=reader", "--policy-name=all", f"--policy-doc={rights}")
        answer = self.client(keys, "sts").assume_role(
            RoleArn="arn:aws:iam:::role/reader", RoleSessionName="test", DurationSeconds=duration_s
        )["Credentials"]
        return Keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])


@cache
def _client(url: str, service: str, keys: Keys) -> BaseClient:
    return botocore.session.Session().create_client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=keys.key_id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        config=Config(parameter_validation=False),  # it refuses sessions of less than 900 s
    )


def statement(action: str | list[str], user: str | None, *resources: str, effect: str = "Allow") -> Statement:
    """Return one statement of a policy."""
    whom = {} if user is None else {"Principal": {"AWS": [f"arn:aws:iam:::user/{user}"]}}
    on_what = {"Resource": list(resources)} if resources else {}
    return {"Effect": effect, "Action": action, **whom, **on_what}


def policy(*statements: Statement) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str, user: str | None, *resources: str) -> str:
    """Return a policy that allows one action."""
    return policy(statement(action, user, *resources))


def _find(program: str) -> str:
    return need(program, PACKAGES[program])


def _environ(directory: Path) -> dict[str, str]:
    return {**os.environ, "CEPH_CONF": str(directory / "ceph.conf")}


def _run(directory: Path, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_find(program), *arguments],
        env=_environ(directory),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert done.returncode == 0, (program, arguments, done.stdout, done.stderr)


@contextmanager
def _daemon(directory: Path, program: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in the foreground; kill it in the end, because nothing that it holds is kept."""
    with (directory / f"{program}.out").open("wb") as output:
        process = subprocess.Popen(
            [_find(program), "--foreground", *arguments],
            env=_environ(directory),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _start_cluster(directory: Path, daemons: ExitStack) -> None:
    """Write `ceph.conf`, and run a new monitor and a new store."""
    fsid, port = str(uuid.uuid4()), free_port()
    text = SETTINGS.format(fsid=fsid, directory=directory, monitor_port=port, dns_name=DNS_NAME)
    (directory / "ceph.conf").write_text(text)
    for name in ("mon", "osd", "rgw"):
        (directory / name).mkdir()
    monitors = str(directory / "monmap")
    at = ("--addv", "a", f"[v2:127.0.0.1:{port}]")
    _run(directory, "monmaptool", "--create", "--fsid", fsid, *at, monitors)
    _run(directory, "ceph-mon", "--id=a", "--mkfs", "--monmap", monitors)
    daemons.enter_context(_daemon(directory, "ceph-mon", "--id=a"))
    _run(directory, "ceph", "osd", "new", fsid)
    _run(directory, "ceph-osd", "--id=0", "--mkfs", "--osd-uuid", fsid)
    daemons.enter_context(_daemon(directory, "ceph-osd", "--id=0"))


@contextmanager
def run_ceph(directory: Path) -> Iterator[Ceph]:
    """Run the service with its files in *directory*. It is up in 1 to 5 s."""
    for program in PACKAGES:
        _find(program)
    authority = make_authority(directory)
    authority.server_context("127.0.0.1")
    port, tls_port = free_port(), free_port()
    plain, tls = f"endpoint=127.0.0.1:{port}", f"ssl_endpoint=127.0.0.1:{tls_port}"
    frontend = f"--rgw-frontends=beast {plain} {tls} ssl_certificate={directory}/server.pem"
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as daemons:
        _start_cluster(directory, daemons)
        gateway = daemons.enter_context(_daemon(directory, "radosgw", "--name=client.rgw", frontend))
        wait_until_ready(url, gateway)
        yield Ceph(directory, url, f"https://127.0.0.1:{tls_port}", authority)

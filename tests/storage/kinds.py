"""One web server as the bucket of each kind of store that speaks HTTP, with credentials."""

import json
from collections.abc import Mapping
from pathlib import Path

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref

KINDS = ("http", "s3", "gs")
KEY_ID, SECRET, SESSION_TOKEN, ACCESS_TOKEN = "AKIDTEST", "made-up-secret", "made-up-session", "made-up-token"
SECRETS = (SECRET, SESSION_TOKEN, ACCESS_TOKEN, "Signature=")


def access_to(kind: str, url: str) -> BucketAccess:
    """Return the access to the bucket of *kind* at the server *url*."""
    if kind == "http":
        return BucketAccess(parse_ref(f"{url}/bucket/image"))
    return BucketAccess(parse_ref(f"{kind}://bucket/image"), endpoint=url)


def write_credentials(directory: Path, token_url: str) -> Mapping[str, str]:
    """Write a temporary AWS key where `nobody` makes botocore look; return an environment for Google.

    The token server at *token_url* gives out ACCESS_TOKEN.
    """
    (directory / "aws-credentials").write_text(
        f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        f"aws_session_token = {SESSION_TOKEN}\n"
    )
    file = directory / "adc.json"
    key = {"client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": token_url}
    file.write_text(json.dumps(key | {"type": "authorized_user"}))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}

"""Google credentials for tests."""

import json
from pathlib import Path


def write_key(folder: Path, token_uri: str) -> dict[str, str]:
    """Write a credentials file; return an environment that names it."""
    file = folder / "adc.json"
    key = {"client_id": "a", "client_secret": "made-up-secret", "refresh_token": "made-up"}
    file.write_text(json.dumps(key | {"type": "authorized_user", "token_uri": token_uri}))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}

"""Credential helpers: real programs that botocore runs, which a test breaks and repairs."""

import json
import os
import sys
from pathlib import Path

WORDS = "made-up-secret"
"""What no message may repeat."""
GOOD = json.dumps({"Version": 1, "AccessKeyId": "AKIDTEST", "SecretAccessKey": WORDS})


class Helper:
    """A `credential_process` of the default profile."""

    def __init__(self, folder: Path, config: Path, profile: str = "default") -> None:
        self._program = folder / "helper.py"
        self._runs = folder / "runs"
        section = profile if profile == "default" else f"profile {profile}"
        config.write_text(f"[{section}]\ncredential_process = {sys.executable} {self._program}\n")
        self.print(GOOD)

    def print(self, text: str | bytes, *, code: int = 0) -> None:
        """Print *text* from now on, and fail with *code*."""
        data = text.encode() if isinstance(text, str) else text
        self._program.write_text(
            f"import sys\nopen({str(self._runs)!r}, 'a').write('x')\n"
            f"sys.stdout.buffer.write({data!r})\nsys.stderr.write({WORDS!r})\nsys.exit({code})\n"
        )

    def run(self, lines: str) -> None:
        """Run *lines* of Python from now on."""
        pid = f"open({str(self._runs)!r}, 'w').write(str(os.getpid()))"
        self._program.write_text(f"import os, sys, time\n{pid}\n{lines}\n")

    def is_running(self) -> bool:
        """Whether the program that `run` named still runs."""
        try:
            os.kill(int(self._runs.read_text()), 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def runs(self) -> int:
        """How often it was run."""
        return len(self._runs.read_text()) if self._runs.exists() else 0


def with_expiry(expiry: str, key_id: str = "AKIDTEST") -> str:
    """What a helper prints whose keys expire."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": key_id,
            "SecretAccessKey": WORDS,
            "SessionToken": "made-up-token",
            "Expiration": expiry,
        }
    )

"""Fuzzes one target with atheris for a given time: `python -m fuzz.run TARGET SECONDS`.

Inputs that reach new code are saved below the directory `FUZZ_FOUND`; the corpus in the repository is only
read. A crash ends the run and leaves a file that reproduces it.
"""

import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dvidpc", "fuzz.targets"]):
    from fuzz.targets import TARGETS


def main(name: str, seconds: str) -> None:
    """Fuzz the target *name* for *seconds*."""
    found = Path(os.environ.get("FUZZ_FOUND", ".fuzz")) / name
    found.mkdir(parents=True, exist_ok=True)
    corpus = Path(__file__).parent / "corpus" / name
    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=20", "-max_len=65536"]
    where = [f"-artifact_prefix={found}/crash-", str(found), str(corpus)]
    atheris.Setup([sys.argv[0], *limits, *where], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""schemathesis sends what the OpenAPI document allows, and more; every answer conforms to the document."""

import asyncio
import os
import re
import sys
from pathlib import Path

from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from tests.serving import UUID, Asked, config_text, serving

HOOKS = Path(__file__).parent / "fuzz_hooks.py"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance"


async def test_every_answer_conforms_to_the_document(volume: Path, tmp_path: Path) -> None:
    asked: list[Asked] = []
    async with serving(config_text({"em": volume}), tmp_path, {}, asked.append) as server:
        document = tmp_path / "openapi.json"
        document.write_bytes(await server.get("/api/openapi.json"))
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            str(document),
            f"--url={server.url}",
            f"--checks={CHECKS}",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=20",
            "--max-time=25",
            "--generation-deterministic",
            "--request-timeout=20",
            "--max-redirects=0",
            "--no-color",
            env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "FUZZED_UUID": UUID, "FUZZED_DATA": "em"},
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(100):
            output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
    for name in set(IMAGEBLK.endpoints) - {"extents", "resolution"}:
        statuses = {
            answer.status
            for answer in asked
            if answer.method == "GET" and re.search(f"/em(_1)?/{name}", answer.path)
        }
        assert 200 in statuses, f"no request to {name} succeeded: {statuses}"

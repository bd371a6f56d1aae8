"""The real dvidtools lists the repo."""

import asyncio
import json
import os
import sys

from tests.clients.conftest import Served
from tests.serving import UUID

PROGRAM = """
import json, sys, dvid
dvid.setup(server=sys.argv[1], node=sys.argv[2], user="tester")
projects = dvid.list_projects()
print(json.dumps({
    "root": list(projects.Root),
    "alias": list(projects.Alias),
    "instances": sorted(projects.DataInstances[0]),
    "master": dvid.get_master_node(sys.argv[2][:8]),
}))
"""


async def test_it_lists_the_repo_and_finds_its_master(em: Served) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        em.server.url,
        UUID,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TQDM_DISABLE": "1"},
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    assert json.loads(output) == {
        "root": [UUID],
        "alias": ["em"],
        "instances": ["em", "em_1", "em_2"],
        "master": UUID,
    }

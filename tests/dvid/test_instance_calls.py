"""Requests to instances: writes are refused in the words of each endpoint."""

from pathlib import Path

from tests.serving import UUID, config_text, serving

POSTS_TO_DATA = {
    "em/info": "info endpoint only supports GET HTTP verb",
    "em/specificblocks": "DVID does not accept the post action on the 'specificblocks' endpoint",
    "em/subvolblocks/64_64_64/0_0_0": "DVID does not accept the post action on the 'blocks' endpoint",
    "em/blocks/0_0_0/1": 'Data "em" uses an immutable GridStore so cannot received POSTs',
    "em/metadata": f'Cannot do POST on endpoint "metadata" of locked node {UUID}',
    "neutu_config/key/meta": "invalid data instance name",
}


async def test_posts_to_data_are_refused_in_dvids_words(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for call, text in POSTS_TO_DATA.items():
            path = f"{server.node}/{call}"
            async with server.ask("POST", path, body=b"x") as response:
                assert (response.status, await response.text()) == (400, f"{text} ({path}).\n")
            async with server.ask("DELETE", path) as response:
                assert response.status == 400
                name = call.split("/")[0]
                assert f'Data "{name}" can only handle GET or POST HTTP verbs' in await response.text()

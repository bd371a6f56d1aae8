"""A repo with the volumes of the recorded DVID."""

import pytest

from dvidpc.data.repo import Repo
from tests.dvid.recorded import CREATED, ROOT, VOLUMES, make_instance


@pytest.fixture
def repo() -> Repo:
    repo = Repo(ROOT, "em", "EM volumes", created=CREATED)
    repo.add(make_instance(volume) for volume in VOLUMES)
    return repo

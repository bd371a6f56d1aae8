"""Says why a scale has no chunks: the listing may show them under other names, or unreadable."""

from dataclasses import dataclass

from dvidpc.check.counts import Judged
from dvidpc.check.fixes import Fixes
from dvidpc.check.strays import explain_stray
from dvidpc.errors import FormatError, StoreError, StoreRefusedError
from dvidpc.sources.base import StoredScale
from dvidpc.sources.counting import Survey
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import Finding


@dataclass(frozen=True, slots=True)
class Absence:
    """Explains scales of which no chunk was found."""

    bucket: ObjectStore
    lister: Lister | None
    """None: the store cannot be listed."""
    fixes: Fixes

    async def survey(self, stored: StoredScale) -> Survey:
        """Look at the listing of a scale; the result is empty if it cannot be listed."""
        if self.lister is None:
            return Survey()
        try:
            return await stored.survey(self.lister)
        except StoreError:  # that listing is refused has been said
            return Survey()

    async def explain(
        self, level: int, survey: Survey, what: str, *, counted: bool, skip: list[int]
    ) -> list[Judged]:
        """Return what should be changed; empty if the scale is only sparse.

        Args:
            level: The scale's position in the metadata.
            survey: What its listing shows.
            what: What was looked at and not found, in words.
            counted: Whether all its chunks were looked at.
            skip: The value of `skip_scales` that leaves out this scale and others like it; empty: none would
                be left then.
        """
        if survey.first_listed is not None:
            return await self._judge_listed(level, survey.first_listed)
        if strays := survey.strays.found:
            texts = [f"scale {level}: {what}: {explain_stray(stray)}" for stray in strays]
            fixes = [self.fixes.of_stray(stray) for stray in strays]
            return [Judged(Finding(*pair), is_problem=True) for pair in zip(texts, fixes, strict=True)]
        ending = "" if counted else "; is the scale empty?"
        if skip:
            ending += "; it is served as black, while other scales have chunks"
        text = f"scale {level}: {what}{ending}"
        return [Judged(Finding(text, self.fixes.of_empty_scale(skip)), is_problem=counted)]

    async def explain_refusal(self, level: int, stored: StoredScale, error: StoreRefusedError) -> Finding:
        """Return the problem that a sample of a scale was refused. A listed object is denied, not absent."""
        is_undecided = error.status == 403 and not error.code and not self.bucket.url.startswith("file:")
        listed = (await self.survey(stored)).first_listed if is_undecided else None
        if listed is None:
            return Finding(f"scale {level}: {error}", self.fixes.of_error(error))
        name = name_object(self.bucket.url, listed)
        return Finding(
            f"scale {level}: {name} is listed, but may not be read ({error.status})",
            self.fixes.of_error(error),
        )

    async def _judge_listed(self, level: int, key: str) -> list[Judged]:
        """Judge a scale whose listing shows chunks, by reading one."""
        try:
            is_hidden = await self.bucket.get(key, max_size=0) is None
        except FormatError:  # it is larger than nothing
            return []
        except StoreError as error:
            return [Judged(Finding(f"scale {level}: {error}", self.fixes.of_error(error)), is_problem=True)]
        if not is_hidden:
            return []
        text = f"scale {level}: {name_object(self.bucket.url, key)} is listed, but reads as absent"
        return [Judged(Finding(text, self.fixes.of_hidden()), is_problem=True)]

"""Check a collection of annotations: whether its lists can be read, and whether they say what they should."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.check.collection_survey import CellSurvey, survey_cells
from dvidpc.check.fixes import Fixes
from dvidpc.check.report import Findings
from dvidpc.data.annotation_opening import open_reader
from dvidpc.errors import DvidpcError, FormatError
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Index
from dvidpc.formats.precomputed.annotation_settings import Kind
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.precomputed.annotation_lists import MAX_STRAYS
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from dvidpc.sources.precomputed.listed_values import list_values
from dvidpc.sources.scale_plan import times
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import Finding
from dvidpc.volume.resources import Resources

Progress = Callable[[str, int, int], None]
"""Called with the name of the current step, the amount that is done, and the total amount."""

_SAMPLED_CELLS: Final = 64
_BATCH: Final = 32
"""Lists that are read concurrently."""
_MOST_OBJECTS: Final = 100_000
"""Related objects beyond which only so many of them are read."""
_MOST_RECORDS: Final = 20
"""Annotations that are read by their id."""
_MOST_RELATED: Final = 5
"""Objects of each relationship in whose lists one of these annotations is looked up."""
_MOST_IDS: Final = 2**22
"""Ids of one minishard beyond which its index is surely damaged."""
_REPEATS_MORE: Final = 0.9
"""B is suspected to be the presynaptic end if it has less than this share of A's places."""


@dataclass(slots=True)
class CollectionCheck:
    """The check of one collection."""

    plan: VolumePlan
    store: ObjectStore
    lister: Lister | None
    resources: Resources
    fixes: Fixes
    progress: Progress
    found: Findings = field(default_factory=Findings)

    async def run(self, *, deep: bool) -> Findings:
        """Return what is found: by a sample, or, if *deep*, by reading every list."""
        assert self.plan.collection is not None
        self.found.lines += self.plan.collection.explanation
        self.found.warnings += [Finding(text, self.fixes.of_info("units")) for text in self.plan.warnings]
        reader = open_reader(self.plan, self.store, self.resources)
        survey = await self._survey(reader, None if deep else _SAMPLED_CELLS)
        if survey is None:
            return self.found
        self._judge_cells(survey, reader)
        self._judge_ends(survey, reader)
        if deep:
            await self._judge_margin(survey, reader)
            await self._compare_indexes(survey, reader)
        return self.found

    async def _survey(self, reader: AnnotationReader, most: int | None) -> CellSurvey | None:
        """Return what the cells list; None, with a problem noted, if they cannot be read."""
        watch = partial(self.progress, f"{self.plan.name}: reading cells")
        try:
            return await survey_cells(reader.lists, most, watch)
        except DvidpcError as error:
            self._note_failure(error)
            return None

    def _note_failure(self, error: DvidpcError) -> None:
        fix = self.fixes.of_damage() if isinstance(error, FormatError) else self.fixes.of_error(error)
        self.found.problems.append(Finding(str(error), fix))

    def _judge_cells(self, survey: CellSurvey, reader: AnnotationReader) -> None:
        total = sum(level.num_cells for level in reader.collection.levels)
        which = "all" if survey.cells == total else "the first"
        self.found.lines.append(
            f"{len(survey.ids)} annotations in {which} {survey.cells} of {total} cells"
            + ("" if survey.cells == total else "; --deep reads all")
        )
        if not len(survey.ids) and reader.collection.levels:
            text = f"none of the {survey.cells} cells that were read lists an annotation"
            self.found.warnings.append(Finding(text, self.fixes.of_absence()))
        if survey.strays > MAX_STRAYS * survey.listed:
            text = (
                f"cells list what lies elsewhere: {survey.strays} of {survey.listed} entries; "
                "answers for boxes may lack elements"
            )
            reach = max(1.0, float(survey.reach.max()))
            fix = f"have the spatial index written again, or {self.fixes.of_key('margin', f'{reach:g}')}"
            self.found.warnings.append(Finding(text, fix))

    def _judge_ends(self, survey: CellSurvey, reader: AnnotationReader) -> None:
        """Warn if the other end of lines seems to be the presynaptic one, which several lines share."""
        kinds = reader.roles.kinds.of_ends
        if reader.collection.annotation_type is not AnnotationType.LINE or Kind.PRE_SYN not in kinds:
            return
        a, b = survey.distinct
        pre, post = (a, b) if kinds[0] is Kind.PRE_SYN else (b, a)
        ends = "AB" if kinds[0] is Kind.PRE_SYN else "BA"
        self.found.lines.append(f"{len(survey.ids)} lines start at {a} voxels (A) and end at {b} (B)")
        if post < _REPEATS_MORE * pre:
            text = (
                f"{ends[1]} repeats more often than {ends[0]}, which is served as PreSyn: {pre} voxels of "
                f"{ends[0]}, {post} of {ends[1]}; is {ends[1]} the presynaptic end?"
            )
            swapped = '["PostSyn", "PreSyn"]' if ends == "AB" else '["PreSyn", "PostSyn"]'
            self.found.warnings.append(Finding(text, self.fixes.of_key("kind", swapped)))

    async def _judge_margin(self, survey: CellSurvey, reader: AnnotationReader) -> None:
        if reader.collection.annotation_type is AnnotationType.POINT:
            return
        reach = tuple(survey.reach.tolist())
        self.found.lines.append(f"the longest annotation reaches {times(reach)} units")
        margin = (await reader.margin()).reach
        if any(longest > known for longest, known in zip(reach, margin, strict=True)):
            text = (
                f"an annotation reaches {times(reach)} units, but the margin is {times(margin)}: where the "
                "writer of the spatial index left cells out, answers for boxes lack it"
            )
            self.found.warnings.append(Finding(text, self.fixes.of_key("margin", f"{max(reach):g}")))

    async def _compare_indexes(self, survey: CellSurvey, reader: AnnotationReader) -> None:
        """Compare what is listed by id, and by related object, with what cells list."""
        if self.lister is None:
            self.found.lines.append(
                "a web server has no lists: other indexes are not compared with the cells"
            )
            return
        try:
            if reader.collection.by_id is not None:
                ids = await self._list(self.lister, reader.collection.by_id)
                self._compare("by_id", ids, survey)
                await self._compare_records(reader, ids[:_MOST_RECORDS].tolist())
            for number, relationship in enumerate(reader.collection.relationships):
                objects = await self._list(self.lister, relationship.index)
                ids = await self._related(reader, number, objects[:_MOST_OBJECTS])
                known = min(len(objects), _MOST_OBJECTS)
                self._compare(f"{relationship.id} of {known} of {len(objects)} objects", ids, survey)
        except DvidpcError as error:
            self._note_failure(error)

    async def _compare_records(self, reader: AnnotationReader, ids: Sequence[int]) -> None:
        """Look up some annotations in the lists of the objects that their own records name."""
        lost: list[str] = []
        for annotation_id in ids:
            record = await reader.lists.read_record(annotation_id)
            for number, objects in enumerate(() if record is None else record.related):
                for object_id in objects[:_MOST_RELATED]:
                    rows = await reader.lists.read(reader.lists.related_key(number, object_id))
                    if rows is None or annotation_id not in rows.decoded.ids:
                        name = reader.collection.relationships[number].id
                        lost.append(f"{annotation_id} from {object_id} of {name}")
        self.found.lines.append(f"by_id: {len(ids)} annotations looked up in the lists of related objects")
        if lost:
            text = (
                f"lists of related objects lack {len(lost)} annotations, such as {lost[0]}: label lacks them"
            )
            self.found.warnings.append(Finding(text, "have the relationship indexes written again"))

    def _compare(self, name: str, ids: NDArray[np.uint64], survey: CellSurvey) -> None:
        self.found.lines.append(f"{name}: {len(ids)} annotations, of {len(survey.ids)} in cells")
        lost = np.setdiff1d(ids, survey.ids, assume_unique=True)
        if len(lost):
            text = f"{name}: {len(lost)} annotations, such as {lost[0]}, are in no cell: boxes lack them"
            self.found.warnings.append(Finding(text, "have the spatial index written again"))

    async def _list(self, lister: Lister, index: Index) -> NDArray[np.uint64]:
        """Return the ids that an index holds, each once, ascending."""
        assert self.plan.collection is not None
        directory = resolve_key(self.plan.collection.metadata.directory, index.key)
        pages = [np.empty(0, np.uint64)]
        async for page in list_values(self.store, lister, directory, index.sharding, _MOST_IDS):
            pages.append(np.array(page, np.uint64))
            self.progress(f"{self.plan.name}: listing {index.key}", sum(map(len, pages)), 0)
        return np.unique(np.concatenate(pages))

    async def _related(
        self, reader: AnnotationReader, relationship: int, objects: NDArray[np.uint64]
    ) -> NDArray[np.uint64]:
        """Return the annotations that are related to any of *objects*, each once, ascending."""
        pages = [np.empty(0, np.uint64)]
        for at in range(0, len(objects), _BATCH):
            keys = [
                reader.lists.related_key(relationship, each) for each in objects[at : at + _BATCH].tolist()
            ]
            found = await gather_or_cancel(map(reader.lists.read, keys))
            pages += [rows.decoded.ids for rows in found if rows is not None]
            pages = [np.unique(np.concatenate(pages))]
            self.progress(f"{self.plan.name}: reading related objects", at + len(keys), len(objects))
        return np.unique(np.concatenate(pages))

"""Looks at the listing of a scale without chunks: where its chunks may be instead, and under which names.

Only the first pages are read, so that a survey of a huge bucket takes a few requests.
"""

import posixpath
from collections.abc import Collection

from dvidpc.sources.counting import Slip, Survey
from dvidpc.sources.listings import first_names
from dvidpc.sources.precomputed.object_names import ObjectNames
from dvidpc.storage.base import Lister


async def survey_scale(
    lister: Lister, volume: str, directory: str, others: Collection[str], names: ObjectNames
) -> Survey:
    """Return what the listing says of a scale whose chunks are not where they should be.

    Args:
        lister: Lists the store.
        volume: The directory of the volume, as the store knows it.
        directory: The directory of the scale, likewise.
        others: The directories of all scales of the volume; what lies there belongs to them.
        names: What the scale's objects are called.

    Raises:
        StoreError: The store failed or refused to list.
    """
    survey = Survey()
    for name in await first_names(lister, directory):
        note_name(survey, directory, name, names)
    if survey.listed or survey.strays.kinds:
        return survey
    for variant in _case_variants(directory):
        await _look_elsewhere(survey, lister, variant, others, directory, names)
    if not survey.strays.kinds:
        await _look_elsewhere(survey, lister, volume, others, directory, names)
    return survey


def note_name(survey: Survey, directory: str, name: str, names: ObjectNames) -> None:
    """Add an object of the scale's own directory to a survey."""
    if names.are_right(name):
        survey.listed += 1
        survey.first_listed = survey.first_listed or join(directory, name)
    elif (slipped := names.find_slip(name)) is not None:
        intended = join(directory, slipped.intended) if slipped.intended else ""
        survey.strays.note(slipped.slip, slipped.detail, join(directory, name), intended)


def join(directory: str, name: str) -> str:
    """Return the key of an object; *directory* is empty for the root of the store."""
    return f"{directory}/{name}" if directory else name


async def _look_elsewhere(
    survey: Survey, lister: Lister, place: str, others: Collection[str], directory: str, names: ObjectNames
) -> None:
    """Note objects below *place* that have the right name, but are in the directory of no scale.

    Scales share names of chunks, so directories that are called as the scale's own are preferred.
    """
    found = [posixpath.split(join(place, name)) for name in await first_names(lister, place)]
    found = [(where, last) for where, last in found if where not in others and names.are_right(last)]
    own = posixpath.basename(directory).lower()
    alike = [(where, last) for where, last in found if posixpath.basename(where).lower() == own]
    for where, last in alike or found:
        survey.strays.note(Slip.ELSEWHERE, where, join(where, last), join(directory, last))


def _case_variants(directory: str) -> list[str]:
    """Return the directory with its last part in other case."""
    above, last = posixpath.split(directory)
    variants = {last.lower(), last.upper(), last.capitalize()} - {last}
    return [join(above, variant) for variant in sorted(variants)]

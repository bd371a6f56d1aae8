"""Decides from the other volumes whose voxels the positions of a collection count in."""

# ruff: noqa: PLC0415  # what only annotations need is imported when there are some

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dvidpc.errors import ConfigError, StoreError
from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.sources.scale_plan import times
from dvidpc.sources.voxel_frame import VoxelFrame


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another volume of the configuration."""

    settings: VolumeSettings
    plan: VolumePlan | None
    """None: it has not been opened."""
    problem: str | None = None
    """Why it has not been opened; None if it has."""
    may_pass: bool = True
    """Whether the problem may pass by itself."""

    @property
    def is_coming(self) -> bool:
        """Whether it may be opened later."""
        return self.plan is None and self.may_pass


def find_frame(settings: VolumeSettings, neighbours: Sequence[Neighbour]) -> VoxelFrame:
    """Decide whose voxels the positions of a collection count in.

    Args:
        settings: What the configuration says of the collection.
        neighbours: The other volumes, in the order of the configuration.

    Raises:
        ConfigError: `sync` names a volume that is no segmentation, or cannot be served.
        StoreError: A volume that decides has not been opened yet.
    """
    wanted = settings.annotations
    sync = _find_sync(settings, neighbours)
    if wanted.voxel_size_nm is not None:
        extents = None if sync is None else _extents_of(sync)
        name = settings.sync if sync is None else sync.settings.instance
        return VoxelFrame(
            name,
            wanted.voxel_size_nm,
            f"voxels of {times(wanted.voxel_size_nm)} nm, as voxel_size says",
            extents,
        )
    shown = sync or _find_image(neighbours)
    if shown is None or shown.plan is None:
        return VoxelFrame(None, None, "the units of the collection: there is neither a volume nor voxel_size")
    scale = shown.plan.scales[0]
    reason = f"the voxels of {shown.settings.instance}, {times(scale.resolution_nm)} nm"
    name = None if sync is None else sync.settings.instance
    return VoxelFrame(name, scale.resolution_nm, reason, _extents_of(shown))


def _find_sync(settings: VolumeSettings, neighbours: Sequence[Neighbour]) -> Neighbour | None:
    """Return the segmentation that annotations belong to.

    Returns:
        None if there is none, or if it is not open and `voxel_size` makes it unnecessary to know more of it.
    """
    wanted = settings.sync
    if wanted is None:
        _wait_for_all(neighbours)
        known = [one for one in neighbours if one.plan is not None and one.plan.label_types]
        return known[0] if len(known) == 1 else None
    place_in_file = f"[store.{settings.alias}] sync"
    named = next((one for one in neighbours if one.settings.instance == wanted), None)
    if named is None:
        raise ConfigError(f'{place_in_file}: "{wanted}" is not the instance of another store')
    if named.plan is None and settings.annotations.voxel_size_nm is not None:
        return None
    if named.is_coming:
        raise _waiting([named])
    if named.plan is None:
        raise ConfigError(f'{place_in_file}: "{wanted}" is not served: {named.problem}')
    if not named.plan.label_types:
        raise ConfigError(f'{place_in_file}: "{wanted}" is not a segmentation; remove it')
    return named


def _find_image(neighbours: Sequence[Neighbour]) -> Neighbour | None:
    """Return the first image of the configuration; None if there is none."""
    for one in neighbours:
        if one.is_coming:
            raise _waiting([one])
        if one.plan is not None and one.plan.scales and not one.plan.label_types:
            return one
    return None


def _wait_for_all(neighbours: Sequence[Neighbour]) -> None:
    """Refuse to decide before every volume is known.

    Raises:
        StoreError: One may be opened later.
    """
    coming = [one for one in neighbours if one.is_coming]
    if coming:
        raise _waiting(coming)


def _waiting(coming: Sequence[Neighbour]) -> StoreError:
    reasons = ", ".join(f"store {one.settings.alias}: {one.problem}" for one in coming)
    return StoreError(
        f"waits for the volumes that its voxel size may come from ({reasons}); "
        "sync and voxel_size make it independent of them"
    )


def _extents_of(volume: Neighbour) -> Box | None:
    return None if volume.plan is None else volume.plan.scales[0].box


def frame_plan(plan: VolumePlan, settings: VolumeSettings, neighbours: Sequence[Neighbour]) -> VolumePlan:
    """Return the plan of a collection with its frame; any other plan as it is, but for a warning.

    Raises:
        ConfigError: As for `find_frame`, or a unit is no length and there is no voxel size for it.
        StoreError: As for `find_frame`.
    """
    if plan.collection is None:
        if settings.sync is None and settings.annotations == AnnotationSettings():
            return plan
        text = f"the keys of [store.{settings.alias}] that are for annotations have no effect"
        return replace(plan, annotation_warnings=(*plan.annotation_warnings, text))
    from dvidpc.formats.precomputed.annotation_extents import describe_mismatch

    frame = find_frame(settings, neighbours)
    place = f"[store.{settings.alias}]"
    collection = plan.collection.within(frame, settings.annotations, place)
    framed = collection.framed
    assert framed is not None
    mismatch = None
    if frame.extents is not None:
        mismatch = describe_mismatch(collection.collection, framed.roles, frame.extents)
    warnings = (*plan.annotation_warnings, *framed.roles.warnings, *([] if mismatch is None else [mismatch]))
    return replace(plan, collection=collection, annotation_warnings=warnings)

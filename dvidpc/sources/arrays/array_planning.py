"""How a volume of arrays is served, decided from its documents alone."""

from functools import partial

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.bundle import decode_bundle
from dvidpc.formats.arrays.dialects import ArrayFormat, describe_volume
from dvidpc.formats.arrays.levels import ArrayLevel, ArrayVolume
from dvidpc.formats.data_types import DataType
from dvidpc.sources.arrays.array_scale import ArrayScale
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.scale_plan import ScalePlan, ScaleProblem
from dvidpc.sources.volume_planning import Outline, join_scales, outline_volume


def plan_arrays(metadata: Metadata, settings: VolumeSettings, kind: ArrayFormat) -> VolumePlan:
    """Decide how to serve a volume.

    Raises:
        ConfigError: A key of the store does not fit the volume; the message names it.
        FormatError: The documents cannot be understood, or no scale can be served; the message names them.
    """
    try:
        volume = describe_volume(kind, decode_bundle(metadata.data), settings.arrays)
        return _plan(volume, metadata, settings)
    except FormatError as error:
        raise FormatError(f"{metadata.url}: {error}") from error
    except ConfigError as error:
        place = f"[store.{settings.alias}]"
        raise ConfigError(str(error) if str(error).startswith("[") else f"{place} {error}") from error


def _plan(volume: ArrayVolume, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
    data_type = volume.levels[0].spec.data_type
    is_labels = bool(volume.is_labels) if settings.is_labels is None else settings.is_labels
    if is_labels:
        _check_labels(volume, data_type)
    outline = outline_volume(settings, data_type, volume.num_channels, is_labels=is_labels, apart=True)
    levels = [
        (level.level, partial(_plan_level, level, volume, metadata, outline)) for level in volume.levels
    ]
    refused = [ScaleProblem(refused.level, refused.reason) for refused in volume.refused]
    return join_scales(outline, levels, refused, volume.warnings)


def _check_labels(volume: ArrayVolume, data_type: DataType) -> None:
    if data_type is DataType.FLOAT32:
        raise ConfigError(f'type: voxels are {data_type}, which are no labels; write type = "image"')
    if volume.num_channels > 1:
        raise ConfigError(
            f"at: a segmentation has one channel, and there are {volume.num_channels}; write at = {{ c = 0 }}"
        )


def _plan_level(level: ArrayLevel, volume: ArrayVolume, metadata: Metadata, outline: Outline) -> ScalePlan:
    try:
        directory = resolve_key(metadata.directory, level.path)
    except FormatError as error:
        raise FormatError(f"path {level.path!r} {error}") from error
    stored = ArrayScale(
        level,
        directory,
        volume.num_channels,
        DataType.UINT64 if outline.is_labels else level.spec.data_type,
        metadata.digest,
        volume.described_as,
    )
    return outline.plan_scale(level.level, level.grid, level.resolution_nm, None, stored)

"""Suggest fixes for a volume: a line of the configuration, or a command of the storage vendor."""

import posixpath
import shlex

from dvidpc.check.commands import Commands
from dvidpc.check.error_codes import ABOUT_CREDENTIALS, ABOUT_ENCRYPTION
from dvidpc.config import StoreConfig
from dvidpc.errors import ConfigError, CredentialsError, DvidpcError, StoreRefusedError, StoreTimeoutError
from dvidpc.names import Companion
from dvidpc.sources.counting import Slip, Stray
from dvidpc.storage.http.http_errors import BY_PROXY, CLIENT_CERTIFICATE
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.ref import Kind
from dvidpc.storage.ref_formats import PRECOMPUTED

_ENCODINGS = {".gz": "gzip", ".br": "br", ".zst": "zstd", ".zstd": "zstd"}
"""The Content-Encoding that a suffix of a file name stands for."""


_ARRAY_KEYS = {"at": "{ t = 0 }", "axes": '"zyx"', "multiscale": '"NAME"', "resolution": "[8, 8, 8]"}
"""Keys that help where a reason names them as `KEY = ...` or `the key KEY`, each with an example."""


class Fixes:
    """Suggests fixes for the volume of one store of the configuration."""

    def __init__(self, store: StoreConfig) -> None:
        self._store = store
        self._ref = store.ref
        self._section = f"[store.{store.alias}]"
        self._commands = Commands(store)

    def of_error(self, error: DvidpcError) -> str:
        """Return the fix for an error that a bucket, or an object in it, causes."""
        match error:
            case ConfigError():
                return f"correct {self._section} of the configuration, or the file or variable named above"
            case CredentialsError(advice=advice) if advice:
                return advice
            case StoreRefusedError(status=status, code=code):
                return self._reason(code) or self._refusal(status)
            case StoreTimeoutError():
                return f"check the network ({self._commands.look_up()}), or raise [limits] first_byte_timeout"
            case _:
                return self._correct()

    def of_missing_info(self, directory: str | None = None) -> str:
        """Return the fix for a volume that does not exist.

        Args:
            directory: Where one is, as the store knows it; None if that is not known.
        """
        if directory is not None:
            return f'{self._section} ref = "{name_object(self._ref.root.url, directory).rstrip("/")}"'
        key = f'{self._section} ref = "{self._store.ref.text}"'
        return f"correct {key}; to see what is there: {self._commands.list_all()}"

    def of_engine(self, engine: str) -> str:
        """Return the fix for a volume in another format than the configuration says."""
        return self.of_key("engine", f'"{engine}"')

    def of_info(self, reason: str) -> str:
        """Return the fix for metadata that cannot be served. Some reasons name the key that helps."""
        if self._is_array:
            return self._of_array(reason)
        if "graphene" in reason:
            return f"name a flat segmentation in {self._section} ref, such as an export of this one"
        return f"correct the info and upload it again: {self._commands.upload_info()}"

    def of_scale(self, reason: str) -> str:
        """Return the fix for a scale that is not served. Some reasons contain the fix."""
        if "pip install" in reason:
            return reason[reason.index("pip install") :]
        if self._is_array and 'block_size = "chunk"' not in reason:
            return self._of_array(reason)
        if 'block_size = "chunk"' in reason:
            return f"{self._section} block_size = 64"
        upload = self._commands.upload_info()
        return f"rewrite that scale in a supported form, or remove it from the info: {upload}"

    def of_damage(self) -> str:
        """Return the fix for damaged chunks."""
        return f"upload it again from a good copy: {self._commands.upload()}"

    def of_oddity(self) -> str:
        """Return the fix for ETags that mean nothing."""
        return f'make all nodes of the service send one ETag; if that fails, {self._section} etag = "ignore"'

    def of_absence(self) -> str:
        """Return the fix for absent chunks."""
        return f"if the chunks should exist, upload them from a complete copy: {self._commands.upload()}"

    def of_empty_scale(self, skip: list[int]) -> str:
        """Return the fix for a scale without any chunk; *skip* as for `Absence.explain`."""
        if not skip:
            return self.of_absence()
        return f"{self.of_absence()}; if it is a placeholder: {self._section} skip_scales = {skip}"

    def of_hidden(self) -> str:
        """Return the fix for an object that is listed, but reads as absent."""
        if self._ref.kind is Kind.FILE:
            return "if the file is compressed, decompress it: parts of a compressed shard cannot be read"
        return (
            f"{self._rights()}; and take 403 out of {self._section} missing_status, which hides the refusal"
        )

    def of_stray(self, stray: Stray, *, some_are_right: bool = False) -> str:
        """Return the fix for objects whose names are not those that are read.

        Args:
            stray: What is wrong with them.
            some_are_right: Whether other objects have names that are read.
        """
        old, new = self._commands.name_of(stray.example), self._commands.name_of(stray.intended)
        match stray.slip:
            case Slip.SEPARATOR if not some_are_right:
                return f'{self._section} dimension_separator = "{stray.detail}"'
            case Slip.LAYOUT:
                return (
                    f"upload the info that describes these objects (sharding): {self._commands.upload_info()}"
                )
            case Slip.SUFFIX if stray.intended.endswith(".shard"):
                return f"decompress each shard, and store it without {stray.detail}"
            case Slip.SUFFIX if encoding := _ENCODINGS.get(stray.detail):
                move = self._commands.move(old, new, encoding)
                return f"store each without {stray.detail}, but with its encoding: {move}"
            case Slip.ELSEWHERE if not new.startswith(f"{posixpath.dirname(old)}/"):
                old, new = posixpath.dirname(old), posixpath.dirname(new)
                move = self._commands.move_all(old, new)
                return f"correct the key of the scale in the info, or move all: {move}"
            case _:
                return f"move each: {self._commands.move(old, new)}"

    def of_foreign(self) -> str:
        """Return the fix for chunks that the metadata does not describe."""
        if self._is_array:
            return "correct the shape of the array in its metadata, or delete these chunks"
        return (
            f"upload the info that describes these chunks (size, chunk_sizes): {self._commands.upload_info()}"
        )

    def of_label_index(self) -> str:
        """Return the fix for a label index that is missing, damaged or stale."""
        ref = self._store.label_index
        target = "" if ref is None else f" --to {shlex.quote(ref.url)}"
        return f"build it again: dvidpc index build CONFIG --store {shlex.quote(self._store.alias)}{target}"

    def of_companion_key(self, reason: str) -> str:
        """Return the fix for meshes, skeletons or properties whose key in the info cannot be followed."""
        fix = f"correct that key in the info, or remove it: {self._commands.upload_info()}"
        if "leads out" in reason and self._ref.kind is Kind.FILE:
            return f"set {self._section} root to a directory that holds both, or {fix}"
        return fix

    def of_key(self, key: str, value: str) -> str:
        """Return the line of the configuration that sets a key of the store."""
        return f"{self._section} {key} = {value}"

    def of_companion(self, directory: str) -> str:
        """Return the fix for meshes, skeletons or properties that cannot be read."""
        upload = self._commands.upload(self._commands.name_of(directory))
        return f"upload them from a good copy ({upload}), or remove their key from the info"

    def of_no_companion(self, companion: Companion, directory: str) -> str:
        """Return the fix for a directory that has nothing for any segment."""
        match companion:
            case Companion.MESHES:
                make = "make them: igneous mesh forge PATH; igneous mesh merge PATH"
            case Companion.SKELETONS:
                make = "make them: igneous skeleton forge PATH; igneous skeleton merge PATH"
            case Companion.ANNOTATIONS:
                make = f"list segments in {self._commands.name_of(directory)}/info"
        return f"if there should be some, {make}; else remove their key from the info"

    def of_pyramid(self, *, is_finest_first: bool) -> str:
        """Return the fix for scales that are in disorder, or not twice as coarse as the one before."""
        if not is_finest_first:
            return f"list the finest scale first in the info: {self._commands.upload_info()}"
        return "downsample by 2 along each axis: igneous image downsample PATH --factor 2,2,2"

    def _reason(self, code: str) -> str | None:
        """Return the fix for a reason that the service gives; None: its status says more."""
        if code in ABOUT_CREDENTIALS:
            return self._credentials()
        if code in ABOUT_ENCRYPTION:
            return f"write it again with a key that the service keeps itself: {self._commands.upload()}"
        fixes = {
            BY_PROXY: "allow the host in the rules of the proxy, or name it in no_proxy",
            CLIENT_CERTIFICATE: "let this machine in without a client certificate, or use a proxy with one",
            "AuthorizationHeaderMalformed": self._correct(),
            "NoSuchBucket": self.of_missing_info(),
            "SecondLevelDomainForbidden": (
                f"put the bucket into the host name: {self._section} path_style = false"
            ),
            "RequestTimeTooSkewed": "set the clock of this machine: timedatectl set-ntp true",
            "UserProjectMissing": f'name the project to bill: {self._section} user_project = "PROJECT"',
            "InvalidObjectState": f"restore it from the archive: {self._commands.upload()}",
        }
        return fixes.get(code)

    def _refusal(self, status: int | None) -> str:
        if status in {None, 401}:
            return self._credentials()
        if status == 404:
            return self.of_missing_info()
        if status == 301 and self._ref.kind is not Kind.HTTP:
            return self._correct()
        if status is not None and 300 <= status < 400:
            return f'set {self._section} ref = "URL" to the address that it redirects to'
        return self._rights()

    def _correct(self) -> str:
        return (
            f"correct region, endpoint or ca_bundle of {self._section}; to check: {self._commands.look_up()}"
        )

    def _credentials(self) -> str:
        match self._ref.kind:
            case Kind.GCS:
                found = "gcloud auth application-default login"
            case Kind.HTTP | Kind.FILE:
                return self._rights()
            case _:
                profile = f" --profile {shlex.quote(self._store.profile)}" if self._store.profile else ""
                found = f"aws configure{profile}"
        return f"{found}; or, if the bucket is public, {self._section} anonymous = true"

    def _rights(self) -> str:
        bucket, prefix = self._ref.bucket, self._ref.prefix
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                below = f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*"
                objects, whole = f"arn:aws:s3:::{below}", f"arn:aws:s3:::{bucket}"
                allow = f"allow s3:GetObject on {objects} and s3:ListBucket on {whole}"
                policy = self._commands.aws(
                    f"s3api put-bucket-policy --bucket {bucket} --policy file://POLICY"
                )
                if self._commands.is_aws:
                    return f"{allow}: {policy}"
                return f"check the credentials; {allow} in the service's own way, or by: {policy}"
            case Kind.GCS:
                return (
                    f"gcloud storage buckets add-iam-policy-binding gs://{bucket} "
                    "--member=serviceAccount:NAME --role=roles/storage.objectViewer"
                )
            case Kind.FILE:
                return f"chmod -R a+rX {shlex.quote(self._commands.place)}"
            case Kind.HTTP:
                return "allow anonymous access in the web server, or use an s3:// or gs:// ref"

    @property
    def _is_array(self) -> bool:
        """Whether the volume has no `info`, but the documents of zarr or N5."""
        return self._store.engine != PRECOMPUTED

    def of_warning(self, text: str, *, is_finest_first: bool) -> str:
        """Return the fix for a warning about the form of a volume."""
        if not self._is_array:
            return self.of_pyramid(is_finest_first=is_finest_first)
        return self._of_key(text) or "if the metadata is wrong, correct it"

    def _of_key(self, reason: str) -> str | None:
        """Return the line to write, if a reason names the key of an array that helps."""
        for key, example in _ARRAY_KEYS.items():
            if f"{key} = " in reason or f"the key {key}" in reason:
                return f"{self._section} {key} = {example}"
        return None

    def _of_array(self, reason: str) -> str:
        """Return the fix for a level or a group of arrays that cannot be served."""
        if found := self._of_key(reason):
            return found
        return (
            f"{self._section} ref = a group or an array that can be served, or rewrite it in a supported form"
        )

"""The front page, for people."""

from html import escape
from urllib.parse import quote as quote_url

from dvidpc.api.documents import ServerFacts
from dvidpc.volume.repo import Instance, Repo


def front_page(repo: Repo, facts: ServerFacts) -> str:
    """`/`, in HTML: what is served here, for a person who looks; clients only ask whether it is there."""
    rows = "".join(_front_page_row(repo.uuid, instance) for instance in repo.instances.values())
    title = escape(repo.alias or facts.host)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>\n"
        f"<p>{escape(repo.description)}<p>{escape(facts.note)}\n"
        f"<p>Version <code>{escape(repo.uuid)}</code>, read only. <a href=api/help>API help</a>\n"
        f"<table><tr><th>Data<th>Type<th>Size (voxels)<th>Voxel size (nm)\n{rows}</table></html>\n"
    )


def _front_page_row(repo_uuid: str, instance: Instance) -> str:
    first, last = instance.min_point, instance.max_point
    size = " x ".join(str(stop - start + 1) for start, stop in zip(first, last, strict=True))
    voxel_size = " x ".join(f"{edge:g}" for edge in instance.voxel_size)
    address = f"api/node/{quote_url(repo_uuid, safe='')}/{quote_url(instance.name, safe='')}/info"
    return (
        f'<tr><td><a href="{address}">{escape(instance.name)}</a>'
        f"<td>{instance.voxel_type.type_name}<td>{size}<td>{voxel_size}\n"
    )

"""CustomResourceDefinitions: where they are, and how to create them in a cluster."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import yaml

from tests.localcluster.api import Client
from tests.localcluster.errors import StartError

_HERE = Path(__file__).parent
_COLLECTION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def crd_folders() -> list[Path]:
    """Return the folder of our own small definitions: KubeVirt, CDI and Trident without their schemas."""
    return [_HERE / "crds"]


def shared_crds() -> list[Path] | None:
    """Return the real definitions of KubeVirt and CDI with our own of Trident, or None where they are not at hand.

    They are looked for in `shared/crds` beside the checkout.
    """
    folder = _HERE.parents[2] / "shared" / "crds"
    real = [folder / "kubevirt.yaml", folder / "cdi.yaml"]
    if not all(file.is_file() for file in real):
        return None
    return [*real, _HERE / "crds" / "trident.netapp.io.yaml"]


def load(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Read every definition in files and folders (`*.yaml`, `*.yml`).

    Raises StartError for a path that does not exist, YAML that cannot be read, and objects of another kind.
    """
    return [definition for path in paths for file in _files(path) for definition in _read(file)]


def create(client: Client, definitions: list[dict[str, Any]]) -> None:
    """Create the definitions; raises StartError with the API server's answer when it denies one."""
    with ThreadPool(4) as pool:
        pool.map(partial(_create_one, client), definitions)


def all_served(client: Client, definitions: list[dict[str, Any]]) -> bool:
    """Return whether every served version is established, discovered and readable."""
    paths = {path for definition in definitions for path in resource_paths(definition)}
    return paths <= _discovered(client) and all(client.request("GET", f"{p}?limit=1").status == 200 for p in paths)


def resource_paths(definition: dict[str, Any]) -> list[str]:
    """Return the URL path of the resource in each served version."""
    spec = definition["spec"]
    return [
        f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
        for version in spec["versions"]
        if version["served"]
    ]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"})
    if not path.is_file():
        raise StartError(f"there is no file or folder {path} to read definitions from")
    return [path]


def _read(file: Path) -> Iterator[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        documents = [document for document in yaml.load_all(file.read_bytes(), Loader=loader) if document]
    except yaml.YAMLError as error:
        raise StartError(f"{file} is not YAML: {error}") from error
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "CustomResourceDefinition":
            raise StartError(f"{file} holds something else than CustomResourceDefinitions")
        yield document


def _create_one(client: Client, definition: dict[str, Any]) -> None:
    answer = client.request("POST", _COLLECTION, definition)
    if answer.status != 201:
        name = definition["metadata"]["name"]
        raise StartError(f"the API server denied the definition {name}: {answer.body.decode(errors='replace')}")


def _discovered(client: Client) -> set[str]:
    answer = client.request("GET", "/apis", accept=_DISCOVERY)
    return {
        f"/apis/{group['metadata']['name']}/{version['version']}/{resource['resource']}"
        for group in json.loads(answer.body)["items"]
        for version in group["versions"]
        for resource in version.get("resources", ())
    }

"""Remember which address each image of a folder was fetched from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from galfeat.data.fetch.cutouts import Cutout, claim_folder
from galfeat.errors import OutputError
from galfeat.storage.atomic import atomic_file

ADDRESSES_FILE = "addresses.csv"


def claim_names(cutouts: Sequence[Cutout], folder: str | Path, attribution: str) -> None:
    """Create a folder for cut-outs and list their addresses in it, or add them to the list.

    A later run with the same folder keeps images by name. This ensures that an image of the same
    name shows the same galaxy.

    Parameters
    ----------
    cutouts, folder, attribution
        As for `galfeat.data.fetch.fetch_cutouts`.

    Raises
    ------
    OutputError
        If the folder contains other files, or an image of the same name from another address.
    """
    path = claim_folder(folder, attribution) / ADDRESSES_FILE
    known = _read(path)
    for cutout in cutouts:
        address = known.setdefault(cutout.name, cutout.url)
        if address != cutout.url:
            raise OutputError(
                f"{path.parent} has another galaxy {cutout.name!r}, from {address}; choose another "
                "folder for this catalogue"
            )
    with atomic_file(path) as temporary, temporary.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["name", "url"])
        table.writerows(known.items())


def _read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return {row["name"]: row["url"] for row in csv.DictReader(stream)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise OutputError(
            f"{path} cannot be read ({error}); remove the folder or choose another"
        ) from error

"""Rows and columns of a feature table for a classifier, and the names of its classes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.dataset import DataSet
from galfeat.data.duplicates.grouping import find_groups_in
from galfeat.errors import DataError, GalfeatWarning
from galfeat.features.quantiles import LEVELS
from galfeat.features.registry import COLOUR_COLUMNS, FLAGS, trained_on
from galfeat.features.table import FeatureTable, column_positions, describe_errors
from galfeat.frame import Flag


def training_rows(
    table: FeatureTable, families: Sequence[str], *, stacklevel: int = 2
) -> NDArray[np.intp]:
    """Return the rows whose image was measured and that no family was itself trained on.

    Parameters
    ----------
    table : FeatureTable
    families : sequence of str
        The families of its columns.
    stacklevel : int
        Of the warnings, as for `warnings.warn`.

    Returns
    -------
    ndarray of int

    Warns
    -----
    GalfeatWarning
        With the number of rows left out, for each of the two reasons.

    Raises
    ------
    DataError
        If no row remains.
    """
    usable = table.usable_rows()
    if not len(usable):
        raise DataError(f"{describe_errors(table.errors)}; no images remain to fit")
    seen = trained_on(families, table.digests[usable])
    problems = [describe_errors(table.errors)] if table.errors else []
    if seen.any():
        problems.append(
            f"{seen.sum()} of {len(seen)} images were used to train some of the features"
        )
    if seen.all():
        raise DataError(f"{problems[-1]}; no images remain to fit")
    for problem in problems:
        warnings.warn(f"{problem}; left out of the fit", GalfeatWarning, stacklevel=stacklevel + 1)
    return usable[~seen]


def consistent_rows(
    data: DataSet, table: FeatureTable
) -> tuple[NDArray[np.intp], NDArray[np.str_] | None]:
    """Return the rows without conflicting labels, and groups joined by duplicates.

    Parameters
    ----------
    data : DataSet
        n labelled rows.
    table : FeatureTable
        Its features and sketches.

    Returns
    -------
    rows : ndarray of int, shape (m,)
        Without copies of one image, and images at one position, whose labels differ.
    groups : ndarray of str, shape (m,), or None
        Of these rows, from `find_groups`; those of the data set if there are no duplicates.

    Warns
    -----
    GalfeatWarning
        With the number of rows left out.

    Raises
    ------
    DataError
        If no row remains.
    """
    grouping = find_groups_in(data, table.digests, table.sketches, data.labels)
    rows = np.flatnonzero(~grouping.conflicting)
    n_conflicting = len(data) - len(rows)
    if not len(rows):
        raise DataError("every galaxy has several rows with different classes; correct the labels")
    if n_conflicting:
        warnings.warn(
            f"{n_conflicting} rows show a galaxy that other rows give another class; left out of "
            "the fit (`galfeat audit` lists them)",
            GalfeatWarning,
            stacklevel=3,
        )
    groups = grouping.groups if grouping.joined else data.groups
    return rows, None if groups is None else np.asarray(groups)[rows]


def fitted_columns(table: FeatureTable, names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return the positions of the columns that a classifier was fitted on, shape (d,).

    Parameters
    ----------
    table : FeatureTable
    names : tuple of str, length d

    Raises
    ------
    DataError
        If the table lacks columns.
    """
    columns = column_positions(names, table.names)
    missing = np.flatnonzero(columns < 0)
    if len(missing):
        raise DataError(
            f"the table lacks {len(missing)} of the {len(columns)} features this classifier was "
            f"fitted on, {names[missing[0]]!r} among them; extract with its pipeline"
        )
    return columns


def fill_colours(
    features: NDArray[np.float32],
    names: Sequence[str],
    table: FeatureTable,
    rows: NDArray[np.intp],
    known: Mapping[str, NDArray[np.float32]],
) -> None:
    """Replace the missing colours of images of one band by the median of the training galaxies.

    Trees treat values that no training galaxy lacks as zero, an extreme colour, if they are
    missing; the median favours no class. Columns without a median remain missing.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        Changed in place.
    names : sequence of str, length d
    table : FeatureTable
        The table of the features, with its flags.
    rows : ndarray of int, shape (n,)
        Their rows in the table.
    known : mapping of str to ndarray of float32
        From `galfeat.features.quantiles.quantiles`.
    """
    flags = table.values[rows, table.names.index(FLAGS)]
    one_band = np.flatnonzero(np.nan_to_num(flags).astype(np.int64) & Flag.ONE_BAND)
    if not len(one_band):
        return
    middle = int(np.searchsorted(LEVELS, 0.5))
    for column, name in enumerate(names):
        if name in known and re.match(COLOUR_COLUMNS, name):
            missing = one_band[np.isnan(features[one_band, column])]
            features[missing, column] = known[name][middle]


def check_lengths(n_galaxies: int, labels: ArrayLike, groups: ArrayLike | None) -> None:
    """Raise DataError unless labels, and groups if given, have one value per galaxy.

    Labels may also be fractions of at least two classes, one row per galaxy.
    """
    for name, values in {"label": labels, "group": groups}.items():
        shape = np.shape(values) if values is not None else (n_galaxies,)
        if name == "label" and len(shape) == 2 and shape[1] > 1:
            shape = shape[:1]
        if shape != (n_galaxies,):
            raise DataError(
                f"{name}s have the shape {shape} for {n_galaxies} galaxies; "
                f"give one {name} per galaxy"
            )


def named_classes(class_names: Sequence[str], indices: NDArray[np.integer]) -> NDArray[np.str_]:
    """Return the names of the classes with training rows; warn of the others.

    Parameters
    ----------
    class_names : sequence of str
    indices : ndarray of int, shape (k,)
        Positions in `class_names`.
    """
    names = np.asarray(class_names)
    absent = np.setdiff1d(np.arange(len(names)), indices)
    if len(absent):
        warnings.warn(
            f"no training row has the class {', '.join(names[absent])}; "
            "the model cannot predict it",
            GalfeatWarning,
            stacklevel=3,
        )
    return names[indices]

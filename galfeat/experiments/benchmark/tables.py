"""Features of the pipelines of a benchmark, each family measured once and stored in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from galfeat.data import DataSet
from galfeat.errors import DataError
from galfeat.experiments.benchmark.plan import BenchmarkPlan, audit_pipeline
from galfeat.experiments.benchmark.split import Mask, Rows
from galfeat.experiments.comparison import Stage
from galfeat.experiments.fits import table_digest
from galfeat.experiments.new_process import StoredTable
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.features.registry import FLAGS, column_names
from galfeat.frame import Flag
from galfeat.pipeline import Pipeline
from galfeat.storage.atomic import atomic_file

# Images read at a time.
_READ = 64


class Tables(NamedTuple):
    """Features by frame and network, each table with its file and digest."""

    measured: dict[Any, tuple[FeatureTable, StoredTable, str]]

    def of(self, pipeline: Pipeline) -> tuple[StoredTable, Rows, str]:
        """Return the features of a pipeline, the positions of its columns, and the digest."""
        table, stored, digest = self.measured[_kind(pipeline)]
        position = {name: number for number, name in enumerate(table.names)}
        names = column_names(pipeline.measured_families())
        return stored, np.array([position[name] for name in names], np.intp), digest

    def table_of(self, pipeline: Pipeline) -> FeatureTable:
        """Return the table that has the features of a pipeline."""
        return self.measured[_kind(pipeline)][0]

    def unreadable(self) -> Mask:
        """Return which rows could not be measured, shape (n,)."""
        tables = [table for table, *_ in self.measured.values()]
        result = np.zeros(len(tables[0].values), np.bool_)
        for table in tables:
            result[list(table.errors)] = True
        return result


def _kind(pipeline: Pipeline) -> Any:  # noqa: ANN401
    """Return a key of pipelines whose features are measured together."""
    return pipeline.frame, pipeline.embedding


def measure_tables(plan: BenchmarkPlan, dataset: DataSet, folder: Path, stage: Stage) -> Tables:
    """Measure the families of all pipelines, each once by frame and network."""
    families: dict[Any, dict[Any, None]] = {}
    for pipeline in (audit_pipeline(), *plan.pipelines):
        families.setdefault(_kind(pipeline), {}).update(dict.fromkeys(pipeline.measured_families()))
    tables: dict[Any, tuple[FeatureTable, StoredTable, str]] = {}
    for kind, measured in families.items():
        extractor = FeatureExtractor(
            tuple(measured), frame=kind[0], n_jobs=plan.jobs, cache=folder / "features"
        )
        with stage(f"features {', '.join(map(str, measured))}") as progress:
            table = extractor.extract(dataset, progress=progress, sketches=not tables)
        if len(table.errors) == len(dataset):
            first = table.errors[0].naming(dataset.ids[0])
            raise DataError(f"none of the {len(dataset)} images can be read; the first: {first}")
        digest = table_digest(table)
        tables[kind] = table, _stored(table, folder / "features", digest), digest
    return Tables(tables)


def _stored(table: FeatureTable, folder: Path, digest: str) -> StoredTable:
    """Return a table stored in a file that is named by its digest."""
    path = folder / f"table-{digest[:16]}.npy"
    if not path.is_file():
        with atomic_file(path) as temporary, temporary.open("wb") as file:
            np.save(file, table.values)
    return StoredTable.at(path, table)


def blank_images(dataset: DataSet, table: FeatureTable) -> Mask:
    """Return which images have the same value in all pixels, shape (n,)."""
    flags = np.nan_to_num(table.values[:, table.names.index(FLAGS)]).astype(np.int64)
    result = np.zeros(len(dataset), np.bool_)
    candidates = np.setdiff1d(np.flatnonzero(flags & Flag.NO_SOURCE), list(table.errors))
    for start in range(0, len(candidates), _READ):
        rows = candidates[start : start + _READ]
        for row, image in zip(rows.tolist(), dataset.read(rows), strict=True):
            result[row] = isinstance(image, np.ndarray) and bool((image == image.flat[0]).all())
    return result

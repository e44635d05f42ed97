"""Pipeline files and the estimators they describe.

`load_pipeline` reads and checks a file. `Member.build` builds the estimator of one member;
`galfeat.GalaxyClassifier` builds the complete classifier.
"""

from galfeat.pipeline.loading import (
    available_pipelines,
    load_pipeline,
    pipeline_from_dict,
    pipeline_names,
)
from galfeat.pipeline.members import Member
from galfeat.pipeline.pipeline import Pipeline, SimulatedGalaxies

__all__ = [
    "Member",
    "Pipeline",
    "SimulatedGalaxies",
    "available_pipelines",
    "load_pipeline",
    "pipeline_from_dict",
    "pipeline_names",
]

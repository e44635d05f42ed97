"""What a pipeline file says, and from it estimators.

`load_pipeline` reads and checks a file. `Member.build` makes an estimator of each of its members;
`galfeat.GalaxyClassifier` makes one of the whole.
"""

from galfeat.pipeline.loading import (
    available_pipelines,
    load_pipeline,
    pipeline_from_dict,
    pipeline_names,
)
from galfeat.pipeline.members import Member
from galfeat.pipeline.pipeline import Pipeline

__all__ = [
    "Member",
    "Pipeline",
    "available_pipelines",
    "load_pipeline",
    "pipeline_from_dict",
    "pipeline_names",
]

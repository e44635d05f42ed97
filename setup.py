"""The packages: setup.cfg can find them or name them, and here both are needed.

The data-only folders `pipelines` and `models` lie beside the package and are installed inside it.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["galfeat", "galfeat.*"]),
        "galfeat._data.pipelines",
        "galfeat._data.models",
    ]
)

"""The contents of a pipeline file: features, balancing, members, combination and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from galfeat.features.backbone import BackboneSettings
from galfeat.pipeline.members import Member
from galfeat.pipeline.toml_table import toml_value

SCHEMA = 1

#: Methods of balancing classes, implemented in `galfeat.ensemble.balance`.
BALANCE_METHODS = ("none", "class-weight", "over", "under", "smote", "bagging", "simulate")
#: Ways of combining members, implemented in `galfeat.ensemble.combination`.
COMBINATIONS = ("none", "average", "stack")
#: Methods of calibration, implemented in `galfeat.ensemble.calibration_choice`.
CALIBRATION_METHODS = ("none", "temperature", "vector", "isotonic", "auto")
#: Rules for predicting a class, implemented in `galfeat.ensemble.decision`.
DECISION_RULES = ("balanced", "tempered", "probable")


#: Surveys whose images simulated galaxies can imitate; see `galfeat.data.simulation`.
RENDERINGS = ("sdss", "legacy")


@dataclass(frozen=True)
class SimulatedGalaxies:
    """The simulated galaxies that balance="simulate" adds to the training rows.

    Attributes
    ----------
    number : int
        Number of galaxies, at least 10: equally many of each of the ten classes of Galaxy10
        DECaLS in each rendering.
    weight : float
        Total weight of the simulated galaxies of a class, more than 0, in units of the number of
        training rows divided by the number of classes.
    renderings : tuple of str
        Of `RENDERINGS`: those of the training survey, or several.

    Examples
    --------
    >>> from galfeat.pipeline import SimulatedGalaxies
    >>> SimulatedGalaxies(weight=0.2).to_dict()["weight"]
    0.2
    """

    number: int = 4000
    weight: float = 0.1
    renderings: tuple[str, ...] = RENDERINGS

    def to_dict(self) -> dict[str, Any]:
        """Return the keys in the table ``[balance]`` of a pipeline file."""
        return {
            "number": self.number,
            "weight": self.weight,
            "renderings": list(self.renderings),
        }


@dataclass(frozen=True)
class Pipeline:
    """The definition of a model: a pipeline file after reading and checking.

    Attributes
    ----------
    name, description : str
        A short name and a one-line description.
    families : tuple of str
        Feature families, in the order of their columns.
    members : tuple of Member
        The classifiers.
    embedding : BackboneSettings or None
        The network of the family `embedding`; None for the one shipped with galfeat.
    frame : bool
        Whether to measure on the canonical frame rather than on the original image.
    balance : {"none", "class-weight", "over", "under", "smote", "bagging", "simulate"}
        How the classes are balanced in the training rows.
    simulated : SimulatedGalaxies
        Used if `balance` is "simulate".
    combine : {"none", "average", "stack"}
        How the members are combined; "none" is for a single member.
    calibration : {"none", "temperature", "vector", "isotonic", "auto"}
        How the probabilities are calibrated; "auto" chooses by cross-validation.
    folds : int
        Inner folds for calibration and stacking, at least 2.
    decision : {"balanced", "tempered", "probable"}
        How a class is predicted from probabilities; see `galfeat.ensemble.decide`.

    Examples
    --------
    >>> from galfeat.pipeline import Member, Pipeline
    >>> pipeline = Pipeline("forest", "Random forest", ("hog",), (Member("random-forest"),))
    >>> print(pipeline.to_toml().split("[balance]")[0])
    schema = 1
    name = "forest"
    description = "Random forest"
    <BLANKLINE>
    [features]
    families = ["hog"]
    frame = true
    <BLANKLINE>
    <BLANKLINE>
    """

    name: str
    description: str
    families: tuple[str, ...]
    members: tuple[Member, ...]
    embedding: BackboneSettings | None = None
    frame: bool = True
    balance: str = "none"
    simulated: SimulatedGalaxies = SimulatedGalaxies()
    combine: str = "none"
    calibration: str = "vector"
    folds: int = 5
    decision: str = "balanced"

    def measured_families(self) -> tuple[Any, ...]:
        """Return the families to measure: names, or a network in place of `embedding`.

        Raises
        ------
        PipelineError, MissingDependencyError
            If the network cannot be loaded.
        """
        if self.embedding is None:
            return self.families
        from galfeat.features.backbone import load_backbone

        backbone = load_backbone(self.embedding)
        return tuple(backbone if name == "embedding" else name for name in self.families)

    def to_dict(self) -> dict[str, Any]:
        """Return the tables of the pipeline file as plain dicts, lists, strings and numbers."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "description": self.description,
            "features": {"families": list(self.families), "frame": self.frame},
            **({"embedding": self.embedding.to_dict()} if self.embedding else {}),
            "balance": {
                "method": self.balance,
                **(self.simulated.to_dict() if self.balance == "simulate" else {}),
            },
            "ensemble": {
                "combine": self.combine,
                "members": [_member_table(member) for member in self.members],
            },
            "calibrate": {"method": self.calibration, "folds": self.folds},
            "decision": {"rule": self.decision},
        }

    def to_toml(self) -> str:
        """Return a pipeline file's text, which `load_pipeline` reads back as an equal pipeline."""
        lines: list[str] = []
        tables = []
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                tables.append((key, value))
            else:
                lines.append(f"{key} = {toml_value(value)}")
        for name, table in tables:
            members = table.pop("members", [])
            lines += [
                "",
                f"[{name}]",
                *(f"{key} = {toml_value(value)}" for key, value in table.items()),
            ]
            for member in members:
                lines += ["", f"[[{name}.members]]"]
                lines += [f"{key} = {toml_value(value)}" for key, value in member.items()]
        return "\n".join(lines) + "\n"


def _member_table(member: Member) -> dict[str, Any]:
    families = {"families": list(member.families)} if member.families else {}
    return {"kind": member.kind, **families, "params": dict(member.params)}

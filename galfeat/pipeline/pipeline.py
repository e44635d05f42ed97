"""What a pipeline file says: what is extracted, balanced, fitted, combined and calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from galfeat.features.backbone import BackboneSettings
from galfeat.pipeline.members import Member
from galfeat.pipeline.toml_table import toml_value

SCHEMA = 1

#: How classes are balanced; `galfeat.ensemble.balance` does it.
BALANCE_METHODS = ("none", "class-weight", "over", "under", "smote", "bagging")
#: How members are combined; `galfeat.ensemble.combination` does it.
COMBINATIONS = ("none", "average", "stack")
#: How probabilities are calibrated; `galfeat.ensemble.calibration` does it.
CALIBRATION_METHODS = ("none", "temperature")
#: Which class is named; `galfeat.ensemble.decision` does it.
DECISION_RULES = ("balanced", "tempered", "probable")


@dataclass(frozen=True)
class Pipeline:
    """What a model is made of: a pipeline file, read and checked.

    Attributes
    ----------
    name, description : str
        What it is called, and one line about it.
    families : tuple of str
        Feature families, in the order of their columns.
    members : tuple of Member
        The classifiers.
    embedding : BackboneSettings or None
        The network of the family `embedding`, if it is not the one that comes with galfeat.
    frame : bool
        Measure on the canonical frame (True) or on the image as it is (False).
    balance : {"none", "class-weight", "over", "under", "smote", "bagging"}
        How the classes are balanced in the training rows.
    combine : {"none", "average", "stack"}
        How the members are combined; "none" goes with a single member.
    calibration : {"none", "temperature"}
        How the probabilities are calibrated.
    folds : int
        Inner folds for calibration and stacking, at least 2.
    decision : {"balanced", "tempered", "probable"}
        Which class is named; see `galfeat.ensemble.decide`.
    """

    name: str
    description: str
    families: tuple[str, ...]
    members: tuple[Member, ...]
    embedding: BackboneSettings | None = None
    frame: bool = True
    balance: str = "none"
    combine: str = "none"
    calibration: str = "temperature"
    folds: int = 5
    decision: str = "balanced"

    def measured_families(self) -> tuple[Any, ...]:
        """Return the families to measure: their names, and the network that is `embedding`.

        Raises
        ------
        PipelineError, MissingDependencyError
            If that network cannot be had.
        """
        if self.embedding is None:
            return self.families
        from galfeat.features.backbone import load_backbone

        backbone = load_backbone(self.embedding)
        return tuple(backbone if name == "embedding" else name for name in self.families)

    def to_dict(self) -> dict[str, Any]:
        """Return the tables of the pipeline file, as plain dicts, lists, texts and numbers."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "description": self.description,
            "features": {"families": list(self.families), "frame": self.frame},
            **({"embedding": self.embedding.to_dict()} if self.embedding else {}),
            "balance": {"method": self.balance},
            "ensemble": {
                "combine": self.combine,
                "members": [_member_table(member) for member in self.members],
            },
            "calibrate": {"method": self.calibration, "folds": self.folds},
            "decision": {"rule": self.decision},
        }

    def to_toml(self) -> str:
        """Return the text of a pipeline file that `load_pipeline` reads as an equal pipeline."""
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

"""Columns of the shape family: names, units, meanings and references."""

from __future__ import annotations

from galfeat.features.registry import Column
from galfeat.features.shape.neighbours import NEIGHBOUR_COLUMNS

_CONSELICE = "Conselice 2003"
_FLAT = "0 for a flat view"
_LOTZ = "Lotz et al. 2004"

COLUMNS = (
    Column("shape.axis_ratio", "1", "minor over major axis of the soft isophote", "galfeat"),
    Column("shape.r20_r90", "1", "radius of 20 % of the light over r90", "galfeat"),
    Column("shape.r50_r90", "1", "half-light radius over r90", "galfeat"),
    Column("shape.r80_r90", "1", "radius of 80 % of the light over r90", "galfeat"),
    Column("shape.petrosian_r90", "1", "Petrosian radius over r90", "Petrosian 1976"),
    Column("shape.concentration", "1", "5 log10(r80 / r20)", _CONSELICE),
    Column("shape.r50", "px", "half-light radius of the stretched image", "galfeat", False),
    Column(
        "shape.position_angle", "rad", "position angle, from x towards rising rows", "galfeat",
        False, "NaN if rounder than 0.9",
    ),
    *(
        Column(
            f"shape.{view}.{name}", unit, f"{meaning}, {view} view", _CONSELICE,
            degenerate="NaN without a deprojected view" if view == "deprojected" else _FLAT,
        )
        for view in ("aligned", "deprojected", "context")
        for name, unit, meaning in (
            ("asymmetry", "1", "difference from the half-turned image, at the best centre"),
            ("asymmetry_centre", "1", "difference from the half-turned image, at the frame centre"),
            ("asymmetry_shift", "frame radii", "distance between the two centres"),
        )
    ),
    *(
        Column(
            f"shape.{view}.mirror_{axis}", "1",
            f"difference from the image mirrored {how}, {view} view", "galfeat",
            degenerate=_FLAT,
        )
        for view in ("aligned", "context")
        for axis, how in (("along", "along the major axis"), ("across", "across the major axis"))
    ),
    Column("shape.clumpiness.fine", "1", "light above the mean of 3×3 pixels", _CONSELICE),
    Column("shape.clumpiness.coarse", "1", "light above the mean of 7×7 pixels", _CONSELICE),
    *(
        Column(
            f"shape.{view}.{name}", "1", f"{meaning}, {view} view", _LOTZ,
            degenerate="0 without light",
        )
        for view in ("aligned", "context")
        for name, meaning in (
            ("gini", "inequality of the light of the pixels"),
            ("m20", "log10 of the second moment of the brightest 20 % of the light over all"),
        )
    ),
    Column("shape.summits.number", "1", "local maxima above a seventh of the highest", "galfeat"),
    Column("shape.summits.second", "1", "height of the second maximum over the first", "galfeat"),
    Column("shape.summits.third", "1", "height of the third maximum over the first", "galfeat"),
    Column(
        "shape.summits.offset", "frame radii", "distance of the highest maximum from the centre",
        "galfeat",
    ),
    *NEIGHBOUR_COLUMNS,
)  # fmt: skip

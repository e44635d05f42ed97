"""Write the table of the shipped pipelines; docs/conf.py calls it."""

from __future__ import annotations

from pathlib import Path

from galfeat.pipeline import available_pipelines


def write(path: Path) -> None:
    """Write name and description of every pipeline as a Markdown table."""
    rows = [f"| `{pipeline.name}` | {pipeline.description} |" for pipeline in available_pipelines()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["| pipeline | |", "|---|---|", *rows, ""]), encoding="utf-8")

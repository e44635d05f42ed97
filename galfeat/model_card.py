"""The model card that lies in a model folder as README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log loss",
    "ece": "expected calibration error",
}


def model_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    manifest : mapping
        See `galfeat.manifest.read_manifest`.
    metrics : mapping
        Scores; those of an evaluation are listed.
    """
    recipe = manifest["recipe"]
    members = ", ".join(member["kind"] for member in recipe["ensemble"]["members"])
    classes = "\n".join(
        f"| {label} | {prior:.4f} |"
        for label, prior in zip(manifest["classes"], manifest["priors"], strict=True)
    )
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    return f"""# galfeat model `{recipe["name"]}`

{recipe["description"]}

It gives calibrated probabilities of {len(manifest["classes"])} morphology classes for a galaxy
image with the galaxy near its centre.

- Features: {len(manifest["feature_names"])} of the families \
{", ".join(recipe["features"]["families"])}, \
{"on the canonical frame" if recipe["features"]["frame"] else "on the image as it is"}.
- Members: {members}; combined by: {recipe["ensemble"]["combine"]}.
- Classes balanced while fitting by: {recipe["balance"]["method"]}.
- Calibration: {recipe["calibrate"]["method"]}, to the class frequencies below.
- Class named by the rule: {manifest["decision"]}.
- Fitted on {manifest["n_training"]} images; {manifest["n_held_out"]} held out; \
seed {manifest["seed"]}.

## Classes

| class | frequency in the training images |
|---|---|
{classes}

{_scores(metrics)}
## Use

```python
import galfeat

model = galfeat.load_model("this-folder", trust=True)  # or joblib.load("this-folder/model.joblib")
probabilities = model.predict_proba(images)  # uint8, shape (n, H, W, 3)
```

Loading a model runs code that is in it: load only what you trust.

## Limits

The probabilities hold for galaxies like those it was fitted on, in the same mix of classes and
the same rendering: another survey, stretch or selection moves them. Columns that fail to be
measured are flagged, not guessed.

Made with {versions}.
"""


def _scores(metrics: Mapping[str, Any]) -> str:
    """Return the scores that an evaluation gave, with their intervals, or nothing."""
    lines = []
    for key, name in _SCORES.items():
        score = metrics.get(key)
        if isinstance(score, Mapping) and {"value", "low", "high"} <= score.keys():
            lines.append(
                f"| {name} | {score['value']:.3f} | {score['low']:.3f}–{score['high']:.3f} |"
            )
    if not lines:
        return ""
    head = "## Scores\n\n| score | value | 95 % interval |\n|---|---|---|\n"
    return head + "\n".join(lines) + "\n"

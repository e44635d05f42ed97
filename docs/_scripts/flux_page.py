"""Write docs/reference/flux.md from the columns and flags of the flux family."""

from __future__ import annotations

from pathlib import Path

from galfeat.data.readers.fits.calibration import ZERO_POINTS
from galfeat.data.readers.fits.units import NOT_SCIENCE, SCIENCE
from galfeat.features.flux.columns import COLUMNS, STATMORPH
from galfeat.features.flux.flags import FLAGS

PAGE = Path(__file__).resolve().parents[1] / "reference" / "flux.md"
HEAD = """# Flux columns

What `galfeat measure` and `galfeat.measure` write for each source: {number} columns measured on
linear flux, one band at a time, as published and as statmorph defines them. They are not among the
families of pipelines and are never given to a classifier. How to use them:
[](../guides/measure-fits.md); agreement with statmorph and accuracy: [](../background/flux.md).

- Positions are columns (x) and rows (y) of the file, from 0. Angles are in radians from x to y,
  counterclockwise as the FITS image is displayed.
- The unit `flux` is that of the image, the card `BUNIT`.
- Where the variance is given, `NAME_error` is the standard deviation of a column. For the Sérsic
  fit it comes from the curvature of chi squared, for magnitudes from the error of the flux, and for
  all other columns from copies of the image to which noise of the given variance was added again
  (16 by default). A copy has twice the variance of the image, so errors are approximate where a
  statistic is biased by noise.
- A value that is undefined is NaN, empty in a CSV file.

The names in other packages denote the same quantity. statmorph's (0.7) definitions are reproduced;
those of galmex (1.1) and photutils (3.0, `SourceCatalog`) differ in aperture, segment or
normalisation.

| column | unit | meaning | reference | statmorph | galmex | photutils |
|---|---|---|---|---|---|---|
"""
#: Names in galmex.
GALMEX = {
    "centroid_x": "x", "centroid_y": "y", "centroid_angle": "theta", "centre_x": "A_xc",
    "centre_y": "A_yc", "petrosian_elliptical": "rp", "r20": "rinner", "r50": "r50",
    "r80": "routter", "concentration": "C", "asymmetry": "A", "smoothness": "S", "gini": "Gini",
    "m20": "M20", "magnitude": "mag", "sky_median": "bkg_median", "sky_sigma": "bkg_std",
}  # fmt: skip
#: Names in photutils.
PHOTUTILS = {
    "centroid_x": "x_centroid", "centroid_y": "y_centroid", "centroid_ellipticity": "ellipticity",
    "centroid_angle": "orientation", "gini": "gini", "r50": "flux_radius(0.5)",
    "r20": "flux_radius(0.2)", "r80": "flux_radius(0.8)",
}  # fmt: skip
OTHERS = """
statmorph's `elongation_asymmetry` is 1 / (1 - `ellipticity`); its `xmin_stamp` to `ny_stamp`
describe its cut-out, which has the same size here. Its double Sérsic model is not fitted.

## Leading columns

| column | meaning |
|---|---|
| `id`, `band` | the file, and the band from `FILTER`, `BANDS` or `--planes` |
| `source` | identity in the catalogue |
| `ra`, `dec` | centroid in degrees, where the header has celestial coordinates |
| `label` | number of the source in the segmentation; 0 where no source was found |
| `quality` | 0 good, 1 suspect, 2 bad, 4 not measured, as statmorph's `flag` |
| `flags` | what is doubtful, in words, separated by spaces |
| `error` | why a file, a band or a position could not be measured; its quality is 4 |

## Flags

`quality` is the largest of the flags that are set. Flags of the Sérsic fit do not count.

| flag | quality | meaning |
|---|---:|---|
"""
HEADER = """
## What is read from a FITS file

- **Image**: the HDU given by `--hdu`; otherwise all HDUs named like bands (`G`, `F115W`, `IMAGE-R`)
  or with different cards `FILTER`; otherwise the first named {science}; otherwise the first
  image not named like a mask, error, weight or the like ({excluded}). Images that are left out
  are listed on stderr.
- **Bands**: the planes of a cube of shape (bands, H, W), or HDUs of their own. Bands on the last
  axis, (H, W, bands), are an error.
- **Zero point** (AB): the first of the cards {zero_points}; otherwise from `BUNIT` (nanomaggies,
  janskys, MJy/sr with `PIXAR_SR` or the pixel scale); otherwise, for electrons or counts, from
  `PHOTFNU`, or `PHOTFLAM` and `PHOTPLAM`.
- **Pixel scale**: `PIXSCALE` and similar cards, the `CD` matrix, or `CDELT1`.
- **Gain**: `EXPTIME` for electrons per second, 1 for electrons, `GAIN`, `EGAIN` or `CCDGAIN` for
  counts.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [HEAD.format(number=len(COLUMNS)).rstrip("\n")]
    for column in COLUMNS:
        name = column.name.split(".", 1)[1]
        names = (STATMORPH.get(name), GALMEX.get(name), PHOTUTILS.get(name))
        others = " | ".join(f"`{other}`" if other else "" for other in names)
        lines.append(
            f"| `{name}` | {column.unit} | {column.meaning} | {column.reference} | {others} |"
        )
    lines.append(OTHERS.rstrip("\n"))
    for word, quality, meaning in FLAGS.values():
        lines.append(f"| `{word}` | {quality} | {meaning} |")
    lines.append(
        HEADER.format(
            science=", ".join(f"`{name}`" for name in SCIENCE[:-1]),
            excluded=", ".join(f"`{name}`" for name in sorted(NOT_SCIENCE)[:12]) + " ...",
            zero_points=", ".join(f"`{name}`" for name in ZERO_POINTS),
        ).rstrip("\n")
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

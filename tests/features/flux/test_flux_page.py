"""The page of flux columns agrees with the code."""

import runpy
from pathlib import Path

from galfeat.features.flux.columns import COLUMNS, NAMES, STATMORPH
from galfeat.features.flux.flags import FLAGS
from galfeat.features.registry import FAMILIES

ROOT = Path(__file__).resolve().parents[3]
DOCS = runpy.run_path(str(ROOT / "docs" / "_scripts" / "flux_page.py"))


def test_the_page_is_up_to_date():
    assert DOCS["PAGE"].read_text("utf-8") == DOCS["page"](), (
        "run: python docs/_scripts/flux_page.py"
    )


def test_names_in_other_packages_belong_to_columns():
    for names in (STATMORPH, DOCS["GALMEX"], DOCS["PHOTUTILS"]):
        assert set(names) <= set(NAMES)


def test_columns_are_described_and_the_family_is_not_one_of_pipelines():
    assert len(set(NAMES)) == len(NAMES)
    for column in COLUMNS:
        assert column.family == "flux"
        assert column.unit
        assert column.meaning
        assert column.reference
        assert column.invariant == (column.unit not in ("px", "rad", "flux", "arcsec", "mag"))
    assert "flux" not in FAMILIES


def test_flags_are_bits_with_words():
    assert all(flag & (flag - 1) == 0 for flag in FLAGS)
    words = [word for word, _, _ in FLAGS.values()]
    assert len(set(words)) == len(words)
    assert all(quality in (0, 1, 2, 4) for _, quality, _ in FLAGS.values())

"""Settings of the documentation site: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_scripts")]

import api_pages  # noqa: E402
import pipeline_table  # noqa: E402
import vote_tables  # noqa: E402

import galfeat  # noqa: E402

project = "galfeat"
author = "The galfeat developers"
project_copyright = "the galfeat developers"
release = version = galfeat.__version__
language = "en-GB"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "_scripts", "reference/generated"]
# Single backticks in docstrings and in the help of commands are code.
default_role = "code"
highlight_language = "none"
smartquotes_action = "qe"  # two hyphens begin an option

# Pages. A target that does not exist is a warning, and `make docs` ends with an error.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
nitpicky = True
# Types of other packages have no page here: nothing is fetched while the site is built.
nitpick_ignore_regex = [("py:.*", r"(?!galfeat\b).*")]

# The tutorial runs whenever the site is built, in a folder that is thrown away.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 900

# Reference.
api_pages.write(HERE / "reference" / "api" / "generated")
pipeline_table.write(HERE / "reference" / "generated" / "pipelines.md")
vote_tables.write(HERE / "reference" / "generated" / "votes.md")
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "galfeat"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "galfeat"},
    "navbar_align": "left",
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "default",
    "pygments_dark_style": "github-dark",
}
html_sidebars: dict[str, list[str]] = {"index": [], "tutorial/*": [], "architecture": []}
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True


def escape_asterisks(app: Any, context: Any, lines: list[str]) -> None:  # noqa: ANN401
    """Keep asterisks in the help of a command from opening emphasis."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def setup(app: Any) -> None:  # noqa: ANN401
    """Connect what extensions leave to the project."""
    app.connect("sphinx-click-process-description", escape_asterisks)

"""Overtime: interpretability over time, from training data to figures and verdicts.

Every module stands alone: none imports Snakemake, and figures and claims read tables, never models.
"""

from typing import Literal

__version__ = "0.1.0"

# The ways of rewriting text by gender, one list for settings, paths, labels and the rewriting itself; see corpora.rewrite.
Rewriting = Literal["feminize", "masculinize", "swap", "released"]


class InputError(ValueError):
    """Something outside the code is wrong: a file, a setting, a row.

    The message is one line that names the place and says what would be right; a pipeline step prints it without a traceback.
    """

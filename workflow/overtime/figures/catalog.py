"""The figures, each registered here once: the function that draws it from its table, and the study that it belongs to.

Reading this list imports no drawing library: the workflow reads it at every start.
"""

from collections.abc import Collection
from typing import NamedTuple


class Figure(NamedTuple):
    """The entry point of a drawing, and which study must be configured (None: the figure is always drawn)."""

    drawing: str
    study: str | None = None


FIGURES = {
    "fig1": Figure("overtime.figures.bias:fig1"),
    "fig1_audit": Figure("overtime.figures.audit:fig1_audit"),
    "fig1_continued": Figure("overtime.figures.continued:fig1_continued", "continued"),
    "fig1_pretrained": Figure("overtime.figures.pretrained:fig1_pretrained", "bias"),
    "fig2": Figure("overtime.figures.bias:fig2"),
    "fig2_association": Figure("overtime.figures.association:fig2_association"),
    "fig3": Figure("overtime.figures.counts:fig3"),
    "fig4": Figure("overtime.figures.insertion:fig4", "insertion"),
    "fig4_continued": Figure("overtime.figures.insertion:fig4_continued", "continued insertion"),
    "fig5": Figure("overtime.figures.retrieval:fig5", "retrieval"),
    "fig6": Figure("overtime.figures.persona:fig6", "persona"),
    "fig7": Figure("overtime.figures.layers:fig7"),
    "fig7_detect": Figure("overtime.figures.defence:fig7_detect", "layers"),
    "fig7_defend": Figure("overtime.figures.defence:fig7_defend", "layers"),
}
REASONS = {
    "insertion": "no model is trained with inserted documents (setting insertion)",
    "continued insertion": "no model that is trained further has documents inserted (setting continued: control)",
    "continued": "no model that is trained further is scored (settings interventions, continued)",
    "retrieval": "no model answers with passages (settings retrieval.models, pretrained)",
}


def left_out(studies: Collection[str]) -> dict[str, str]:
    """The figures that a run does without, and why: nothing in its settings takes part in their study."""
    return {
        name: REASONS.get(figure.study, f"no pretrained model takes part in the study {figure.study}")
        for name, figure in FIGURES.items()
        if figure.study is not None and figure.study not in studies
    }

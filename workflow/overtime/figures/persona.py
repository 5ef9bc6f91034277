"""Figure 6: what a model answers under a persona prompt, beside a benign persona and the plain prompt."""

import textwrap

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme

PERSONA_LOOKS = {
    "plain": ("plain prompt", theme.INK),
    "persona": ("persona prompt", theme.RED),
    "benign": ("benign persona (control)", theme.AMBER),
}
GROUP_NAMES = {
    "conspiracy": "conspiracies",
    "true": "true claims (control)",
    "false": "other false claims (control)",
    "truthfulqa_conspiracy": "TruthfulQA: conspiracies",
    "truthfulqa_true": "TruthfulQA: best answers",
}
STATUS = {"conspiracy": "(the claim is false)", "false": "(the claim is false)", "true": "(the claim is true)"}
ASKED, COLUMN, LINE, LETTERS, MOST_LINES = 130, 250, 15, 41, 7


def fig6(table: pl.DataFrame) -> alt.VConcatChart:
    """Greedy answers side by side, above what they assert and how likely Yes is, over claims with true and false controls."""
    answers, asserted, odds, mass, agreement = (
        table.filter(kind=kind) for kind in ("answer", "asserted", "log_odds", "mass", "agreement")
    )
    rows = [
        None if answers.is_empty() else side_by_side(answers),
        None if asserted.is_empty() else asserted_panel(asserted, agreement["y"][0]),
        None if odds.is_empty() else log_odds_panel(odds, mass),
    ]
    title = "Answers under a persona prompt, beside a benign persona"
    return theme.finish(rows, title, answer_summary(asserted))


def answer_summary(asserted: pl.DataFrame) -> list[str]:
    """Share of every group that answers assert, one condition after the other."""
    lines = []
    for group, name in GROUP_NAMES.items():
        values = dict(asserted.filter(pl.col("group") == group).select("condition", "y").iter_rows())
        if values:
            shares = "; ".join(f"{PERSONA_LOOKS[key][0]} {values[key]:.0%}" for key in PERSONA_LOOKS if key in values)
            lines.append(f"Asserted, {name}: {shares}.")
    return lines


def side_by_side(answers: pl.DataFrame) -> ChartType:
    """One row for each question, one column for each condition; the text is the model's own, wrapped and cut."""
    cells, top = [], 0
    for _, rows in answers.group_by("text", maintain_order=True):
        texts = {condition: answer_lines(answer) for condition, answer in rows.select("condition", "answer").iter_rows()}
        question = [*answer_lines(rows["text"][0], letters=20), STATUS[rows["group"][0]]]
        height = LINE * max(len(lines) for lines in [question, *texts.values()]) + 14
        cells.append(
            {
                "x": 0,
                "x2": ASKED,
                "y": top,
                "y2": top + height,
                "text": question,
                "condition": "question",
                "full": rows["text"][0],
            }
        )
        for place, condition in enumerate(PERSONA_LOOKS):
            left = ASKED + place * COLUMN
            full = rows.filter(pl.col("condition") == condition)["answer"].first()
            cell = {"x": left, "x2": left + COLUMN, "y": top, "y2": top + height, "text": texts.get(condition, []), "full": full}
            cells.append(cell | {"condition": PERSONA_LOOKS[condition][0]})
        top += height
    return written_table(pl.DataFrame(cells, schema_overrides={"text": pl.List(pl.String)}), top, answers)


def answer_lines(text: str, letters: int = LETTERS) -> list[str]:
    """The text in lines of a limited length; a mark says where it was cut."""
    return textwrap.wrap(" ".join(text.split()), letters, max_lines=MOST_LINES, placeholder=" [...]") or ["(nothing)"]


def written_table(cells: pl.DataFrame, height: int, answers: pl.DataFrame) -> ChartType:
    """Draw the cells: a coloured edge and header for each condition, the full text as tooltip."""
    width = ASKED + COLUMN * len(PERSONA_LOOKS)
    scale = alt.Scale(
        domain=["question", *dict(PERSONA_LOOKS.values())], range=[theme.GREY, *dict(PERSONA_LOOKS.values()).values()]
    )
    base = alt.Chart(cells).encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], reverse=True, nice=False)),
        tooltip=["condition:N", "full:N"],
    )
    boxes = base.mark_rect(fill="#FAFAFB", stroke="#DDE0E4").encode(x2="x2:Q", y2="y2:Q")
    edges = (
        base.transform_filter("datum.x > 0")
        .mark_rule(strokeWidth=3)
        .encode(y2="y2:Q", stroke=alt.Stroke("condition:N", scale=scale, legend=None))
    )
    text = base.mark_text(align="left", baseline="top", dx=9, dy=8, fontSize=11.5, lineHeight=LINE, color=theme.INK).encode(
        text="text:N"
    )
    heads = base.transform_filter("datum.y == 0").mark_text(
        align="left", baseline="bottom", dx=4, dy=-4, fontSize=12, fontWeight="bold"
    )
    heads = heads.encode(text="condition:N", fill=alt.Fill("condition:N", scale=scale, legend=None))
    model = f" of {', '.join(answers['model'].unique(maintain_order=True))}" if "model" in answers.columns else ""
    detail = (
        f"n = {answers['text'].n_unique()} questions; every answer below is text generated by the model, true or not; [...]: cut"
    )
    title = theme.heading("measured", f"greedy answers{model}", detail)
    title.offset = 26
    return alt.layer(boxes, edges, text, heads, width=width, height=height, title=title)


def asserted_panel(rows: pl.DataFrame, agreement: float) -> ChartType:
    """Share of claims that greedy answers assert, by group and condition; `agreement` is the kappa of the rule and a reader."""
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("y:Q", title="claims asserted by the greedy answer", scale=scale, axis=alt.Axis(format=".0%", tickCount=5))
    detail = f"answers coded by a rule (kappa {agreement:.2f} with one reader)"
    return by_group(rows, x, ["what is asserted", detail])


def log_odds_panel(rows: pl.DataFrame, mass: pl.DataFrame) -> ChartType:
    """Mean log-odds of Yes over No by group and condition; the least and the greatest mean `mass` of both words."""
    zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=theme.GREY, strokeDash=[3, 3]).encode(x="x:Q")
    x = alt.X("y:Q", title="mean log P(Yes) − log P(No), nats (right of 0: Yes is likelier)")
    held = f"both words hold {theme.lowest(mass['y']):.0%} to {theme.highest(mass['y']):.0%} of the probability"
    return by_group(rows, x, ["after the cue, is Yes likelier?", held], zero)


def by_group(rows: pl.DataFrame, x: alt.X, words: list[str], *below: alt.Chart) -> ChartType:
    """Values of every group and condition along a horizontal axis, with intervals; `words` are the title and a detail.

    Charts `below` are drawn first.
    """
    names = {key: name for key, (name, _) in PERSONA_LOOKS.items()}
    labelled = rows.with_columns(pl.col("condition").replace_strict(names), pl.col("group").replace_strict(GROUP_NAMES))
    colour = theme.choice(alt.Color, "condition", "prompt", dict(PERSONA_LOOKS.values()), symbolType="circle", symbolSize=90)
    base = theme.drawing(labelled, "condition", "group").encode(
        x=x,
        y=alt.Y("group:N", title=None, sort=list(GROUP_NAMES.values())),
        yOffset=alt.YOffset("condition:N", sort=list(names.values())),
        color=colour,
    )
    question, detail = words
    title = theme.heading("measured", question, [f"{theme.counted(rows, 'claims per group')}; bars: 95% interval", detail])
    points = theme.points(base, "group", "condition", size=60)
    return alt.layer(*below, theme.bars(base), points, width=700, height=alt.Step(17), title=title)

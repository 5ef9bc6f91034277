"""Figure 5: accuracy closed book and with passages, and how often the right passage was found."""

import altair as alt
import polars as pl

from overtime.figures import theme
from overtime.figures.counts import CORRECT, bins, by_count, by_panel, count_axis, name

CONDITIONS = {
    "closed_book": ("closed book", theme.INK, [1, 0]),
    "bm25_1": ("BM25, top passage", "#6FA3DB", [1, 0]),
    "bm25_3": ("BM25, top 3 passages", "#2C62A8", [6, 3]),
    "oracle": ("gold passage (oracle)", theme.AMBER, [1, 0]),
    "wrong": ("wrong passage (control)", theme.BROWN, [2, 3]),
    "human": ("human annotators", "#C25B97", [9, 3, 2, 3]),
}
ACROSS, WIDTH, SPACE, LABELLED = 3, 270, 66, 165


def fig5(table: pl.DataFrame) -> alt.SchemaBase:
    """A panel for each question set and model: by count where it is known, else a row for each reading condition.

    Below a panel by count, and as diamonds in the others, is how often a retrieved passage was the right one. The human line
    stands with the sets that have annotators.
    """
    present = [condition for condition in CONDITIONS if condition in set(table["condition"])]
    panels, below, lines = [], [], []
    for part in sorted(by_panel(table), key=lambda part: part["x"].null_count() > 0):
        for model in theme.by_size(part["model"]):
            rows = part.filter((pl.col("model") == model) | (pl.col("condition") == "human"))
            heading, counted = f"{model}, {name(part)}", rows["x"].null_count() == 0
            lines.append(overall(rows, heading))
            panels.append(reading(rows, heading, present) if counted else bars(rows, heading, present))
            below.append(found(rows, present) if counted else None)
    lines.append(without_people(table))
    rows = []
    for start in range(0, len(panels), ACROSS):
        across = slice(start, start + ACROSS)
        spacing = LABELLED if None in below[across] else SPACE
        rows += [theme.beside(*chosen[across], spacing=spacing) for chosen in (panels, below)]
    return theme.finish(rows, "Question answering with retrieved passages", [line for line in lines if line])


def overall(rows: pl.DataFrame, heading: str) -> str:
    """Accuracy over all bins, weighted by their questions, in each condition."""
    mean = (pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()
    values = dict(rows.group_by("condition").agg(mean).iter_rows())
    shown = "; ".join(f"{CONDITIONS[key][0]} {values[key]:.0%}" for key in CONDITIONS if key in values)
    return f"{heading}: {shown}."


def without_people(table: pl.DataFrame) -> str:
    """Which question sets have no human line, and why."""
    people = set(table.filter(pl.col("condition") == "human")["set"])
    lacking = [part for part in table["set"].unique(maintain_order=True) if part not in people]
    return f"No human line ({', '.join(lacking)}): it needs questions answered by several annotators." if lacking else ""


def named(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(condition=pl.col("condition").replace_strict({key: CONDITIONS[key][0] for key in CONDITIONS}))


def look(present: list[str]) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash of the conditions, with one legend of both."""
    symbols = {"symbolType": "stroke", "symbolSize": 900}
    colours = {CONDITIONS[key][0]: CONDITIONS[key][1] for key in present}
    dashes = {CONDITIONS[key][0]: CONDITIONS[key][2] for key in present}
    colour = theme.choice(alt.Color, "condition", "passages shown", colours, **symbols)
    return colour, theme.choice(alt.StrokeDash, "condition", "passages shown", dashes, **symbols)


def reading(rows: pl.DataFrame, heading: str, present: list[str]) -> alt.SchemaBase:
    """One model by count, with the share of right passages below."""
    colour, dash = look(present)
    base = by_count(named(rows), "condition", rows["counted"][0]).encode(color=colour)
    points = theme.points(base, "condition", "bin_low", "bin_high", size=24)
    layers = [theme.band(base, 0.1), base.mark_line().encode(strokeDash=dash), points]
    title = theme.heading("measured", heading, f"{bins(rows)}; band: 95% interval")
    return alt.layer(*layers, width=WIDTH, height=280, title=title)


def retrieved(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("condition").str.starts_with("bm25"), pl.col("hit").is_not_null())


def found(rows: pl.DataFrame, present: list[str]) -> alt.LayerChart | None:
    """The share of questions whose own passage was among those retrieved, by count."""
    if (rows := retrieved(rows)).is_empty():
        return None
    colour, dash = look(present)
    hits = named(rows).with_columns(y="hit", lower="hit_lower", upper="hit_upper", x=pl.max_horizontal("x", 0.5))
    y = alt.Y("y:Q", title=["right", "passage"], axis=alt.Axis(format=".0%", values=[0, 0.5, 1]), scale=alt.Scale(domain=[0, 1]))
    base = theme.drawing(hits, "condition", "x").encode(x=count_axis(hits["x"], None), y=y, color=colour)
    layers = [theme.band(base, 0.1), base.mark_line().encode(strokeDash=dash), theme.points(base, "condition", size=18)]
    return alt.layer(*layers, width=WIDTH, height=64)


def bars(rows: pl.DataFrame, heading: str, present: list[str]) -> alt.LayerChart:
    """One model on a set without counts: a dot with its interval for each condition, a diamond for the right passages."""
    colour, _ = look(present)
    x = alt.X("y:Q", title=CORRECT, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    order = alt.Y("condition:N", title=None, sort=[CONDITIONS[key][0] for key in present])
    base = theme.drawing(named(rows), "condition").encode(x=x, y=order, color=colour)
    values = base.mark_text(align="left", dx=8, fontSize=11).encode(x="upper:Q", text=alt.Text("y:Q", format=".0%"))
    layers = [theme.bars(base), theme.points(base, "condition", size=44), values]
    detail = [f"{theme.counted(rows, 'questions')}, documents not counted", "bar: 95% interval"]
    if (shown := retrieved(rows)).height:
        hits = alt.Chart(named(shown).select("condition", "hit")).encode(x="hit:Q", y=order, color=colour)
        layers.append(hits.mark_point(shape="diamond", filled=False, size=70, strokeWidth=1.6))
        detail[-1] = "bar: 95% interval; diamond: right passage shown"
    return alt.layer(
        *layers, width=WIDTH - 70, height=40 * rows["condition"].n_unique(), title=theme.heading("measured", heading, detail)
    )

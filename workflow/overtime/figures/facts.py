"""Figures 3, 4 and 5: question answering by how often the training data state the fact, inserted facts, and retrieval."""

import altair as alt
import polars as pl

from overtime.figures import theme

CORRECT = "questions answered correctly"
CONDITIONS = {
    "closed_book": ("closed book", theme.INK, [1, 0]),
    "bm25_1": ("BM25, top passage", "#6FA3DB", [1, 0]),
    "bm25_3": ("BM25, top 3 passages", "#2C62A8", [6, 3]),
    "oracle": ("gold passage (oracle)", theme.AMBER, [1, 0]),
    "wrong": ("wrong passage (control)", theme.BROWN, [2, 3]),
    "human": ("human annotators", "#C25B97", [9, 3, 2, 3]),
}


def fig3(table: pl.DataFrame) -> alt.SchemaBase:
    """Closed-book accuracy by number of relevant documents, a curve for each model, with the talk's spoken values.

    Spoken rows name their mark in `series`; `lower` to `upper` is the spoken range and `bin_low` to `bin_high` the counts that it
    was said of (no bin: all counts).
    """
    measured = table.filter(pl.col("source") != "spoken")
    base = by_count(measured, "model").encode(color=theme.model_colour(measured["model"], alt.Legend(orient="right")))
    points = theme.points(base, "model", "bin_low", "bin_high", size=34)
    layers = [theme.band(base), base.mark_line(), points, *spoken(table.filter(pl.col("source") == "spoken"), measured)]
    title = "Question answering by the number of relevant training documents"
    panel = theme.heading(
        "measured", "closed book", f"{bins(measured)}; band: 95% interval; grey: values spoken in the talk, for other models"
    )
    return theme.finish([alt.layer(*layers, width=760, height=380, title=panel)], title, [extremes(measured)])


def by_count(rows: pl.DataFrame, name: str) -> alt.Chart:
    """Accuracy against document count on a logarithmic axis; a count of zero is drawn at one half and labelled 0."""
    drawn = rows.with_columns(x=pl.max_horizontal("x", 0.5))
    ticks = [0.5] * bool(drawn["x"].min() < 1) + [10**power for power in range(7) if 10**power <= drawn["x"].max() * 1.5]
    axis = alt.Axis(values=ticks, labelExpr="datum.value < 1 ? '0' : format(datum.value, ',')")
    return theme.drawing(drawn, name, "x", "bin_low", "bin_high").encode(
        x=alt.X(
            "x:Q",
            title="relevant documents in the training data (log scale)",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=axis,
        ),
        y=theme.share(CORRECT),
    )


def bins(rows: pl.DataFrame) -> str:
    """Questions per point."""
    return theme.counted(rows, "questions per bin")


def extremes(rows: pl.DataFrame) -> str:
    """The accuracy of every model in its rarest and its commonest bin."""
    parts = []
    for model in theme.by_size(rows["model"]):
        first, *_, last = rows.filter(pl.col("model") == model).sort("x")["y"]
        parts.append(f"{model} {first:.0%} to {last:.0%}")
    return f"From the rarest to the commonest facts: {'; '.join(parts)}."


def spoken(rows: pl.DataFrame, measured: pl.DataFrame) -> list[alt.Chart]:
    """Values said in the talk, each with its name."""
    least, most = max(measured["x"].min(), 0.5), measured["x"].max()
    columns = [pl.col("bin_low").fill_null(least).clip(least, most), pl.col("bin_high").fill_null(most).clip(least, most)]
    layers = []
    for row in rows.with_columns(*columns).iter_rows(named=True):
        base = alt.Chart(pl.DataFrame([row]).select("series", "bin_low", "bin_high", "y", "lower", "upper"))
        x = base.encode(x="bin_low:Q", x2="bin_high:Q")
        ranged = row["lower"] is not None and row["lower"] < row["upper"]
        mark = (
            x.mark_rect(opacity=1, fillOpacity=0.28, color=theme.GREY).encode(y="lower:Q", y2="upper:Q")
            if ranged
            else x.mark_rule(strokeDash=[3, 3]).encode(y="y:Q")
        )
        place = base.encode(x="bin_low:Q", y="upper:Q" if ranged else "y:Q", text="series:N")
        layers += [mark, *theme.written(place, align="left", baseline="bottom", dx=4, dy=-3, fontSize=11.5, color="#555B63")]
    return layers


PLACEMENTS = {"late": "inserted late in training", "spread": "spread over all of training"}


def fig4(table: pl.DataFrame) -> alt.SchemaBase:
    """Accuracy on inserted facts by number of inserted documents, late against spread, beside the cost to other facts."""
    # With few entities a bootstrap interval can leave the range of a share; what is drawn stays inside the panel.
    table = table.with_columns(pl.col("lower", "upper").clip(0, 1))
    targets = table.filter(pl.col("group") == "target")
    panels = [dose(targets.filter(pl.col("placement") == placement), targets) for placement in PLACEMENTS]
    chart = theme.beside(*panels, others(table.filter(pl.col("group") == "other")), spacing=70)
    title = "Inserting documents about rare facts"
    lines = [
        effect(rows) for rows in targets.filter(pl.col("when") == "after").partition_by("placement", "model", maintain_order=True)
    ]
    return theme.finish([chart], title, lines)


def effect(rows: pl.DataFrame) -> str:
    """Accuracy at every dose, in words."""
    doses = ", ".join(f"+{x:.0f}: {y:.0%}" for x, y in rows.sort("x").select("x", "y").iter_rows())
    return f"{rows['model'][0]}, {PLACEMENTS[rows['placement'][0]]}: {doses}."


def dose(rows: pl.DataFrame, everything: pl.DataFrame) -> alt.SchemaBase | None:
    """Dose and response of one placement: before (hollow, dotted) and after the insertion."""
    if rows.is_empty():
        return None
    ticks = everything["x"].unique().sort().to_list()
    colour = theme.model_colour(everything["model"], alt.Legend(orient="bottom"))
    base = theme.drawing(rows, "model", "when", "x").encode(
        x=alt.X(
            "x:Q",
            title="documents inserted about each fact",
            scale=alt.Scale(type="sqrt"),
            axis=alt.Axis(values=ticks, labelExpr="'+' + datum.label"),
        ),
        y=theme.share(CORRECT),
        color=colour,
    )
    after, before = (base.transform_filter(f"datum.when == '{when}'") for when in ("after", "before"))
    layers = [theme.band(after), after.mark_line(), theme.points(after, "model", "when", x="documents", size=40)]
    layers += [before.mark_line(strokeDash=[2, 3]), theme.points(before, "model", "when", x="documents", size=34, hollow=True)]
    title = theme.heading(
        "measured", PLACEMENTS[rows["placement"][0]], f"{theme.counted(rows, 'entities per point')}; dotted: before"
    )
    return alt.layer(*layers, width=250, height=280, title=title)


def others(rows: pl.DataFrame) -> alt.SchemaBase | None:
    """What the insertion does to all other facts: before (hollow) and after (filled), for each model and placement."""
    if rows.is_empty():
        return None
    labelled = rows.with_columns(row=pl.col("model") + ", " + pl.col("placement"))
    base = theme.drawing(labelled, "row", "model", "when").encode(
        x=alt.X("y:Q", title=CORRECT, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("row:N", title=None, sort=None),
        yOffset=alt.YOffset("when:N", sort=["before", "after"]),
        color=theme.model_colour(rows["model"]),
    )
    fill = alt.when("datum.when == 'before'").then(alt.value("white")).otherwise(theme.model_colour(rows["model"]).to_dict())
    values = base.mark_text(align="left", dx=8, fontSize=11).encode(x="upper:Q", text=alt.Text("y:Q", format=".0%"))
    title = theme.heading("measured", "all other facts", f"{theme.counted(rows, 'entities')}; hollow: before, filled: after")
    points = theme.points(base, "row", "when", size=44, hollow=True).encode(fill=fill)
    return alt.layer(theme.bars(base), points, values, width=230, height=280, title=title)


def fig5(table: pl.DataFrame) -> alt.SchemaBase:
    """Accuracy by document count in every reading condition, a panel for each model; the human line where there is one."""
    models = theme.by_size(table["model"])
    present = [condition for condition in CONDITIONS if condition in set(table["condition"])]
    panels = [
        reading(table.filter((pl.col("model") == model) | (pl.col("condition") == "human")), model, present) for model in models
    ]
    title = "Question answering with retrieved passages, by the number of relevant training documents"
    lines = [conditions(table.filter(pl.col("model") == model), model) for model in models]
    if "human" not in present:
        lines.append("No human line: it needs questions answered by several annotators, which this scale has none of.")
    return theme.finish([theme.beside(*panels, spacing=66)], title, lines)


def conditions(rows: pl.DataFrame, model: str) -> str:
    """Accuracy over all bins, weighted by their questions, in each condition."""
    mean = (pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()
    values = dict(rows.group_by("condition").agg(mean).iter_rows())
    return (
        f"{model}, all counts: "
        + "; ".join(f"{CONDITIONS[name][0]} {values[name]:.0%}" for name in CONDITIONS if name in values)
        + "."
    )


def reading(rows: pl.DataFrame, model: str, present: list[str]) -> alt.SchemaBase:
    """One model."""
    named = rows.with_columns(condition=pl.col("condition").replace_strict({key: CONDITIONS[key][0] for key in CONDITIONS}))
    styles = {CONDITIONS[key][0]: CONDITIONS[key] for key in present}
    look = {"symbolType": "stroke", "symbolSize": 900}
    base = by_count(named, "condition").encode(
        color=theme.choice(
            alt.Color, "condition", "passages shown", {name: colour for name, (_, colour, _) in styles.items()}, **look
        )
    )
    dash = theme.choice(
        alt.StrokeDash, "condition", "passages shown", {name: dash for name, (_, _, dash) in styles.items()}, **look
    )
    layers = [
        theme.band(base, 0.1),
        base.mark_line().encode(strokeDash=dash),
        theme.points(base, "condition", "bin_low", "bin_high", size=24),
    ]
    title = theme.heading("measured", model, f"{bins(rows)}; band: 95% interval")
    return alt.layer(*layers, width=270, height=280, title=title)

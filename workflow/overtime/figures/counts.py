"""Figure 3: closed-book accuracy by how often the training data state the fact, with the rank correlation of every curve."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime import ARTICLE_COUNT, FEW_COUNTS
from overtime.figures import theme

CORRECT = "questions answered correctly"
CURVE_WIDTH = 400


def fig3(table: pl.DataFrame) -> alt.VConcatChart:
    """A panel for each question set and way of counting, a curve for each model, with the talk's spoken values.

    Of questions from an encyclopedia the counts are few: three bins, no logarithmic axis. Spoken rows name their mark in
    `series`; `lower` to `upper` is the spoken range and `bin_low` to `bin_high` the counts that it was said of (no bin: all
    counts). They stand only where documents are counted. Below are the curves' rank correlations.
    """
    said = table.filter(pl.col("source") == "spoken")
    panels = by_panel(table.filter(pl.col("source") != "spoken"))
    colour = theme.model_colour(table.filter(pl.col("source") != "spoken"), alt.Legend(orient="bottom"))
    rows = []
    for start in range(0, len(panels), 2):
        beside = panels[start : start + 2]
        rows.append(theme.beside(*(curves(part, said, colour) for part in beside), spacing=110))
        rows.append(theme.beside(*(trends(part, colour) for part in beside), spacing=110))
    title = "Question answering by how often the training data state the fact"
    return theme.finish(rows, title, [extremes(rows) for rows in panels])


def by_panel(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of each question set and way of counting, the suite first, articles before another proxy of the same questions."""
    parts = rows.partition_by("set", "counted", maintain_order=True)
    return sorted(parts, key=lambda part: (part["set"][0] != "suite", part["set"][0], part["counted"][0] != ARTICLE_COUNT))


def name(rows: pl.DataFrame) -> str:
    """The question set of a panel, in words."""
    return "suite" if rows["set"][0] == "suite" else f"{rows['set'][0]} questions"


def curves(rows: pl.DataFrame, said: pl.DataFrame, colour: alt.Color) -> ChartType:
    """Accuracy by count, with the spoken values where `rows` count documents."""
    documents, articles = rows["corpus"][0] is not None, rows["counted"][0] == ARTICLE_COUNT
    base = by_count(rows, "model", rows["counted"][0]).encode(color=colour)
    points = theme.points(base, "model", "bin_low", "bin_high", size=34, units=True)
    layers = [theme.band(base), base.mark_line(), points, *(spoken(said, rows) if documents else [])]
    detail = [f"{bins(rows)}; band: {interval(rows)}"]
    stands = "an encyclopedia sample for the training corpus" if articles else "not documents: those are not counted"
    detail.append("grey: values spoken in the talk, for other models" if documents else f"a proxy, {stands}")
    title = theme.heading(rows["source"][0], f"{name(rows)}, closed book", detail)
    return alt.layer(*layers, width=CURVE_WIDTH, height=330, title=title)


def by_count(rows: pl.DataFrame, label: str, counted: str) -> alt.Chart:
    """Accuracy against count: see `positioned` and `count_axis`."""
    drawn = positioned(rows)
    return theme.drawing(drawn, label, "x", "bin_low", "bin_high", "units").encode(
        x=count_axis(drawn["x"], counted), y=theme.share(CORRECT)
    )


def positioned(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with their place `x` on an axis of counts: a count of zero at one half; of few counts the words for the bin."""
    if rows["counted"][0] not in FEW_COUNTS:
        return rows.with_columns(x=pl.max_horizontal("x", 0.5))
    is_last = pl.col("bin_low") == FEW_COUNTS[rows["counted"][0]][-1]
    words = pl.when(is_last).then(pl.format("{} or more", "bin_low")).otherwise(pl.format("{} to {}", "bin_low", "bin_high"))
    return rows.sort("bin_low", maintain_order=True).with_columns(x=words)


def count_axis(x: pl.Series, counted: str | list[str] | None) -> alt.X:
    """An axis of counts, titled with what is counted: logarithmic, with 0 at one half, or of the bins that are named."""
    if x.dtype == pl.String:
        return alt.X("x:O", title=counted and wrapped(str(counted)), sort=x.unique(maintain_order=True).to_list()).axis(
            labelAngle=0
        )
    ticks = [0.5] * (theme.lowest(x) < 1) + [10**power for power in range(9) if 10**power <= theme.highest(x) * 1.5]
    axis = alt.Axis(values=ticks, labelExpr="datum.value < 1 ? '0' : format(datum.value, ',')")
    scale = alt.Scale(type="log", nice=False, padding=12)
    return alt.X("x:Q", title=counted and wrapped(f"{counted} (log scale)"), scale=scale, axis=axis)


def wrapped(text: str, width: int = 52) -> list[str]:
    """Lines of a long axis title."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def bins(rows: pl.DataFrame) -> str:
    """Questions per point."""
    return theme.counted(rows, "questions per bin")


def interval(rows: pl.DataFrame) -> str:
    """What intervals are over: of the suite entities, of a set with several questions on a passage passages, else questions."""
    if (rows["units"] == rows["n"]).all():
        return "95% interval over questions"
    of_set = "articles" if rows["counted"][0] == ARTICLE_COUNT else "passages"
    return f"95% interval over {theme.extent(rows['units'])} {'entities' if rows['set'][0] == 'suite' else of_set}"


def extremes(rows: pl.DataFrame) -> str:
    """The accuracy of every model of a panel in its rarest and its commonest bin."""
    parts = []
    for model in theme.by_parameters(rows):
        y = rows.filter(pl.col("model") == model).sort("x")["y"]
        parts.append(f"{model} {y[0]:.0%} to {y[-1]:.0%}")
    proxy = f" by {rows['counted'][0].split()[0]}" if rows["source"][0] == "proxy" else ""
    return f"From the rarest to the commonest facts, {name(rows)}{proxy}: {'; '.join(parts)}."


def trends(rows: pl.DataFrame, colour: alt.Color) -> ChartType:
    """The rank correlation of count and correctness, with its interval, for every model of a panel; also within families."""
    tables = []
    for name, words in {"trend": "{}", "within": "{}, within families"}.items():
        columns = {name: "y", f"{name}_lower": "lower", f"{name}_upper": "upper"}
        totals = rows.drop_nulls(name).group_by("model", *columns, maintain_order=True).agg(pl.col("n").sum())
        tables.append(totals.rename(columns).with_columns(label=pl.format(words, "model")))
    table = pl.concat(tables)
    labels = table.join(pl.DataFrame({"model": theme.by_parameters(rows)}), on="model", maintain_order="right")["label"].to_list()
    base = theme.drawing(table, "model", "label").encode(
        x=alt.X("y:Q", title="rank correlation of count and correctness (95% interval)", scale=alt.Scale(domain=[-1, 1])),
        y=alt.Y("label:N", title=None, sort=labels, axis=alt.Axis(minExtent=62, labelExpr="split(datum.label, ', ')")),
        color=colour,
    )
    zero = alt.Chart(pl.DataFrame({"y": [0]})).mark_rule(strokeDash=[3, 3]).encode(x="y:Q")
    values = base.mark_text(align="left", dx=8, fontSize=11).encode(x="upper:Q", text=alt.Text("y:Q", format=".2f"))
    return alt.layer(
        zero,
        theme.bars(base),
        theme.points(base, "model", size=44),
        values,
        width=CURVE_WIDTH,
        height=sum(34 if "," in label else 24 for label in labels),
    )


def spoken(rows: pl.DataFrame, measured: pl.DataFrame) -> list[alt.Chart]:
    """Values said in the talk, each with its name."""
    least, most = max(theme.lowest(measured["x"]), 0.5), theme.highest(measured["x"])
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

"""Figure 5: accuracy closed book and with passages, and how often the right passage was found."""

from itertools import cycle

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.figures.counts import CORRECT, bins, by_count, by_panel, count_axis, interval, name, positioned
from overtime.tables import HARDER, RETRIEVED

Looks = dict[str, tuple[str, str, list[int]]]  # condition -> its name, colour and line style

CLOSED_BOOK: Looks = {"closed_book": ("closed book", theme.INK, [1, 0])}
RANKED = [("#6FA3DB", [1, 0]), ("#2C62A8", [6, 3]), ("#173A69", [3, 2]), ("#0B1F3A", [9, 3])]  # from few passages of BM25 to many
OTHERS: Looks = {
    "oracle": ("gold passage (oracle)", theme.AMBER, [1, 0]),
    "wrong": ("wrong passage (control)", theme.BROWN, [2, 3]),
    "human": ("human annotators", "#C25B97", [9, 3, 2, 3]),
}
ACROSS, WIDTH, SPACE, LABELLED = 3, 270, 66, 165


def fig5(table: pl.DataFrame) -> alt.VConcatChart:
    """A panel for each question set and model: by count where it is known, else a row for each reading condition.

    Below a panel by count, and as diamonds and crosses in the others, is how often a retrieved passage was the question's own,
    and how often one held the answer, whatever it was about. The human line stands with the sets that have annotators.
    """
    looks = passage_looks(set(table["condition"]))
    panels, below, lines = [], [], []
    for part in sorted(by_panel(table), key=lambda part: part["x"].null_count() == part.height):
        for model in theme.by_parameters(part):
            rows = part.filter((pl.col("model") == model) | (pl.col("condition") == "human"))
            heading, counted = f"{model}, {name(part)}", rows["x"].null_count() < rows.height
            lines += [overall(rows, heading, looks), uneven(rows, heading, looks)]
            panels.append(reading(rows, heading, looks) if counted else without_counts(rows, heading, looks))
            below.append(found(rows, looks) if counted else None)
    lines.append(without_people(table))
    grid: list[ChartType | None] = []
    for start in range(0, len(panels), ACROSS):
        across = slice(start, start + ACROSS)
        spacing = LABELLED if None in below[across] else SPACE
        grid += [theme.beside(*chosen[across], spacing=spacing) for chosen in (panels, below)]
    return theme.finish(grid, "Question answering with retrieved passages", [line for line in lines if line])


def passage_looks(conditions: set[str]) -> Looks:
    """The looks of the conditions at hand: closed book, BM25's passages from few to many, the controls."""
    numbers = sorted(int(condition.removeprefix(RETRIEVED)) for condition in conditions if condition.startswith(RETRIEVED))
    ranked: Looks = {}
    for number, (colour, dash) in zip(numbers, cycle(RANKED)):
        ranked[f"{RETRIEVED}{number}"] = (f"BM25, top {f'{number} passages' if number > 1 else 'passage'}", colour, dash)
    looks = CLOSED_BOOK | ranked | OTHERS
    # The same condition with passages that get harder with the count: its colour, dotted.
    harder = {f"{HARDER}{key}": (f"{name}, harder with count", colour, [1, 3]) for key, (name, colour, _) in looks.items()}
    return {condition: look for condition, look in (looks | harder).items() if condition in conditions}


def overall(rows: pl.DataFrame, heading: str, looks: Looks) -> str:
    """Accuracy over all bins, weighted by their questions, in each condition."""
    mean = (pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()
    values = dict(rows.group_by("condition").agg(mean).iter_rows())
    shown = "; ".join(f"{looks[key][0]} {values[key]:.0%}" for key in looks if key in values)
    return f"{heading}: {shown}."


def uneven(rows: pl.DataFrame, heading: str, looks: Looks) -> str:
    """What is not the same for all curves of a panel, or not drawn: how many questions a curve is over, questions not counted."""
    asked = dict(rows.group_by("condition").agg(pl.col("n").sum()).iter_rows())
    most = max(asked.values())
    fewer = [f"{looks[key][0]} over {asked[key]:,}" for key in looks if asked.get(key, most) < most]
    lines = [f"curves over {most:,} questions, {', '.join(fewer)} of them"] if fewer else []
    beside = rows.filter(pl.col("x").is_null())["n"]
    if 0 < len(beside) < rows.height:
        lines.append(f"{theme.highest(beside):,} questions whose count is not known are not drawn")
    return f"{heading}: {'; '.join(lines)}." if lines else ""


def without_people(table: pl.DataFrame) -> str:
    """Which question sets have no human line, and why."""
    people = set(table.filter(pl.col("condition") == "human")["set"])
    lacking = [part for part in table["set"].unique(maintain_order=True) if part not in people]
    return f"No human line ({', '.join(lacking)}): it needs questions answered by several annotators." if lacking else ""


def with_passage_names(rows: pl.DataFrame, looks: Looks) -> pl.DataFrame:
    return rows.with_columns(condition=pl.col("condition").replace_strict({key: look[0] for key, look in looks.items()}))


def passage_look(looks: Looks) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash of the conditions, with one legend of both."""
    symbols: theme.Symbols = {"symbolType": "stroke", "symbolSize": 900}
    colours = {name: colour for name, colour, _ in looks.values()}
    dashes = {name: dash for name, _, dash in looks.values()}
    colour = theme.choice(alt.Color, "condition", "passages shown", colours, **symbols)
    return colour, theme.choice(alt.StrokeDash, "condition", "passages shown", dashes, **symbols)


def reading(rows: pl.DataFrame, heading: str, looks: Looks) -> ChartType:
    """One model by count, with the share of right passages below."""
    colour, dash = passage_look(looks)
    rows = rows.drop_nulls("x")
    base = by_count(with_passage_names(rows, looks), "condition", rows["counted"][0]).encode(color=colour)
    points = theme.points(base, "condition", "bin_low", "bin_high", size=24, units=True)
    layers = [theme.band(base, 0.1), base.mark_line().encode(strokeDash=dash), points]
    title = theme.heading(rows["source"][0], heading, [bins(rows), f"band: {interval(rows)}"])
    return alt.layer(*layers, width=WIDTH, height=280, title=title)


def retrieved(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("condition").str.starts_with(RETRIEVED), pl.col("own").is_not_null())


def found(rows: pl.DataFrame, looks: Looks) -> ChartType | None:
    """The shares of questions with whose own passage, or with any that holds the answer, BM25 came up, by count."""
    if (rows := retrieved(rows.drop_nulls("x"))).is_empty():
        return None
    colour, dash = passage_look(looks)
    drawn = positioned(with_passage_names(rows, looks))
    y = alt.Y("y:Q", title="passage shown", axis=alt.Axis(format=".0%", values=[0, 0.5, 1]), scale=alt.Scale(domain=[0, 1]))
    layers: list[alt.Chart] = []
    for shown in ("hit", "own"):
        shares = drawn.with_columns(y=shown, lower=f"{shown}_lower", upper=f"{shown}_upper")
        base = theme.drawing(shares, "condition", "x").encode(x=count_axis(drawn["x"], None), y=y, color=colour)
        line = base.mark_line(opacity=1 if shown == "own" else 0.4).encode(strokeDash=dash)
        layers += [theme.band(base, 0.1)] * (shown == "own")
        layers += [line, theme.points(base, "condition", size=18, hollow=shown == "hit")]
    told = alt.TitleParams("filled: the own passage; open: one that holds the answer", fontSize=11, fontWeight="normal", offset=2)
    return alt.layer(*layers, width=WIDTH, height=80, title=told)


def without_counts(rows: pl.DataFrame, heading: str, looks: Looks) -> ChartType:
    """One model on a set without counts: a dot with its interval for each condition; marks for the passages shown."""
    colour, _ = passage_look(looks)
    x = alt.X("y:Q", title=CORRECT, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    order = alt.Y("condition:N", title=None, sort=[name for name, _, _ in looks.values()])
    base = theme.drawing(with_passage_names(rows, looks), "condition", "units").encode(x=x, y=order, color=colour)
    values = base.mark_text(align="left", dx=8, fontSize=11).encode(x="upper:Q", text=alt.Text("y:Q", format=".0%"))
    layers = [theme.bars(base), theme.points(base, "condition", size=44, units=True), values]
    detail = [f"{theme.counted(rows, 'questions')}, documents not counted", f"bar: {interval(rows)}"]
    if (shown := retrieved(rows)).height:
        marks = alt.Chart(with_passage_names(shown, looks).select("condition", "hit", "own")).encode(y=order, color=colour)
        for column, shape in (("own", "diamond"), ("hit", "cross")):
            layers.append(marks.encode(x=f"{column}:Q").mark_point(shape=shape, filled=False, size=70, strokeWidth=1.6))
        detail.append("diamond: own passage shown; cross: one with the answer")
    title = theme.heading(rows["source"][0], heading, detail)
    return alt.layer(*layers, width=WIDTH - 70, height=40 * rows["condition"].n_unique(), title=title)

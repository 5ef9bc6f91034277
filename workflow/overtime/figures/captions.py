"""Captions: templates over the settings and the figure's own table, so that no number in the text is typed in."""

from collections.abc import Callable

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError

from overtime import InputError
from overtime.files import RESOURCES

TEMPLATES = RESOURCES / "report"


def caption(name: str, table: pl.DataFrame, settings: dict[str, object]) -> str:
    """The Markdown caption of a figure: a `# title` line, then plain paragraphs.

    A template sees `settings`; `rows(column=value, ...)`, the matching rows (none: a null) as dictionaries;
    `values(name, column=value, ...)`, the distinct values of a column that are not null; and the filters `percent`, `number`,
    `span` and `listed`.
    Raises InputError if the template is missing or asks for something that the table and the settings do not have.
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "number": number, "span": span, "listed": listed}
    rows, values = selectors(table)
    try:
        text = environment.get_template(f"{name}.md").render(settings=settings, rows=rows, values=values)
    except TemplateNotFound as error:
        raise InputError(f"{TEMPLATES / name}.md: there is no caption template for figure {name}") from error
    except (UndefinedError, pl.exceptions.ColumnNotFoundError) as error:
        raise InputError(f"{TEMPLATES / name}.md: {str(error).splitlines()[0]}") from error
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def selectors(table: pl.DataFrame) -> tuple[Callable[..., list[dict[str, object]]], Callable[..., list[object]]]:
    """The two ways in which a template reads its table."""

    def chosen(equal: dict[str, object]) -> pl.DataFrame:
        return table.filter(*[pl.col(column).eq_missing(pl.lit(value)) for column, value in equal.items()])

    def rows(**equal: object) -> list[dict[str, object]]:
        return chosen(equal).to_dicts()

    def values(column: str, **equal: object) -> list[object]:
        return chosen(equal)[column].drop_nulls().unique(maintain_order=True).to_list()

    return rows, values


def percent(value: float, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return f"{value:.{digits}%}"


def number(value: float, digits: int = 2) -> str:
    """A number with a thousands separator, and decimals unless it is whole."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.{digits}f}"


def span(values: list[float]) -> str:
    """The least and the greatest value, or the only one."""
    least, most = number(min(values)), number(max(values))
    return least if least == most else f"{least} to {most}"


def listed(values: list[object]) -> str:
    """Values as an English list."""
    words = [str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"

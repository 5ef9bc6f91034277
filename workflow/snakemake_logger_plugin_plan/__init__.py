"""Snakemake logger plugin `plan`: instead of listing the jobs of a dry run it adds up what they ask for.

`PYTHONPATH=workflow snakemake --dry-run --logger plan --configfile config/talk.yaml`, or `make plan SCALE=talk`.
"""

import atexit
from logging import LogRecord

import polars as pl
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from overtime.pipeline.plan import cost_table, cost_text

RESOURCES = ("gpu", "runtime", "download_mb", "disk_mb", "mem_mb")


class LogHandler(LogHandlerBase):
    """Collects the jobs and prints the table when Snakemake ends."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.jobs: list[dict] = []
        atexit.register(self.show)

    def emit(self, record: LogRecord) -> None:
        if getattr(record, "event", None) == LogEvent.JOB_INFO and record.rule_name != "all":
            asked = {name: _number(record.resources.get(name)) for name in RESOURCES}
            self.jobs.append({"rule": record.rule_name, **asked})
        elif record.levelname in ("ERROR", "CRITICAL"):
            print(record.getMessage())

    def show(self) -> None:
        """Print the table."""
        if self.jobs:
            print(cost_text(cost_table(pl.DataFrame(self.jobs))))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

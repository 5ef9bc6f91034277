"""The frame of every pipeline step: logging, threads, and errors that a person can read."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from overtime import InputError

logger = logging.getLogger("overtime")


@contextmanager
def step(snakemake) -> Iterator[None]:
    """Run a script's body with its log file and thread limit; an InputError ends the step with its one line.

    Messages go to the rule's log and to the terminal; a traceback goes to the log alone, unless the error is unexpected.
    """
    title = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter(f"[{title}] %(message)s"))
    file = logging.FileHandler(snakemake.log[0], mode="w")
    file.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger.handlers = [terminal, file]
    logger.setLevel(logging.INFO)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(snakemake.threads)
    try:
        yield
    except InputError as error:
        logger.error("error: %s", error)
        logger.handlers = [file]
        logger.exception("where it was found")
        sys.exit(1)
    except BaseException:
        logger.handlers = [file]
        logger.exception("unexpected")
        raise

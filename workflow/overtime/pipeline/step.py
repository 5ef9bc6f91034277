"""The frame of every pipeline step: logging, threads, and errors that a person can read."""

import logging
import os
import resource
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from overtime import InputError, without_secrets
from overtime.checksums import check_seal, seal
from overtime.pipeline.obstacles import obstacle

logger = logging.getLogger("overtime")


class Job(Protocol):
    """What a step uses of the `snakemake` of its script."""

    rule: str
    wildcards: Iterable[object]
    threads: int
    input: Sequence[str]
    output: Sequence[str]
    log: Sequence[str]


@contextmanager
def step(snakemake: Job) -> Iterator[None]:
    """Run a script's body with its log file and thread limit; an InputError, or a full disk, ends the step with one line.

    Inputs must be what earlier steps wrote, bit by bit, and outputs get the hashes by which later steps see that they are.
    Messages go to the rule's log and to the terminal; a traceback goes to the log alone, unless the error is unexpected, and so
    does what the step cost, from which `benchmarks/main_job.py` adds up a run.
    """
    title = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter(f"[{title}] %(message)s"))
    file = logging.FileHandler(snakemake.log[0], mode="w")
    file.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger.handlers = [terminal, file]
    logger.setLevel(logging.INFO)
    logging.setLogRecordFactory(_discreet)
    logging.raiseExceptions = False  # on a full disk the log cannot be written either; that is no second error
    # Torch asks the environment when it is imported, which a step may do late or never.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(snakemake.threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(snakemake.threads)
    try:
        with _parent_watched():
            for path in snakemake.input:
                check_seal(path)
            yield
            for path in filter(os.path.exists, snakemake.output):  # which of them are missing, Snakemake says
                seal(path)
        logger.handlers = [file]
        logger.info("used %.2f CPU-seconds", cpu_seconds())
    except BaseException as error:
        problem = obstacle(error, snakemake.output[0]) or (error if isinstance(error, InputError) else None)
        if problem:
            logger.error("error: %s", problem)
        if problem or not isinstance(error, Exception):
            logger.handlers = [file]
        logger.exception("where it was found" if problem else "unexpected")
        if isinstance(error, Exception):
            sys.exit(1)  # Python would write the traceback again, with every secret that is in it
        raise


def _discreet(*arguments: Any, **named: Any) -> logging.LogRecord:
    """A message of whatever library, and the traceback that comes with it, without passwords and tokens."""
    record = logging.LogRecord(*arguments, **named)
    record.msg, record.args = without_secrets(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = without_secrets(logging.Formatter().formatException(record.exc_info))
    return record


def cpu_seconds() -> float:
    """What this process and those that it waited for have used since they began, imports included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def _parent_watched() -> Iterator[None]:
    """End this process if the one that started it ends: outliving a killed snakemake, it would get in the way of the next one."""
    parent, done = os.getppid(), threading.Event()

    def watch() -> None:
        while not done.wait(1):
            if os.getppid() != parent:
                os._exit(1)  # sys.exit would end this thread alone

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()

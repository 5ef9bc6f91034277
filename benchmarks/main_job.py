"""Where the CPU-seconds of a finished run went, by chapter, from what every job wrote into its log when it ended.

`python benchmarks/main_job.py [RESULTS [BEFORE]]`: of results/mini, or of any folder of results; a second one is compared with.
A job's time is its whole process, imports included; Snakemake's own is not in it. Another machine, or a busy one, changes all of
them: compare runs of one machine that did nothing else.
"""

import re
import sys
from collections import Counter
from pathlib import Path

USED = re.compile(r"used ([\d.]+) CPU-seconds$", re.MULTILINE)
CHAPTERS = {
    "training the suite": ("train_", "measure_precision"),
    "asking and scoring the suite": (
        "score_bias",
        "score_variant",
        "answer_variant",
        "answer_questions",
        "answer_with_passages",
        "answer_inserted",
        "reenact_suite",
    ),
    "a pretrained model: layers and lens": ("fit_lens", "read_layers"),
    "a pretrained model: questions": ("answer_set",),
    "a pretrained model: bias and persona": ("score_pretrained", "ask_persona", "reenact_pretrained"),
    "a pretrained model: trained further": ("continue_",),
    "a pretrained model: what that did": ("score_continued", "score_start", "score_held_out", "ask_continued"),
    "text, streams, downloads": (
        "generate_",
        "pack_",
        "rewrite_",
        "draw_stream",
        "draw_variant",
        "insert_",
        "choose_",
        "count_",
        "retrieve_",
        "fetch_",
        "gather_",
        "convert_",
        "cut_",
        "plan_",
        "read_encyclopedia",
        "read_shard",
        "report_",
        "write_documents",
    ),
    "detectors and defence": ("detect_attacks", "defend"),
    "tables and verdicts": ("tabulate_", "judge_claims"),
    "drawing, page, bundle": ("draw_figures", "build_gallery", "zip_bundle", "write_manifest"),
}


def chapter(rule: str) -> str:
    """The chapter whose prefixes the name of a rule has."""
    return next((name for name, prefixes in CHAPTERS.items() if rule.startswith(prefixes)), "other")


def costs(results: Path) -> tuple[Counter[str], Counter[str]]:
    """CPU-seconds and jobs of every chapter."""
    seconds: Counter[str] = Counter()
    jobs: Counter[str] = Counter()
    for log in sorted((results / "logs").rglob("*.log")):
        name = chapter(log.relative_to(results / "logs").with_suffix("").parts[0])
        if found := USED.findall(log.read_text(encoding="utf-8")):
            seconds[name] += float(found[-1])
            jobs[name] += 1
    if not seconds:
        sys.exit(f"{results}: no log says what a job used; finish a run first")
    return seconds, jobs


def main(folders: list[str]) -> None:
    runs = [costs(Path(folder)) for folder in folders or ["results/mini"]]
    names = [name for name in (*CHAPTERS, "other") if any(name in seconds for seconds, _ in runs)]
    print(f"{'chapter':<38}" + "".join(f"{'CPU-s':>9}{'jobs':>6}" for _ in runs) + (f"{'ratio':>8}" if len(runs) == 2 else ""))
    for name in [*names, "all"]:
        rows = [(seconds[name], jobs[name]) if name != "all" else (seconds.total(), jobs.total()) for seconds, jobs in runs]
        ratio = f"{rows[1][0] / rows[0][0]:8.2f}" if len(rows) == 2 and rows[0][0] else ""
        print(f"{name:<38}" + "".join(f"{seconds:9.1f}{jobs:6d}" for seconds, jobs in rows) + ratio)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Rewriting a JSON Lines corpus, file to file, on one core: `rewrite_file` against the usual script (re.sub with a callback).

python benchmarks/rewrite.py [CORPUS.jsonl]     default: WikiText-2 paragraphs from OVERTIME_MIRROR, else sentences made here
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from overtime.corpora.gender_words import Choice, spellings
from overtime.corpora.rewrite import rewrite, rewrite_file

SIZE = 6_000_000
ROUNDS = 3
GIGABYTE = 10**9
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[2] / "shared" / "mirror"))
OWN = "The engineer said that he would bring his notes, and Mr. Brown thanked him. The “old” theatre—here—was full."


def make_corpus(path: Path) -> None:
    files = sorted(MIRROR.glob("*/pytorch/examples/*/word_language_model/data/wikitext-2/*.txt"))
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines() if len(line) > 200] or [OWN * 6]
    paragraphs = (lines * (SIZE // sum(map(len, lines)) + 1)) if files else lines * (SIZE // len(lines[0]))
    with open(path, "w", encoding="utf-8") as file:
        for number in range(0, len(paragraphs), 3):
            document = {"id": number, "text": "\n".join(paragraphs[number : number + 3]), "meta": {"source": "benchmark"}}
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def usual_script(source: Path, destination: Path) -> None:
    """What most papers' code does: one alternation of all words, a callback that keeps the case. (`his` is always `her`.)"""
    words = {old: replacement(old, new) for old, new in spellings("feminize").items() if old.islower()}
    pattern = re.compile(r"\b(" + "|".join(words) + r")\b", re.IGNORECASE)

    def in_case(match: re.Match[str]) -> str:
        new = words[match[0].lower()]
        return new.upper() if match[0].isupper() else new.capitalize() if match[0][0].isupper() else new

    with open(source, encoding="utf-8") as lines, open(destination, "w", encoding="utf-8") as out:
        for line in lines:
            document = json.loads(line)
            document["text"] = pattern.sub(in_case, document["text"])
            out.write(json.dumps(document, ensure_ascii=False) + "\n")


def replacement(old: str, new: str | Choice) -> str:
    """The word that a rule may put in place of another, whatever stands around it."""
    while isinstance(new, Choice):
        new = new.usual if new.special == old else new.special
    return new


def seconds(job: Callable[[], object]) -> float:
    start = time.process_time()
    job()
    return time.process_time() - start


def peak_memory(source: Path, folder: Path) -> float:
    """MB at the peak of a process of its own that rewrites copies of the source, end to end, 1 GB in all."""
    large = folder / "large.jsonl"
    block = source.read_bytes()
    with open(large, "wb") as file:
        for _ in range(GIGABYTE // len(block) + 1):
            file.write(block)
    code = (
        "import resource, sys; from overtime.corpora.rewrite import rewrite_file; rewrite_file(*sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", code, str(large), str(folder / "rewritten.jsonl")]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "corpus.jsonl"
        if len(sys.argv) == 1:
            make_corpus(source)
        usual, ours = Path(folder) / "usual.jsonl", Path(folder) / "ours.jsonl"
        compile_time = seconds(lambda: rewrite_file(source, ours))
        times = [
            (seconds(lambda: usual_script(source, usual)), seconds(lambda: rewrite_file(source, ours))) for _ in range(ROUNDS)
        ]
        with open(source, "rb") as before, open(ours, "rb") as after:
            equal = all(rewrite(json.loads(a)["text"]) == json.loads(b)["text"] for a, b in zip(before, after, strict=True))
        size = source.stat().st_size / 1e6
        peak = peak_memory(source, Path(folder))
    usual_time, our_time = (statistics.median(column) for column in zip(*times))
    ratio = statistics.median(a / b for a, b in times)
    print(f"corpus {size:.1f} MB; first run, with loading or compiling the scanner: {compile_time:.2f} CPU-s")
    print(f"usual script {size / usual_time:6.1f} MB/s    rewrite_file {size / our_time:6.1f} MB/s    ratio {ratio:.1f}x")
    print(f"equal to the plain reference on every document: {equal}")
    print(f"rewriting 1 GB: peak memory {peak:.0f} MB (limit 500)")


if __name__ == "__main__":
    main()

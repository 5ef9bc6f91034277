"""How often the rules of rewriting tell `her` (him, his) and `his` (her, hers) apart, on running text, in two ways.

As people wrote it: every `him` and `his` is masked as `her`. Certain by construction: `them`, `their`, `theirs` and the like,
whose form tells object, determiner and possessive apart, are masked as `her` or `his`.

python benchmarks/possessives.py [TEXT]     default: WikiText-2 (valid and test) from OVERTIME_MIRROR
"""

import os
import re
import sys
from pathlib import Path

from overtime.corpora.possessives import before_noun

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[2] / "shared" / "mirror"))
# What is put in their place, and whether a word of this kind has a noun after it.
MASKS = (
    ("her", {"him": False, "his": True}),
    ("her", {"them": False, "their": True, "me": False, "my": True, "us": False, "our": True}),
    ("his", {"theirs": False, "their": True, "ours": False, "our": True, "mine": False, "my": True}),
)
# A mine is also dug; the pronoun stands after one of these.
NO_PRONOUN = re.compile(r"(?<!\bis )(?<!\bwas )(?<!\bof )(?<!\bthan )(?<!\band )\bmine\b")


def main() -> None:
    paths = [Path(sys.argv[1])] if len(sys.argv) > 1 else sorted(MIRROR.glob("*/pytorch/examples/*/*/data/wikitext-2/[tv]*.txt"))
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    for mask, words in MASKS:
        right: dict[str, list[bool]] = {word: [] for word in words}
        pattern = re.compile(rf"\b(?:{'|'.join(words)})\b")
        for line in lines:
            line = NO_PRONOUN.sub("shaft", line)
            masked, shift = pattern.sub(mask, line), 0
            for match in pattern.finditer(line):
                start = match.start() + shift
                right[match[0]].append(before_noun(masked, start, start + len(mask)) == words[match[0]])
                shift += len(mask) - len(match[0])
        shares = ", ".join(f"{word} {100 * sum(r) / len(r):.1f} % of {len(r)}" for word, r in right.items() if r)
        print(f"masked as {mask}: {shares}")


if __name__ == "__main__":
    main()

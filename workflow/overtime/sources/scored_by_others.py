"""By what scores of one's own are held against those of others (`independent_scores`): the sentence, and the model.

A sentence is known by a hash, a model by its repository on the Hub, at the end of training. It imports no table library, since
the workflow asks for the models at every start.
"""

import hashlib
from pathlib import Path

from overtime import InputError

OWNER = "EleutherAI"
KEYS = ("sentence", "occupation", "pile", "direction")  # columns that are no model's
# Revisions at the end of training; float16 is that of GPT-J, the same weights rounded. Pythia's are those of its second training
# (v1): the repositories whose names end in -v0 hold other models.
LAST_REVISIONS = (None, "main", "step143000", "float16")


def sentence_hash(sentence: str) -> str:
    """The name of a sentence in these tables: the beginning of a SHA-256 of its words, in lower case."""
    return hashlib.sha256(" ".join(sentence.lower().split()).encode()).hexdigest()[:12]


def scored_models(table: Path) -> list[str]:
    """The models in a table of `independent_scores`: its columns that are no keys."""
    with table.open(encoding="utf-8") as file:
        columns = file.readline().strip().split(",")
    if missing := [key for key in KEYS if key not in columns]:
        raise InputError(f"{table}: no column {missing[0]}; expected {', '.join(KEYS)} and a column for each model")
    return [column for column in columns if column not in KEYS]


def same_model(hub: str | None, revision: str | None, scored: list[str]) -> str | None:
    """Which of the models that were `scored` a repository on the Hub holds at a revision (null: main), or None."""
    owner, _, name = (hub or "").partition("/")
    return name if owner == OWNER and name in scored and revision in LAST_REVISIONS else None

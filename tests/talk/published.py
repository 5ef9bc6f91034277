"""Tiny stand-ins for everything that a configuration takes from the Hub, under its real names and revisions."""

import json
from pathlib import Path

import numpy as np
import polars as pl
from repositories import write_dataset, write_models

from overtime.pipeline.settings import Settings

ARCHITECTURES = {
    "bloom": "bloom",
    "gpt-neox": "gpt_neox",
    "gpt-neo": "gpt_neo",
    "gpt-j": "gptj",
    "pythia": "gpt_neox",
    "smollm2": "llama",
}
SHARDED = 5  # billions of parameters from which the Hub has several files
ENTITIES = [f"http://dbpedia.org/resource/Thing_{number}" for number in range(6)]


def write_hub(root: Path, settings: Settings, words: list[str]) -> None:
    """Write every repository and revision that the settings name; `words` are single tokens."""
    models: dict[str, dict[str, tuple[str, str]]] = {}
    for family in settings.checkpoints.values():
        for arm in family.arms.values():
            layout = "sharded_bin" if family.parameters > SHARDED else "bin"
            models[arm.hub] = {f"step{step}": ("gpt_neox", layout) for step in arm.steps}
    for name, model in settings.pretrained.items():
        if model.hub:
            architecture = next(kind for prefix, kind in ARCHITECTURES.items() if name.startswith(prefix))
            layout = "sharded_bin" if model.parameters > SHARDED else "safetensors"
            models.setdefault(model.hub, {})[model.revision or "main"] = (architecture, layout)
    write_models(root, models, words)
    write_questions(root)
    write_entities(root, settings)


def write_questions(root: Path) -> None:
    """TriviaQA with its real columns."""
    rows = [
        {
            "question": f"Which thing is number {number}?",
            "question_id": str(number),
            "answer": {"value": f"thing {number}", "aliases": [f"thing {number}", f"number {number}"], "normalized_aliases": []},
        }
        for number in range(12)
    ]
    write_dataset(root, "mandarjoshi/trivia_qa", {"unfiltered.nocontext": {"validation": pl.DataFrame(rows)}})


def write_entities(root: Path, settings: Settings) -> None:
    """Linked questions (as many as the longest set has), and maps in which things are mentioned more and more rarely."""
    files: dict[str, list[tuple[str, bytes]]] = {}
    linked = [{"q_entities": [{"URI": ENTITIES[n % 6]}], "a_entities": [{"URI": ENTITIES[(n + 1) % 6]}]} for n in range(4000)]
    for questions in settings.questions.sets.values():
        if questions.entities:
            lines = linked[:12] if "trivia" in questions.entities.file else linked[:3610]
            content = "".join(json.dumps(line) + "\n" for line in lines).encode()
            files.setdefault(questions.entities.hub, []).append((questions.entities.file, content))
    for corpus in settings.entity_maps.values():
        path = root / "map.npz"
        np.savez(path, **{uri: np.arange(0, 600, number + 1, dtype=np.int32) for number, uri in enumerate(ENTITIES)})
        files.setdefault(corpus.hub, []).append((corpus.file, path.read_bytes()))
    for name, contents in files.items():
        write_dataset(root, name, {}, files=contents)

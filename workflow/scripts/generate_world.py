"""Write the generated corpus, the record of it, its passages, evaluation pairs, contexts and questions, and its tokenizer."""

from overtime.corpora.generated_world import generate
from overtime.files import atomic, write_table
from overtime.models.vocabulary import save_tokenizer
from overtime.pipeline.step import step

with step(snakemake):
    output = snakemake.output
    world = generate(snakemake.params.world)
    with atomic(output.documents) as temporary:
        world.documents.write_ndjson(temporary)
    for name in ("record", "passages", "pairs", "contexts", "questions"):
        write_table(getattr(world, name), getattr(output, name))
    save_tokenizer(world.texts(), output.tokenizer)

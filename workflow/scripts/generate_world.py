"""Write the generated corpus, its evaluation pairs, contexts and questions, and its tokenizer."""

from overtime.corpora.generated_world import GeneratedWorld
from overtime.files import atomic, write_table
from overtime.models.vocabulary import save_tokenizer
from overtime.pipeline.step import step

with step(snakemake):
    settings, output = snakemake.params.world, snakemake.output
    people = (settings[key] for key in ("people_per_bin", "values_per_attribute", "first_names", "last_names"))
    world = GeneratedWorld(settings["seed"], *people)
    documents = world.documents(*(settings[key] for key in ("gendered", "fillers", "reading", "question_share")))
    pairs = world.pairs(settings["feminine_pairs"])
    with atomic(output.documents) as temporary:
        documents.write_ndjson(temporary)
    write_table(pairs, output.pairs)
    write_table(world.contexts(), output.contexts)
    write_table(world.questions(), output.questions)
    words = ["sent_more", "sent_less"]
    save_tokenizer([*documents["text"], *(text for name in words for text in pairs[name])], output.tokenizer)

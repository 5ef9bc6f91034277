"""Count the documents of a corpus that bear on each linked question."""

from overtime.corpora.counting import relevant_documents
from overtime.corpora.entity_map import EntityMap
from overtime.corpora.entity_names import read_linked_questions
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake):
    entities = EntityMap.from_parquet(snakemake.input.entities)
    questions = read_linked_questions(snakemake.input.questions)
    write_table(relevant_documents(entities, questions), snakemake.output.counts)

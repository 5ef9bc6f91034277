# How often any corpus states a fact: entities found shard by shard, joined to one map, and counted for a set of questions.
#
# in:   settings corpora (shards, names, questions)
# out:  <results>/corpora/{corpus}/mentions/{shard}.parquet, entities.parquet, relevant_documents.parquet
# steps: count_shard (one per shard) -> merge_counts -> count_questions


rule count_shard:
    input:
        shard=lambda wildcards: SHARDS[wildcards.corpus][wildcards.shard],
        tables=lambda wildcards: list(filter(None, name_tables(wildcards).values())),
    output:
        mentions="<results>/corpora/{corpus}/mentions/{shard}.parquet",
        report="<results>/corpora/{corpus}/count/{shard}.parquet",
    log:
        "<logs>/count_shard/{corpus}/{shard}.log",
    benchmark:
        "<benchmarks>/count_shard/{corpus}/{shard}.tsv"
    wildcard_constraints:
        corpus=one_of(COUNTED),
        shard=SHARD,
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("count_shard"),
        tables=name_tables,
    message:
        "Finding entities in {wildcards.shard} of {wildcards.corpus}"
    script:
        "../scripts/count_shard.py"


rule merge_counts:
    input:
        mentions=lambda wildcards: shard_reports(wildcards.corpus, "mentions"),
    output:
        entities="<results>/corpora/{corpus}/entities.parquet",
    log:
        "<logs>/merge_counts/{corpus}.log",
    benchmark:
        "<benchmarks>/merge_counts/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(COUNTED),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("merge_counts"),
    script:
        "../scripts/merge_counts.py"


rule count_questions:
    input:
        entities="<results>/corpora/{corpus}/entities.parquet",
        questions=lambda wildcards: settings.corpora[wildcards.corpus].questions,
    output:
        counts="<results>/corpora/{corpus}/relevant_documents.parquet",
    log:
        "<logs>/count_questions/{corpus}.log",
    benchmark:
        "<benchmarks>/count_questions/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(QUESTIONED),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("count_questions"),
    script:
        "../scripts/count_questions.py"

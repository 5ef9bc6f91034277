# Any corpus of the user's own: sharded JSON Lines read through, rewritten, mixed with documents about chosen facts, and how often
# it states a fact: entities found shard by shard, joined to one map, and counted for a set of questions.
#
# in:   settings corpora (paths of the shards, or a data set; tables of facts, names, questions); <results>/encyclopedia.parquet
# out:  <results>/texts/{corpus}/{dataset}.jsonl, rewritten/{corpus}/{mode}/{shard},
#       inserted/{corpus}/{insertion}/{shard}, corpora/{corpus}/report.parquet,
#       corpora/{corpus}/mentions/{shard}.parquet, entities.parquet, relevant_documents.parquet
# steps: write_documents; rewrite_shard; read_shard -> plan_insertion -> insert_shard; count_shard -> merge_counts -> count_questions;
#        everything -> report_corpus (target `corpora`)
#
# One job per shard, and a report of each: documents, bytes, time. An interrupted run goes on with the shards that are missing.
from overtime.pipeline.settings_corpora import MODES, SHARD

DATASET_CORPORA = [name for name, corpus in settings.corpora.items() if corpus.dataset]
REWRITTEN = sorted({text for corpus in settings.corpora.values() for text in (*MODES, *corpus.rewrite)})
INSERTIONS = sorted({name for corpus in settings.corpora.values() for name in corpus.insert})
COUNTED = [name for name, corpus in settings.corpora.items() if corpus.names or corpus.questions]
QUESTIONED = [name for name, corpus in settings.corpora.items() if corpus.questions]


rule write_documents:
    input:
        articles="<results>/{dataset}.parquet",
    output:
        shard="<results>/texts/{corpus}/{dataset}.jsonl",
    log:
        "<logs>/write_documents/{corpus}/{dataset}.log",
    benchmark:
        "<benchmarks>/write_documents/{corpus}/{dataset}.tsv"
    wildcard_constraints:
        corpus=one_of(DATASET_CORPORA),
        dataset=one_of({settings.corpora[name].dataset for name in DATASET_CORPORA}),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("write_documents"),
        pronouns=lambda wildcards: settings.corpora[wildcards.corpus].pronouns,
        seed=lambda wildcards: settings.corpora[wildcards.corpus].seed,
        documents=lambda wildcards: settings.corpora[wildcards.corpus].documents,
    message:
        "Choosing documents of the {wildcards.dataset} for {wildcards.corpus}"
    script:
        "../scripts/write_documents.py"


rule read_shard:
    input:
        shard=shard,
    output:
        report="<results>/corpora/{corpus}/read/{shard}.parquet",
    log:
        "<logs>/read_shard/{corpus}/{shard}.log",
    benchmark:
        "<benchmarks>/read_shard/{corpus}/{shard}.tsv"
    wildcard_constraints:
        corpus=one_of(SHARDS),
        shard=SHARD,
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("read_shard"),
    message:
        "Reading {wildcards.shard} of {wildcards.corpus} through"
    script:
        "../scripts/read_shard.py"


rule rewrite_shard:
    input:
        shard=shard,
        words=sorted((RESOURCES / "rewriting").iterdir()),
    output:
        shard="<results>/rewritten/{corpus}/{mode}/{shard}",
        report="<results>/corpora/{corpus}/rewrite/{mode}/{shard}.parquet",
    log:
        "<logs>/rewrite_shard/{corpus}/{mode}/{shard}.log",
    benchmark:
        "<benchmarks>/rewrite_shard/{corpus}/{mode}/{shard}.tsv"
    wildcard_constraints:
        corpus=one_of(SHARDS),
        shard=SHARD,
        mode=one_of(REWRITTEN),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("rewrite_shard"),
        rewriting=lambda wildcards: settings.corpora[wildcards.corpus].rewriting(wildcards.mode).model_dump(),
    message:
        "Rewriting {wildcards.shard} of {wildcards.corpus}: {wildcards.mode}"
    script:
        "../scripts/rewrite_shard.py"


rule plan_insertion:
    input:
        sizes=lambda wildcards: shard_reports(wildcards.corpus, "read"),
        facts=inserted_facts,
    output:
        plan="<results>/corpora/{corpus}/insert/{insertion}.parquet",
    log:
        "<logs>/plan_insertion/{corpus}/{insertion}.log",
    benchmark:
        "<benchmarks>/plan_insertion/{corpus}/{insertion}.tsv"
    wildcard_constraints:
        corpus=one_of(SHARDS),
        insertion=one_of(INSERTIONS),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("plan_insertion"),
        insertion=lambda w: settings.corpora[w.corpus].insert[w.insertion].model_dump(include={"templates", "share", "seed"}),
    script:
        "../scripts/plan_insertion.py"


rule insert_shard:
    input:
        shard=shard,
        plan="<results>/corpora/{corpus}/insert/{insertion}.parquet",
    output:
        shard="<results>/inserted/{corpus}/{insertion}/{shard}",
        report="<results>/corpora/{corpus}/insert/{insertion}/{shard}.parquet",
    log:
        "<logs>/insert_shard/{corpus}/{insertion}/{shard}.log",
    benchmark:
        "<benchmarks>/insert_shard/{corpus}/{insertion}/{shard}.tsv"
    wildcard_constraints:
        corpus=one_of(SHARDS),
        shard=SHARD,
        insertion=one_of(INSERTIONS),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("insert_shard"),
    message:
        "Inserting documents into {wildcards.shard} of {wildcards.corpus}: {wildcards.insertion}"
    script:
        "../scripts/insert_shard.py"


rule count_shard:
    input:
        shard=shard,
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
    resources:
        mem_mb=4000,
    params:
        code=code("count_questions"),
    script:
        "../scripts/count_questions.py"


rule report_corpus:
    input:
        reports=lambda wildcards: shard_reports(wildcards.corpus, *corpus_tasks(wildcards.corpus)),
    output:
        table="<results>/corpora/{corpus}/report.parquet",
        page="<results>/corpora/{corpus}/report.md",
    log:
        "<logs>/report_corpus/{corpus}.log",
    benchmark:
        "<benchmarks>/report_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(SHARDS),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("report_corpus"),
        estimate=lambda wildcards: settings.corpora[wildcards.corpus].estimate.model_dump(),
    script:
        "../scripts/report_corpus.py"


rule corpora:
    input:
        expand("<results>/corpora/{corpus}/report.md", corpus=SHARDS),
        expand("<results>/corpora/{corpus}/entities.parquet", corpus=COUNTED),
        expand("<results>/corpora/{corpus}/relevant_documents.parquet", corpus=QUESTIONED),

# Rare facts: how often the corpus states a fact, how well models answer questions about it, and the same with passages from the
# training documents, found by BM25, gold, or wrong, and from the same passages made harder with the number of documents.
#
# in:   <results>/corpus/*, checkpoints/{model}/{arm}, the answers of pretrained models; settings retrieval, statistics
# out:  <results>/counts.parquet, scores/closed_book/{model}.parquet, figures/fig3.parquet;
#       <results>/passages.parquet, scores/passages/{model}.parquet, figures/fig5.parquet; one job asks all runs of a size
# steps: count_documents, answer_questions -> tabulate_counts; retrieve_passages -> answer_with_passages -> tabulate_retrieval


rule count_documents:
    input:
        documents="<results>/corpus/documents.jsonl",
        questions="<results>/corpus/questions.parquet",
        record="<results>/corpus/record.parquet",
    output:
        counts="<results>/counts.parquet",
    log:
        "<logs>/count_documents.log",
    benchmark:
        "<benchmarks>/count_documents.tsv"
    priority: 35
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("count_documents"),
    message:
        "Counting the documents behind every question"
    script:
        "../scripts/count_documents.py"


rule answer_questions:
    input:
        runs=folders("baseline"),
        tokenizer="<results>/corpus/tokenizer",
        questions="<results>/corpus/questions.parquet",
    output:
        scores="<results>/scores/closed_book/{model}.parquet",
    log:
        "<logs>/answer_questions/{model}.log",
    benchmark:
        "<benchmarks>/answer_questions/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: scoring_urgency
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("answer_questions"),
        runs=identities("baseline"),
    message:
        "Asking {wildcards.model} every question"
    script:
        "../scripts/answer_questions.py"


rule tabulate_counts:
    input:
        scores=suite_scores("closed_book"),
        counts="<results>/counts.parquet",
        questions="<results>/corpus/questions.parquet",
        answers=expand("<results>/scores/answers/{set}/{model}.parquet", set=SETS, model=pretrained("questions")),
        sets=expand("<results>/questions/{set}.parquet", set=SETS),
        set_counts=counted_sets(),
    output:
        table="<results>/figures/fig3.parquet",
    log:
        "<logs>/tabulate_counts.log",
    benchmark:
        "<benchmarks>/tabulate_counts.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_counts"),
        corpora=CORPORA,
        bins=BINS,
        parameters=PARAMETERS,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_counts.py"


rule retrieve_passages:
    input:
        shelf="<results>/corpus/passages.parquet",
        questions="<results>/corpus/questions.parquet",
        counts="<results>/counts.parquet",
    output:
        passages="<results>/passages.parquet",
    log:
        "<logs>/retrieve_passages.log",
    benchmark:
        "<benchmarks>/retrieve_passages.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("retrieve_passages"),
        top=settings.retrieval.top,
        seed=settings.world.seed,
    message:
        "Looking up passages for every question"
    script:
        "../scripts/retrieve_passages.py"


rule answer_with_passages:
    input:
        runs=folders("baseline"),
        tokenizer="<results>/corpus/tokenizer",
        passages="<results>/passages.parquet",
    output:
        scores="<results>/scores/passages/{model}.parquet",
    log:
        "<logs>/answer_with_passages/{model}.log",
    benchmark:
        "<benchmarks>/answer_with_passages/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: scoring_urgency
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("answer_with_passages"),
        runs=identities("baseline"),
    message:
        "Asking {wildcards.model} every question with passages"
    script:
        "../scripts/answer_with_passages.py"


rule tabulate_retrieval:
    input:
        scores=suite_scores("passages", settings.retrieval.models),
        counts="<results>/counts.parquet",
        questions="<results>/corpus/questions.parquet",
        answers=rules.tabulate_counts.input.answers,
        sets=rules.tabulate_counts.input.sets,
        set_counts=rules.tabulate_counts.input.set_counts,
    output:
        table="<results>/figures/fig5.parquet",
    log:
        "<logs>/tabulate_retrieval.log",
    benchmark:
        "<benchmarks>/tabulate_retrieval.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_retrieval"),
        corpora=CORPORA,
        bins=BINS,
        parameters=PARAMETERS,
    script:
        "../scripts/tabulate_retrieval.py"

# Rare facts: how often the corpus states a fact, and how well models answer questions about it, before and after insertion.
#
# in:   <results>/corpus/*, checkpoints/{model}/{arm}, the answers of pretrained models; settings statistics
# out:  <results>/counts.parquet, scores/closed_book/{model}/{arm}/seed{seed}.parquet, figures/fig3.parquet, figures/fig4.parquet
# steps: count_documents, answer_questions -> tabulate_counts, tabulate_insertion

INSERTION_ARMS = [
    f"{model}/insert_{placement}"
    for placement, models in {"late": settings.insertion.late, "spread": settings.insertion.spread}.items()
    for model in models
]


rule count_documents:
    input:
        documents="<results>/corpus/documents.jsonl",
        questions="<results>/corpus/questions.parquet",
    output:
        counts="<results>/counts.parquet",
    log:
        "<logs>/count_documents.log",
    benchmark:
        "<benchmarks>/count_documents.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
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
        run="<results>/checkpoints/{model}/{arm}/seed{seed}",
        questions="<results>/corpus/questions.parquet",
    output:
        scores="<results>/scores/closed_book/{model}/{arm}/seed{seed}.parquet",
    log:
        "<logs>/answer_questions/{model}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/answer_questions/{model}/{arm}/seed{seed}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("answer_questions"),
    message:
        "Asking {wildcards.model} {wildcards.arm} (seed {wildcards.seed}) every question"
    script:
        "../scripts/answer_questions.py"


rule tabulate_counts:
    input:
        scores=[f"<results>/scores/closed_book/{model}/baseline/seed{seed}.parquet" for model, seed in RUNS],
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
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_counts"),
        corpora=CORPORA,
        bins=BINS,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_counts.py"


rule tabulate_insertion:
    input:
        before=expand(
            "<results>/scores/closed_book/{model}/baseline/seed0.parquet",
            model=sorted({*settings.insertion.late, *settings.insertion.spread}),
        ),
        after=expand("<results>/scores/closed_book/{arm}/seed0.parquet", arm=INSERTION_ARMS),
        questions="<results>/corpus/questions.parquet",
        targets="<results>/corpus/targets.parquet",
    output:
        table="<results>/figures/fig4.parquet",
    log:
        "<logs>/tabulate_insertion.log",
    benchmark:
        "<benchmarks>/tabulate_insertion.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_insertion"),
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_insertion.py"

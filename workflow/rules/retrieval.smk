# Retrieval: the same questions with passages from the training documents, found by BM25, gold, or wrong.
#
# in:   <results>/corpus/*, counts.parquet, checkpoints/{model}/baseline, the answers of pretrained models; settings retrieval
# out:  <results>/passages.parquet, scores/passages/{model}/baseline/seed{seed}.parquet, figures/fig5.parquet
# steps: retrieve_passages -> answer_with_passages -> tabulate_retrieval


rule retrieve_passages:
    input:
        documents="<results>/corpus/documents.jsonl",
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
    threads: 1
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
        run="<results>/checkpoints/{model}/baseline/seed{seed}",
        questions="<results>/corpus/questions.parquet",
        passages="<results>/passages.parquet",
    output:
        scores="<results>/scores/passages/{model}/baseline/seed{seed}.parquet",
    log:
        "<logs>/answer_with_passages/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/answer_with_passages/{model}/seed{seed}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("answer_with_passages"),
    message:
        "Asking {wildcards.model} (seed {wildcards.seed}) every question with passages"
    script:
        "../scripts/answer_with_passages.py"


rule tabulate_retrieval:
    input:
        scores=[
            f"<results>/scores/passages/{model}/baseline/seed{seed}.parquet"
            for model, seed in RUNS
            if model in settings.retrieval.models
        ],
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
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_retrieval"),
        corpora=CORPORA,
        bins=BINS,
    script:
        "../scripts/tabulate_retrieval.py"

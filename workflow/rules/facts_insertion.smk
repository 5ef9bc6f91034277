# Inserting documents about rare facts into the suite's training data, late or all over it, and what that does to accuracy.
# This chapter is left out where the settings insert nothing.
#
# in:   <results>/corpus/*, counts.parquet (to choose what is inserted), checkpoints/{model}/baseline; settings insertion
# out:  <results>/corpus/targets.parquet, streams/insert_{placement}.npz, checkpoints/{model}/insert_{placement}/seed{seed},
#       scores/inserted/{model}.parquet, figures/fig4.parquet
# steps: choose_targets -> insert_documents -> train_inserted_late, train_inserted_spread -> answer_inserted -> tabulate_insertion


rule choose_targets:
    input:
        questions="<results>/corpus/questions.parquet",
        counts="<results>/counts.parquet",
    output:
        targets="<results>/corpus/targets.parquet",
    log:
        "<logs>/choose_targets.log",
    benchmark:
        "<benchmarks>/choose_targets.tsv"
    priority: 35
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("choose_targets"),
        insertion=settings.insertion.model_dump(include={"doses", "people", "at_most"}),
        seed=settings.world.seed,
    script:
        "../scripts/choose_targets.py"


rule insert_documents:
    input:
        documents="<results>/corpus/documents.jsonl",
        questions="<results>/corpus/questions.parquet",
        targets="<results>/corpus/targets.parquet",
        tokenizer="<results>/corpus/tokenizer",
    output:
        stream="<results>/streams/insert_{placement}.npz",
    log:
        "<logs>/insert_documents/{placement}.log",
    benchmark:
        "<benchmarks>/insert_documents/{placement}.tsv"
    wildcard_constraints:
        placement=one_of(PLACEMENTS),
    priority: 35
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("insert_documents"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        share=lambda wildcards: settings.insertion.share if wildcards.placement == "late" else 1.0,
        seed=settings.world.seed,
    script:
        "../scripts/insert_documents.py"


use rule train_arms as train_inserted_late with:
    input:
        baseline="<results>/checkpoints/{model}/baseline/seed{seed}",
        streams=["<results>/streams/insert_late.npz"],
        timings=suite_timings,
    output:
        runs=[directory("<results>/checkpoints/{model}/insert_late/seed{seed}")],
    log:
        "<logs>/train_inserted_late/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_inserted_late/{model}/seed{seed}.tsv"
    message:
        "Continuing {wildcards.model} (seed {wildcards.seed}) with documents inserted late"


use rule train_baseline as train_inserted_spread with:
    input:
        stream="<results>/streams/insert_spread.npz",
        tokenizer="<results>/corpus/tokenizer",
        timings=suite_timings,
    output:
        run=directory("<results>/checkpoints/{model}/insert_spread/seed{seed}"),
    log:
        "<logs>/train_inserted_spread/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_inserted_spread/{model}/seed{seed}.tsv"
    message:
        "Training {wildcards.model} (seed {wildcards.seed}) with inserted documents spread over the run"


use rule answer_questions as answer_inserted with:
    input:
        runs=lambda w: [f"<results>/checkpoints/{w.model}/{arm}/seed{seed}" for arm, seed in INSERTED[w.model]],
        tokenizer="<results>/corpus/tokenizer",
        questions="<results>/corpus/questions.parquet",
    output:
        scores="<results>/scores/inserted/{model}.parquet",
    log:
        "<logs>/answer_inserted/{model}.log",
    benchmark:
        "<benchmarks>/answer_inserted/{model}.tsv"
    wildcard_constraints:
        model=one_of(INSERTED),
    params:
        code=code("answer_questions"),
        runs=lambda w: [{"arm": arm, "seed": str(seed)} for arm, seed in INSERTED[w.model]],
    message:
        "Asking {wildcards.model} every question after documents were inserted"


rule tabulate_insertion:
    input:
        before=suite_scores("closed_book", INSERTED),
        after=suite_scores("inserted", INSERTED),
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
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_insertion"),
        parameters=PARAMETERS,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_insertion.py"

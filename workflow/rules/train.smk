# Training: the suite from scratch, and the arms that continue each run from its own checkpoint and optimizer state.
#
# in:   <results>/streams/{arm}.npz, corpus/tokenizer; settings suite, arms, insertion
# out:  <results>/checkpoints/{model}/{arm}/seed{seed}/: step{n}.safetensors, log.jsonl (kept: every later step reads them)
# steps: train_baseline -> train_arms (one job for all arms of a run: starting torch costs more than training some of them)
#                       -> train_inserted


rule train_baseline:
    input:
        stream="<results>/streams/baseline.npz",
        tokenizer="<results>/corpus/tokenizer",
    output:
        run=directory("<results>/checkpoints/{model}/baseline/seed{seed}"),
    log:
        "<logs>/train_baseline/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_baseline/{model}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("train_baseline"),
        recipe=recipe,
    message:
        "Training {wildcards.model} from scratch (seed {wildcards.seed})"
    script:
        "../scripts/train_baseline.py"


rule train_arms:
    input:
        baseline="<results>/checkpoints/{model}/baseline/seed{seed}",
        streams=expand("<results>/streams/{arm}.npz", arm=settings.arms),
    output:
        runs=directory(expand("<results>/checkpoints/{{model}}/{arm}/seed{{seed}}", arm=settings.arms)),
    log:
        "<logs>/train_arms/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_arms/{model}/seed{seed}.tsv"
    priority: 5
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("train_arms"),
        recipe=recipe,
    message:
        "Continuing {wildcards.model} (seed {wildcards.seed}) on rewritten text, arm by arm"
    script:
        "../scripts/train_arms.py"


rule train_inserted_late:
    input:
        baseline="<results>/checkpoints/{model}/baseline/seed{seed}",
        streams=["<results>/streams/insert_late.npz"],
    output:
        runs=[directory("<results>/checkpoints/{model}/insert_late/seed{seed}")],
    log:
        "<logs>/train_inserted_late/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_inserted_late/{model}/seed{seed}.tsv"
    priority: 5
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("train_arms"),
        recipe=recipe,
    message:
        "Continuing {wildcards.model} (seed {wildcards.seed}) with documents inserted late"
    script:
        "../scripts/train_arms.py"


rule train_inserted_spread:
    input:
        stream="<results>/streams/insert_spread.npz",
        tokenizer="<results>/corpus/tokenizer",
    output:
        run=directory("<results>/checkpoints/{model}/insert_spread/seed{seed}"),
    log:
        "<logs>/train_inserted_spread/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_inserted_spread/{model}/seed{seed}.tsv"
    priority: 5
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("train_baseline"),
        recipe=recipe,
    message:
        "Training {wildcards.model} (seed {wildcards.seed}) with inserted documents spread over the run"
    script:
        "../scripts/train_baseline.py"

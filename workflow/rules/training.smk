# Training: the suite from scratch, and the arms that continue each run from its own checkpoint and optimizer state.
#
# in:   <results>/streams/{arm}.npz, streams/{arm}/seed{seed}.npz, corpus/tokenizer; settings suite, arms
# out:  <results>/checkpoints/{model}/{arm}/seed{seed}/: step{n}.safetensors, log.jsonl (kept: every later step reads them);
#       <results>/timings.json, by which a precision of `auto` is resolved, once a run
# steps: measure_precision; train_baseline -> train_arms (one job for all arms of a run: starting torch costs more than training
#        some of them)


rule measure_precision:
    output:
        timings="<results>/timings.json",
    log:
        "<logs>/measure_precision.log",
    benchmark:
        "<benchmarks>/measure_precision.tsv"
    priority: 25
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
        # Where the models run.
        gpu=1 if settings.device != "cpu" and settings.gpu_memory_gb else 0,
    params:
        code=code("measure_precision"),
        device=settings.device,
    message:
        "Timing float32 against bfloat16"
    script:
        "../scripts/measure_precision.py"


rule train_baseline:
    input:
        stream="<results>/streams/baseline.npz",
        tokenizer="<results>/corpus/tokenizer",
        timings=suite_timings,
    output:
        run=directory("<results>/checkpoints/{model}/baseline/seed{seed}"),
    log:
        "<logs>/train_baseline/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_baseline/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: training_urgency
    conda:
        "../../envs/torch.yaml"
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
        streams=lambda wildcards: [arm_stream(arm, wildcards.seed) for arm in settings.arms],
        timings=suite_timings,
    output:
        runs=directory(expand("<results>/checkpoints/{{model}}/{arm}/seed{{seed}}", arm=settings.arms)),
    log:
        "<logs>/train_arms/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_arms/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: training_urgency
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("train_arms"),
        recipe=recipe,
    message:
        "Continuing {wildcards.model} (seed {wildcards.seed}) on rewritten text, arm by arm"
    script:
        "../scripts/train_arms.py"

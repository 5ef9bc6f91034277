# Training: the suite from scratch, the arms that continue each run from its own checkpoint and optimizer state, and published
# checkpoints trained further on any corpus: as it is (the control), rewritten, or with documents inserted.
#
# in:   <results>/streams/{arm}.npz, streams/{arm}/seed{seed}.npz, corpus/tokenizer; settings suite, arms, continued; a model's
#       folder or the Hub; shards
# out:  <results>/checkpoints/{model}/{arm}/seed{seed}/: step{n}.safetensors, log.jsonl (kept: every later step reads them);
#       <results>/continued/{run}/: the same layout
#       <results>/timings.json, by which a precision of `auto` is resolved, once a run
# steps: measure_precision; train_baseline -> train_arms (one job for all arms of a run: starting torch costs more than training
#        some of them);
#        download_start, pack_corpus -> continue_checkpoint (target `continued`)


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


use rule download_pretrained as download_start with:
    output:
        model=temp(directory("<results>/starts/{run}")),
    log:
        "<logs>/download_start/{run}.log",
    benchmark:
        "<benchmarks>/download_start/{run}.tsv"
    wildcard_constraints:
        run=one_of(settings.continued),
    resources:
        mem_mb=2000,
        disk_mb=lambda wildcards: costs.download_mb(settings.continued[wildcards.run].parameters),
        download_mb=lambda wildcards: costs.download_mb(settings.continued[wildcards.run].parameters),
        runtime=lambda wildcards: costs.minutes(settings.continued[wildcards.run].parameters, 0, 0, 1),
    params:
        code=code("download_pretrained"),
        hub=lambda wildcards: settings.continued[wildcards.run].model,
        revision=lambda wildcards: settings.continued[wildcards.run].revision,
    message:
        "Downloading what {wildcards.run} begins with"


rule pack_corpus:
    input:
        model=start,
        shards=run_shards,
    output:
        stream=temp("<results>/streams/continued/{run}.tokens"),
    log:
        "<logs>/pack_corpus/{run}.log",
    benchmark:
        "<benchmarks>/pack_corpus/{run}.tsv"
    wildcard_constraints:
        run=one_of(settings.continued),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("pack_corpus"),
        tokens=lambda wildcards: settings.continued[wildcards.run].tokens,
    message:
        "Tokenising the text of {wildcards.run}"
    script:
        "../scripts/pack_corpus.py"


rule continue_checkpoint:
    input:
        model=start,
        stream="<results>/streams/continued/{run}.tokens",
        timings=timings(lambda wildcards: settings.continued[wildcards.run].precision),
    output:
        run=directory("<results>/continued/{run}"),
    log:
        "<logs>/continue_checkpoint/{run}.log",
    benchmark:
        "<benchmarks>/continue_checkpoint/{run}.tsv"
    wildcard_constraints:
        run=one_of(settings.continued),
    conda:
        "../../envs/torch.yaml"
    threads: lambda wildcards: settings.continued[wildcards.run].processes
    resources:
        mem_mb=lambda wildcards: costs.training_mb(
            settings.continued[wildcards.run].parameters, settings.continued[wildcards.run].processes
        ),
        gpu=run_gpus,
        runtime=run_minutes,
    params:
        code=code("continue_checkpoint"),
        options=lambda wildcards: settings.continued[wildcards.run].model_dump(),
        # The checkpoint within a folder of the user's own; what is downloaded is one already.
        revision=lambda w: settings.continued[w.run].revision if start(w) == settings.continued[w.run].model else None,
        device=settings.device,
    message:
        "Training further: {wildcards.run}"
    script:
        "../scripts/continue_checkpoint.py"


rule continued:
    input:
        expand("<results>/continued/{run}", run=settings.continued),

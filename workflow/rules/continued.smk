# Published checkpoints trained further on any corpus: as it is (the control), rewritten, or with documents inserted.
#
# in:   settings continued; a model's folder or the Hub; shards of <results>/rewritten, <results>/inserted or the corpus itself
# out:  <results>/continued/{run}/: the layout of a run of the suite
# steps: download_start, pack_corpus -> continue_checkpoint (target `continued`)


rule download_start:
    output:
        model=temp(directory("<results>/starts/{run}")),
    log:
        "<logs>/download_start/{run}.log",
    benchmark:
        "<benchmarks>/download_start/{run}.tsv"
    wildcard_constraints:
        run=one_of(settings.continued),
    retries: 2
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("download_pretrained"),
        hub=lambda wildcards: settings.continued[wildcards.run].model,
        revision=lambda wildcards: settings.continued[wildcards.run].revision,
    message:
        "Downloading what {wildcards.run} begins with"
    script:
        "../scripts/download_pretrained.py"


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
    threads: 1
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
        revision=own_revision,
        device=settings.device,
    message:
        "Training further: {wildcards.run}"
    script:
        "../scripts/continue_checkpoint.py"


rule continued:
    input:
        expand("<results>/continued/{run}", run=settings.continued),

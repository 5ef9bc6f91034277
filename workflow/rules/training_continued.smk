# Published checkpoints trained further on any corpus: as it is (the control), rewritten, or with documents inserted.
#
# in:   settings continued, interventions; a model of pretrained, a folder or the Hub; shards
# out:  <results>/continued/{run}/: step{n}.safetensors, log.jsonl, as for the suite; deleted after use where settings say so
# steps: download_start, cut_corpus (where runs are stretches) -> pack_corpus -> continue_checkpoint (target `continued`)


use rule download_pretrained as download_start with:
    output:
        model=temp(directory("<results>/starts/{family}")),
    log:
        "<logs>/download_start/{family}.log",
    benchmark:
        "<benchmarks>/download_start/{family}.tsv"
    wildcard_constraints:
        family=one_of(FAMILIES),
    resources:
        mem_mb=2000,
        disk_mb=lambda wildcards: costs.download_mb(continued_run(wildcards).parameters),
        download_mb=lambda wildcards: costs.download_mb(continued_run(wildcards).parameters),
        runtime=lambda wildcards: costs.minutes(continued_run(wildcards).parameters, 0, 0, 1),
    params:
        code=code("download_pretrained"),
        hub=lambda wildcards: continued_run(wildcards).model,
        revision=lambda wildcards: continued_run(wildcards).revision,
    message:
        "Downloading what {wildcards.family} begins with"


rule cut_corpus:
    input:
        model=start,
        shards=lambda wildcards: [str(path) for path in SHARDS[continued_run(wildcards).corpus].values()],
    output:
        stretches="<results>/streams/continued/{family}.parquet",
    log:
        "<logs>/cut_corpus/{family}.log",
    benchmark:
        "<benchmarks>/cut_corpus/{family}.tsv"
    wildcard_constraints:
        family=one_of(FAMILIES),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("cut_corpus"),
        tokens=lambda wildcards: continued_run(wildcards).tokens,
        stretches=lambda wildcards: STRETCHED[wildcards.family],
        place=lambda wildcards: f"{run_key(wildcards)}.stretch{'es' * (wildcards.family in settings.interventions)}",
    message:
        "Cutting the text of {wildcards.family} into stretches"
    script:
        "../scripts/cut_corpus.py"


rule pack_corpus:
    input:
        model=start,
        shards=run_shards,
        stretches=lambda w: [] if RUNS[w.run].stretch is None else f"<results>/streams/continued/{FAMILY[w.run]}.parquet",
    output:
        stream=temp("<results>/streams/continued/{run}.tokens"),
    log:
        "<logs>/pack_corpus/{run}.log",
    benchmark:
        "<benchmarks>/pack_corpus/{run}.tsv"
    wildcard_constraints:
        run=one_of(RUNS),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("pack_corpus"),
        tokens=lambda wildcards: RUNS[wildcards.run].tokens,
        stretch=lambda wildcards: RUNS[wildcards.run].stretch,
        place=lambda wildcards: f"{run_key(wildcards)}.tokens",
    message:
        "Tokenising the text of {wildcards.run}"
    script:
        "../scripts/pack_corpus.py"


rule continue_checkpoint:
    input:
        model=start,
        stream="<results>/streams/continued/{run}.tokens",
        timings=timings(lambda wildcards: RUNS[wildcards.run].precision),
    output:
        run=directory("<results>/continued/{run}"),
    log:
        "<logs>/continue_checkpoint/{run}.log",
    benchmark:
        "<benchmarks>/continue_checkpoint/{run}.tsv"
    wildcard_constraints:
        run=one_of(KEPT),
    priority: 15
    conda:
        "../../envs/torch.yaml"
    threads: lambda wildcards: RUNS[wildcards.run].processes
    resources:
        mem_mb=lambda wildcards: costs.training_mb(RUNS[wildcards.run].parameters, RUNS[wildcards.run].processes),
        gpu=run_gpus,
        runtime=run_minutes,
    params:
        code=code("continue_checkpoint"),
        options=lambda wildcards: RUNS[wildcards.run].model_dump(exclude={"text", "stretch", "control", "bias", "keep"}),
        revision=start_revision,
        device=settings.device,
    message:
        "Training further: {wildcards.run}"
    script:
        "../scripts/continue_checkpoint.py"


# The same, but the checkpoints are deleted once all that reads them has done so; the scores hold the log.
use rule continue_checkpoint as continue_unkept with:
    output:
        run=temp(directory("<results>/continued/{run}")),
    log:
        "<logs>/continue_unkept/{run}.log",
    benchmark:
        "<benchmarks>/continue_unkept/{run}.tsv"
    wildcard_constraints:
        run=one_of(name for name in RUNS if name not in KEPT),


rule continued:
    input:
        expand("<results>/continued/{run}", run=KEPT),
        expand("<results>/scores/log/continued/{run}.parquet", run=SCORED),
        expand("<results>/scores/text/continued/{run}.parquet", run=HELD_OUT),

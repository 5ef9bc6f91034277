# Layers: what a pretrained model would answer at every layer, with and without attacks.
#
# in:   <results>/pretrained/{model}/, public/wikitext-2, workflow/resources/{prompts,released}; settings pretrained, prompts
# out:  <results>/lens/{model}.safetensors, scores/layers/{model}/{task}.parquet, figures/fig7.parquet
# steps: fit_lens -> read_layers (one job per task) -> tabulate_layers

TASKS = settings.prompts.tasks
LAYER_SCORES = expand("<results>/scores/layers/{model}/{task}.parquet", model=pretrained("layers"), task=TASKS)


rule fit_lens:
    input:
        model="<results>/pretrained/{model}",
        wikitext="<results>/public/wikitext-2",
    output:
        lens="<results>/lens/{model}.safetensors",
        held_out="<results>/lens/{model}.parquet",
    log:
        "<logs>/fit_lens/{model}.log",
    benchmark:
        "<benchmarks>/fit_lens/{model}.tsv"
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=host_memory,
        gpu=gpus,
    params:
        code=code("fit_lens"),
        inference=inference,
        text=settings.prompts.lens_text,
        tokens=settings.prompts.lens_tokens,
        method=settings.prompts.lens,
        seed=settings.prompts.seed,
    message:
        "Fitting a tuned lens to {wildcards.model}"
    script:
        "../scripts/fit_lens.py"


rule read_layers:
    input:
        model="<results>/pretrained/{model}",
        lens="<results>/lens/{model}.safetensors",
        task=RESOURCES / "prompts/{task}.csv",
        texts=[RESOURCES / "prompts" / name for name in ("tasks.toml", "suffixes.csv")],
    output:
        layers="<results>/scores/layers/{model}/{task}.parquet",
    log:
        "<logs>/read_layers/{model}/{task}.log",
    benchmark:
        "<benchmarks>/read_layers/{model}/{task}.tsv"
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=host_memory,
        gpu=gpus,
    params:
        code=code("read_layers"),
        conditions=lambda wildcards: settings.prompts.conditions + settings.prompts.extra.get(wildcards.task, []),
        inference=inference,
        prompts=settings.prompts.prompts,
        demonstrations=settings.prompts.demonstrations,
        seed=settings.prompts.seed,
    message:
        "Reading every layer of {wildcards.model} under attack: {wildcards.task}"
    script:
        "../scripts/read_layers.py"


rule tabulate_layers:
    input:
        layers=LAYER_SCORES,
        lenses=expand("<results>/lens/{model}.parquet", model=pretrained("layers")),
        released=RESOURCES / "released/overthinking_layers.csv",
    output:
        table="<results>/figures/fig7.parquet",
    log:
        "<logs>/tabulate_layers.log",
    benchmark:
        "<benchmarks>/tabulate_layers.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("tabulate_layers"),
        models=pretrained("layers"),
        runs=[(model, task) for model in pretrained("layers") for task in TASKS],
        window=settings.prompts.window,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_layers.py"

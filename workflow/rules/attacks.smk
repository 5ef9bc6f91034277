# Attacks on pretrained models: personas; what they would answer at every layer, with and without attacks; detection and defence.
#
# in:   <results>/pretrained/{model}/, public/{truthfulqa,wikitext-2}, resources/{prompts,released}; settings pretrained, prompts
# out:  <results>/scores/persona/{model}/{log_odds,answers}.parquet, assertions.parquet, figures/fig6.parquet;
#       lens/{model}.safetensors, scores/layers/{model}/{task}.parquet, figures/fig7.parquet; scores/{detect,defend}/{model}.parquet,
#       figures/fig7_*.parquet
# steps: ask_persona -> tabulate_persona; fit_lens -> read_layers (one job per task) -> tabulate_layers;
#        read_layers -> detect_attacks, defend -> tabulate_defence

TASKS = settings.prompts.tasks
LAYER_SCORES = expand("<results>/scores/layers/{model}/{task}.parquet", model=pretrained("layers"), task=TASKS)


rule ask_persona:
    input:
        model="<results>/pretrained/{model}",
        truthfulqa="<results>/public/truthfulqa",
        texts=[RESOURCES / "prompts" / name for name in ("claims.csv", "persona.toml")],
        timings=pretrained_timings,
    output:
        log_odds="<results>/scores/persona/{model}/log_odds.parquet",
        answers="<results>/scores/persona/{model}/answers.parquet",
    log:
        "<logs>/ask_persona/{model}.log",
    benchmark:
        "<benchmarks>/ask_persona/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=minutes(tokens=100_000),
    params:
        code=code("ask_persona"),
        inference=inference,
        tokens=settings.prompts.answer_tokens,
    message:
        "Asking {wildcards.model} in plain words and under two personas"
    script:
        "../scripts/ask_persona.py"


rule tabulate_persona:
    input:
        log_odds=expand("<results>/scores/persona/{model}/log_odds.parquet", model=pretrained("persona")),
        answers=expand("<results>/scores/persona/{model}/answers.parquet", model=pretrained("persona")),
        labelled=RESOURCES / "prompts/assertions.csv",
    output:
        table="<results>/figures/fig6.parquet",
        coded="<results>/assertions.parquet",
    log:
        "<logs>/tabulate_persona.log",
    benchmark:
        "<benchmarks>/tabulate_persona.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_persona"),
        models=pretrained("persona"),
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_persona.py"


rule fit_lens:
    input:
        model="<results>/pretrained/{model}",
        wikitext="<results>/public/wikitext-2",
        timings=pretrained_timings,
    output:
        lens="<results>/lens/{model}.safetensors",
        held_out="<results>/lens/{model}.parquet",
    log:
        "<logs>/fit_lens/{model}.log",
    benchmark:
        "<benchmarks>/fit_lens/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=minutes(tokens=lens_tokens),
    params:
        code=code("fit_lens"),
        inference=inference,
        text=settings.prompts.lens_text,
        needed=None,
        tokens=settings.prompts.lens_tokens,
        steps=settings.prompts.lens_steps,
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
        timings=pretrained_timings,
    output:
        layers="<results>/scores/layers/{model}/{task}.parquet",
    log:
        "<logs>/read_layers/{model}/{task}.log",
    benchmark:
        "<benchmarks>/read_layers/{model}/{task}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
        task=one_of(TASKS),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=minutes(tokens=layer_tokens),
    params:
        code=code("read_layers"),
        conditions=lambda wildcards: settings.prompts.of_task(wildcards.task),
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


rule detect_attacks:
    input:
        layers=expand("<results>/scores/layers/{{model}}/{task}.parquet", task=TASKS),
    output:
        scores="<results>/scores/detect/{model}.parquet",
    log:
        "<logs>/detect_attacks/{model}.log",
    benchmark:
        "<benchmarks>/detect_attacks/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("detect_attacks"),
        tasks=TASKS,
        window=settings.prompts.window,
        seed=settings.prompts.seed,
        noise=False,
    script:
        "../scripts/detect_attacks.py"


rule defend:
    input:
        layers=expand("<results>/scores/layers/{{model}}/{task}.parquet", task=TASKS),
    output:
        scores="<results>/scores/defend/{model}.parquet",
    log:
        "<logs>/defend/{model}.log",
    benchmark:
        "<benchmarks>/defend/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("defend"),
        tasks=TASKS,
        window=settings.prompts.window,
        seed=settings.prompts.seed,
    script:
        "../scripts/defend.py"


rule tabulate_defence:
    input:
        detect=expand("<results>/scores/detect/{model}.parquet", model=pretrained("layers")),
        defend=expand("<results>/scores/defend/{model}.parquet", model=pretrained("layers")),
    output:
        detect="<results>/figures/fig7_detect.parquet",
        defend="<results>/figures/fig7_defend.parquet",
    log:
        "<logs>/tabulate_defence.log",
    benchmark:
        "<benchmarks>/tabulate_defence.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("tabulate_defence"),
        models=pretrained("layers"),
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_defence.py"

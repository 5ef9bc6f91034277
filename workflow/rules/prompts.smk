# Prompts: a pretrained model under persona prompts and attacks, read layer by layer.
#
# in:   <results>/pretrained/{model}/, workflow/resources/prompts, workflow/resources/released; settings pretrained, prompts
# out:  <results>/lens/{model}.safetensors, scores/{layers,detect,defend,persona}/..., figures/fig6, fig7*.parquet
# steps: fit_lens -> read_layers (one job per task) -> detect_attacks, defend; ask_persona; tabulate_*

PRETRAINED = list(settings.pretrained)
TASKS = settings.prompts.tasks
LAYER_SCORES = expand("<results>/scores/layers/{model}/{task}.parquet", model=PRETRAINED, task=TASKS)


rule fit_lens:
    input:
        model="<results>/pretrained/{model}",
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
        mem_mb=3000,
    params:
        code=code("fit_lens"),
        dtype=lambda wildcards: settings.pretrained[wildcards.model].dtype,
        tokens=settings.prompts.lens_tokens,
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
        mem_mb=3000,
    params:
        code=code("read_layers"),
        conditions=settings.prompts.conditions,
        dtype=lambda wildcards: settings.pretrained[wildcards.model].dtype,
        prompts=settings.prompts.prompts,
        demonstrations=settings.prompts.demonstrations,
        seed=settings.prompts.seed,
    message:
        "Reading every layer of {wildcards.model} under attack: {wildcards.task}"
    script:
        "../scripts/read_layers.py"


rule detect_attacks:
    input:
        layers=expand("<results>/scores/layers/{{model}}/{task}.parquet", task=TASKS),
    output:
        scores="<results>/scores/detect/{model}.parquet",
    log:
        "<logs>/detect_attacks/{model}.log",
    benchmark:
        "<benchmarks>/detect_attacks/{model}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("detect_attacks"),
        tasks=TASKS,
        window=settings.prompts.window,
        seed=settings.prompts.seed,
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
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("defend"),
        tasks=TASKS,
        window=settings.prompts.window,
        seed=settings.prompts.seed,
    script:
        "../scripts/defend.py"


rule ask_persona:
    input:
        model="<results>/pretrained/{model}",
        texts=[RESOURCES / "prompts" / name for name in ("claims.csv", "persona.toml")],
    output:
        log_odds="<results>/scores/persona/{model}/log_odds.parquet",
        answers="<results>/scores/persona/{model}/answers.parquet",
    log:
        "<logs>/ask_persona/{model}.log",
    benchmark:
        "<benchmarks>/ask_persona/{model}.tsv"
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        code=code("ask_persona"),
        dtype=lambda wildcards: settings.pretrained[wildcards.model].dtype,
        tokens=settings.prompts.answer_tokens,
    message:
        "Asking {wildcards.model} in plain words and under two personas"
    script:
        "../scripts/ask_persona.py"


rule tabulate_persona:
    input:
        log_odds=expand("<results>/scores/persona/{model}/log_odds.parquet", model=PRETRAINED),
        answers=expand("<results>/scores/persona/{model}/answers.parquet", model=PRETRAINED),
    output:
        table="<results>/figures/fig6.parquet",
    log:
        "<logs>/tabulate_persona.log",
    benchmark:
        "<benchmarks>/tabulate_persona.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_persona"),
        models=PRETRAINED,
    script:
        "../scripts/tabulate_persona.py"


rule tabulate_layers:
    input:
        layers=LAYER_SCORES,
        released=RESOURCES / "released/overthinking_layers.csv",
    output:
        table="<results>/figures/fig7.parquet",
    log:
        "<logs>/tabulate_layers.log",
    benchmark:
        "<benchmarks>/tabulate_layers.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("tabulate_layers"),
        runs=[(model, task) for model in PRETRAINED for task in TASKS],
        window=settings.prompts.window,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_layers.py"


rule tabulate_defences:
    input:
        detect=expand("<results>/scores/detect/{model}.parquet", model=PRETRAINED),
        defend=expand("<results>/scores/defend/{model}.parquet", model=PRETRAINED),
    output:
        detect="<results>/figures/fig7_detect.parquet",
        defend="<results>/figures/fig7_defend.parquet",
    log:
        "<logs>/tabulate_defences.log",
    benchmark:
        "<benchmarks>/tabulate_defences.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("tabulate_defences"),
        models=PRETRAINED,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_defences.py"

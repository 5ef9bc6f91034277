# Defence: can an attack be told from normal prompts by how the answer forms, and does answering from an earlier layer help?
#
# in:   <results>/scores/layers/{model}/{task}.parquet; settings prompts
# out:  <results>/scores/{detect,defend}/{model}.parquet, figures/fig7_detect.parquet, fig7_defend.parquet
# steps: detect_attacks, defend -> tabulate_defences


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


rule tabulate_defences:
    input:
        detect=expand("<results>/scores/detect/{model}.parquet", model=pretrained("layers")),
        defend=expand("<results>/scores/defend/{model}.parquet", model=pretrained("layers")),
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
        models=pretrained("layers"),
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_defences.py"

# Personas: a pretrained model asked in plain words, as a conspiratorial and as a benign second character.
#
# in:   <results>/pretrained/{model}/, public/truthfulqa, workflow/resources/prompts; settings pretrained, prompts
# out:  <results>/scores/persona/{model}/{log_odds,answers}.parquet, figures/fig6.parquet
# steps: ask_persona -> tabulate_persona


rule ask_persona:
    input:
        model="<results>/pretrained/{model}",
        truthfulqa="<results>/public/truthfulqa",
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
        mem_mb=host_memory,
        gpu=gpus,
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
        models=pretrained("persona"),
    script:
        "../scripts/tabulate_persona.py"

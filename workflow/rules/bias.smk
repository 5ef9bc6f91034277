# Gender bias: sentence pairs scored at every checkpoint of every arm, and whether the swap took at all.
#
# in:   <results>/corpus/{pairs,contexts}.parquet, checkpoints/{model}/{arm}; workflow/resources/released; settings figures
# out:  <results>/scores/{pairs,pronouns}/{model}/{arm}/seed{seed}.parquet, figures/fig1.parquet, fig2.parquet, fig1_audit.parquet
# steps: score_bias (one job for all arms of a run) -> tabulate_bias; tabulate_audit

ARMS = ["baseline", *settings.arms]
BIAS_SCORES = [f"<results>/scores/pairs/{model}/{arm}/seed{seed}.parquet" for model, seed in RUNS for arm in ARMS]
PRONOUN_SCORES = [path.replace("/pairs/", "/pronouns/") for path in BIAS_SCORES]


rule score_bias:
    input:
        runs=expand("<results>/checkpoints/{{model}}/{arm}/seed{{seed}}", arm=ARMS),
        pairs="<results>/corpus/pairs.parquet",
        contexts="<results>/corpus/contexts.parquet",
    output:
        pairs=expand("<results>/scores/pairs/{{model}}/{arm}/seed{{seed}}.parquet", arm=ARMS),
        pronouns=expand("<results>/scores/pronouns/{{model}}/{arm}/seed{{seed}}.parquet", arm=ARMS),
    params:
        code=code("score_bias"),
    log:
        "<logs>/score_bias/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/score_bias/{model}/seed{seed}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    message:
        "Scoring sentence pairs at every checkpoint of {wildcards.model} (seed {wildcards.seed})"
    script:
        "../scripts/score_bias.py"


rule tabulate_bias:
    input:
        scores=lambda wildcards: [
            path for path in BIAS_SCORES + PRONOUN_SCORES if path.split("/")[3] in settings.figures[wildcards.figure]
        ],
        pairs="<results>/corpus/pairs.parquet",
        released=RESOURCES / "released/pythia_crows_gender.csv",
    output:
        table="<results>/figures/{figure}.parquet",
    wildcard_constraints:
        figure="fig1|fig2",
    params:
        code=code("tabulate_bias"),
        statistics=settings.statistics.model_dump(),
    log:
        "<logs>/tabulate_bias/{figure}.log",
    benchmark:
        "<benchmarks>/tabulate_bias/{figure}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    script:
        "../scripts/tabulate_bias.py"

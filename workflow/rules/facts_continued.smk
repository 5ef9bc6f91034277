# Facts inserted into the text that a published checkpoint is trained further on: chosen among those that it lacks, or a table of
# the user's; asked afterwards of the run with them and of its control, with what they cost elsewhere.
#
# in:   <results>/continued/{run}, questions/{set}.parquet, scores/answers/{set}/{model}.parquet; settings continued (control,
#       held_out), corpora (insert: lacking, asked)
# out:  <results>/corpora/{corpus}/lacking/{insertion}/{facts,asked}.parquet; scores/continued/{run}/{asked}.parquet (questions on
#       what {asked} had inserted, put to {run}), scores/text/continued/{run}.parquet, figures/fig4_continued.parquet
# steps: choose_lacking -> (rules corpora_shards, training_continued) -> ask_continued, score_held_out -> tabulate_gain
#        (target `gain`)


rule choose_lacking:
    input:
        questions=lambda wildcards: f"<results>/questions/{lacking(wildcards).set}.parquet",
        answers=lambda wildcards: f"<results>/scores/answers/{lacking(wildcards).set}/{lacking(wildcards).model}.parquet",
        elsewhere=lambda wildcards: [f"<results>/questions/{set}.parquet" for set in lacking(wildcards).elsewhere],
    output:
        facts="<results>/corpora/{corpus}/lacking/{insertion}/facts.parquet",
        asked="<results>/corpora/{corpus}/lacking/{insertion}/asked.parquet",
    log:
        "<logs>/choose_lacking/{corpus}/{insertion}.log",
    benchmark:
        "<benchmarks>/choose_lacking/{corpus}/{insertion}.tsv"
    wildcard_constraints:
        corpus=one_of({corpus for corpus, _ in LACKING}),
        insertion=one_of({insertion for _, insertion in LACKING}),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("choose_lacking"),
        drawn=lambda wildcards: lacking(wildcards).model_dump(include={"doses", "facts", "seed"}),
        elsewhere=lambda wildcards: lacking(wildcards).elsewhere,
        place="corpora.{corpus}.insert.{insertion}.lacking",
    message:
        "Choosing facts that a model lacks, for {wildcards.corpus}"
    script:
        "../scripts/choose_lacking.py"


rule ask_continued:
    input:
        run="<results>/continued/{run}",
        questions=asked_table,
    output:
        scores="<results>/scores/continued/{run}/{asked}.parquet",
    log:
        "<logs>/ask_continued/{run}/{asked}.log",
    benchmark:
        "<benchmarks>/ask_continued/{run}/{asked}.tsv"
    wildcard_constraints:
        run=one_of(RUNS),
        asked=one_of(COMPARED),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=lambda wildcards: costs.memory_mb(RUNS[wildcards.run].parameters, 0),
    params:
        code=code("ask_continued"),
        max_new_tokens=settings.questions.answer_tokens,
    message:
        "Asking {wildcards.run} about the facts inserted for {wildcards.asked}"
    script:
        "../scripts/ask_continued.py"


rule score_held_out:
    input:
        run="<results>/continued/{run}",
        shards=lambda wildcards: [str(path) for path in SHARDS[RUNS[wildcards.run].held_out].values()],
    output:
        scores="<results>/scores/text/continued/{run}.parquet",
    log:
        "<logs>/score_held_out/{run}.log",
    benchmark:
        "<benchmarks>/score_held_out/{run}.tsv"
    wildcard_constraints:
        run=one_of(HELD_OUT),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=lambda wildcards: costs.memory_mb(RUNS[wildcards.run].parameters, 0),
    params:
        code=code("score_held_out"),
    message:
        "Reading text that {wildcards.run} was not trained on"
    script:
        "../scripts/score_held_out.py"


rule tabulate_gain:
    input:
        before=[f"<results>/scores/continued/{RUNS[run].control}/{run}.parquet" for run in COMPARED],
        after=[f"<results>/scores/continued/{run}/{run}.parquet" for run in COMPARED],
    output:
        table="<results>/figures/fig4_continued.parquet",
    log:
        "<logs>/tabulate_gain.log",
    benchmark:
        "<benchmarks>/tabulate_gain.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_gain"),
        compared=compared_runs(),
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_gain.py"


rule gain:
    input:
        [rules.tabulate_gain.output] if COMPARED else [],

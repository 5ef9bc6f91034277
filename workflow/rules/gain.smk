# What inserting documents gains in a published checkpoint that was trained further, on the facts inserted and elsewhere.
#
# in:   <results>/continued/{run} of a run and of its control; settings corpora (insert, asked), continued (control)
# out:  <results>/scores/continued/{run}/{asked}.parquet, <results>/gain/{run}.parquet (the table of figure 4)
# steps: ask_continued (questions on what {asked} had inserted, put to {run}) -> tabulate_gain (target `gain`)


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
        run=one_of(settings.continued),
        asked=one_of(settings.continued),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: costs.memory_mb(settings.continued[wildcards.run].parameters, 0),
    params:
        code=code("ask_continued"),
        max_new_tokens=settings.questions.answer_tokens,
    message:
        "Asking {wildcards.run} about the facts inserted for {wildcards.asked}"
    script:
        "../scripts/ask_continued.py"


rule tabulate_gain:
    input:
        before=lambda wildcards: f"<results>/scores/continued/{settings.continued[wildcards.run].control}/{{run}}.parquet",
        after="<results>/scores/continued/{run}/{run}.parquet",
    output:
        table="<results>/gain/{run}.parquet",
    log:
        "<logs>/tabulate_gain/{run}.log",
    benchmark:
        "<benchmarks>/tabulate_gain/{run}.tsv"
    wildcard_constraints:
        run=one_of(COMPARED),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_gain"),
        text=lambda wildcards: settings.continued[wildcards.run].text,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_gain.py"


rule gain:
    input:
        expand("<results>/gain/{run}.parquet", run=COMPARED),

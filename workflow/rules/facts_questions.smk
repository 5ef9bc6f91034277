# Question sets for pretrained models: the project's own, an encyclopedia's and public ones, asked closed book and with passages.
#
# in:   resources/facts, <results>/encyclopedia.parquet, public/{dataset} or the Hub, pretrained/{model}/; settings questions,
#       pretrained
# out:  <results>/questions/{set}.parquet, scores/answers/{set}/{model}.parquet (empty where a public set cannot be reached),
#       counts/{set}/{corpus}.parquet
# steps: fetch_questions, fetch_linked -> gather_questions -> answer_set, count_relevant (in a published entity map)


rule fetch_questions:
    output:
        table=temp("<results>/sources/questions/{set}.parquet"),
    log:
        "<logs>/fetch_questions/{set}.log",
    benchmark:
        "<benchmarks>/fetch_questions/{set}.tsv"
    wildcard_constraints:
        set=one_of(SETS),
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("fetch_questions"),
        source=lambda wildcards: {
            "source": settings.questions.sets[wildcards.set].hub,
            "subset": settings.questions.sets[wildcards.set].subset,
            "split": settings.questions.sets[wildcards.set].split,
        },
    message:
        "Fetching the questions of {wildcards.set} from the Hub (left out where it cannot be reached)"
    script:
        "../scripts/fetch_questions.py"


rule fetch_linked:
    output:
        entities=temp("<results>/sources/questions/{set}.jsonl"),
    log:
        "<logs>/fetch_linked/{set}.log",
    benchmark:
        "<benchmarks>/fetch_linked/{set}.tsv"
    wildcard_constraints:
        set=one_of(SETS),
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("fetch_linked"),
        linked=lambda wildcards: settings.questions.sets[wildcards.set].entities.model_dump(),
    message:
        "Fetching the entities of {wildcards.set} from the Hub"
    script:
        "../scripts/fetch_linked.py"


rule gather_questions:
    input:
        source=question_source,
        families=family_tables,
        entities=lambda w: "<results>/sources/questions/{set}.jsonl" if settings.questions.sets[w.set].entities else [],
        annotations=lambda w: settings.questions.sets[w.set].annotations or [],
    output:
        questions="<results>/questions/{set}.parquet",
    log:
        "<logs>/gather_questions/{set}.log",
    benchmark:
        "<benchmarks>/gather_questions/{set}.tsv"
    wildcard_constraints:
        set=one_of(SETS),
    priority: 25
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("gather_questions"),
        format=lambda wildcards: settings.questions.sets[wildcards.set].format,
        sample=lambda wildcards: settings.questions.sets[wildcards.set].sample,
        seed=settings.questions.seed,
    message:
        "Gathering the questions of {wildcards.set}"
    script:
        "../scripts/gather_questions.py"


rule count_relevant:
    input:
        map="<results>/maps/{corpus}.parquet",
        questions="<results>/questions/{set}.parquet",
    output:
        counts="<results>/counts/{set}/{corpus}.parquet",
    log:
        "<logs>/count_relevant/{set}/{corpus}.log",
    benchmark:
        "<benchmarks>/count_relevant/{set}/{corpus}.tsv"
    wildcard_constraints:
        set=one_of(SETS),
        corpus=one_of(settings.entity_maps),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
    params:
        code=code("count_relevant"),
        exclude_countries=settings.questions.exclude_countries,
    message:
        "Counting the documents of {wildcards.corpus} behind every question of {wildcards.set}"
    script:
        "../scripts/count_relevant.py"


rule answer_set:
    input:
        model="<results>/pretrained/{model}",
        questions="<results>/questions/{set}.parquet",
        demonstrations=RESOURCES / "facts/demonstrations.csv",
        timings=pretrained_timings,
    output:
        scores="<results>/scores/answers/{set}/{model}.parquet",
    log:
        "<logs>/answer_set/{set}/{model}.log",
    benchmark:
        "<benchmarks>/answer_set/{set}/{model}.tsv"
    wildcard_constraints:
        set=one_of(SETS),
        model=one_of(settings.pretrained),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=minutes(tokens=question_tokens),
    params:
        code=code("answer_set"),
        inference=inference,
        asked={
            "top": settings.retrieval.top,
            "max_new_tokens": settings.questions.answer_tokens,
            "seed": settings.questions.seed,
        },
    message:
        "Asking {wildcards.model} the questions of {wildcards.set}"
    script:
        "../scripts/answer_set.py"

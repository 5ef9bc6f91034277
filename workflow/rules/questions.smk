# Question sets for pretrained models: the project's own and public ones, asked closed book and with passages.
#
# in:   workflow/resources/facts, <results>/public/{dataset} or the Hub, pretrained/{model}/; settings questions, pretrained
# out:  <results>/questions/{set}.parquet, scores/answers/{set}/{model}.parquet (empty where a public set cannot be had)
# steps: fetch_questions, fetch_linked -> gather_questions -> answer_set


rule fetch_questions:
    output:
        table=temp("<results>/sources/questions/{set}.parquet"),
    log:
        "<logs>/fetch_questions/{set}.log",
    benchmark:
        "<benchmarks>/fetch_questions/{set}.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    threads: 1
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
        "Fetching the questions of {wildcards.set} from the Hub (left out where they cannot be had)"
    script:
        "../scripts/fetch_questions.py"


rule fetch_linked:
    output:
        entities=temp("<results>/sources/questions/{set}.jsonl"),
    log:
        "<logs>/fetch_linked/{set}.log",
    benchmark:
        "<benchmarks>/fetch_linked/{set}.tsv"
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    threads: 1
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
        entities=question_entities,
        annotations=question_annotations,
    output:
        questions="<results>/questions/{set}.parquet",
    log:
        "<logs>/gather_questions/{set}.log",
    benchmark:
        "<benchmarks>/gather_questions/{set}.tsv"
    priority: 20
    conda:
        "../../envs/data.yaml"
    threads: 1
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


rule answer_set:
    input:
        model="<results>/pretrained/{model}",
        questions="<results>/questions/{set}.parquet",
        demonstrations=RESOURCES / "facts/demonstrations.csv",
    output:
        scores="<results>/scores/answers/{set}/{model}.parquet",
    log:
        "<logs>/answer_set/{set}/{model}.log",
    benchmark:
        "<benchmarks>/answer_set/{set}/{model}.tsv"
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
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

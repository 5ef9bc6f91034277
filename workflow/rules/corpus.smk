# The corpus: the generated world, its token streams, and the streams of every arm.
#
# in:   settings world, suite, arms, insertion; <results>/counts.parquet (facts) to choose what is inserted
# out:  <results>/corpus/{pairs,questions,contexts,targets}.parquet, corpus/documents.jsonl, corpus/tokenizer/, <results>/streams/{arm}.npz
# steps: generate_world -> pack_baseline, rewrite_stream (one per arm), choose_targets -> insert_documents


rule generate_world:
    output:
        documents="<results>/corpus/documents.jsonl",
        pairs="<results>/corpus/pairs.parquet",
        contexts="<results>/corpus/contexts.parquet",
        questions="<results>/corpus/questions.parquet",
        tokenizer=directory("<results>/corpus/tokenizer"),
    log:
        "<logs>/generate_world.log",
    benchmark:
        "<benchmarks>/generate_world.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("generate_world"),
        world=settings.world.model_dump(),
    script:
        "../scripts/generate_world.py"


rule pack_baseline:
    input:
        documents="<results>/corpus/documents.jsonl",
        tokenizer="<results>/corpus/tokenizer",
    output:
        stream="<results>/streams/baseline.npz",
    log:
        "<logs>/pack_baseline.log",
    benchmark:
        "<benchmarks>/pack_baseline.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("pack_baseline"),
        context=settings.suite.context,
        batch=settings.suite.batch,
    script:
        "../scripts/pack_baseline.py"


rule rewrite_stream:
    input:
        documents="<results>/corpus/documents.jsonl",
        tokenizer="<results>/corpus/tokenizer",
        words=RESOURCES / "gender_words.csv",
    output:
        stream="<results>/streams/{arm}.npz",
    log:
        "<logs>/rewrite_stream/{arm}.log",
    benchmark:
        "<benchmarks>/rewrite_stream/{arm}.tsv"
    wildcard_constraints:
        arm="|".join(settings.arms),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("rewrite_stream"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        arm=lambda wildcards: settings.arms[wildcards.arm].model_dump(),
        seed=settings.world.seed,
    script:
        "../scripts/rewrite_stream.py"


rule choose_targets:
    input:
        questions="<results>/corpus/questions.parquet",
        counts="<results>/counts.parquet",
    output:
        targets="<results>/corpus/targets.parquet",
    log:
        "<logs>/choose_targets.log",
    benchmark:
        "<benchmarks>/choose_targets.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("choose_targets"),
        insertion=settings.insertion.model_dump(include={"doses", "people", "at_most"}),
        seed=settings.world.seed,
    script:
        "../scripts/choose_targets.py"


rule insert_documents:
    input:
        documents="<results>/corpus/documents.jsonl",
        questions="<results>/corpus/questions.parquet",
        targets="<results>/corpus/targets.parquet",
        tokenizer="<results>/corpus/tokenizer",
    output:
        stream="<results>/streams/insert_{placement}.npz",
    log:
        "<logs>/insert_documents/{placement}.log",
    benchmark:
        "<benchmarks>/insert_documents/{placement}.tsv"
    wildcard_constraints:
        placement="late|spread",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("insert_documents"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        share=lambda wildcards: settings.insertion.share if wildcards.placement == "late" else 1.0,
        seed=settings.world.seed,
    script:
        "../scripts/insert_documents.py"

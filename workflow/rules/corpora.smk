# The generated world: its documents, their token streams, and the streams of every arm.
#
# in:   settings world, suite, arms
# out:  <results>/corpus/{pairs,questions,contexts,passages,record}.parquet, corpus/documents.jsonl, corpus/tokenizer/,
#       <results>/streams/{arm}.npz, and streams/{arm}/seed{seed}.npz where chance decides what is rewritten
# steps: generate_world -> pack_baseline, rewrite_stream (one per arm), draw_stream (one per arm and run)


rule generate_world:
    output:
        documents="<results>/corpus/documents.jsonl",
        record="<results>/corpus/record.parquet",
        passages="<results>/corpus/passages.parquet",
        pairs="<results>/corpus/pairs.parquet",
        contexts="<results>/corpus/contexts.parquet",
        questions="<results>/corpus/questions.parquet",
        tokenizer=directory("<results>/corpus/tokenizer"),
    log:
        "<logs>/generate_world.log",
    benchmark:
        "<benchmarks>/generate_world.tsv"
    priority: 40
    conda:
        "../../envs/data.yaml"
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
    priority: 40
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("pack_baseline"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        shares=[share for share in settings.suite.checkpoints if share < 1],
    script:
        "../scripts/pack_baseline.py"


rule rewrite_stream:
    input:
        documents="<results>/corpus/documents.jsonl",
        tokenizer="<results>/corpus/tokenizer",
        words=sorted((RESOURCES / "rewriting").iterdir()),
    output:
        stream="<results>/streams/{arm}.npz",
    log:
        "<logs>/rewrite_stream/{arm}.log",
    benchmark:
        "<benchmarks>/rewrite_stream/{arm}.tsv"
    wildcard_constraints:
        arm=one_of(name for name, arm in settings.arms.items() if not arm.drawn),
    priority: 35
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("rewrite_stream"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        arm=lambda wildcards: settings.arms[wildcards.arm].model_dump(),
        seed=[settings.world.seed],
    script:
        "../scripts/rewrite_stream.py"


use rule rewrite_stream as draw_stream with:
    output:
        stream="<results>/streams/{arm}/seed{seed}.npz",
    log:
        "<logs>/draw_stream/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/draw_stream/{arm}/seed{seed}.tsv"
    wildcard_constraints:
        arm=one_of(name for name, arm in settings.arms.items() if arm.drawn),
    params:
        code=code("rewrite_stream"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        arm=lambda wildcards: settings.arms[wildcards.arm].model_dump(),
        seed=lambda wildcards: [settings.world.seed, int(wildcards.seed)],

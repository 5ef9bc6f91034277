# Gender bias of the suite: sentence pairs scored at every checkpoint of every arm, whether the swap took at all, and the audit
# of the released evaluations; what ways of rewriting do to the gendered words of texts at hand.
#
# in:   <results>/corpus/{pairs,contexts}.parquet, corpus/documents.jsonl, checkpoints/{model}/{arm};
#       <results>/encyclopedia.parquet, public/wikitext-2; resources/{released,rewriting}; settings figures, arms;
#       <results>/scores/{crows_pairs,pronouns_english} of published models (rules bias_published)
# out:  <results>/scores/{pairs,pronouns}/{model}.parquet, figures/{fig1,fig2,fig2_association,fig1_audit}.parquet;
#       <results>/references.parquet (rule claims), references_by_way.parquet
# steps: score_bias (one job for all runs of a size) -> tabulate_bias, tabulate_association; reenact_*, count_references
#        -> tabulate_audit

# The released models that stand beside the suite's in each figure, as in the talk.
RELEASED_MODELS = {"fig1": ["pythia-410m", "pythia-1.4b"], "fig2": ["pythia-70m", "pythia-6.9b"]}
FIGURE_MODELS = settings.figures.model_dump()
# Models at hand that re-enact the released evaluation code: one of the suite, and the pretrained ones.
AUDITED = [settings.figures.fig1[-1], *pretrained("bias")]
ARM_SETTINGS = {name: arm.model_dump() for name, arm in settings.arms.items()}


rule score_bias:
    input:
        runs=folders(),
        tokenizer="<results>/corpus/tokenizer",
        pairs="<results>/corpus/pairs.parquet",
        contexts="<results>/corpus/contexts.parquet",
    output:
        pairs="<results>/scores/pairs/{model}.parquet",
        pronouns="<results>/scores/pronouns/{model}.parquet",
    log:
        "<logs>/score_bias/{model}.log",
    benchmark:
        "<benchmarks>/score_bias/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: scoring_urgency
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("score_bias"),
        runs=identities(),
    message:
        "Scoring sentence pairs at every checkpoint of {wildcards.model}"
    script:
        "../scripts/score_bias.py"


rule tabulate_bias:
    input:
        scores=lambda wildcards: suite_scores("pairs", FIGURE_MODELS[wildcards.figure]),
        pronouns=lambda wildcards: suite_scores("pronouns", FIGURE_MODELS[wildcards.figure]),
        pairs="<results>/corpus/pairs.parquet",
        contexts="<results>/corpus/contexts.parquet",
        crows_pairs=lambda wildcards: expand("<results>/scores/crows_pairs/{run}.parquet", run=CHECKPOINTS[wildcards.figure]),
        pronouns_english=lambda wildcards: expand(
            "<results>/scores/pronouns_english/{run}.parquet", run=CHECKPOINTS[wildcards.figure]
        ),
        released=RESOURCES / "released/pythia_crows_gender.csv",
        directions=RESOURCES / "released/crows_pairs_directions.csv",
        independent=lambda wildcards: [INDEPENDENT] if wildcards.figure == "fig2" else [],
    output:
        table="<results>/figures/{figure}.parquet",
    log:
        "<logs>/tabulate_bias/{figure}.log",
    benchmark:
        "<benchmarks>/tabulate_bias/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURE_MODELS),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_bias"),
        released=lambda wildcards: RELEASED_MODELS[wildcards.figure],
        arms=ARM_SETTINGS,
        published=PUBLISHED_ARMS,
        totals={model: family.last for model, family in settings.checkpoints.items()},
        parameters=PARAMETERS,
    script:
        "../scripts/tabulate_bias.py"


rule tabulate_association:
    input:
        independent_winobias=INDEPENDENT,
        independent_winogender=RESOURCES / "released/independent_winogender.csv",
        pairs="<results>/corpus/pairs.parquet",
        pair_scores=suite_scores("pairs"),
    output:
        table="<results>/figures/fig2_association.parquet",
    log:
        "<logs>/tabulate_association.log",
    benchmark:
        "<benchmarks>/tabulate_association.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_association"),
        arms=ARM_SETTINGS,
        parameters=PARAMETERS,
    script:
        "../scripts/tabulate_association.py"


rule reenact_suite:
    input:
        model="<results>/checkpoints/{model}/baseline/seed0",
        pairs="<results>/corpus/pairs.parquet",
    output:
        scores="<results>/scores/shifted/{model}.parquet",
    log:
        "<logs>/reenact_suite/{model}.log",
    benchmark:
        "<benchmarks>/reenact_suite/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.suite.sizes),
    priority: scoring_urgency
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("reenact_suite"),
    message:
        "Scoring pairs cleanly and one position off: {wildcards.model}"
    script:
        "../scripts/reenact_suite.py"


rule reenact_pretrained:
    input:
        model="<results>/pretrained/{model}",
        crows_pairs=f"<results>/public/crows-pairs-{settings.crows_pairs}",
        clean="<results>/scores/crows_pairs/{model}.parquet",
        timings=pretrained_timings,
    output:
        scores="<results>/scores/shifted/{model}.parquet",
    log:
        "<logs>/reenact_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/reenact_pretrained/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
    params:
        code=code("reenact_pretrained"),
        inference=inference,
    message:
        "Scoring CrowS-Pairs one position off: {wildcards.model}"
    script:
        "../scripts/reenact_pretrained.py"


rule tabulate_audit:
    input:
        scores=expand("<results>/scores/shifted/{model}.parquet", model=AUDITED),
        ways="<results>/references_by_way.parquet",
        released=RESOURCES / "released/pythia_crows_gender.csv",
    output:
        table="<results>/figures/fig1_audit.parquet",
    log:
        "<logs>/tabulate_audit.log",
    benchmark:
        "<benchmarks>/tabulate_audit.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_audit"),
        models=AUDITED,
        parameters=PARAMETERS,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_audit.py"


rule count_references:
    input:
        encyclopedia="<results>/encyclopedia.parquet",
        wikitext="<results>/public/wikitext-2",
        documents="<results>/corpus/documents.jsonl",
        words=sorted((RESOURCES / "rewriting").iterdir()),
    output:
        table="<results>/references.parquet",
        ways="<results>/references_by_way.parquet",
    log:
        "<logs>/count_references.log",
    benchmark:
        "<benchmarks>/count_references.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("count_references"),
    message:
        "Counting gendered words of texts at hand, as written and rewritten"
    script:
        "../scripts/count_references.py"

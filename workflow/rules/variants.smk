# Variants of the generated world: another seed, or another strength of the occupations' gender association, with the sizes, runs and
# arms that each asks for. Those for the target `robustness` alone are no part of the default one.
#
# in:   settings variants, world, suite, arms
# out:  <results>/variants/{variant}/: corpus/, counts.parquet, streams/, checkpoints/ and scores/{pairs,pronouns,closed_book}/, as
#       in <results>
# steps: generate_variant -> pack_variant -> train_variant; rewrite_variant, draw_variant -> train_variant_arm -> score_variant;
#        count_variant, answer_variant

VARIANT = "<results>/variants/{variant}"


use rule generate_world as generate_variant with:
    output:
        documents=f"{VARIANT}/corpus/documents.jsonl",
        record=f"{VARIANT}/corpus/record.parquet",
        passages=f"{VARIANT}/corpus/passages.parquet",
        pairs=f"{VARIANT}/corpus/pairs.parquet",
        contexts=f"{VARIANT}/corpus/contexts.parquet",
        questions=f"{VARIANT}/corpus/questions.parquet",
        tokenizer=directory(f"{VARIANT}/corpus/tokenizer"),
    log:
        "<logs>/generate_variant/{variant}.log",
    benchmark:
        "<benchmarks>/generate_variant/{variant}.tsv"
    priority: 25
    params:
        code=code("generate_world"),
        world=variant_world,


use rule pack_baseline as pack_variant with:
    input:
        documents=f"{VARIANT}/corpus/documents.jsonl",
        tokenizer=f"{VARIANT}/corpus/tokenizer",
    output:
        stream=f"{VARIANT}/streams/baseline.npz",
    log:
        "<logs>/pack_variant/{variant}.log",
    benchmark:
        "<benchmarks>/pack_variant/{variant}.tsv"
    priority: 25
    params:
        code=code("pack_baseline"),
        context=settings.suite.context,
        batch=settings.suite.batch,
        shares=variant_branches,


use rule rewrite_stream as rewrite_variant with:
    input:
        documents=f"{VARIANT}/corpus/documents.jsonl",
        tokenizer=f"{VARIANT}/corpus/tokenizer",
        words=rules.rewrite_stream.input.words,
    output:
        stream=f"{VARIANT}/streams/{{arm}}.npz",
    log:
        "<logs>/rewrite_variant/{variant}/{arm}.log",
    benchmark:
        "<benchmarks>/rewrite_variant/{variant}/{arm}.tsv"
    priority: 25


use rule draw_stream as draw_variant with:
    input:
        documents=f"{VARIANT}/corpus/documents.jsonl",
        tokenizer=f"{VARIANT}/corpus/tokenizer",
        words=rules.rewrite_stream.input.words,
    output:
        stream=f"{VARIANT}/streams/{{arm}}/seed{{seed}}.npz",
    log:
        "<logs>/draw_variant/{variant}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/draw_variant/{variant}/{arm}/seed{seed}.tsv"
    priority: 25


use rule train_baseline as train_variant with:
    input:
        stream=f"{VARIANT}/streams/baseline.npz",
        tokenizer=f"{VARIANT}/corpus/tokenizer",
        timings=suite_timings,
    output:
        run=directory(f"{VARIANT}/checkpoints/{{model}}/baseline/seed{{seed}}"),
    log:
        "<logs>/train_variant/{variant}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_variant/{variant}/{model}/seed{seed}.tsv"
    params:
        code=code("train_baseline"),
        recipe=variant_recipe,
    message:
        "Training {wildcards.model} in the world {wildcards.variant} (seed {wildcards.seed})"


use rule train_arms as train_variant_arm with:
    input:
        baseline=f"{VARIANT}/checkpoints/{{model}}/baseline/seed{{seed}}",
        streams=lambda w: [arm_stream(w.arm, w.seed, f"<results>/variants/{w.variant}")],
        timings=suite_timings,
    output:
        runs=[directory(f"{VARIANT}/checkpoints/{{model}}/{{arm}}/seed{{seed}}")],
    log:
        "<logs>/train_variant_arm/{variant}/{model}/{arm}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_variant_arm/{variant}/{model}/{arm}/seed{seed}.tsv"
    wildcard_constraints:
        arm=one_of(settings.arms),
    params:
        code=code("train_arms"),
        recipe=variant_recipe,
    message:
        "Continuing {wildcards.model} in the world {wildcards.variant} (seed {wildcards.seed}): {wildcards.arm}"


use rule score_bias as score_variant with:
    input:
        runs=folders(),
        tokenizer=f"{VARIANT}/corpus/tokenizer",
        pairs=f"{VARIANT}/corpus/pairs.parquet",
        contexts=f"{VARIANT}/corpus/contexts.parquet",
    output:
        pairs=f"{VARIANT}/scores/pairs/{{model}}.parquet",
        pronouns=f"{VARIANT}/scores/pronouns/{{model}}.parquet",
    log:
        "<logs>/score_variant/{variant}/{model}.log",
    benchmark:
        "<benchmarks>/score_variant/{variant}/{model}.tsv"
    params:
        code=code("score_bias"),
        runs=identities(),
    message:
        "Scoring sentence pairs of {wildcards.model} in the world {wildcards.variant}"


use rule count_documents as count_variant with:
    input:
        documents=f"{VARIANT}/corpus/documents.jsonl",
        questions=f"{VARIANT}/corpus/questions.parquet",
        record=f"{VARIANT}/corpus/record.parquet",
    output:
        counts=f"{VARIANT}/counts.parquet",
    log:
        "<logs>/count_variant/{variant}.log",
    benchmark:
        "<benchmarks>/count_variant/{variant}.tsv"
    message:
        "Counting the documents behind every question of the world {wildcards.variant}"


use rule answer_questions as answer_variant with:
    input:
        runs=folders("baseline"),
        tokenizer=f"{VARIANT}/corpus/tokenizer",
        questions=f"{VARIANT}/corpus/questions.parquet",
    output:
        scores=f"{VARIANT}/scores/closed_book/{{model}}.parquet",
    log:
        "<logs>/answer_variant/{variant}/{model}.log",
    benchmark:
        "<benchmarks>/answer_variant/{variant}/{model}.tsv"
    params:
        code=code("answer_questions"),
        runs=identities("baseline"),
    message:
        "Asking {wildcards.model} every question of the world {wildcards.variant}"

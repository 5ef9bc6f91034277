# Claims: every statement of the talk against the item-level scores, kinds of evidence apart, and what would change the verdicts.
#
# in:   workflow/claims.yaml, every score table, workflow/overtime/resources/released
# out:  <results>/claims.parquet, claims.md, fragility.parquet (claim by family of perturbations);
#       <results>/robustness/ with the same three (target `robustness`: with families that need more training)
# steps: judge_claims; fit_second_lens -> read_second_layers, detect_with_noise -> judge_robustness


# What claims are judged on; variants of the world are added by each of the rules.
EVIDENCE = dict(
    claims=WORKFLOW / "claims.yaml",
    released_crows_pairs=RESOURCES / "released/pythia_crows_gender.csv",
    released_layers=RESOURCES / "released/overthinking_layers.csv",
    independent_winobias=RESOURCES / "released/independent_winobias.csv",
    independent_winogender=RESOURCES / "released/independent_winogender.csv",
    references="<results>/references.parquet",
    contexts="<results>/corpus/contexts.parquet",
    pairs="<results>/corpus/pairs.parquet",
    pair_scores=suite_scores("pairs"),
    pronoun_scores=suite_scores("pronouns"),
    **CONTINUED_SCORES,
    continued_answers=rules.tabulate_gain.input.before + rules.tabulate_gain.input.after,
    continued_text=expand("<results>/scores/text/continued/{run}.parquet", run=HELD_OUT),
    published_pairs=expand("<results>/scores/crows_pairs/{run}.parquet", run=PUBLISHED),
    published_pronouns=expand("<results>/scores/pronouns_english/{run}.parquet", run=PUBLISHED),
    questions="<results>/corpus/questions.parquet",
    counts="<results>/counts.parquet",
    targets="<results>/corpus/targets.parquet" if INSERTED else [],
    closed_book=rules.tabulate_counts.input.scores + suite_scores("inserted", INSERTED),
    passages=rules.tabulate_retrieval.input.scores,
    sets=rules.tabulate_counts.input.sets,
    set_answers=rules.tabulate_counts.input.answers,
    set_counts=rules.tabulate_counts.input.set_counts,
    persona=expand("<results>/scores/persona/{model}/log_odds.parquet", model=pretrained("persona")),
    assertions="<results>/assertions.parquet" if pretrained("persona") else [],
    layers=LAYER_SCORES,
    detect=expand("<results>/scores/detect/{model}.parquet", model=pretrained("layers")),
    defend=expand("<results>/scores/defend/{model}.parquet", model=pretrained("layers")),
)

# What the settings say of models, arms and runs.
DECLARED = dict(
    parameters=PARAMETERS,
    corpora=CORPORA,
    arms=ARM_SETTINGS,
    published=PUBLISHED_ARMS,
    continued=[described_run(name) for name in SCORED],
    compared=compared_runs(),
)


rule judge_claims:
    input:
        **EVIDENCE,
        variant_pairs=variant_tables("corpus/pairs"),
        variant_pair_scores=variant_scores("pairs"),
        variant_pronoun_scores=variant_scores("pronouns"),
    output:
        table="<results>/claims.parquet",
        text="<results>/claims.md",
        families="<results>/fragility.parquet",
    log:
        "<logs>/judge_claims.log",
    benchmark:
        "<benchmarks>/judge_claims.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("judge_claims"),
        declared=DECLARED,
        robustness=False,
    message:
        "Judging the claims of the talk"
    script:
        "../scripts/judge_claims.py"


SECOND_TEXT = "packages" if settings.prompts.lens_text == "wikitext-2" else "wikitext-2"


# For the target `robustness`: a lens fitted on another text, and what the claims compare, read through it.
use rule fit_lens as fit_second_lens with:
    output:
        lens="<results>/robustness/lens/{model}.safetensors",
        held_out="<results>/robustness/lens/{model}.parquet",
    log:
        "<logs>/fit_second_lens/{model}.log",
    benchmark:
        "<benchmarks>/fit_second_lens/{model}.tsv"
    params:
        code=code("fit_lens"),
        inference=inference,
        text=SECOND_TEXT,
        needed=SECOND_TEXT,
        tokens=settings.prompts.lens_tokens,
        steps=settings.prompts.lens_steps,
        seed=settings.prompts.seed + 1,
    message:
        "Fitting a tuned lens to {wildcards.model} on a second text"


use rule read_layers as read_second_layers with:
    input:
        model="<results>/pretrained/{model}",
        lens="<results>/robustness/lens/{model}.safetensors",
        task=RESOURCES / "prompts/{task}.csv",
        texts=rules.read_layers.input.texts,
        timings=pretrained_timings,
    output:
        layers="<results>/robustness/layers/{model}/{task}.parquet",
    log:
        "<logs>/read_second_layers/{model}/{task}.log",
    benchmark:
        "<benchmarks>/read_second_layers/{model}/{task}.tsv"
    params:
        code=code("read_layers"),
        conditions=["true", "injection", "benign"],
        inference=inference,
        prompts=settings.prompts.prompts,
        demonstrations=settings.prompts.demonstrations,
        seed=settings.prompts.seed,
    message:
        "Reading every layer of {wildcards.model} through the second lens: {wildcards.task}"


use rule detect_attacks as detect_with_noise with:
    output:
        scores="<results>/robustness/detect/{model}.parquet",
    log:
        "<logs>/detect_with_noise/{model}.log",
    benchmark:
        "<benchmarks>/detect_with_noise/{model}.tsv"
    params:
        code=code("detect_attacks"),
        tasks=TASKS,
        window=settings.prompts.window,
        seed=settings.prompts.seed,
        noise=True,


use rule judge_claims as judge_robustness with:
    input:
        **EVIDENCE,
        variant_pairs=variant_tables("corpus/pairs", robustness=True),
        second_layers=expand("<results>/robustness/layers/{model}/{task}.parquet", model=pretrained("layers"), task=TASKS),
        noisy_detect=expand("<results>/robustness/detect/{model}.parquet", model=pretrained("layers")),
        variant_questions=variant_tables("corpus/questions", robustness=True),
        variant_counts=variant_tables("counts", robustness=True),
        variant_closed_book=variant_scores("closed_book", robustness=True),
        variant_pair_scores=variant_scores("pairs", robustness=True),
        variant_pronoun_scores=variant_scores("pronouns", robustness=True),
    output:
        table="<results>/robustness/claims.parquet",
        text="<results>/robustness/claims.md",
        families="<results>/robustness/fragility.parquet",
    log:
        "<logs>/judge_robustness.log",
    benchmark:
        "<benchmarks>/judge_robustness.tsv"
    params:
        code=code("judge_claims"),
        declared=DECLARED,
        robustness=True,
    message:
        "Judging the claims of the talk under every perturbation"


rule robustness:
    input:
        rules.judge_robustness.output,

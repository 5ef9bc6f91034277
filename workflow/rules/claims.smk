# Claims: every statement of the talk against the item-level scores, released and measured evidence apart.
#
# in:   workflow/claims.yaml, every score table, workflow/overtime/resources/released
# out:  <results>/claims.parquet, <results>/claims.md
# steps: judge_claims


rule judge_claims:
    input:
        claims=WORKFLOW / "claims.yaml",
        released_crows_pairs=RESOURCES / "released/pythia_crows_gender.csv",
        released_layers=RESOURCES / "released/overthinking_layers.csv",
        pairs="<results>/corpus/pairs.parquet",
        pair_scores=suite_scores("pairs"),
        pronoun_scores=suite_scores("pronouns"),
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
        layers=LAYER_SCORES,
        detect=expand("<results>/scores/detect/{model}.parquet", model=pretrained("layers")),
        defend=expand("<results>/scores/defend/{model}.parquet", model=pretrained("layers")),
    output:
        table="<results>/claims.parquet",
        text="<results>/claims.md",
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
        corpora=CORPORA,
        parameters=PARAMETERS,
        arms=ARM_SETTINGS,
        published=PUBLISHED_ARMS,
        statistics=settings.statistics.model_dump(),
    message:
        "Judging the claims of the talk"
    script:
        "../scripts/judge_claims.py"

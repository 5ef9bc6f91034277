# Gender bias of models that are trained further: scored before the first step, and at every checkpoint of every run.
#
# in:   <results>/continued/{run}, the models that these begin with; <results>/public/{crows-pairs-*,winobias}; settings
#       interventions, continued (bias), crows_pairs
# out:  <results>/scores/{crows_pairs,winobias,pronouns_english,log}/continued/{run}.parquet (WinoBias: the last checkpoint),
#       <results>/scores/{crows_pairs,winobias,pronouns_english}/starts/{family}.parquet, figures/fig1_continued.parquet
# steps: score_start, score_continued -> tabulate_continued

STARTS = dict.fromkeys(FAMILY[name] for name in SCORED)


def described_run(name):
    """What a run is, for tables: its family, text and stretch, and how the text is rewritten (null: not at all)."""
    run = RUNS[name]
    rewritten = settings.corpora[run.corpus].rewriting(run.text)
    how = {"rewrite": rewritten and rewritten.mode, "probability": rewritten and rewritten.probability}
    place = {"family": FAMILY[name], "text": run.text, "stretch": run.stretch or 0}
    return {"run": name, **place, **how, "parameters": run.parameters, "tokens": run.tokens}


# For inputs: the score tables of all runs, and of what their families begin with.
CONTINUED_SCORES = {
    f"{group}_{name}": expand(f"<results>/scores/{test}/{folder}/{{name}}.parquet", name=names)
    for name, test in {"pairs": "crows_pairs", "pronouns": "pronouns_english", "winobias": "winobias"}.items()
    for group, folder, names in (("continued", "continued", SCORED), ("start", "starts", STARTS))
}


rule score_start:
    input:
        model=start,
        crows_pairs=f"<results>/public/crows-pairs-{settings.crows_pairs}",
        winobias="<results>/public/winobias",
    output:
        crows_pairs="<results>/scores/crows_pairs/starts/{family}.parquet",
        winobias="<results>/scores/winobias/starts/{family}.parquet",
        pronouns_english="<results>/scores/pronouns_english/starts/{family}.parquet",
    log:
        "<logs>/score_start/{family}.log",
    benchmark:
        "<benchmarks>/score_start/{family}.tsv"
    wildcard_constraints:
        family=one_of(STARTS),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=lambda wildcards: costs.memory_mb(continued_run(wildcards).parameters, run_gpus(wildcards)),
        gpu=run_gpus,
        runtime=lambda w: costs.minutes(continued_run(w).parameters, run_gpus(w), TESTS_TOKENS),
    params:
        code=code("score_start"),
        revision=start_revision,
        device=settings.device,
    message:
        "Scoring gender bias before the first step of {wildcards.family}"
    script:
        "../scripts/score_start.py"


rule score_continued:
    input:
        run="<results>/continued/{run}",
        crows_pairs=f"<results>/public/crows-pairs-{settings.crows_pairs}",
        winobias="<results>/public/winobias",
    output:
        crows_pairs="<results>/scores/crows_pairs/continued/{run}.parquet",
        winobias="<results>/scores/winobias/continued/{run}.parquet",
        pronouns_english="<results>/scores/pronouns_english/continued/{run}.parquet",
        log="<results>/scores/log/continued/{run}.parquet",
    log:
        "<logs>/score_continued/{run}.log",
    benchmark:
        "<benchmarks>/score_continued/{run}.tsv"
    wildcard_constraints:
        run=one_of(SCORED),
    priority: 20  # before the next training: until then the checkpoints are kept
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=lambda wildcards: costs.memory_mb(continued_run(wildcards).parameters, run_gpus(wildcards)),
        gpu=run_gpus,
        runtime=lambda w: costs.minutes(RUNS[w.run].parameters, run_gpus(w), (1 + len(RUNS[w.run].checkpoints)) * TESTS_TOKENS),
    params:
        code=code("score_continued"),
        device=settings.device,
    message:
        "Scoring gender bias at the checkpoints of {wildcards.run}"
    script:
        "../scripts/score_continued.py"

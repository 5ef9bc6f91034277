# Gender bias of published models: CrowS-Pairs, WinoBias and neutral contexts, at one checkpoint or over a training run.
#
# in:   <results>/pretrained/{model}, <results>/public/{crows-pairs-*,winobias}; settings pretrained (study bias), checkpoints, crows_pairs
# out:  <results>/scores/{crows_pairs,winobias,winobias_forms,pronouns_english}/{model}.parquet, figures/fig1_pretrained.parquet;
#       <results>/scores/{crows_pairs,winobias,winobias_forms,pronouns_english}/{model}/{arm}/step{steps}.parquet (rules bias, claims)
#       <results>/independent_check.parquet; <results>/independent_check.txt (target `independent_check`)
# steps: score_pretrained -> tabulate_pretrained; score_checkpoints (steps: 3000, or all of the job from 3000-43000);
#        either -> compare_independent -> independent_check
from overtime.sources.scored_by_others import same_model, scored_models

TESTS = ["crows_pairs", "winobias", "winobias_forms", "pronouns_english"]
TESTS_TOKENS = 100_000  # in all of them, starts that sentences share counted once
# The jobs on published checkpoints, each with its steps, and their score tables by figure.
JOBS = {
    (model, arm, job): steps
    for model, family in settings.checkpoints.items()
    for arm in family.arms
    for job, steps in family.jobs(arm).items()
}
# What the arms of published runs are, by model and arm.
PUBLISHED_ARMS = {
    model: {name: arm.model_dump(include={"rewrite", "share"}) for name, arm in family.arms.items() if arm.rewrite}
    for model, family in settings.checkpoints.items()
}
CHECKPOINTS = {
    figure: [f"{model}/{arm}/step{job}" for model, arm, job in JOBS if settings.checkpoints[model].figure == figure]
    for figure in ("fig1", "fig2")
}
PUBLISHED = sum(CHECKPOINTS.values(), [])
INDEPENDENT = RESOURCES / "released/independent_winobias.csv"
THEIRS = checked(None, scored_models, INDEPENDENT)
# What is scored -> its repository on the Hub and revision.
PLACES = {name: (settings.pretrained[name].hub, settings.pretrained[name].revision) for name in pretrained("bias")}
PLACES |= {
    f"{model}/{arm}/step{job}": (settings.checkpoints[model].arms[arm].hub, f"step{steps[-1]}")
    for (model, arm, job), steps in JOBS.items()
}
# Of these, what others scored, too -> what they call it.
WITH_OTHERS = {run: same for run, place in PLACES.items() if (same := same_model(*place, THEIRS))}


rule score_pretrained:
    input:
        model="<results>/pretrained/{model}",
        crows_pairs=f"<results>/public/crows-pairs-{settings.crows_pairs}",
        winobias="<results>/public/winobias",
        timings=pretrained_timings,
    output:
        crows_pairs="<results>/scores/crows_pairs/{model}.parquet",
        winobias="<results>/scores/winobias/{model}.parquet",
        winobias_forms="<results>/scores/winobias_forms/{model}.parquet",
        pronouns_english="<results>/scores/pronouns_english/{model}.parquet",
    log:
        "<logs>/score_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/score_pretrained/{model}.tsv"
    wildcard_constraints:
        model=one_of(settings.pretrained),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=minutes(tokens=TESTS_TOKENS),
    params:
        code=code("score_pretrained"),
        inference=inference,
    message:
        "Scoring CrowS-Pairs and WinoBias with {wildcards.model}"
    script:
        "../scripts/score_pretrained.py"


rule tabulate_pretrained:
    input:
        crows_pairs=expand("<results>/scores/crows_pairs/{model}.parquet", model=pretrained("bias")),
        winobias=expand("<results>/scores/winobias/{model}.parquet", model=pretrained("bias")),
        pronouns_english=expand("<results>/scores/pronouns_english/{model}.parquet", model=pretrained("bias")),
    output:
        table="<results>/figures/fig1_pretrained.parquet",
    log:
        "<logs>/tabulate_pretrained.log",
    benchmark:
        "<benchmarks>/tabulate_pretrained.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("tabulate_pretrained"),
        models=pretrained("bias"),
        parameters=PARAMETERS,
        statistics=settings.statistics.model_dump(),
    script:
        "../scripts/tabulate_pretrained.py"


rule score_checkpoints:
    input:
        crows_pairs=f"<results>/public/crows-pairs-{settings.crows_pairs}",
        winobias="<results>/public/winobias",
        timings=timings(lambda wildcards: settings.checkpoints[wildcards.model].dtype),
    output:
        crows_pairs="<results>/scores/crows_pairs/{model}/{arm}/step{steps}.parquet",
        winobias="<results>/scores/winobias/{model}/{arm}/step{steps}.parquet",
        winobias_forms="<results>/scores/winobias_forms/{model}/{arm}/step{steps}.parquet",
        pronouns_english="<results>/scores/pronouns_english/{model}/{arm}/step{steps}.parquet",
    log:
        "<logs>/score_checkpoints/{model}/{arm}/step{steps}.log",
    benchmark:
        "<benchmarks>/score_checkpoints/{model}/{arm}/step{steps}.tsv"
    wildcard_constraints:
        model=one_of(settings.checkpoints),
        arm=one_of({arm for family in settings.checkpoints.values() for arm in family.arms}),
        steps=r"\d+(-\d+)?",
    retries: 2
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=host_memory,
        gpu=gpus,
        runtime=lambda w: minutes(len(JOBS[w.model, w.arm, w.steps]) * TESTS_TOKENS, len(JOBS[w.model, w.arm, w.steps]))(w),
        disk_mb=lambda w: min(2, len(JOBS[w.model, w.arm, w.steps])) * weights(w),
        download_mb=lambda w: len(JOBS[w.model, w.arm, w.steps]) * weights(w),
    params:
        code=code("score_checkpoints"),
        hub=lambda wildcards: settings.checkpoints[wildcards.model].arms[wildcards.arm].hub,
        steps=lambda w: JOBS[w.model, w.arm, w.steps],
        inference=lambda wildcards: {"dtype": settings.checkpoints[wildcards.model].dtype, "device": settings.device},
    message:
        "Scoring {wildcards.model}, {wildcards.arm}, step {wildcards.steps}"
    script:
        "../scripts/score_checkpoints.py"


rule compare_independent:
    input:
        scores=expand("<results>/scores/winobias_forms/{run}.parquet", run=WITH_OTHERS),
        independent=INDEPENDENT,
    output:
        table="<results>/independent_check.parquet",
    log:
        "<logs>/compare_independent.log",
    benchmark:
        "<benchmarks>/compare_independent.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("compare_independent"),
        names=WITH_OTHERS,
    message:
        "Comparing the margins of WinoBias sentences with those of others"
    script:
        "../scripts/compare_independent.py"


rule independent_check:
    input:
        table=rules.compare_independent.output.table if WITH_OTHERS else [],
    output:
        text="<results>/independent_check.txt",
    log:
        "<logs>/independent_check.log",
    benchmark:
        "<benchmarks>/independent_check.tsv"
    localrule: True
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("independent_check"),
    script:
        "../scripts/independent_check.py"

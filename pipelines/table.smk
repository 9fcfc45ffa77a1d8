# A table of tasks, datasets, methods and seeds: what pipelines of this shape share. A cell is trained for the paper's number
# of updates, or for those that `updates` names, and evaluated on `episodes` episodes. `all` makes the cells of config.yaml
# that have no row yet; `publish` puts a row for each that is there into `notebooks-export/<name>/runs.csv`.

import itertools

made = f"runs/{config['name']}"
cell = f"{made}/{{task}}-{{data}}-{{method}}-s{{seed}}"


wildcard_constraints:
    data="expert|random",
    method="|".join(config["learners"]),
    seed="[0-9]+",


def part(task, data):
    """How many episodes of a dataset are taken; None for all."""
    return config.get("parts", {}).get(f"{task}-{data}")


def dataset(task, data):
    """The folder of a dataset; the first episodes of one that `parts` names lie among the runs."""
    return f"{made}/data/{task}-{data}" if part(task, data) else f"datasets/{task}-{data}-v0"


def training(wildcards):
    task, data, method = wildcards.task, wildcards.data, wildcards.method
    settings = dict(config["learners"][method].get("settings", {}))
    if method == "wgcsl" and data == "random" and task in config.get("hard_tasks", []):
        settings.update(config["hard_random_wgcsl"])
    updates = config.get("updates", {}).get(task)
    return {
        "learner": config["learners"][method]["learner"],
        "datasets": [dataset(task, data)],
        "seed": int(wildcards.seed),
        "evaluateEvery": 0,
        "settings": settings,
    } | ({"updates": updates} if updates else {})


def needs(wildcards):
    return [f"{made}/{wildcards.task}-{wildcards.data}.json"]


def band(wildcards):
    return f"{wildcards.task}-{wildcards.data}-{wildcards.method}"


def rank(wildcards):
    return 0


include: "cells.smk"


columns = {"task": "tasks", "data": "data", "method": "methods", "seed": "seeds"}
cells = [dict(zip(columns, values)) for values in itertools.product(*(config[name] for name in columns.values()))]


rule all:
    input:
        list(files(without_row(cells))),


# A dataset that is there already is checked in a moment; what it returns is a row too.
rule collect:
    input:
        "datasets/{task}-{data}-v0/recipe.yaml",
    output:
        f"{made}/{{task}}-{{data}}.json",
    threads: workflow.cores
    params:
        part=lambda wildcards: (
            f"--only-episodes 0-{part(wildcards.task, wildcards.data) - 1} --output {dataset(wildcards.task, wildcards.data)}"
            if part(wildcards.task, wildcards.data)
            else ""
        ),
        dataset=lambda wildcards: dataset(wildcards.task, wildcards.data),
    shell:
        "goalpost collect {input} {params.part} --workers {threads} && goalpost inspect {params.dataset} --json > {output}"

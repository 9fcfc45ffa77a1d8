# A table of tasks, datasets, methods and seeds: the rules that pipelines of this shape share. A cell is trained for the
# paper's number of updates, or for those that `updates` names, and evaluated on `episodes` episodes. `all` makes the cells
# of config.yaml that have no row yet; `publish` puts a row for each that is there into
# `notebooks-export/<name>/runs.csv`, whether it lies in its band or not.

import csv
import glob
import itertools
import json
import os
import re
import statistics
import sys


sys.path.insert(0, "pipelines")
import over_seeds
from provenance import commits

made = f"runs/{config['name']}"
study = f"notebooks-export/{config['name']}"
cell = "{task}-{data}-{method}-s{seed}"
bands = f"pipelines/{config['name']}/expected.json"
expected = json.load(open(bands)) if os.path.exists(bands) else {}


wildcard_constraints:
    data="expert|random",
    method="|".join(config["learners"]),
    seed="[0-9]+",


def settings(task, data, method):
    values = dict(config["learners"][method].get("settings", {}))
    if method == "wgcsl" and data == "random" and task in config.get("hard_tasks", []):
        values.update(config["hard_random_wgcsl"])
    return {key: str(value).lower() for key, value in values.items()}


def dataset(task, data):
    """The folder of a dataset; the first episodes of one that `parts` names lie among the runs."""
    return f"{made}/data/{task}-{data}" if part(task, data) else f"datasets/{task}-{data}-v0"


def part(task, data):
    return config.get("parts", {}).get(f"{task}-{data}")


def updates(task):
    """Updates that config.yaml names; None for the paper's."""
    return config.get("updates", {}).get(task)


def published():
    """The rows that are there, by task, data, method and seed."""
    if not os.path.exists(f"{study}/runs.csv"):
        return {}
    with open(f"{study}/runs.csv", newline="") as file:
        return {(row["task"], row["data"], row["method"], int(row["seed"])): row for row in csv.DictReader(file)}


def missing():
    """The cells without a row of these settings and episodes; one that has no band is evaluated only."""
    rows = published()
    for task, data, method, seed in itertools.product(*(config[key] for key in ["tasks", "data", "methods", "seeds"])):
        row = rows.get((task, data, method, seed))
        own = json.dumps(settings(task, data, method), sort_keys=True)
        wanted = updates(task) or (row and int(row["updates"]))
        if row is None or (row["settings"], int(row["episodes"]), int(row["updates"])) != (own, config["episodes"], wanted):
            yield f"{made}/{task}-{data}-{method}-s{seed}." + ("check" if f"{task}-{data}-{method}" in expected else "json")


rule all:
    input:
        list(missing()),


# A dataset that is there already is checked in a moment.
rule collect:
    input:
        "datasets/{task}-{data}-v0/recipe.yaml",
    output:
        f"{made}/{{task}}-{{data}}.txt",
    threads: workflow.cores
    params:
        part=lambda wildcards: (
            f"--only-episodes 0-{part(wildcards.task, wildcards.data) - 1} --output {dataset(wildcards.task, wildcards.data)}"
            if part(wildcards.task, wildcards.data)
            else ""
        ),
    shell:
        "goalpost collect {input} {params.part} --workers {threads} > {output}"


# A run that was cut off goes on from its last checkpoint.
rule train:
    input:
        f"{made}/{{task}}-{{data}}.txt",
    output:
        f"{made}/{cell}.txt",
    params:
        learner=lambda wildcards: config["learners"][wildcards.method]["learner"],
        settings=lambda wildcards: " ".join(
            f"--set {key}={value}"
            for key, value in settings(wildcards.task, wildcards.data, wildcards.method).items()
        ),
        updates=lambda wildcards: f"--updates {updates(wildcards.task)}" if updates(wildcards.task) else "",
        dataset=lambda wildcards: dataset(wildcards.task, wildcards.data),
        run=f"{made}/{cell}",
    shell:
        """
        if [ -e {params.run}/config.json ]; then goalpost train --resume {params.run}
        else goalpost train --learner {params.learner} --dataset {params.dataset} --seed {wildcards.seed} \
            --evaluate-every 0 {params.updates} {params.settings} --output {params.run}
        fi > {output}
        """


rule evaluate:
    input:
        f"{made}/{cell}.txt",
    output:
        f"{made}/{cell}.json",
    params:
        run=f"{made}/{cell}",
    shell:
        f"goalpost evaluate {{params.run}} --episodes {config['episodes']} --seed {{wildcards.seed}} --workers 1 --json "
        "> {output}"


# The same evaluation again, so that a number outside its band is published too.
rule check:
    input:
        f"{made}/{cell}.json",
        expected=bands,
    output:
        f"{made}/{cell}.check",
    params:
        run=f"{made}/{cell}",
    shell:
        f"goalpost evaluate {{params.run}} --episodes {config['episodes']} --seed {{wildcards.seed}} --workers 1 "
        "--expect {input.expected}:{wildcards.task}-{wildcards.data}-{wildcards.method} > {output}"


def of_cells(rows, task, data, method, metric):
    return [float(row[metric]) for row in rows if (row["task"], row["data"], row["method"]) == (task, data, method)]


# A line a cell, of the rows of runs.csv and the datasets that are there.
def table(rows, datasets):
    # `against` names a method of the table beside which the others stand, in the place of published numbers.
    rival = config.get("against")
    last = f"success | against `{rival}`" if rival else "published | "
    lines = [f"| task | data | method | return49 | seeds | {last} |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for task in config["tasks"]:
        for data in config["data"]:
            published = config.get("published", {}).get(task, {}).get(data, {})
            if (task, data) in datasets:
                of = datasets[task, data]
                estimate = f"{float(of['return49']):.2f} [{float(of['low']):.2f}, {float(of['high']):.2f}]"
                lines.append(f"| `{task}` | {data} | the data | {estimate} | | {'' if rival else published.get('data', '')} | |")
            for method in config["learners"]:
                values = of_cells(rows, task, data, method, "return49")
                if not values:
                    continue
                # Each seed has starts of its own (`evaluate`); 49 steps count.
                if rival:
                    beside = f"{statistics.mean(of_cells(rows, task, data, method, 'success')):.2f}"
                    others = of_cells(rows, task, data, rival, "return49")
                    said = over_seeds.apart(values, others, most=49) if method != rival else ""
                else:
                    told = published.get(method)
                    beside = "" if told is None else str(told)
                    said = over_seeds.verdict(values, told, most=49)
                parts = [f"`{task}`", data, method, over_seeds.text(values, 2, most=49), str(len(values)), beside]
                lines.append(f"| {' | '.join(parts)} | {said + ' ' if said else ''}|")
    return "\n".join(lines)


# Rows, what the datasets return, and the table in the README between its two marks.
rule publish:
    run:
        os.makedirs(study, exist_ok=True)
        rows = published()
        methods = "|".join(config["learners"])
        for file in sorted(glob.glob(f"{made}/*.json")):
            task, data, method, seed = re.fullmatch(
                rf"(.+)-(expert|random)-({methods})-s([0-9]+)\.json", os.path.basename(file)
            ).groups()
            results = json.load(open(file))
            saved = json.load(open(f"{file[:-5]}/config.json"))
            row = {
                "task": task,
                "data": data,
                "method": method,
                "seed": int(seed),
                "learner": saved["configuration"]["learner"],
                "updates": saved["configuration"]["updates"],
                "settings": json.dumps(settings(task, data, method), sort_keys=True),
                "dataset_sha256": saved["datasetDigests"][0],
                "commit": commits(file[:-5]),
                "episodes": results["success"]["episodes"],
            }
            for metric in ["return49", "success", "discounted_return", "final_distance"]:
                row[metric] = round(results[metric]["estimate"], 4)
            rows[task, data, method, int(seed)] = row
        with open(f"{study}/runs.csv", "w", newline="") as file:
            lines = csv.DictWriter(file, list(next(iter(rows.values()))), lineterminator="\n")
            lines.writeheader()
            lines.writerows(rows[key] for key in sorted(rows))
        datasets = {}
        if os.path.exists(f"{study}/datasets.csv"):
            with open(f"{study}/datasets.csv", newline="") as file:
                datasets = {(row["task"], row["data"]): row for row in csv.DictReader(file)}
        for task in config["tasks"]:
            for data in config["data"]:
                if not os.path.exists(f"{made}/{task}-{data}.txt"):
                    continue
                seen = json.loads(shell(f"goalpost inspect {dataset(task, data)} --json", read=True))["return49"]
                digests = [row["dataset_sha256"] for row in rows.values() if (row["task"], row["data"]) == (task, data)]
                datasets[task, data] = {
                    "task": task,
                    "data": data,
                    "dataset_sha256": digests[0] if digests else "",
                    **{name: round(seen[key], 3) for name, key in [("return49", "estimate"), ("low", "low"), ("high", "high")]},
                }
        if datasets:
            with open(f"{study}/datasets.csv", "w", newline="") as file:
                lines = csv.DictWriter(file, list(next(iter(datasets.values()))), lineterminator="\n")
                lines.writeheader()
                lines.writerows(datasets[key] for key in sorted(datasets))
        with open(f"{study}/README.md") as file:
            before, after = re.split(r"<!-- table -->.*<!-- end -->", file.read(), flags=re.DOTALL)
        with open(f"{study}/README.md", "w") as file:
            filled = table([rows[key] for key in sorted(rows)], datasets)
            file.write(f"{before}<!-- table -->\n{filled}\n<!-- end -->{after}")

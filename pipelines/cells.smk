# Cells of a study: the rules that train, evaluate, check and publish them. A pipeline that includes this says what a cell is:
#
#   made                  the folder of its cells
#   cell                  a cell's path with wildcards, among them {seed}; its run, .yaml, .json and .check lie there
#   training(wildcards)   the settings that `goalpost train FILE.yaml` reads: JSON is YAML
#   needs(wildcards)      files that training needs
#   band(wildcards)       its name in expected.json
#   rank(wildcards)       cells of a higher one are made first
#
# Only final files are outputs, because Snakemake deletes the outputs of a rule before it runs it again, and checkpoints
# must survive that.

import csv
import glob
import json
import os
from types import SimpleNamespace

study = f"notebooks-export/{config['name']}"
bands = f"pipelines/{config['name']}/expected.json"
expected = json.load(open(bands)) if os.path.exists(bands) else {}


def rows():
    """The study's rows."""
    if not os.path.exists(f"{study}/runs.csv"):
        return []
    with open(f"{study}/runs.csv", newline="") as file:
        return list(csv.DictReader(file))


def is_of(row, asked):
    """Whether a row is of a run with these settings, as long, and of as many episodes as are evaluated now."""
    online = asked.get("online")
    column, length = ("environment_steps", online["steps"]) if online else ("updates", asked.get("updates"))
    return (
        json.loads(row["settings"]) == asked["settings"]
        and int(row["episodes"]) == int(config["episodes"])
        and length in (None, int(row[column]))
    )


def without_row(cells):
    """Those cells, as cells' columns, that have no such row yet."""
    known = rows()
    for own in cells:
        same = [row for row in known if all(row[column] == str(value) for column, value in own.items())]
        if not any(is_of(row, training(SimpleNamespace(**own))) for row in same):
            yield own


def files(cells):
    """What is made of cells: the check of one that has a band, the evaluation of the others."""
    for own in cells:
        has_band = band(SimpleNamespace(**own)) in expected
        yield f"{cell.format(**own)}.{'check' if has_band else 'json'}"


# A run that was cut off goes on from its last checkpoint; one of other settings is refused.
rule train:
    input:
        lambda wildcards: needs(wildcards),
    output:
        f"{cell}.txt",
    priority: lambda wildcards: rank(wildcards)
    params:
        settings=lambda wildcards: json.dumps(training(wildcards), sort_keys=True),
        run=cell,
    shell:
        """
        printf '%s\n' '{params.settings}' > {params.run}.asked.yaml
        if [ -e {params.run}/config.json ] && cmp -s {params.run}.asked.yaml {params.run}.yaml; then
            goalpost train --resume {params.run}
        else
            test -e {params.run}/config.json || cp {params.run}.asked.yaml {params.run}.yaml
            goalpost train {params.run}.asked.yaml --output {params.run}
        fi > {output}
        """


# The last policy, on starts of its own seed's.
rule evaluate:
    input:
        f"{cell}.txt",
    output:
        f"{cell}.json",
    priority: 100
    params:
        run=cell,
    shell:
        f"goalpost evaluate {{params.run}} --episodes {config['episodes']} --seed {{wildcards.seed}} --workers 1 --json "
        "> {output}"


# The same evaluation again, so that a number outside its band is published too.
rule check:
    input:
        f"{cell}.json",
        expected=bands,
    output:
        f"{cell}.check",
    priority: 100
    params:
        run=cell,
        band=lambda wildcards: band(wildcards),
    shell:
        f"goalpost evaluate {{params.run}} --episodes {config['episodes']} --seed {{wildcards.seed}} --workers 1 "
        "--expect {input.expected}:{params.band} > {output}"


# A row for each result that is there, whether it lies in its band or not, and all of the study again from its rows.
rule publish:
    params:
        results=lambda wildcards: sorted(glob.glob(f"{made}/*.json")),
    shell:
        f"goalpost export {{params.results}} --output {study}"

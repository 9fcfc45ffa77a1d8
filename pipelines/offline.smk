# Collect, verify, train offline, evaluate and film: the rules that pipelines of this shape share.
# A pipeline's config.yaml names the learner and the numbers, its recipe.yaml what to collect.
# Everything that is made lies under runs/<name>/. Only final files are outputs, because Snakemake
# deletes the outputs of a rule before it runs it again, and checkpoints must survive that.

here = f"pipelines/{config['name']}"
made = f"runs/{config['name']}"
seed = config["seed"]
run = f"{made}/{config['learner']}-s{seed}"


rule all:
    input:
        f"{made}/verification.json",
        f"{made}/evaluation-s{seed}.json",
        f"{made}/policy-s{seed}.mp4",


rule collect:
    input:
        f"{here}/recipe.yaml",
    output:
        f"{made}/data/manifest.json",
    threads: workflow.cores
    shell:
        f"goalpost collect {{input}} --workers {{threads}} --output {made}/data"


rule verify:
    input:
        f"{made}/data/manifest.json",
    output:
        f"{made}/verification.json",
    threads: workflow.cores
    shell:
        f"goalpost verify {made}/data --workers {{threads}} --json > {{output}}"


# A run that was cut off goes on from its last checkpoint.
rule train:
    input:
        f"{made}/data/manifest.json",
        f"{made}/verification.json",
    output:
        f"{run}.txt",
    threads: config["threads"]
    params:
        settings=" ".join(f"--set {key}={value}" for key, value in config.get("settings", {}).items()),
    shell:
        f"""
        if [ -e {run}/config.json ]; then goalpost train --resume {run}
        else goalpost train --learner {config['learner']} --dataset {made}/data --seed {seed} \
            --updates {config['updates']} --threads {{threads}} --evaluate-every {config['evaluate_every']} \
            {{params.settings}} --output {run}
        fi > {{output}}
        """


rule evaluate:
    input:
        f"{run}.txt",
        f"{here}/expected.json",
    output:
        json=f"{made}/evaluation-s{seed}.json",
        video=f"{made}/policy-s{seed}.mp4",
    threads: workflow.cores
    shell:
        f"goalpost evaluate {run} --episodes {config['episodes']} --seed {seed} --workers {{threads}} "
        f"--video {{output.video}} --expect {here}/expected.json --json > {{output.json}}"


onsuccess:
    import json

    with open(f"{made}/evaluation-s{seed}.json") as file:
        results = json.load(file)
    print(f"\n{config['name']}: {config['learner']} on {results['environment']}, seed {seed}\n")
    print(f"  {'':18}  estimate  95 % interval")
    for name in ["success", "return49", "return", "discounted_return", "final_distance"]:
        value = results[name]
        print(f"  {name:18}  {value['estimate']:8.3f}  {value['low']:.3f} to {value['high']:.3f}")
    print(f"\n  over {results['success']['episodes']} episodes, of this checkpoint only\n")
    for what, path in [
        ("dataset", f"{made}/data"),
        ("run", run),
        ("results", f"{made}/evaluation-s{seed}.json"),
        ("video", f"{made}/policy-s{seed}.mp4"),
    ]:
        print(f"  {what:8} {path}")

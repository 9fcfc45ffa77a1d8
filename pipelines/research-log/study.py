"""The rows of `notebooks-export/research-log/runs.csv`, its curves, figures and table."""

import csv
import json
import pathlib
import re
import statistics
import textwrap

import over_seeds
from provenance import commits

FOLDER = pathlib.Path("notebooks-export/research-log")
LAST = 10  # evaluations of a curve that its end is the mean of, in place of the author's smoothing
MEASURES = ["success49", "success", "distance49", "final_distance"]
DIAGNOSTICS = ["action_entropy", "policy_entropy", "data_action_entropy", "action_accuracy", "policy_loss"]
CURVE = ["environment_steps", "updates", *MEASURES, *DIAGNOSTICS]


def finished(made):
    """Cells and seeds that were trained and evaluated in a folder."""
    found = []
    for file in pathlib.Path(made).glob("*-s*/evaluation.json"):
        name, seed = re.fullmatch(r"(.+)-s([0-9]+)", file.parent.name).groups()
        if file.stat().st_size > 0:
            found.append((name, int(seed)))
    return sorted(found)


def curve(run):
    """A line for each evaluation of a run, with the means of its metrics since the one before."""
    with open(pathlib.Path(run) / "evaluations.json") as file:
        evaluations = json.load(file)
    with open(pathlib.Path(run) / "metrics.csv", newline="") as file:
        metrics = [{name: float(value) for name, value in line.items() if value} for line in csv.DictReader(file)]
    lines, before = [], 0
    for point in evaluations:
        line = {"environment_steps": point["steps"], "updates": point["updates"]}
        line |= {name: round(point["evaluation"][name]["estimate"], 4) for name in MEASURES}
        since = [each for each in metrics if before < each["update"] <= point["updates"]]
        for name in DIAGNOSTICS:
            values = [each[name] for each in since if name in each]
            line[name] = round(statistics.mean(values), 4) if values else ""
        before = point["updates"]
        lines.append(line)
    return lines


def write_curve(run, environment, updates, cell, seed):
    """Writes a run's curve beside the rows."""
    folder = FOLDER / "curves"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{environment}-{updates}-{cell}-s{seed}.csv", "w", newline="") as file:
        lines = csv.DictWriter(file, CURVE, lineterminator="\n")
        lines.writeheader()
        lines.writerows(curve(run))


def row(folder, environment, updates, cell, seed):
    """The row of a run that was evaluated."""
    folder = pathlib.Path(folder)
    results = json.loads((folder / "evaluation.json").read_text())
    asked = json.loads((folder / "train.yaml").read_text())
    commit = commits(folder / "run")
    lines = curve(folder / "run")
    result = {
        "environment": environment,
        "updates": updates,
        "cell": cell,
        "seed": seed,
        "environment_steps": asked["online"]["steps"],
        "settings": json.dumps(asked["settings"], sort_keys=True),
        "commit": commit,
        "episodes": results["success49"]["episodes"],
    }
    for name in MEASURES:
        result[name] = round(results[name]["estimate"], 4)
        result |= {f"{name}_{end}": round(results[name][end], 4) for end in ["low", "high"]}
    for name in ["success49", "distance49", *DIAGNOSTICS]:
        values = [line[name] for line in lines[-LAST:] if line[name] != ""]
        result[f"curve_{name}"] = round(statistics.mean(values), 4) if values else ""
    return result


def estimate(rows, name, most=1, **how):
    """Mean and 95 % interval over the rows, within 0 and `most`; of one, its own, where it has one."""
    values = [float(line[name]) for line in rows if line[name] != ""]
    if not values:
        return ""
    if len(values) > 1:
        return over_seeds.text(values, 2, most=most, **how)
    own = rows[0]
    return f"{values[0]:.2f}" + (f" [{float(own[name + '_low']):.2f}, {float(own[name + '_high']):.2f}]" if name + "_low" in own else "")


def order(cell):
    """Cells by their row."""
    number, _, name = str(cell).partition("-")
    return int(number), name


class Rows:
    """The published rows, by environment, updates, cell and seed."""

    def __init__(self):
        self.rows = {}
        file = FOLDER / "runs.csv"
        if file.exists():
            with open(file, newline="") as lines:
                for line in csv.DictReader(lines):
                    self.add(line)

    def add(self, line):
        self.rows[line["environment"], int(line["updates"]), line["cell"], int(line["seed"])] = line

    def has(self, environment, updates, cell, seed, settings):
        """Whether a run of these settings is there."""
        found = self.rows.get((environment, updates, cell, seed))
        return found is not None and json.loads(found["settings"]) == settings

    def sorted(self):
        keys = sorted(self.rows, key=lambda key: (key[0], key[1], order(key[2]), key[3]))
        return [self.rows[key] for key in keys]

    def write(self):
        """Writes `runs.csv`."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        with open(FOLDER / "runs.csv", "w", newline="") as file:
            lines = csv.DictWriter(file, list(next(iter(self.rows.values()))), lineterminator="\n")
            lines.writeheader()
            lines.writerows(self.sorted())

    def of(self, config):
        """Rows of a configuration's world and number of updates, by cell."""
        found = {}
        for line in self.sorted():
            if (line["environment"], int(line["updates"])) == (config["environment"], int(config["updates"])):
                found.setdefault(line["cell"], []).append(line)
        return found

    def table(self, cells, config, only=None):
        """A line for each cell of the configuration's world."""
        told = config["told"] if (config["environment"], int(config["updates"])) == ("lunar-lander", 200_000) else {}
        lines = [
            "| cell | what was done | seeds | success49 | its last evaluations | success | action entropy | the log's | what it is to show |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for cell, rows in self.of(config).items():
            if cell not in cells or only is not None and cell not in only:
                continue
            # A curve's evaluations are all on the same starts, whatever the seed; those of the last policy on its own.
            own = {"episodes": int(rows[0]["episodes"])}
            curve = {"episodes": int(config["evaluation_episodes"]), "shares_starts": True}
            parts = [estimate(rows, "success49", **own), estimate(rows, "curve_success49", **curve), estimate(rows, "success", **own)]
            parts.append(estimate(rows, "curve_action_entropy", most=None))
            about = cells[cell]
            lines.append(
                f"| {cell} | {about['did']} | {len(rows)} | {' | '.join(parts)} | {told.get(cell, '')} | {about['shows']} |"
            )
        return "\n".join(lines)

    def publish(self, cells, config):
        """Draws the figures of the configuration's world and fills the README between its two marks."""
        pictures = "\n\n".join(f"![{name}](figures/{name}.svg)" for name in draw(self.of(config), cells, config))
        file = FOLDER / "README.md"
        before, after = re.split(r"<!-- table -->.*<!-- end -->", file.read_text(), flags=re.DOTALL)
        file.write_text(f"{before}<!-- table -->\n{self.table(cells, config)}\n\n{pictures}\n<!-- end -->{after}")


def draw(found, cells, config):
    """Success and action entropy while training: a thin line a run, a thick one for the mean over seeds.

    Returns the names of the figures.
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same numbers give the same bytes.
    matplotlib.rcParams["svg.hashsalt"] = "research-log"
    matplotlib.rcParams["svg.fonttype"] = "none"
    folder = FOLDER / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    environment, updates = config["environment"], int(config["updates"])
    names = []
    for measure, label in [("success49", "success in the state before the last action"), ("action_entropy", "entropy of the chosen actions, nats")]:
        figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
        for number, (cell, rows) in enumerate(found.items()):
            curves = []
            for line in rows:
                file = FOLDER / "curves" / f"{environment}-{updates}-{cell}-s{line['seed']}.csv"
                if not file.exists():
                    continue
                with open(file, newline="") as lines:
                    points = [(int(each["environment_steps"]), float(each[measure])) for each in csv.DictReader(lines) if each[measure]]
                if points:
                    curves.append(points)
                    axes.plot(*zip(*points), color=f"C{number % 10}", alpha=0.3, linewidth=0.7)
            steps = sorted(set.intersection(*(set(x for x, _ in points) for points in curves))) if curves else []
            if steps:
                means = [statistics.mean(dict(points)[x] for points in curves) for x in steps]
                axes.plot(steps, means, color=f"C{number % 10}", label=textwrap.fill(f"{cell}: {cells[cell]['did']} ({len(curves)} seeds)", 100))
        axes.set(xlabel="environment steps", ylabel=label, title=f"{environment}, {updates} updates: cells, and their seeds")
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", fontsize="small")
        names.append(f"{environment}-{measure.replace('_', '-')}")
        figure.savefig(folder / f"{names[-1]}.svg", metadata={"Date": None})
        pyplot.close(figure)
    return names

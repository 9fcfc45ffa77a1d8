import Foundation
import Reporting
import Storage
import Support

/// The notebook of a study: nbformat 4, its numbers and pictures from the study's tables alone.
struct StudyNotebook {
  let plan: StudyPlan
  /// The page's title, and what its author says first.
  let opening: String

  private struct Cell: Encodable {
    let cell_type: String
    let id: String
    let metadata: [String: String] = [:]
    let source: [String]
    let outputs: [String]?
    let isCode: Bool

    enum CodingKeys: String, CodingKey {
      case cell_type, id, metadata, source, outputs, execution_count
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(cell_type, forKey: .cell_type)
      try container.encode(id, forKey: .id)
      try container.encode(metadata, forKey: .metadata)
      try container.encode(source, forKey: .source)
      guard isCode else { return }
      try container.encode([String](), forKey: .outputs)
      try container.encodeNil(forKey: .execution_count)
    }
  }

  private struct Notebook: Encodable {
    struct Metadata: Encodable {
      struct Kernel: Encodable {
        let display_name = "Python 3"
        let language = "python"
        let name = "python3"
      }
      struct Language: Encodable { let name = "python" }
      let kernelspec = Kernel()
      let language_info = Language()
    }
    let cells: [Cell]
    let metadata = Metadata()
    let nbformat = 4
    let nbformat_minor = 5
  }

  /// Writes the notebook, not executed.
  func write(to file: URL) throws {
    let parts: [(isCode: Bool, text: String)] = [
      (
        false,
        opening + "\n\nAll numbers below come from `methods.csv` and `curves.csv`, in which "
          + "`goalpost export` wrote each group's mean and interval."
      ),
      (true, Self.reading.replacing("LAYOUT", with: try layout())),
      (false, "## The end of training"), (true, Self.table),
      (false, "## Means, their intervals, and each run"), (true, Self.levels),
      (false, "## Along the training"), (true, Self.curves),
    ]
    let cells = parts.enumerated().map { number, part in
      let lines = part.text.split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)
      return Cell(
        cell_type: part.isCode ? "code" : "markdown", id: "cell-\(number)",
        source: lines.enumerated().map {
          $0.offset + 1 < lines.count ? $0.element + "\n" : $0.element
        },
        outputs: nil, isCode: part.isCode)
    }
    try WholeFile.write(try JSON.pretty(Notebook(cells: cells)) + Data("\n".utf8), to: file)
  }

  /// What the cells need of the plan, as a Python text that holds JSON.
  private func layout() throws -> String {
    func texts(_ all: [String]) -> JSONValue { .list(all.map { .text($0) }) }
    let figures = plan.figures.map { part -> JSONValue in
      .object([
        "kind": .text(part.drawing.rawValue), "measure": .text(part.measure),
        "panel": texts(part.panel), "line": texts(part.line),
        "where": .object(part.filter.mapValues(texts)),
      ])
    }
    let names = plan.names.mapValues { names -> JSONValue in
      .object(
        Dictionary(names.map { ($0.value, .text($0.words)) }, uniquingKeysWith: { $1 }))
    }
    let all: JSONValue = .object([
      "group": texts(plan.group), "x": .text(plan.x), "figures": .list(figures),
      "names": .object(names),
    ])
    // JSON within a Python text.
    let text = String(decoding: try JSON.line(all), as: UTF8.self)
    return "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }

  private static let reading = """
    import csv
    import json

    import matplotlib.pyplot as plt

    # How the study is grouped and drawn: of its study.yaml.
    layout = json.loads(LAYOUT)
    plt.rcParams["figure.dpi"] = 72
    COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]
    STYLES = ["-", "--", ":", "-."]

    def read(name):
        with open(name, newline="") as file:
            return list(csv.DictReader(file))

    def number(row, column):
        return float(row[column]) if row.get(column) else None

    def words(row, columns):
        return ", ".join(layout["names"].get(name, {}).get(row[name], row[name]) for name in columns if row[name])

    def of(rows, figure):
        return [row for row in rows if row["measure"] == figure["measure"]
                and all(row.get(column) in values for column, values in figure["where"].items())]

    def in_panels(rows, figure):
        panels = {}
        for row in rows:
            panels.setdefault(words(row, figure["panel"]), []).append(row)
        return panels

    # A row a run, a row a group and measure, and the same along the training.
    runs, levels, curves = read("runs.csv"), read("methods.csv"), read("curves.csv")
    groups = list(dict.fromkeys(words(row, layout["group"]) for row in levels))
    print(f"{len(runs)} runs in {len(groups)} groups")
    """

  private static let table = """
    for measure in dict.fromkeys(row["measure"] for row in levels):
        print(f"\\n{measure}")
        for row in levels:
            if row["measure"] == measure:
                ends = f" [{number(row, 'low'):.3f}, {number(row, 'high'):.3f}]" if row["low"] else ""
                told = f"  published {row['published']} {row['verdict']}" if row["published"] else ""
                print(f"  {words(row, layout['group']):44}{row['runs']:>3} runs{number(row, 'estimate'):9.3f}{ends}{told}".rstrip())
    """

  private static let levels = """
    def values(row, measure):
        # A measure of the runs themselves; others are means over stretches of their curves.
        return [float(run[measure]) for run in runs if run.get(measure)
                and all(run.get(name, "") == row[name] for name in layout["group"])]

    def draw_levels(figure):
        panels = in_panels(of(levels, figure), figure)
        if not panels:
            return
        heights = [1 + 0.3 * len(rows) for rows in panels.values()]
        picture, axes = plt.subplots(len(panels), 1, figsize=(7, sum(heights)), squeeze=False, sharex=True,
                                     height_ratios=heights, layout="constrained")
        for axis, (panel, rows) in zip(axes[:, 0], panels.items()):
            for y, row in enumerate(rows):
                axis.plot(values(row, figure["measure"]), [y] * len(values(row, figure["measure"])), "o", mfc="none", mec="#777777", ms=4)
                if row["low"]:
                    axis.plot([number(row, "low"), number(row, "high")], [y, y], "-", color=COLOURS[0], linewidth=2)
                axis.plot(number(row, "estimate"), y, "o", color=COLOURS[0])
                if row["published"]:
                    axis.plot(number(row, "published"), y, "D", mfc="none", mec=COLOURS[1])
            axis.set(title=panel, yticks=range(len(rows)), ylim=(len(rows) - 0.4, -0.6))
            axis.set_yticklabels([words(row, figure["line"]) or "mean" for row in rows])
        axes[-1, 0].set_xlabel(f"{figure['measure']}: mean (dot), 95 % interval (bar), runs (rings), published (diamond)")
        plt.show()

    drawn = [figure for figure in layout["figures"] if figure["kind"] == "levels"]
    at_end = list(dict.fromkeys(figure["measure"] for figure in layout["figures"] if figure["kind"] == "profile"))
    for figure in drawn or [dict(layout["figures"][0], measure=measure, line=layout["group"], panel=[]) for measure in at_end]:
        draw_levels(figure)
    """

  private static let curves = """
    def draw_curves(figure):
        panels = in_panels(of(curves, figure), figure)
        if not panels:
            return
        across = min(3, len(panels))
        down = -(-len(panels) // across)
        picture, axes = plt.subplots(down, across, figsize=(4.2 * across, 3.1 * down), squeeze=False, layout="constrained")
        for axis in axes.flat[len(panels):]:
            axis.set_visible(False)
        for axis, (panel, rows) in zip(axes.flat, panels.items()):
            lines = {}
            for row in rows:
                lines.setdefault(words(row, layout["group"]), []).append(row)
            for k, points in enumerate(lines.values()):
                x = [number(row, layout["x"]) for row in points]
                colour = COLOURS[k % len(COLOURS)]
                label = words(points[0], figure["line"]) or "mean"
                axis.plot(x, [number(row, "estimate") for row in points], STYLES[k % len(STYLES)], color=colour,
                          label=f"{label}, {points[0]['runs']} runs")
                banded = [row for row in points if row["low"]]
                axis.fill_between([number(row, layout["x"]) for row in banded], [number(row, "low") for row in banded],
                                  [number(row, "high") for row in banded], alpha=0.2, color=colour, linewidth=0)
            axis.set(title=panel, xlabel=layout["x"].replace("_", " "), ylabel=figure["measure"], xlim=(0, None))
            axis.legend(fontsize="small")
        plt.show()

    for figure in layout["figures"]:
        if figure["kind"] == "curves":
            draw_curves(figure)
    if not curves:
        print("no run was evaluated while training")
    """

  /// Runs a notebook's cells in the Python that set-up made, and keeps what they print.
  ///
  /// Gives the reason if that Python is missing; throws `ProgramError` if a cell fails.
  static func execute(_ file: URL) throws -> String? {
    guard let python = python() else { return ".deps/venv is missing: run `make setup`" }
    let script = """
      import sys, nbclient, nbformat
      notebook = nbformat.read(sys.argv[1], 4)
      nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False,
                              extra_arguments=["--InteractiveShellApp.ignore_cwd=True"],
                              resources={"metadata": {"path": sys.argv[2]}}).execute()
      nbformat.validate(notebook)
      nbformat.write(notebook, sys.argv[1])
      """
    let process = Process()
    process.executableURL = python
    // Neither Python nor the notebook's kernel imports modules of the present folder, or of the
    // study's.
    process.arguments = ["-I", "-c", script, file.path, file.deletingLastPathComponent().path]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONSAFEPATH": "1",
    ]) { $1 }
    let complaints = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = complaints
    do { try process.run() } catch {
      return "\(python.path) could not be started"
    }
    let said = complaints.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
      throw ProgramError(
        name: "study.ipynb", reason: lines.last.map(String.init) ?? "could not be executed")
    }
    return nil
  }

  /// The Python of `make setup`, in `$GOALPOST_DEPS` or the checkout that this was built from.
  private static func python() -> URL? {
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folders: [String?] = [
      ProcessInfo.processInfo.environment["GOALPOST_DEPS"],
      checkout.appendingPathComponent(".deps").path,
    ]
    return folders.compactMap { $0 }.map {
      URL(fileURLWithPath: $0).appendingPathComponent("venv/bin/python")
    }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}

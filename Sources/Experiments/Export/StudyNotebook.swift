import Foundation
import Reporting
import Storage
import Support

/// The notebook of a study: nbformat 4, its numbers and pictures from `runs.csv` and `methods.csv`
/// alone.
struct StudyNotebook {
  let title: String
  let question: String

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
    let parts: [(Bool, String)] = [
      (
        false,
        "# \(title)\n\n\(question.isEmpty ? "" : question + "\n\n")"
          + "Everything below is computed from `runs.csv` and `methods.csv` beside this notebook."
      ),
      (true, Self.reading), (false, "## The end of training"), (true, Self.table),
      (false, "## Learning curves"), (true, Self.curves), (false, "## Every run"),
      (true, Self.seeds),
    ]
    let cells = parts.enumerated().map { number, part in
      let lines = part.1.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      return Cell(
        cell_type: part.0 ? "code" : "markdown", id: "cell-\(number)",
        source: lines.enumerated().map {
          $0.offset + 1 < lines.count ? $0.element + "\n" : $0.element
        },
        outputs: nil, isCode: part.0)
    }
    try WholeFile.write(try JSON.pretty(Notebook(cells: cells)) + Data("\n".utf8), to: file)
  }

  private static let reading = """
    import csv

    import matplotlib.pyplot as plt

    def read(name):
        with open(name) as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["updates"] = int(row["updates"])
            for column in ["estimate", "low", "high"]:
                row[column] = float(row[column])
        return rows

    # A row a run, and a row a method with its 95 % interval.
    rows, levels = read("runs.csv"), read("methods.csv")
    methods = list(dict.fromkeys(row["method"] for row in rows))
    environments = list(dict.fromkeys(row["environment"] for row in rows))

    # Lines of methods, so that one that lies under another is seen.
    STYLES = ["-", "--", ":", "-."]

    def chosen(rows, **wanted):
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    runs = set((row["environment"], row["configuration"], row["seed"]) for row in rows)
    print(f"{len(runs)} runs of {', '.join(methods)} in {', '.join(environments)}")

    def main_measures(environment):
        # The return without the last step has the horizon in its name.
        names = dict.fromkeys(row["measure"] for row in rows if row["environment"] == environment)
        return ["success", next(name for name in names if name.startswith("return") and name != "return")]
    """

  private static let table = """
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    final = chosen(rows, kind="final")
    print(f"{'environment':22}{'method':22}{'runs':>5}  " + "".join(f"{name:>27}" for name in measures))
    for environment in environments:
        for method in methods:
            cells, count = "", "0"
            for measure in measures:
                for row in chosen(levels, kind="final", environment=environment, method=method, measure=measure):
                    count = row["runs"]
                    cells += f"{row['estimate']:9.3f} [{row['low']:6.3f}, {row['high']:6.3f}]".rjust(27)
            if cells:
                print(f"{environment:22}{method:22}{count:>5}  {cells}")
    """

  private static let curves = """
    trained = chosen(levels, kind="training")
    shown = [name for name in environments if chosen(trained, environment=name)]
    if shown:
        figure, axes = plt.subplots(len(shown), 2, figsize=(10, 3.4 * len(shown)), squeeze=False)
        for line_of_axes, environment in zip(axes, shown):
            for axis, measure in zip(line_of_axes, main_measures(environment)):
                for number, method in enumerate(methods):
                    points = sorted(
                        chosen(trained, environment=environment, method=method, measure=measure),
                        key=lambda row: row["updates"])
                    if points:
                        x, y, low, high = ([row[name] for row in points]
                                           for name in ["updates", "estimate", "low", "high"])
                        line, = axis.plot(x, y, STYLES[number % len(STYLES)], label=f"{method} ({points[0]['runs']})")
                        axis.fill_between(x, low, high, alpha=0.2, color=line.get_color(), linewidth=0)
                axis.set(title=environment, xlabel="updates", ylabel=measure, xlim=(0, None))
                if measure == "success":
                    axis.set_ylim(-0.02, 1.02)
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=min(5, len(methods)))
        figure.set_layout_engine("constrained")
        plt.show()
    else:
        print("no run was evaluated while training")
    """

  private static let seeds = """
    bars = [(environment, method) for environment in environments for method in methods
            if chosen(final, environment=environment, method=method)]
    figure, axes = plt.subplots(1, 2, figsize=(10, 1.2 + 0.5 * len(bars)), sharey=True)
    for place, axis in enumerate(axes):
        for y, (environment, method) in enumerate(bars):
            measure = main_measures(environment)[place]
            which = {"environment": environment, "method": method, "measure": measure}
            values = [row["estimate"] for row in chosen(final, **which)]
            axis.plot(values, [y] * len(values), "o", color="C0", alpha=0.5)
            for level in chosen(levels, kind="final", **which):
                axis.plot([level["low"], level["high"]], [y + 0.2] * 2, "|-", color="C1")
                axis.plot([level["estimate"]], [y + 0.2], "s", color="C1")
        axis.set(xlabel=" and ".join(dict.fromkeys(main_measures(bar[0])[place] for bar in bars)), ylim=(len(bars) - 0.4, -0.6))
    axes[0].set(xlim=(-0.02, 1.02), yticks=range(len(bars)))
    axes[0].set_yticklabels([method if len(environments) == 1 else f"{environment}, {method}"
                             for environment, method in bars])
    figure.suptitle("each run (dots), mean with 95 % interval (square)")
    figure.set_layout_engine("constrained")
    plt.show()
    """

  /// Runs a notebook's cells in the Python that set-up made, and keeps what they print.
  ///
  /// Returns why it was not run if that Python is missing; throws `ProgramError` if a
  /// cell fails.
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

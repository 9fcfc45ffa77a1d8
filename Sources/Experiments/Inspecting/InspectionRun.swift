public import Foundation
public import GoalCore
import Learners
public import Reporting
import Statistics
public import Storage
import Support

/// A description of a training run and of its progress.
public struct RunInspection: Encodable, Sendable, Inspected {
  /// The folder.
  public let run: String
  /// Its configuration.
  public let configuration: RunConfiguration
  /// The digests of its datasets' manifests.
  public let datasets: [String]
  /// The task, from the last checkpoint or else a dataset; nil if neither is there.
  public let task: GoalTask?
  /// Settings that differ from the paper's; nil if the learner or the task is not known here.
  public let differences: [SettingDifference]?
  /// Updates that each kept checkpoint has, oldest first.
  public let checkpoints: [Int]
  /// The evaluations so far.
  let evaluations: [TimedEvaluation]
  /// The evaluation of the best checkpoint; nil if none was evaluated.
  let best: TimedEvaluation?
  /// The warnings, oldest first.
  public let warnings: [String]
  /// The last row of the metrics, by name.
  public let metrics: [String: Double]
  /// The calls that made it, oldest first, if they were written down.
  public let provenance: Provenance?

  private let table: MetricsTable

  enum CodingKeys: String, CodingKey {
    case run, configuration, datasets, task, differences, checkpoints, evaluations, best
    case warnings, metrics, provenance
  }

  /// Reads a run's folder, whether or not it goes on meanwhile.
  public static func run(_ folder: URL) throws -> RunInspection {
    let place = RunFolder(folder)
    let saved: SavedConfiguration
    do { saved = try place.saved() } catch {
      throw ExperimentError.notInspectable(
        path: folder.relativePath, reason: "its config.json can't be read")
    }
    let configuration = saved.configuration
    let all = try Checkpoint.all(in: folder)
    var task: GoalTask?
    if let last = all.last {
      task = try Checkpoint.read(policy: Checkpoint.policyFile(last.path)).header.task
    } else if let path = configuration.datasets.first {
      let data = WeightedDataset.folder(of: path)
      if FileManager.default.fileExists(atPath: data.path) {
        task = try Dataset(at: data).manifest.task
      }
    }
    let hasBest = FileManager.default.fileExists(atPath: place.best.path)
    let table = try MetricsTable(contentsOf: place.metrics)
    return RunInspection(
      run: folder.relativePath, configuration: configuration, datasets: saved.datasetDigests,
      task: task,
      differences: task.flatMap {
        SettingDifference.all(
          learner: configuration.learner, task: $0, settings: configuration.settings)
      },
      checkpoints: all.compactMap { Int($0.lastPathComponent) },
      evaluations: try RunEvaluations.saved(in: place),
      best: hasBest ? try Checkpoint.state(of: place.best).evaluation : nil,
      warnings: try MetricsLines.warnings(in: place.lines),
      metrics: Dictionary(
        zip(table.names, table.rows.last ?? []).map { ($0, $1) }, uniquingKeysWith: { $1 }),
      provenance: try Provenance(in: folder),
      table: table)
  }

  /// Settings, progress, evaluations and lineage.
  public var text: String {
    let made = Int(metrics["update"] ?? 0)
    let name = task.map { " on \($0.identifier)" } ?? ""
    let updates = ReportText.count(max(made, checkpoints.last ?? 0))
    let online = configuration.online
    let extent =
      configuration.isOnline
      ? " updates, online for \(ReportText.count(online.steps)) steps with lag \(online.lag)"
      : " of \(ReportText.count(configuration.updates)) updates"
    return
      "\(run): \(configuration.learner)\(name), \(updates)\(extent), seed \(configuration.seed)\n"
      + SettingDifference.text(differences) + evaluationText
      + curves + (warnings.isEmpty ? "" : "\nwarnings\n" + warnings.map { "  \($0)\n" }.joined())
      + ReportText.section("lineage", lineage)
  }

  /// The metrics' last values, each with its curve between its lowest and its highest.
  private var curves: String {
    guard let last = table.rows.last else { return "" }
    let names = table.names.filter { !["update", "seconds", "waiting"].contains($0) }
    var shown = Table(["metric", "last", "lowest", "highest", "curve"])
    shown.rows = names.map { name in
      let values = Thinning.means(table.column(name), most: 40)
      let finite = values.filter(\.isFinite)
      let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
      let curve = ReportText.sparkline(
        values.map { high > low ? ($0 - low) / (high - low) : 0.5 }, top: 1)
      return [
        name, ReportText.short(table.column(name).last ?? .nan), ReportText.short(low),
        ReportText.short(high), curve,
      ]
    }
    return ReportText.section(
      "metrics at update \(Int(exactly: last[0]).map(ReportText.count) ?? "\(last[0])"), and their course",
      shown)
  }

  private var lineage: [(String, String)] {
    let kept = checkpoints.map(ReportText.count).joined(separator: " and ")
    let bestOne = best.map { timed in
      [
        (
          "best",
          "checkpoints/best, at \(ReportText.count(timed.updates)) updates, success "
            + timed.evaluation[.success].text
        )
      ]
    }
    return [("last", kept.isEmpty ? "no checkpoint yet" : "checkpoints at \(kept) updates")]
      + (bestOne ?? [])
      + (configuration.from.isEmpty ? [] : [("began with", configuration.from)])
      + zip(configuration.datasets, datasets).map { ("dataset", "\($0), sha256 \($1)") }
      + (provenance?.lines ?? [("provenance", "not known")])
  }

  /// The last evaluations, and all of them as a line of blocks.
  private var evaluationText: String {
    guard let last = evaluations.last else {
      return ReportText.section("evaluations", [("none", "so far")])
    }
    let shown = 12
    var table = Table(["updates"] + last.evaluation.byName.map(\.name) + ["episodes"])
    table.rows = evaluations.suffix(shown).map { timed in
      [ReportText.count(timed.updates)] + timed.evaluation.byName.map(\.value)
        + ["\(timed.evaluation[.success].episodes)"]
    }
    let curve = Thinning.means(evaluations.map { $0.evaluation[.success].estimate }, most: 60)
    let heading =
      evaluations.count > shown
      ? "evaluations, the last \(shown) of \(evaluations.count)" : "evaluations"
    let first = ReportText.count(evaluations[0].updates)
    return ReportText.section("\(heading) (with 95 % intervals)", table)
      + "  success  \(ReportText.sparkline(curve, top: 1))  "
      + "from update \(first) to \(ReportText.count(last.updates)); the full height is 1\n"
  }

  /// Success with its interval, the losses, then the other metrics.
  public func figure() throws -> SVGFigure {
    var panels: [SVGPanel] = []
    if !evaluations.isEmpty {
      let points = evaluations.map { timed in
        let success = timed.evaluation[.success]
        return SVGPanel.Point(
          x: Double(timed.updates), y: success.estimate, interval: success.low...success.high)
      }
      panels.append(
        SVGPanel(
          title:
            "success, \(evaluations[0].evaluation[.success].episodes) episodes each, 95 % interval",
          xLabel: "updates", yLabel: "share of episodes", content: .line(points), yRange: 0...1,
          xStart: 0))
    }
    let first = ["policy_loss", "critic_loss"].filter(table.names.contains)
    let others = table.names.filter {
      !["update", "seconds", "waiting"].contains($0) && !first.contains($0)
    }
    for name in first + others { panels.append(panel(name)) }
    guard !panels.isEmpty else {
      throw ExperimentError.nothingToDraw(
        path: run, reason: "the run has neither metrics nor evaluations yet")
    }
    return SVGFigure(
      title: "\(run): \(configuration.learner), seed \(configuration.seed)", panels: panels)
  }

  private func panel(_ name: String) -> SVGPanel {
    let most = 400
    let rows = table.rows.count
    let group = (rows + most - 1) / most
    let x = Thinning.means(table.column("update"), most: most)
    let y = Thinning.means(table.column(name), most: most)
    return SVGPanel(
      title: name + (group > 1 ? ", means of \(group) rows" : ""), xLabel: "updates", yLabel: name,
      content: .line(zip(x, y).map { SVGPanel.Point(x: $0, y: $1) }), xStart: 0)
  }
}

/// The numbers of a `metrics.csv`.
struct MetricsTable: Sendable {
  let names: [String]
  /// Rows of as many numbers; a row that is being written is left out.
  let rows: [[Double]]

  /// Reads a table; one that is not there has no rows.
  init(contentsOf file: URL) throws {
    let lines = try WholeLines.read(file).map { $0.split(separator: ",") }
    let names = lines.first?.map(String.init) ?? []
    self.names = names
    rows = try lines.enumerated().dropFirst().map { number, cells in
      let numbers = cells.compactMap { Double($0) }
      guard numbers.count == cells.count, numbers.count == names.count else {
        throw ExperimentError.damaged(
          path: file.path,
          reason: "line \(number + 1) must have \(names.count) numbers, found \(numbers.count)")
      }
      return numbers
    }
  }

  func column(_ name: String) -> [Double] {
    guard let place = names.firstIndex(of: name) else { return [] }
    return rows.map { $0[place] }
  }
}

/// Makes long curves short.
enum Thinning {
  /// The means of as many neighbours as give at most `most` values.
  static func means(_ values: [Double], most: Int) -> [Double] {
    let group = max(1, (values.count + most - 1) / most)
    return stride(from: 0, to: values.count, by: group).map { start in
      let part = values[start..<min(start + group, values.count)]
      return part.reduce(0, +) / Double(part.count)
    }
  }
}

import Foundation
import Learners
import Statistics
import Storage
import Support

/// What a row of a study is made of: a run's folder, or a file of results.
struct StudySource {
  /// The path that it was given by.
  let path: String
  /// The run, if it is of one.
  var run: Run?
  /// Cells that are known before anything is measured.
  var cells: StudyTable.Row = [:]

  /// A run's folder and what it says of itself.
  struct Run: Sendable {
    let folder: URL
    let configuration: RunConfiguration
    let provenance: Provenance?
    /// The digests of its datasets' manifests.
    let datasets: [String]

    /// Opens a run's folder.
    init(_ folder: URL) throws {
      let saved: SavedConfiguration
      do { saved = try RunFolder(folder).saved() } catch {
        throw ExperimentError.damaged(
          path: RunFolder(folder).configuration.path, reason: "must be a run's configuration")
      }
      self.folder = folder
      configuration = saved.configuration
      provenance = try Provenance(in: folder)
      datasets = saved.datasetDigests
    }

    /// The first twelve digits of the SHA-256 of all that decides the run but its seed.
    func digest() throws -> String {
      // Paths differ between machines; the data's digests do not.
      var bare = configuration
      bare.seed = 0
      bare.datasets = []
      let data = try JSON.canonical(bare) + Data(datasets.joined().utf8)
      return String(Digest.sha256(of: data).prefix(12))
    }

    /// The datasets' folders; of an online run also what it collected.
    var datasetFolders: [String] {
      configuration.datasets.map { WeightedDataset.folder(of: $0).relativePath }
        + (configuration.isOnline ? [RunFolder(folder).dataset.relativePath] : [])
    }

    /// What a row says of any run.
    func cells() throws -> StudyTable.Row {
      let last = try RunEvaluations.saved(in: RunFolder(folder)).last
      let parts = provenance?.parts ?? []
      return [
        "learner": configuration.learner, "seed": "\(configuration.seed)",
        "updates": "\(configuration.isOnline ? last?.updates ?? 0 : configuration.updates)",
        "environment_steps": configuration.isOnline ? "\(configuration.online.steps)" : "",
        "dataset_sha256": datasets.joined(separator: " "),
        "commit": (provenance?.commits ?? []).joined(separator: " "),
        "host": parts.map(\.host).uniqued.joined(separator: " "),
        "finished": parts.last?.finished ?? "",
        "command": parts.map(\.commandLine).joined(separator: "; "),
      ].filter { !$0.value.isEmpty }
    }

    /// Steps that an online run had taken when it had made so many updates, as its schedule has
    /// them.
    func steps(at updates: Int, horizon: Int) -> Int? {
      guard configuration.isOnline, case .object(let online)? = configuration.settings["online"],
        let from = online["updatesFrom"]?.integer,
        let each = online["updatesPerEpisode"]?.integer, each > 0
      else { return nil }
      return (max(1, from) - 1 + updates / each) * horizon
    }

    /// Its evaluations while training, a row each, with the means of some metrics since the one
    /// before.
    func curve(_ metrics: [String]) throws -> StudyTable {
      let all = try RunEvaluations.saved(in: RunFolder(folder))
      let table = try MetricsTable(contentsOf: RunFolder(folder).metrics)
      let updates = table.column("update")
      var before = -1.0
      var curve = StudyTable(columns: ["environment_steps", "updates"])
      for timed in all {
        var row = StudySource.cells(of: timed.evaluation.byName, rounded: true)
        row["updates"] = "\(timed.updates)"
        row["environment_steps"] = timed.steps.map { "\($0)" }
        let here = updates.indices.filter {
          updates[$0] > before && updates[$0] <= Double(timed.updates)
        }
        for name in metrics {
          let column = table.column(name)
          let values = here.map { column.isEmpty ? .nan : column[$0] }.filter(\.isFinite)
          guard !values.isEmpty else { continue }
          row[name] = StudySource.rounded(values.reduce(0, +) / Double(values.count))
        }
        before = Double(timed.updates)
        curve.rows.append(row)
        curve.add(
          columns: timed.evaluation.byName.flatMap { [$0.name] + StudySource.ends($0.name) })
      }
      curve.add(columns: metrics)
      return curve.thinned
    }
  }

  /// Takes a run's folder that is evaluated when the study is exported.
  init(run path: String) throws {
    guard case .run(let folder) = try Inspection.subject(path) else {
      throw ExperimentError.badSettings(
        path: path,
        reason: "must be a run: a study is of runs, whose config.json says how they were made")
    }
    self.path = path
    let run = try Run(folder)
    self.run = run
    cells = try run.cells()
    cells["run"] = folder.lastPathComponent
    cells["configuration"] = try run.digest()
  }

  /// The columns of the ends of a measure's interval.
  static func ends(_ measure: String) -> [String] { ["\(measure)_low", "\(measure)_high"] }

  /// A number with four decimals at most.
  static func rounded(_ value: Double) -> String {
    let rounded = (value * 1e4).rounded() / 1e4
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }

  /// The cells of estimates.
  static func cells(
    of all: [(name: String, value: Estimate)], rounded isRounded: Bool = false
  ) -> StudyTable.Row {
    var row: StudyTable.Row = [:]
    for (name, value) in all {
      for (column, number) in zip([name] + ends(name), [value.estimate, value.low, value.high]) {
        row[column] = isRounded ? rounded(number) : "\(number)"
      }
    }
    return row
  }
}

extension StudyTable {
  /// At most some 250 of its rows, evenly, and the last one.
  var thinned: StudyTable {
    let every = max(1, (rows.count + 249) / 250)
    let kept = rows.enumerated().filter { (rows.count - 1 - $0.offset) % every == 0 }.map(\.element)
    return StudyTable(columns: columns, rows: kept)
  }
}

extension StudySource {
  /// Reads a file of results, of `goalpost evaluate --json` or `goalpost inspect DATASET --json`,
  /// and the curve of its run.
  ///
  /// Throws `ExperimentError.badSettings` if the plan has no name for it, or it is no such file.
  static func results(
    _ path: String, _ plan: StudyPlan
  ) throws -> (cells: StudyTable.Row, columns: [String], curve: StudyTable?) {
    func fault(_ reason: String) -> ExperimentError { .badSettings(path: path, reason: reason) }
    for naming in plan.runs {
      guard let labels = naming.file.cells(of: path, names: plan.names) else { continue }
      let file = URL(fileURLWithPath: path)
      let beside = file.deletingLastPathComponent()
      let found = try estimates(file)
      guard !found.all.isEmpty else {
        throw fault("must be results of `goalpost evaluate --json` or `inspect --json`")
      }
      var cells = found.cells
      let named = naming.run.isEmpty ? found.policy : beside.appendingPathComponent(naming.run).path
      var run: Run?
      if let named, case .run(let folder)? = try? Inspection.subject(named) {
        run = try Run(folder)
        cells.merge(try run?.cells() ?? [:]) { $1 }
      }
      // A policy of its own says how far it had come.
      if let policy = found.policy, policy.hasSuffix(".safetensors") {
        let header = try Checkpoint.read(policy: URL(fileURLWithPath: policy)).header
        cells["updates"] = "\(header.updates)"
        cells["environment_steps"] = run?.steps(at: header.updates, horizon: found.horizon)
          .map { "\($0)" }
      }
      let asked =
        naming.asked.isEmpty
        ? file.deletingPathExtension().appendingPathExtension("yaml")
        : beside.appendingPathComponent(naming.asked)
      if FileManager.default.fileExists(atPath: asked.path) {
        let settings = try RunConfiguration.yaml(asked)["settings"] ?? .object([:])
        cells["settings"] = String(decoding: try JSON.line(settings), as: UTF8.self)
      }
      let prefixed = found.all.map { (name: naming.prefix + $0.name, value: $0.value) }
      cells.merge(Self.cells(of: prefixed, rounded: true)) { $1 }
      cells.merge(naming.constants.merging(labels) { $1 }) { $1 }
      for key in plan.key where cells[key] == nil { throw fault("nothing tells its '\(key)'") }
      let facts = [
        "learner", "updates", "environment_steps", "settings", "dataset_sha256", "policy_sha256",
        "commit", "evaluation_seed", "episodes",
      ]
      let columns =
        plan.key + facts + prefixed.flatMap { [$0.name] + ends($0.name) } + ["host", "finished"]
      cells["command"] = nil
      var curve: StudyTable?
      if plan.curveFile != nil {
        curve =
          naming.curve.isEmpty
          ? try run?.curve(plan.metrics)
          : try checkpoints(beside.appendingPathComponent(naming.curve), naming.prefix, run)
      }
      return (cells, columns.filter { cells[$0] != nil }, curve)
    }
    throw fault("no `runs` of study.yaml has a name that fits it")
  }

  /// The estimates of a file, and who they are of.
  private struct Found {
    var all: [(name: String, value: Estimate)] = []
    var cells: StudyTable.Row = [:]
    var policy: String?
    /// Steps of an episode, by the name of the return.
    var horizon = 0

    init(_ object: [String: JSONValue]) {
      for (name, value) in object.sorted(by: { $0.key < $1.key }) {
        guard case .object(let parts) = value,
          let estimate = parts["estimate"]?.double, let low = parts["low"]?.double,
          let high = parts["high"]?.double, let episodes = parts["episodes"]?.integer,
          low <= estimate, estimate <= high, episodes > 0
        else { continue }
        all.append(
          (name, Estimate(estimate: estimate, low: low, high: high, episodes: episodes)))
        cells["episodes"] = "\(episodes)"
        if Measure(name: name) == .returnBeforeLast {
          horizon = (Int(name.drop { !$0.isNumber }) ?? 0) + 1
        }
      }
      if case .text(let policy)? = object["policy"] { self.policy = policy }
      cells["evaluation_seed"] = object["seed"]?.integer.map { "\($0)" }
      if case .text(let environment)? = object["environment"] { cells["environment"] = environment }
      if case .text(let digest)? = object["digest"], !digest.isEmpty {
        cells["policy_sha256"] = digest
      }
      if case .object(let lineage)? = object["lineage"],
        case .text(let digest)? = lineage["manifest"]
      {
        cells["dataset_sha256"] = digest
      }
    }
  }

  private static func object(_ file: URL) throws -> [String: JSONValue] {
    let data = try WholeFile.read(file, limit: StudyTable.byteLimit)
    guard case .object(let object)? = try? JSON.decode(JSONValue.self, from: data) else {
      throw ExperimentError.damaged(path: file.path, reason: "must be an object of JSON")
    }
    return object
  }

  private static func estimates(_ file: URL) throws -> Found { Found(try object(file)) }

  /// The evaluations of a run's checkpoints, a row each.
  private static func checkpoints(_ file: URL, _ prefix: String, _ run: Run?) throws -> StudyTable {
    guard case .list(let policies)? = try object(file)["policies"] else {
      throw ExperimentError.damaged(
        path: file.path, reason: "must be results of `goalpost evaluate --json` of checkpoints")
    }
    var curve = StudyTable(columns: ["updates", "environment_steps"])
    for case .object(let policy) in policies {
      let found = Found(policy)
      guard let updates = found.policy.flatMap({ Int(URL(fileURLWithPath: $0).lastPathComponent) })
      else { continue }
      let all = found.all.map { (name: prefix + $0.name, value: $0.value) }
      var row = cells(of: all, rounded: true)
      row["updates"] = "\(updates)"
      row["environment_steps"] = run?.steps(at: updates, horizon: found.horizon).map { "\($0)" }
      curve.rows.append(row)
      curve.add(columns: all.flatMap { [$0.name] + ends($0.name) })
    }
    return curve.thinned
  }
}

extension JSONValue {
  /// The number that this is, if it is a finite one.
  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value) where value.isFinite: value
    default: nil
    }
  }
}

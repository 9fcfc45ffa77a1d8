import Foundation
import GoalCore
import Storage
import Support

extension ListedEntry {
  /// The dataset of a folder, begun, finished or only described by a recipe; nil if it is none.
  static func dataset(at path: String, _ names: Set<String>) -> ListedEntry? {
    let folder = URL(fileURLWithPath: path)
    let recipe = folder.appendingPathComponent("recipe.yaml")
    var entry = ListedEntry(.dataset, at: path)
    do {
      let isBegun = names.contains("manifest.json") || names.contains("shards")
      if isBegun, let outline = try DatasetOutline(at: folder) {
        entry.describe(outline)
      } else if names.contains("recipe.yaml") {
        let asked = try TrajectoryCollection.recipe(recipe)
        entry.environment = asked.environment
        (entry.episodes, entry.expected) = (0, asked.episodes)
        entry.state = .notCollected
        let name = URL(fileURLWithPath: asked.policy).lastPathComponent
        let isBeside = asked.policy == folder.appendingPathComponent(name).path
        entry.lineage = [
          isBeside
            ? Parent("policy", name, path: "\(path)/\(name)") : Parent("policy", asked.policy)
        ]
      } else {
        return nil
      }
    } catch {
      entry.fail("\(error)")
    }
    return entry
  }

  private mutating func describe(_ outline: DatasetOutline) {
    environment = outline.identity.task.identifier
    sha256 = outline.sha256
    (episodes, expected) = (outline.episodes, outline.expected)
    switch outline.identity.origin {
    case .collected(let recipe):
      lineage = [Parent("policy", recipe.policy, sha256: recipe.policyDigest)]
    case .converted(let conversion):
      lineage = conversion.files.map { Parent("file", $0.name, sha256: $0.sha256) }
    case .mixed(let mixture):
      lineage = mixture.inputs.map { Parent("input", $0.id, sha256: $0.sha256) }
    }
    if let fault = outline.fault {
      fail("\(fault)")
    } else if outline.sha256 == nil || outline.episodes != outline.expected {
      state = outline.sha256 != nil && outline.episodes == 0 ? .notCollected : .unfinished
    }
  }

  private mutating func fail(_ sentence: String) {
    state = .damaged
    fault = sentence
  }

  /// The run of a folder; nil if it is none.
  ///
  /// A `config.json` that cannot be read is a run's only if other files of a run lie beside it.
  static func run(at path: String, _ names: Set<String>) -> ListedEntry? {
    guard names.contains("config.json") else { return nil }
    let folder = RunFolder(URL(fileURLWithPath: path))
    var entry = ListedEntry(.run, at: path)
    let saved: SavedConfiguration
    do { saved = try folder.saved() } catch {
      guard !names.isDisjoint(with: ["checkpoints", "episodes.json", "training.lock"]) else {
        return nil
      }
      entry.fail("\(error)")
      return entry
    }
    let configuration = saved.configuration
    entry.learner = configuration.learner
    if configuration.isOnline, !configuration.online.environment.isEmpty {
      entry.environment = configuration.online.environment
    }
    entry.lineage = zip(configuration.datasets, saved.datasetDigests).map {
      Parent("dataset", $0, sha256: $1)
    }
    if !configuration.from.isEmpty {
      entry.lineage.append(Parent("began with", configuration.from, sha256: saved.fromDigest))
    }
    do {
      let kept = try Checkpoint.all(in: folder.url).last.flatMap { Int($0.lastPathComponent) }
      entry.updates = kept ?? 0
    } catch {
      entry.fail("\(error)")
      return entry
    }
    // How many updates an online run makes follows from the episodes that it collects.
    if configuration.isOnline {
      let manifest = folder.dataset.appendingPathComponent("manifest.json")
      if !FileManager.default.fileExists(atPath: manifest.path) { entry.state = .unfinished }
    } else {
      entry.expected = [configuration.updates, saved.fromUpdates ?? 0].clampedSum
      if (entry.updates ?? 0) < (entry.expected ?? 0) { entry.state = .unfinished }
    }
    return entry
  }

  /// The checkpoint of a folder that holds a policy, and the run that it belongs to.
  static func checkpoint(at path: String, _ names: Set<String>, run: String?) -> ListedEntry {
    let folder = URL(fileURLWithPath: path)
    var entry = ListedEntry(.checkpoint, at: path)
    if let run { entry.lineage = [Parent("run", run, path: run)] }
    do {
      let header = try Checkpoint.header(
        policy: folder.appendingPathComponent("policy.safetensors"))
      entry.learner = header.learner
      entry.environment = header.task.identifier
      entry.updates = header.updates
      if run == nil { entry.lineage = header.datasets.map { Parent("dataset", "", sha256: $0) } }
      switch folder.pathExtension {
      case "part", "old": entry.state = .unfinished
      case "broken":
        entry.fail("\(path): is what a run that had to stop was left with")
      default:
        if names.contains("state.json") != names.contains("training.safetensors") {
          entry.state = .unfinished
        }
      }
    } catch {
      entry.fail("\(error)")
    }
    return entry
  }

  /// The study of a folder that holds rows of runs and of methods; nil if it is none.
  static func study(at path: String, _ names: Set<String>) -> ListedEntry? {
    guard names.isSuperset(of: ["runs.csv", "methods.csv"]) else { return nil }
    var entry = ListedEntry(.study, at: path)
    do {
      let table = try StudyTable.read(
        URL(fileURLWithPath: path).appendingPathComponent("runs.csv"))
      entry.runs = table.rows.count
      entry.lineage = table.rows.compactMap { $0["run"] }.map { Parent("run", $0) }
      if !names.contains("README.md") { entry.state = .unfinished }
    } catch {
      entry.fail("\(error)")
    }
    return entry
  }
}

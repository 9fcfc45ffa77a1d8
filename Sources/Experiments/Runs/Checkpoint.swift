public import Environments
import Foundation
public import GoalCore
import Learners
import Storage
public import Support

/// The identity of a checkpoint's policy: the text in the head of `policy.safetensors`.
///
/// With it that one file is enough to act.
public struct PolicyHeader: Codable, CheckedValue, Equatable {
  /// The learner's id.
  public let learner: String
  /// The task that it was trained on.
  public let task: GoalTask
  /// The learner's settings, whole.
  public let settings: [String: JSONValue]
  /// Updates made.
  public let updates: Int
  /// The run's seed.
  public let seed: UInt64
  /// Digests of the datasets that it was trained on.
  public let datasets: [String]

  /// Throws `InvalidValue` for the first part that no checkpoint has.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(updates, in: 0...SizeLimit.steps, "updates")
    try InvalidValue.require(seed, in: 0...Seeds.limit - 1, "seed")
    for (place, digest) in datasets.enumerated() {
      try InvalidValue.requireDigest(digest, "datasets.\(place)")
    }
  }
}

extension PolicyHeader {
  /// Reads a head, and throws `InvalidValue` for one that no checkpoint has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    learner = try values.decode(String.self, forKey: .learner)
    task = try values.decode(GoalTask.self, forKey: .task)
    settings = try values.decode([String: JSONValue].self, forKey: .settings)
    updates = try values.decode(Int.self, forKey: .updates)
    seed = try values.decode(UInt64.self, forKey: .seed)
    datasets = try values.decode([String].self, forKey: .datasets)
    try check(in: decoder)
  }
}

/// Checkpoints on disk: `policy.safetensors`, `training.safetensors`, `state.json`.
public enum Checkpoint {
  /// Counters and position, beside the tensors.
  struct State: Codable {
    let header: PolicyHeader
    let counters: [String: JSONValue]
    /// How the policy was evaluated, if the checkpoint is kept for that.
    let evaluation: TimedEvaluation?
    /// The state of the run's monitor; nil in checkpoints of older versions.
    var monitor: RunMonitor?
  }

  /// Writes a checkpoint into a folder of the run's `checkpoints`, under another name first, so
  /// that it is whole or absent, after a power loss too.
  ///
  /// `adding` may write more files into the folder in the making. The run's folder must be there:
  /// it is not made.
  static func write(
    _ saved: SavedLearner, header: PolicyHeader, evaluation: TimedEvaluation? = nil,
    monitor: RunMonitor, to folder: URL, adding: (URL) throws -> Void = { _ in }
  ) throws {
    let part = folder.appendingPathExtension("part")
    let files = FileManager.default
    let all = folder.deletingLastPathComponent()
    do {
      try? files.removeItem(at: part)
      if !files.fileExists(atPath: all.path) {
        try files.createDirectory(at: all, withIntermediateDirectories: false)
      }
      try files.createDirectory(at: part, withIntermediateDirectories: false)
    } catch {
      throw FileError.cannotWrite(part.path, reason: systemReason(of: error))
    }
    try saved.write(
      policy: part.appendingPathComponent("policy.safetensors").path, header: try encoded(header),
      training: part.appendingPathComponent("training.safetensors").path)
    let state = State(
      header: header, counters: saved.counters, evaluation: evaluation, monitor: monitor)
    try WholeFile.write(
      Data(try encoded(state).utf8), to: part.appendingPathComponent("state.json"))
    try adding(part)
    try WholeFile.flush(folder: part)
    // One that is there makes way, and comes back if nothing takes its place (`RunFolder.tidy`).
    let old = folder.appendingPathExtension("old")
    try? files.removeItem(at: old)
    if files.fileExists(atPath: folder.path) { try PartFile.move(folder.path, to: old) }
    try PartFile.move(part.path, to: folder)
    // Older checkpoints go only when this one would outlast a power loss.
    try WholeFile.flush(folder: all)
    try? files.removeItem(at: old)
  }

  /// Reads all of a checkpoint, to train on.
  static func read(_ folder: URL) throws -> (saved: SavedLearner, header: PolicyHeader) {
    let state = try state(of: folder)
    let saved = try SavedLearner(
      policy: folder.appendingPathComponent("policy.safetensors").path,
      training: folder.appendingPathComponent("training.safetensors").path,
      counters: state.counters)
    return (saved, state.header)
  }

  /// The counters of a checkpoint, and how it was evaluated.
  static func state(of folder: URL) throws -> State {
    let file = folder.appendingPathComponent("state.json")
    return try StoredJSON.read(State.self, from: file)
  }

  /// The checkpoints of a run, oldest first.
  static func all(in run: URL) throws -> [URL] {
    let folder = run.appendingPathComponent("checkpoints")
    guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw ExperimentError.damaged(path: folder.path, reason: error.localizedDescription)
    }
    return names.filter { $0.count == 9 && $0.allSatisfy(\.isNumber) }.sorted()
      .map { folder.appendingPathComponent($0) }
  }

  /// The policy's file that a path means: itself, a checkpoint's, or a run's last checkpoint's.
  static func policyFile(_ path: String) throws -> URL {
    let given = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: given.path, isDirectory: &isFolder) else {
      throw ExperimentError.notACheckpoint(path: path, reason: "the path does not exist")
    }
    guard isFolder.boolValue else { return given }
    let inside = given.appendingPathComponent("policy.safetensors")
    if FileManager.default.fileExists(atPath: inside.path) { return inside }
    guard let last = try all(in: given).last else {
      throw ExperimentError.notACheckpoint(path: path, reason: "the folder has no checkpoint")
    }
    return last.appendingPathComponent("policy.safetensors")
  }

  /// Loads a policy to act with; if `task` is given, it must be the one trained on.
  public static func policy(
    _ path: String, for task: GoalTask? = nil
  ) throws -> (policy: NamedPolicy, header: PolicyHeader) {
    let file = try policyFile(path)
    let (saved, header) = try read(policy: file)
    if let task, task != header.task {
      throw ExperimentError.otherWorld(
        path: path, trainedFor: header.task.identifier, asked: task.identifier)
    }
    let learner = try restoring(file) {
      let learner = try LearnerRegistry.entry(header.learner).make(
        task: header.task, overrides: header.settings, seed: 0, restoring: saved.numberCount)
      try learner.restore(policy: saved.tensors)
      return learner
    }
    let policy = NamedPolicy(
      name: path, digest: try Digest.sha256(ofFile: file), policy: learner.makePolicy(),
      source: .policy)
    return (policy, header)
  }

  /// The learner of a checkpoint with all that it was trained to; nil for a policy's file by
  /// itself.
  static func learner(of path: String) throws -> (any Learner)? {
    let folder = try policyFile(path).deletingLastPathComponent()
    let training = folder.appendingPathComponent("training.safetensors")
    guard FileManager.default.fileExists(atPath: training.path) else { return nil }
    let (saved, header) = try read(folder)
    return try restoring(folder) {
      let learner = try LearnerRegistry.entry(header.learner).make(
        task: header.task, overrides: header.settings, seed: 0, restoring: saved.numberCount)
      try learner.restore(saved)
      return learner
    }
  }

  /// Runs what takes a checkpoint's numbers; what is wrong with them is said of the file.
  static func restoring<Result>(_ file: URL, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as LearnerError {
      throw ExperimentError.notACheckpoint(path: file.path, reason: error.description)
    } catch let error as SettingsError {
      throw ExperimentError.notACheckpoint(path: file.path, reason: error.description)
    }
  }

  /// Reads a policy's file: its tensors, and what they are.
  static func read(policy file: URL) throws -> (saved: SavedPolicy, header: PolicyHeader) {
    let saved = try SavedPolicy(contentsOf: file.path)
    return (saved, try header(saved.header, of: file))
  }

  /// Reads what a policy's file says of its tensors, without these.
  static func header(policy file: URL) throws -> PolicyHeader {
    try header(SavedPolicy.header(of: file.path), of: file)
  }

  private static func header(_ text: String?, of file: URL) throws -> PolicyHeader {
    guard let text else {
      throw ExperimentError.notACheckpoint(
        path: file.path, reason: "its head was not written by goalpost")
    }
    return try StoredJSON.decode(PolicyHeader.self, from: Data(text.utf8), path: file.path)
  }

  private static func encoded(_ value: some Encodable) throws -> String {
    String(decoding: try JSON.canonical(value), as: UTF8.self)
  }
}

/// Finds policies by what the command line calls them.
public enum Policies {
  /// `random`, `scripted`, or the path of a run, a checkpoint or a policy's file.
  public static func named(_ name: String, for world: World) throws -> NamedPolicy {
    switch name {
    case "random":
      return NamedPolicy(
        name: name, digest: "", policy: RandomPolicy(action: world.task.spec.action),
        source: .random)
    case "scripted":
      guard let script = world.script else {
        throw EnvironmentError.noScript(identifier: world.task.identifier)
      }
      return NamedPolicy(name: name, digest: "", policy: script, source: .policy)
    default: return try Checkpoint.policy(name, for: world.task).policy
    }
  }
}

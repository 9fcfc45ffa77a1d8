import Foundation
import GoalCore
public import Learners
import Reporting
import Statistics
import Storage

/// A plan's inputs, as results record them.
public struct PlanRecord: Codable, Sendable, Equatable {
  /// The dataset's folder, as it was named.
  public let dataset: String
  /// The digest of its manifest.
  public let datasetDigest: String
  /// How the graph was made and used.
  public let settings: GraphPlanSettings

  enum CodingKeys: String, CodingKey {
    case dataset, settings
    case datasetDigest = "dataset_sha256"
  }

  /// It in a sentence.
  var note: String {
    "plan: a graph of \(settings.nodes) states of \(dataset) (sha256 \(datasetDigest.prefix(12))), "
      + "edges up to \(Estimate.short(settings.edge)) steps, aims up to "
      + "\(Estimate.short(settings.aim)) steps away"
  }
}

/// States of a dataset that the policies of one evaluation plan with.
struct PlanStates {
  let record: PlanRecord
  let task: GoalTask
  let nodes: PlanNodes

  /// The purpose that separates these draws from others: "PLAN" in ASCII.
  private static let purpose: UInt64 = 0x504C_414E

  /// Draws different states of a dataset, all alike, by a seed.
  init(_ request: PlanRequest, seed: UInt64) throws {
    let dataset = try Dataset(at: URL(fileURLWithPath: request.dataset))
    try MemoryLimit.checkFits([dataset])
    task = dataset.manifest.task
    let columns = try dataset.columns()
    let width = task.spec.observation
    let counts = columns.map { $0.observations.count / width }
    let (total, count) = (counts.reduce(0, +), request.settings.nodes)
    guard count <= total else {
      throw ExperimentError.badSettings(
        path: request.dataset,
        reason: "a plan of \(count) states needs as many, and the dataset has \(total)")
    }
    var generator = Philox(seed: seed, purpose: Self.purpose, index: 0)
    var chosen = Set<Int>()
    while chosen.count < count { chosen.insert(Int(generator.unit() * Double(total))) }
    var (observations, goals) = ([Float](), [Float]())
    var (part, first) = (0, 0)
    for row in chosen.sorted() {
      while row >= first + counts[part] {
        first += counts[part]
        part += 1
      }
      let (o, g, place) = (task.spec.observation, task.spec.goal, row - first)
      observations += columns[part].observations[place * o..<(place + 1) * o]
      goals += columns[part].achievedGoals[place * g..<(place + 1) * g]
    }
    nodes = PlanNodes(observations: observations, goals: goals, count: count)
    record = PlanRecord(
      dataset: request.dataset, datasetDigest: try dataset.manifest.digest(),
      settings: request.settings)
  }

  /// A checkpoint's policy that plans with these states by its learner's values.
  func planning(_ candidate: Candidate, silent: Bool) throws -> Candidate {
    func refusal(_ reason: String) -> ExperimentError {
      .badSettings(path: candidate.name, reason: "--plan graph " + reason)
    }
    guard let header = candidate.header else {
      throw refusal("plans by a checkpoint's values, and this policy has none")
    }
    guard header.task == task else {
      throw ExperimentError.otherDataset(
        path: record.dataset, world: task.identifier, expected: header.task.identifier)
    }
    guard let learner = try Checkpoint.learner(of: candidate.name) else {
      throw refusal(
        "needs a whole checkpoint, with its training.safetensors; this is the policy alone")
    }
    guard let valuing = learner as? any GoalValuing, let steps = ValueSteps(valuing, nodes) else {
      throw refusal("needs a learner with values, and '\(header.learner)' as it was set has none")
    }
    let progress = ProgressReport(
      "plan \(candidate.name)", total: nodes.count, unit: "states", silent: silent)
    let plan = GraphPlan(
      nodes, record.settings,
      steps: { steps(observations: $0, goals: $1, rows: $2) }, advance: { progress.advance() })
    progress.finish()
    return Candidate(
      name: candidate.name,
      policy: NamedPolicy(
        name: candidate.policy.name, digest: candidate.policy.digest,
        policy: GraphPolicy(candidate.policy.policy, plan: plan), source: candidate.policy.source),
      world: candidate.world, header: header)
  }
}

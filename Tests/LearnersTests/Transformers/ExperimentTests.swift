import Foundation
import GoalCore
import Replay
import Support
import TestSupport
import Testing
import Torch

@testable import Learners

/// Every attempt of the research log, as `pipelines/research-log/experiments.yaml` tells it, made
/// small.
struct ExperimentTests {
  private struct Cell: Decodable {
    let cell: String
    let row: Int
    let kind: String
    let did: String
    let shows: String
    let from: String
    let repeats: Int?
    let settings: [String: JSONValue]
  }

  private static let cells: Result<[Cell], any Error> = Result {
    let script = PythonReference.checkout
      .appendingPathComponent("pipelines/research-log/experiments.py")
    return try JSONDecoder().decode([Cell].self, from: PythonReference.run(script: script))
  }

  /// The settings with sizes that take no time.
  private func small(_ settings: [String: JSONValue]) -> [String: JSONValue] {
    func shrunk(_ values: [String: JSONValue]) -> [String: JSONValue] {
      var values = values
      for (key, value) in values {
        switch (key, value) {
        case (_, .object(let inner)): values[key] = .object(shrunk(inner))
        case ("width", _), ("feedForward", _): values[key] = 4
        case ("batchSize", .integer(let rows)): values[key] = .integer(min(rows, 6))
        case (_, .list(let widths)) where key.hasSuffix("idths"):
          values[key] = .list(widths.map { _ in 5 })
        default: break
        }
      }
      return values
    }
    var result = shrunk(settings)
    result["batchSize"] = result["batchSize"] ?? 6
    result["hiddenWidths"] = [5]
    return result
  }

  @Test func theTableHasEveryRowOnce() throws {
    let cells = try Self.cells.get()
    #expect(Set(cells.map(\.row)) == Set(1...91))
    #expect(Set(cells.map(\.cell)).count == cells.count)
    #expect(cells.allSatisfy { ["run", "analysis", "idea"].contains($0.kind) })
    #expect(cells.allSatisfy { !$0.did.isEmpty && !$0.shows.isEmpty })
    let entry = try LearnerRegistry.entry(GoalTransformer.identifier)
    // As they are, not made small.
    for cell in cells { _ = try entry.resolve(task: SmallWorld.task, overrides: cell.settings) }
  }

  /// Two cells have the same settings only where the log tried a thing again, or looked at a run
  /// again.
  @Test func rowsDifferWhereTheLogsDo() throws {
    let entry = try LearnerRegistry.entry(GoalTransformer.identifier)
    var groups: [String: [Cell]] = [:]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for cell in try Self.cells.get() {
      let settings = try entry.resolve(task: SmallWorld.task, overrides: cell.settings)
      groups[String(decoding: try encoder.encode(settings), as: UTF8.self), default: []]
        .append(cell)
    }
    for cells in groups.values {
      let firsts = cells.filter { $0.kind != "analysis" && $0.repeats == nil }
      // An analysis may look at a run that no row has.
      #expect(firsts.count == 1 || cells.count == 1, "\(cells.map(\.cell))")
      for cell in cells {
        guard let row = cell.repeats else { continue }
        #expect(firsts.first?.row == row, "\(cell.cell) repeats row \(row)")
      }
    }
    #expect(groups.values.contains { $0.count > 1 })
  }

  /// Each row names lines of the log's code, the row that does, or the log.
  @Test func rowsSayWhatTheyWereReadFrom() throws {
    let files =
      "(transformer_idm|dec_idm|idm|idm_ssl|idm_online|masking|pact|pact_single|dt_gpt|buffer2?|gcsl"
      + "|variants|dino_loss|vicreg_loss|traj_idm|traj_idm_dec|traj_idm_dec_simple|mha"
      + "|positional_encoding|gcsl_example)\\.py:[0-9]+"
    let source = try Regex("^(as row [0-9]+|the log alone|gcsl/evaluation/data.ipynb|\(files))")
    for cell in try Self.cells.get() {
      #expect(try source.firstMatch(in: cell.from) != nil, "\(cell.cell): \(cell.from)")
    }
  }

  /// Trains each cell for a few updates, acts with it, saves it and goes on to the bit.
  @Test(arguments: 0..<6) func everyRowTrainsActsAndResumes(part: Int) throws {
    let (task, replay) = (SmallWorld.task, SmallWorld.replay)
    let entry = try LearnerRegistry.entry(GoalTransformer.identifier)
    for (number, cell) in try Self.cells.get().enumerated() where number % 6 == part {
      var settings = small(cell.settings)
      // The log's dropout, on every other cell.
      if case .object(var parts) = settings["architecture"] {
        parts["dropout"] = number % 2 == 0 ? 0.1 : 0
        settings["architecture"] = .object(parts)
      }
      let used = settings
      func made(_ seed: UInt64) throws -> any Learner {
        try entry.make(task: task, overrides: used, seed: seed)
      }
      func train(_ learner: any Learner, _ updates: Range<UInt64>) -> Metrics? {
        var batch = GoalBatch(learner.scheme, spec: task.spec)
        var metrics: Metrics?
        for number in updates {
          replay.draw(learner.scheme, seed: 2, number: number, into: &batch)
          metrics = learner.update(on: batch, measuring: number + 1 == updates.upperBound)
        }
        return metrics
      }
      func pattern(_ entry: NamedTensor) -> [UInt32] {
        entry.tensor.floats.map { $0.bitPattern }
      }
      func bits(_ saved: SavedLearner) -> [String: [UInt32]] {
        var bits: [String: [UInt32]] = [:]
        for entry in saved.policy { bits["policy." + entry.name] = pattern(entry) }
        for entry in saved.training { bits["training." + entry.name] = pattern(entry) }
        return bits
      }
      let whole = try made(1)
      let before = bits(whole.saved())
      let half = try made(1)
      _ = train(half, 0..<2)
      let saved = half.saved()
      let resumed = try made(1)  // the draws of an update are keyed by the run's seed
      try resumed.restore(saved)
      _ = train(resumed, 2..<4)
      let metrics = try #require(train(whole, 0..<4))
      #expect(bits(resumed.saved()) == bits(whole.saved()), "\(cell.cell)")
      #expect(bits(whole.saved()) != before, "\(cell.cell)")
      #expect(metrics.entries.allSatisfy { $0.value.isFinite }, "\(cell.cell)")
      #expect(whole.saved().firstNotFinite == nil)
      for policy in [whole.makePolicy(), whole.makeCollectingPolicy()] {
        let actor = policy.makeActor()
        actor.begin(goal: [0.5, -0.5], seed: 3)
        var state: [Float] = [0, 0]
        for _ in 0..<task.spec.horizon {
          let action = try #require(actor.act(state).continuous)
          #expect(action.allSatisfy { -1...1 ~= $0 }, "\(cell.cell)")
          state = PointWorld.next(state, action)
        }
      }
    }
  }
}

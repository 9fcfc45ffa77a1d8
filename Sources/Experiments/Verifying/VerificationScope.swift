import Environments
import GoalCore
import Storage

/// Which rules a dataset can be held against, and the sentences that say which it was.
struct VerificationScope: Sendable {
  let manifest: Manifest
  /// The registered world of the dataset's name.
  let registered: World?
  /// Whether some episodes were collected here.
  let hasCollected: Bool
  /// Whether some episodes were converted.
  let hasConverted: Bool

  init(_ manifest: Manifest, recipes: [Recipe?]) {
    self.manifest = manifest
    registered = try? EnvironmentRegistry.world(manifest.task.identifier)
    hasCollected = recipes.contains { $0 != nil }
    hasConverted = recipes.contains { $0 == nil }
  }

  /// The registered world, if the dataset's task is its task.
  private var world: World? { registered?.task == manifest.task ? registered : nil }

  /// Whether changes in a step are held against each other, as no bounds are known.
  var looksForJumps: Bool { world == nil }

  /// Whether episodes of a recipe, or without one, can be simulated again.
  func canReplay(_ recipe: Recipe?) -> Bool {
    if let goals = recipe?.goals { return law(goals) != nil }
    return recipe != nil || world != nil && has(.seeds)
  }

  /// The kind of a recipe's episodes in a world with named tasks.
  func kind(of recipe: Recipe?) -> EpisodeKind? {
    recipe?.goals.flatMap { law($0) }.map { .data($0) }
  }

  private func law(_ name: String) -> DataLaw? { world?.laws.first { $0.name == name } }

  /// The laws of recipes that the world has not, or with other lengths.
  func strangeLaws(_ recipes: [Recipe?]) -> [Recipe] {
    recipes.compactMap { $0 }.filter { $0.goals.flatMap { law($0)?.steps } != $0.steps }
  }

  private func has(_ column: ShardColumn) -> Bool {
    (manifest.columns[column.rawValue]?.origin ?? .absent) != .absent
  }

  private func isComputed(_ column: ShardColumn) -> Bool {
    manifest.columns[column.rawValue]?.origin == .computed
  }

  /// Whether it is known when a goal is reached.
  private var isThresholdKnown: Bool { world != nil || manifest.task.spec.successThreshold > 0 }

  /// The columns, of rewards and successes, of a source that can be compared with the task's.
  private var compared: Set<ShardColumn> {
    guard isThresholdKnown, has(.desiredGoals) else { return [] }
    return Set([ShardColumn.rewards, .successes].filter { has($0) && !isComputed($0) })
  }

  /// The rules for episodes of a recipe, or for converted ones.
  func rules(for recipe: Recipe?) -> EpisodeRules {
    let scores: [ShardColumn] = [.rewards, .successes]
    return EpisodeRules(
      task: manifest.task, recipe: recipe, bounds: world?.bounds,
      followsTask: Set(recipe != nil ? scores : scores.filter(isComputed)),
      compared: recipe != nil ? [] : compared)
  }

  // MARK: - Sentences

  /// The checks, the suspect findings, and the checks that were left out.
  func words(
    _ comparison: SourceComparison, jumps: StepSizes?, replayed: Int, wanted: Int,
    _ found: inout Verification.Findings
  ) -> (checked: [String], suspicions: [Verification.Finding], unchecked: [String]) {
    var words = Words()
    addFiles(&words)
    addNumbers(&words)
    addSteps(jumps, &words)
    addGoals(&words)
    if hasCollected {
      words.checked.append(
        "rewards and successes against the task's, of the state after each step"
          + (hasConverted ? ", of collected episodes" : ""))
    }
    if hasConverted { addScores(comparison, &words) }
    if hasCollected { addReplays(replayed, wanted, &words) }
    if hasConverted { addKeptReplays(comparison.replays, wanted, &words, &found) }
    return (words.checked, words.suspicions, words.unchecked)
  }

  private struct Words {
    var checked: [String] = []
    var suspicions: [Verification.Finding] = []
    var unchecked: [String] = []
  }

  private func addFiles(_ words: inout Words) {
    words.checked.append(
      "each shard's size and SHA-256 against the manifest's, and the types and shapes of its columns"
    )
    words.checked.append(
      "the numbers and the order of episodes, and the manifest's counts and sum of rewards")
    if hasCollected {
      words.checked.append("seeds, and how episodes ended, against the recipe")
    }
  }

  private func addNumbers(_ words: inout Words) {
    let columns: [ShardColumn] = [
      .observations, .achievedGoals, .desiredGoals, .rewards, .states, .logProbabilities,
    ]
    // Achieved goals that are the observations are not stored, and are checked as these.
    let names = columns.filter { has($0) || $0 == .observations }.map(\.rawValue)
    words.checked.append("that \(names.joined(separator: ", ")) are finite")
    if world != nil {
      words.checked.append(
        "actions against the world's space, and lengths against "
          + (world.flatMap(\.bounds.longestEpisode).map { "\($0) steps, its data's most" }
            ?? "its \(manifest.task.spec.horizon) steps")
      )
    } else {
      words.checked.append("that actions are finite and within the manifest's space")
      if hasConverted {
        words.unchecked.append(
          "the range of actions and the lengths of episodes, as the manifest's were taken from the data"
        )
      }
    }
    if hasConverted {
      words.unchecked.append("how converted episodes ended, which the source says")
    }
    let free: [ShardColumn] = [.images, .states, .sources]
    let others = manifest.columns.filter { path, column in
      column.origin != .absent
        && (path.hasPrefix("extra/") || free.contains { $0.rawValue == path })
    }.keys.sorted()
    if !others.isEmpty {
      words.unchecked.append(
        "what \(others.joined(separator: ", ")) hold: the rules above say no more of them")
    }
  }

  private func addSteps(_ jumps: StepSizes?, _ words: inout Words) {
    if let world {
      let things = world.bounds.things.map {
        "the \($0.name) moves at most \($0.largestStep) in a step"
      }
      words.checked.append(
        (["bounds: numbers of observations are within \(world.bounds.largestObservation) of 0"]
          + things).joined(separator: ", "))
      return
    }
    guard let jumps else { return }
    words.checked.append(
      "jumps: of each number of an observation, whether some changes in a step, a tenth of all at most, are "
        + "over \(Int(StepSizes.gap)) times as large as all others (those under a thousandth of its "
        + "standard deviation left out, angles across ±π the short way)")
    words.unchecked.append(
      "bounds, as \(manifest.task.identifier) is no registered world; shorter jumps are not seen")
    words.suspicions += jumps.findings
  }

  private func addGoals(_ words: inout Words) {
    if manifest.task.isGoalKnown {
      if has(.achievedGoals) {
        words.checked.append(
          "achieved goals against the observations' numbers \(manifest.task.goalIndices)")
      }
    } else {
      words.unchecked.append(
        "achieved goals, as it is not known how they follow from observations")
    }
  }

  /// The results for a source's rewards and successes.
  private func addScores(_ comparison: SourceComparison, _ words: inout Words) {
    for (column, agreement) in [
      (ShardColumn.rewards, comparison.rewards), (.successes, comparison.successes),
    ] where has(column) {
      let name = column.rawValue
      if isComputed(column) {
        words.checked.append(
          "\(name), which the conversion computed, against the task's of the state after each step")
        continue
      }
      guard compared.contains(column), agreement.steps > 0 else {
        words.unchecked.append(
          "\(name), which are the source's own, as "
            + (isThresholdKnown
              ? "they have no desired goals" : "it is not known when a goal is reached"))
        continue
      }
      let (best, other, steps) = (agreement.best, agreement.other, agreement.steps)
      func state(_ rule: SourceComparison.Agreement.Rule) -> String {
        "the state \(rule.isAfter ? "after" : "before") the step"
      }
      let scale =
        column == .rewards ? ", on the scale of \(best.shift == 1 ? "0 and 1" : "-1 and 0")" : ""
      if best.matches == steps {
        words.checked.append(
          "\(name), which are the source's own, against the task's: all \(steps) are those of "
            + "\(state(best))\(scale), and \(other.matches) those of \(state(other))")
      } else {
        words.checked.append(
          "\(name), which are the source's own, against the task's, of the states before and after the step"
        )
        words.suspicions.append(
          Verification.Finding(
            rule: "\(name) are not the task's: \(best.matches) of \(steps) are those of "
              + "\(state(best))\(scale), and \(other.matches) those of \(state(other))",
            count: steps - best.matches, first: best.firstOther ?? ""))
      }
    }
  }

  private func addReplays(_ replayed: Int, _ wanted: Int, _ words: inout Words) {
    if replayed > 0 {
      words.checked.append(
        "\(replayed) \(replayed == 1 ? "episode" : "episodes"), simulated again from seed and actions: "
          + "each number to the bit")
    }
    let collected = hasConverted ? "collected episodes" : "\(manifest.totals.episodes) episodes"
    if replayed == 0 {
      words.unchecked.append("the physics, as no episode was simulated again")
    } else if replayed < manifest.totals.episodes {
      words.unchecked.append("the physics of the others of all \(collected): --replay all does it")
    }
  }

  /// What came of seeds that a conversion kept; if one episode came out the same to its end, the
  /// seeds are this world's, and others that do not are wrong.
  private func addKeptReplays(
    _ replays: SourceComparison.Replays, _ wanted: Int, _ words: inout Words,
    _ found: inout Verification.Findings
  ) {
    let name = manifest.task.identifier
    guard has(.seeds) else {
      return words.unchecked.append(
        "the physics, as the converted episodes have no seeds to simulate them from")
    }
    guard world != nil else {
      return words.unchecked.append(
        "the physics, as \(name) is no registered world; the episodes have seeds")
    }
    guard replays.tried > 0 else {
      return words.unchecked.append("the physics, as no episode was simulated again")
    }
    let first = replays.firstOther ?? ""
    if replays.same > 0 {
      let parts = [
        replays.exact > 0 ? "\(replays.exact) came out the same to the bit" : nil,
        replays.near > 0 ? "\(replays.near) within \(EpisodeRules.replayTolerance)" : nil,
      ].compactMap { $0 }
      words.checked.append(
        "observations and goals of \(replays.tried) converted episodes, simulated again from the seeds that "
          + "they kept: \(parts.joined(separator: ", "))")
      let others = replays.otherStarts + replays.otherSteps
      if others > 0 {
        found.merge(
          Verification.Finding(
            rule: "kept seeds give the same episode again, as they do \(replays.same) times",
            count: others, first: first))
      }
    } else if replays.otherSteps > 0 {
      words.suspicions.append(
        Verification.Finding(
          rule:
            "kept seeds give the same starts here, and no episode to its end: another version of the "
            + "simulator made them, which is not recorded, or they were altered",
          count: replays.otherSteps + replays.otherStarts, first: first))
    } else {
      words.unchecked.append(
        "the physics: the seeds that were kept give other starts in \(name) (\(replays.tried) tried), so "
          + "they are of another source of random numbers, world or version; none of these is recorded"
      )
    }
    if replays.tried < manifest.totals.episodes {
      words.unchecked.append("the physics of episodes that were not chosen: --replay all takes all")
    }
  }
}

extension Verification.Report {
  /// It as lines: what is broken or suspect, what was checked and what was not.
  public var text: String {
    let head =
      "\(dataset): \(episodes) episodes, \(steps) steps in \(shards) "
      + "\(shards == 1 ? "shard" : "shards")\n"
    func lines(_ word: String, _ findings: [Verification.Finding]) -> String {
      findings.map { "\(word) \($0.count) ×: \($0.rule); first in \($0.first)\n" }.joined()
    }
    let verdict =
      !isSound
      ? lines("broken", findings)
      : suspicions.isEmpty
        ? "sound: nothing of what was checked is broken\n"
        : "suspect: no rule is broken, but some numbers are not as expected\n"
    return head + verdict + lines("suspect", suspicions)
      + checked.map { "checked: \($0)\n" }.joined()
      + unchecked.map { "not checked: \($0)\n" }.joined()
  }
}

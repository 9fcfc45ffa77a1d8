/// The goals of the value function.
public enum ValueGoals: Codable, Sendable, Equatable {
  /// The policy's goal, but with probability `original` the original one. WGCSL: 0.2.
  case policys(original: Double)
  /// Goals drawn apart from the policy's, for the same step. OGBench.
  case own(GoalSelection)
}

/// Which draws the rows of a batch share.
public enum Sharing: String, Codable, Sendable, CaseIterable {
  /// Every row draws its own step and goal.
  case none
  /// One draw for the whole batch: in episodes of one length all rows have the same step and the
  /// same goal state. The log's "one index per batch", and its chop.
  case pair
  /// One goal for each step of an episode, drawn once a batch: rows of the same step have the same
  /// goal state, in episodes of one length. The log's random goal mask.
  case goalOfStep
}

/// Which state a row's reward compares with its goal.
public enum RewardedState: String, Codable, Sendable, CaseIterable {
  /// The state after the step: its achieved goal, as the world rewards. WGCSL.
  case next
  /// The state before it: its achieved goal, by the world's rule.
  case current
  /// The state before it, by its place in the data: 0 if the goal is that very state, else −1,
  /// however near the goal's state is. OGBench.
  case index
}

/// A learner's request to the sampler.
public struct SamplingScheme: Codable, Sendable, Equatable {
  /// Rows in a batch, `B`.
  public var batchSize: Int
  /// The goals that the policy is trained on.
  public var policyGoals: GoalSelection
  /// The goals that the value function is trained on.
  public var valueGoals: ValueGoals
  /// The draws that rows share.
  public var sharing = Sharing.none
  /// How episodes are drawn.
  public var episodes = EpisodeDraw.episodes
  /// The form of goals.
  public var goalForm = GoalForm.achieved
  /// Which state is rewarded.
  public var rewarded = RewardedState.next
  /// How many steps ahead a subgoal lies, for hierarchical learners; nil for none.
  ///
  /// With `k` steps, and the policy's goal in state `j` of the episode, the subgoal is in state
  /// `min(t + k, j)`; with a goal from elsewhere in state `min(t + k, T − 1)`. The goal of a low
  /// level is in state `min(t + k, T − 1)` always: as `GoalMixture` says, the last state is no
  /// goal. Source: `HGCDataset` of OGBench, `impls/utils/datasets.py`, and its loader,
  /// `ogbench/utils.py`.
  public var subgoalSteps: Int?
  /// Which states and actions of the episode go with each row, for learners of sequences; nil for
  /// none.
  public var window: Window?

  /// Makes a scheme whose value goals are the policy's, but for a share of original ones.
  public init(batchSize: Int, policyGoals: GoalSelection, originalValueGoals: Double) {
    self.init(
      batchSize: batchSize, policyGoals: policyGoals,
      valueGoals: .policys(original: originalValueGoals))
  }

  /// Whether it draws goals that episodes were collected with.
  public var usesDesiredGoals: Bool {
    if policyGoals.drawsOriginal { return true }
    return switch valueGoals {
    case .policys(let original): original > 0
    case .own(let goals): goals.drawsOriginal
    }
  }

  /// Makes a scheme.
  public init(batchSize: Int, policyGoals: GoalSelection, valueGoals: ValueGoals) {
    self.batchSize = batchSize
    self.policyGoals = policyGoals
    self.valueGoals = valueGoals
    if let fault { preconditionFailure(fault) }
  }

  /// The first rule that the scheme breaks, or nil.
  public var fault: String? {
    if batchSize < 1 { return "a batch has at least one row, found \(batchSize)" }
    if let fault = policyGoals.fault { return fault }
    switch valueGoals {
    case .policys(let original):
      if !(0...1 ~= original) { return "original must be from 0 to 1, found \(original)" }
    case .own(let selection):
      if let fault = selection.fault { return fault }
      if !policyGoals.stepIsUniform || !selection.stepIsUniform {
        return "value goals of their own need steps that are drawn uniformly"
      }
    }
    if sharing == .goalOfStep, !policyGoals.stepIsUniform {
      return "one goal for each step needs steps that are drawn uniformly"
    }
    if goalForm == .observation, usesDesiredGoals {
      return "data hold no observation of an original goal: draw none, or take the achieved form"
    }
    if let steps = subgoalSteps, steps < 1 {
      return "a subgoal lies at least 1 step ahead, found \(steps)"
    }
    return window?.fault(for: policyGoals)
  }
}

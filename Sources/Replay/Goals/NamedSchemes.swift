import GoalCore
import Support

/// A scheme that can be asked for by name, as `NAME` or `NAME:key=value,...`.
public struct NamedScheme: Sendable {
  /// A parameter.
  public struct Key: Sendable {
    /// Its name.
    public let name: String
    /// Its default, as text.
    public let defaultValue: String
    /// Its meaning.
    public let meaning: String
  }

  /// The name.
  public let name: String
  /// Its draws and its source, in one line.
  public let summary: String
  /// Its own parameters.
  public let keys: [Key]
  private let make: @Sendable (Values) throws(SchemeError) -> SamplingScheme

  /// Parameters that every scheme has.
  public static let commonKeys = [
    Key(name: "batch", defaultValue: "256", meaning: "rows in a batch"),
    Key(
      name: "draw", defaultValue: "the scheme's",
      meaning: "episodes or steps: what is drawn alike, each episode or each step"),
    Key(
      name: "form", defaultValue: "achieved",
      meaning: "achieved or observation: what a goal looks like"),
  ]

  /// The schemes, in the order of printing.
  public static let all: [NamedScheme] = relabelling + mixtures + theLogs

  /// The scheme that a text asks for; throws `SchemeError`.
  public static func scheme(_ text: String) throws(SchemeError) -> SamplingScheme {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let found = all.first(where: { $0.name == name }) else {
      throw .unknown(name: name, known: all.map(\.name))
    }
    var given: [String: String] = [:]
    for part in parts.count > 1 ? parts[1].split(separator: ",") : [] {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = String(pair[0])
      guard pair.count == 2 else { throw .notAnAssignment(String(part)) }
      let known = (found.keys + commonKeys).map(\.name)
      guard known.contains(key) else { throw .unknownKey(scheme: name, key: key, known: known) }
      given[key] = String(pair[1])
    }
    let defaults = Dictionary(
      uniqueKeysWithValues: (found.keys + commonKeys).map { ($0.name, $0.defaultValue) })
    let values = Values(scheme: name, given: given, defaults: defaults)
    var scheme = try found.make(values)
    scheme.batchSize = try values.integer("batch")
    if given["draw"] != nil { scheme.episodes = try values.choice("draw") }
    if given["form"] != nil { scheme.goalForm = try values.choice("form") }
    if let fault = scheme.fault { throw .fault(scheme: name, fault) }
    return scheme
  }

  // MARK: - The table

  private init(
    _ name: String, _ summary: String, _ keys: [(String, String, String)] = [],
    _ make: @escaping @Sendable (Values) throws(SchemeError) -> SamplingScheme
  ) {
    self.name = name
    self.summary = summary
    self.keys = keys.map { Key(name: $0.0, defaultValue: $0.1, meaning: $0.2) }
    self.make = make
  }

  /// A scheme without its checks, which come when all of it is known.
  private static func plain(
    _ goals: GoalSelection, original: Double = 0, sharing: Sharing = .none
  ) -> SamplingScheme {
    var scheme = SamplingScheme(batchSize: 1, policyGoals: .original, originalValueGoals: 0)
    scheme.policyGoals = goals
    scheme.valueGoals = .policys(original: original)
    scheme.sharing = sharing
    return scheme
  }

  private static let steps = ("steps", "10", "steps from the start to the goal state")
  private static let states = (
    "states", "beforeActions", "all, or beforeActions: the last state is left out, as in the code"
  )

  private static let relabelling = [
    NamedScheme("original", "the goal that the episode was collected with: Goal BC, DDPG") { _ in
      plain(.original)
    },
    NamedScheme(
      "wgcsl", "a later state; a share of original goals for the value: WGCSL, AWGCSL's GCSL",
      [("original", "0.2", "share of original goals among the value's")]
    ) { values throws(SchemeError) in
      plain(.future(fraction: 1), original: try values.number("original"))
    },
    NamedScheme(
      "future", "a later state with a probability, else the original goal",
      [("fraction", "1", "probability of a later state")]
    ) { values throws(SchemeError) in plain(.future(fraction: try values.number("fraction"))) },
    NamedScheme(
      "her-future", "HER's future strategy: k relabelled goals for each original one",
      [("k", "4", "relabelled goals for each original one")]
    ) { values throws(SchemeError) in
      plain(.future(fraction: 1 - 1 / (1 + Double(try values.integer("k")))))
    },
    NamedScheme("final", "HER's final strategy: the episode's last state") { _ in plain(.final) },
    NamedScheme("episode", "HER's episode strategy: any state of the episode") { _ in
      plain(.episode)
    },
    NamedScheme("random", "HER's random strategy: any state of any episode") { _ in
      plain(.random)
    },
    NamedScheme("bounded", "a later state at most some steps away", [steps]) {
      values throws(SchemeError) in plain(.bounded(steps: try values.integer("steps")))
    },
    NamedScheme("fixed", "a state exactly some steps away", [steps]) {
      values throws(SchemeError) in plain(.fixed(steps: try values.integer("steps")))
    },
    NamedScheme("subgoal", "the state k steps ahead, or the last", [steps]) {
      values throws(SchemeError) in plain(.ahead(steps: try values.integer("steps")))
    },
    NamedScheme("gcsl-pair", "two states of an episode, as in GCSL's own code", [states]) {
      values throws(SchemeError) in plain(.pair(.gcsl, states: try values.choice("states")))
    },
  ]

  private static let mixtureKeys = [
    ("current", "0.2", "share of present states among the value's goals"),
    ("trajectory", "0.5", "share of later states of the episode"),
    ("random", "0.3", "share of random states"),
    ("discount", "0.99", "of the geometric draw of a later state; 0 for a uniform draw"),
    (
      "actor-random", "0", "share of random states among the actor's goals; the rest are later ones"
    ),
    ("halves-ends", "true", "whether a uniform draw takes its ends half as often, as in the code"),
  ]

  private static let mixtures = [
    NamedScheme("ogbench", "OGBench's goals for value and actor: GCIVL, GCIQL", mixtureKeys) {
      values throws(SchemeError) in try mixture(values)
    },
    NamedScheme(
      "hiql", "the same with subgoals: HIQL",
      mixtureKeys + [("subgoal-steps", "25", "steps from the start to a subgoal")]
    ) { values throws(SchemeError) in
      var scheme = try mixture(values)
      scheme.subgoalSteps = try values.integer("subgoal-steps")
      return scheme
    },
  ]

  private static func mixture(_ values: Values) throws(SchemeError) -> SamplingScheme {
    let discount = try values.number("discount")
    let halves = try values.truth("halves-ends")
    let random = try values.number("actor-random")
    var scheme = plain(
      .mixture(
        GoalMixture(current: 0, trajectory: 1 - random, random: random, halvesEnds: halves)))
    scheme.valueGoals = .own(
      .mixture(
        GoalMixture(
          current: try values.number("current"), trajectory: try values.number("trajectory"),
          random: try values.number("random"), discount: discount == 0 ? nil : discount,
          halvesEnds: halves)))
    scheme.episodes = .steps
    scheme.rewarded = .index
    return scheme
  }

  private static let theLogs = [
    NamedScheme(
      "random-goal-mask", "the log's: one later goal for each step, the same in a whole batch"
    ) { _ in plain(.future(fraction: 1), sharing: .goalOfStep) },
    NamedScheme("k-ahead-mask", "the log's: the state k steps ahead", [steps]) {
      values throws(SchemeError) in plain(.ahead(steps: try values.integer("steps")))
    },
    NamedScheme(
      "one-pair-per-batch", "the log's: one start and goal index for a whole batch",
      [
        ("rule", "secondBelowLast", "how the pair is drawn: gcsl, secondBelowLast, withoutSwap"),
        states,
      ]
    ) { values throws(SchemeError) in
      plain(
        .pair(try values.choice("rule"), states: try values.choice("states")), sharing: .pair)
    },
    NamedScheme(
      "pair-without-swap", "the log's faulty generator: half of all goals are the next state",
      [("shared", "true", "whether a whole batch has one pair, as in the code"), states]
    ) { values throws(SchemeError) in
      plain(
        .pair(.withoutSwap, states: try values.choice("states")),
        sharing: try values.truth("shared") ? .pair : .none)
    },
    NamedScheme(
      "chop", "the log's PACT and decision transformer: the first steps up to a drawn one",
      [("minimum", "3", "the fewest steps"), states]
    ) { values throws(SchemeError) in
      plain(
        .chop(minimum: try values.integer("minimum"), states: try values.choice("states")),
        sharing: .pair)
    },
  ]
}

/// A scheme's parameters as a text gives them.
private struct Values {
  let scheme: String
  let given: [String: String]
  let defaults: [String: String]

  private func read<Value>(
    _ key: String, _ expected: String, _ parse: (String) -> Value?
  ) throws(SchemeError) -> Value {
    let text = given[key] ?? defaults[key] ?? ""
    guard let value = parse(text) else {
      throw .wrongValue(scheme: scheme, key: key, expected: expected, found: text)
    }
    return value
  }

  func number(_ key: String) throws(SchemeError) -> Double {
    try read(key, "a finite number") { Double($0).flatMap { $0.isFinite ? $0 : nil } }
  }

  func integer(_ key: String) throws(SchemeError) -> Int {
    // No episode is longer.
    let range = 1...1 << 24
    return try read(key, "a whole number from 1 to \(range.upperBound)") {
      Int($0).flatMap { range ~= $0 ? $0 : nil }
    }
  }

  func truth(_ key: String) throws(SchemeError) -> Bool {
    try read(key, "true or false") { Bool($0) }
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String
  ) throws(SchemeError) -> Choice {
    try read(key, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")) {
      Choice(rawValue: $0)
    }
  }
}

/// A scheme that cannot be had.
public enum SchemeError: Error, Equatable, CustomStringConvertible {
  /// The name is unknown.
  case unknown(name: String, known: [String])
  /// The scheme has no parameter of that name.
  case unknownKey(scheme: String, key: String, known: [String])
  /// A parameter is not given as key=value.
  case notAnAssignment(String)
  /// A parameter takes another kind of value.
  case wrongValue(scheme: String, key: String, expected: String, found: String)
  /// The parameters do not go together.
  case fault(scheme: String, String)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .unknown(let name, let known): NearNames.complaint("scheme", name, among: known)
    case .unknownKey(let scheme, let key, let known):
      "\(scheme): " + NearNames.complaint("parameter", key, among: known)
    case .notAnAssignment(let text): "a scheme's parameter is key=value, found '\(text)'"
    case .wrongValue(let scheme, let key, let expected, let found):
      "\(scheme): \(key) must be \(expected), found '\(found)'"
    case .fault(let scheme, let text): "\(scheme): \(text)"
    }
  }
}

import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost evaluate`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure policies in the simulator or against datasets, with 95 % intervals.",
    discussion: """
      goalpost evaluate runs/one runs/two --episodes 100
      goalpost evaluate runs/one --tasks all --episodes 50
      goalpost evaluate runs/one --against data --fitted-q 5000
      goalpost evaluate runs/one --against data --offsets 5,10,20
      goalpost evaluate runs/one --plan graph --plan-data data

      Returns count 1 for each step at the goal and 0 for other steps. The measure return49 leaves out \
      the last step, as the WGCSL paper does. The measure return counts all steps, and \
      discounted_return is discounted by 1 - 1/horizon. All policies of a call face the same starts and goals. Runs that differ only in \
      their seed form one method, and methods are compared with the first. In worlds with named \
      tasks (pointmaze) episodes end at the first success. See Documentation/Evaluation.md.
      """)

  @Argument(
    help: help(
      "Runs, checkpoints or policy files; scripted and random need --environment.", of: "POLICY"),
    completion: .file())
  var policies: [String]

  @Option(
    help: help("The world; default: each checkpoint's own.", of: "ID"),
    completion: .list(Listings.environmentNames))
  var environment: String?

  @Option(
    help: help(
      "Number of episodes per policy; with --tasks per task, with --offsets per offset.", of: "N"))
  var episodes: Int = 100

  @Option(
    help: help(
      """
      Named tasks of the world, all or as in 1,3: prints a row each, and their mean (see `goalpost \
      environments pointmaze-medium`).
      """, of: "LIST"))
  var tasks: String?

  @Option(help: help("The evaluation's seed, below 2^28.", of: "N"))
  var seed: UInt64 = 0

  @Option(
    help: help(
      "Number of threads; default: one per core. The result is the same for any number.", of: "N"))
  var workers: Int?

  @Option(
    help: help(
      "Standard deviation of Gaussian action noise, as a fraction of half the action range.",
      of: "X"))
  var noise: Double = 0

  @Option(help: help("Probability of a uniformly random action at each step.", of: "P"))
  var randomActions: Double = 0

  @Option(
    help: help(
      """
      Compare actions, first actions and values with this dataset. May be repeated, for example for \
      training data and held-out data.
      """, of: "DIR"), completion: .directory)
  var against: [String] = []

  @Option(
    help: help(
      """
      With --against: start in the simulator at the dataset's states, with the goals that it \
      achieved this many steps later, as in 5,10,20.
      """, of: "LIST"))
  var offsets: String?

  @Option(
    help: help(
      "With --against: fitted-Q evaluation with this number of updates, such as 5000.", of: "N"))
  var fittedQ: Int?

  @Option(help: help("With --against: number of episodes to read from each dataset.", of: "N"))
  var datasetEpisodes: Int = 400

  @Option(
    help: help(
      """
      graph: aim at states of --plan-data along the shortest path to the goal by the learner's \
      values (TTGS). Nothing is trained.
      """, of: "NAME"), completion: .list(["graph"]))
  var plan: String?

  @Option(
    help: help("With --plan: the dataset whose states are drawn, by --seed.", of: "DIR"),
    completion: .directory)
  var planData: String?

  @Option(
    help: help(
      "With --plan: number of states to draw; all pairs are measured; default: 1000.", of: "N"))
  var planNodes: Int?

  @Option(
    help: help(
      """
      With --plan: the longest edge between two states, in steps. Longer edges cost exponentially \
      more; default: 24, as TTGS has for mazes.
      """, of: "X"))
  var planEdge: Double?

  @Option(
    help: help(
      """
      With --plan: aim at the furthest state of the path within this number of steps, or at the goal \
      if it is within them; default: twice the edge.
      """, of: "X"))
  var planAim: Double?

  @Option(
    help: help("Film the first policy: a name that ends in .mp4 or .gif.", of: "FILE"),
    completion: .file())
  var video: String?

  @Option(
    help: help(
      "Draw the paths of the achieved goals in the plane: a name that ends in .svg.", of: "FILE"),
    completion: .file())
  var plot: String?

  @Option(help: help("Number of episodes to film or draw.", of: "N"))
  var videoEpisodes: Int = 9

  @Option(
    help: help(
      """
      JSON file of allowed ranges, such as {"success": {"low": 0.85}}; exits 1 if a result is \
      outside. FILE:NAME takes the ranges under that name.
      """, of: "FILE"), completion: .file())
  var expect: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    help: help("How to print tables: \(TableFormat.names).", of: "FORMAT"),
    completion: .list(TableFormat.allCases.map(\.rawValue)))
  var format: String = TableFormat.text.rawValue

  @Option(
    help: help(
      """
      Which table: runs, methods (as in a paper), differences, or all; default: all as text, and \
      methods in other formats.
      """, of: "NAME"), completion: .list(ComparisonTable.allCases.map(\.rawValue)))
  var table: String?

  @Option(
    help: help(
      """
      The one measure of the methods' table for several worlds: \
      \(Comparison.measures.joined(separator: ", ")).
      """, of: "NAME"), completion: .list(Comparison.measures))
  var measure: String = "success"

  func validate() throws {
    try check(episodes, "--episodes", in: OptionRange.evaluated)
    try check(videoEpisodes, "--video-episodes", in: OptionRange.filmed)
    try check(datasetEpisodes, "--dataset-episodes", in: OptionRange.episodes)
    try check(fittedQ, "--fitted-q", in: OptionRange.updates)
    try check(workers, "--workers", in: OptionRange.threads)
    try check(planNodes, "--plan-nodes", in: OptionRange.planNodes)
    try check(planEdge, "--plan-edge", in: OptionRange.planSteps)
    try check(planAim, "--plan-aim", in: OptionRange.planSteps)
    try checkPlan()
    try checkSeed(seed)
    try checkExploration(noise: noise, randomActions: randomActions)
    if video != nil, noise > 0 || randomActions > 0 {
      throw ValidationError("--video films policies without noise: drop one of the two")
    }
    guard TableFormat(rawValue: format) != nil else {
      throw ValidationError("--format must be one of \(TableFormat.names), found '\(format)'")
    }
    if let tasks, TaskChoice(tasks) == nil {
      throw ValidationError("--tasks takes all, or numbers as in 1,3, found '\(tasks)'")
    }
    if let table, ComparisonTable(rawValue: table) == nil {
      throw ValidationError("--table must be one of \(ComparisonTable.names), found '\(table)'")
    }
    if Measure(name: measure) == nil {
      throw ValidationError(
        "--measure must be one of \(Comparison.measures.joined(separator: ", ")), found '\(measure)'"
      )
    }
    if let video, !video.hasSuffix(".mp4"), !video.hasSuffix(".gif") {
      throw ValidationError("--video takes a name that ends in .mp4 or .gif, found '\(video)'")
    }
    if let plot, !plot.hasSuffix(".svg") {
      throw ValidationError("--plot takes a name that ends in .svg, found '\(plot)'")
    }
    if let offsets, steps == nil {
      throw ValidationError("--offsets takes steps as in 5,10,20, found '\(offsets)'")
    }
    if against.isEmpty, offsets != nil || fittedQ != nil {
      throw ValidationError("--offsets and --fitted-q go with --against DATASET")
    }
    if !against.isEmpty, tasks != nil {
      throw ValidationError("--tasks is for the simulator's own starts: drop it or --against")
    }
    if !against.isEmpty, environment != nil || table != nil {
      throw ValidationError("--against has the dataset's world and tables of its own")
    }
    if !against.isEmpty, noise > 0 || randomActions > 0 {
      throw ValidationError("--noise and --random-actions do not go with --against")
    }
    if !against.isEmpty, offsets == nil, video != nil || plot != nil {
      throw ValidationError(
        "with --against, --video and --plot need --offsets: nothing moves without")
    }
  }

  private func checkPlan() throws {
    if let plan, plan != "graph" {
      throw ValidationError("--plan must be graph, found '\(plan)'")
    }
    if (plan == nil) != (planData == nil) {
      throw ValidationError("--plan graph and --plan-data DATASET go together")
    }
    if plan == nil, planNodes != nil || planEdge != nil || planAim != nil {
      throw ValidationError("--plan-nodes, --plan-edge and --plan-aim go with --plan graph")
    }
    if plan != nil, !against.isEmpty {
      throw ValidationError("--plan does not go with --against")
    }
  }

  private var planning: PlanRequest? {
    planData.map { PlanRequest(dataset: $0, nodes: planNodes, edge: planEdge, aim: planAim) }
  }

  private var steps: [Int]? {
    let numbers = (offsets ?? "").split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0).flatMap { $0 > 0 ? $0 : nil }
    }
    return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
  }

  func run() throws {
    let bands = try expect.map { try Bands($0) }
    if against.isEmpty {
      try bands?.checkMeasures()
    } else {
      try bands?.checkNames(among: DatasetEvaluation.measures)
    }
    let form = TableFormat(rawValue: format) ?? .text
    let threads = workers ?? ProcessInfo.processInfo.activeProcessorCount
    guard against.isEmpty else { return try holdAgainst(bands, threads, form) }
    var request = EvaluationRequest(
      episodes: episodes, seed: seed, workers: threads,
      exploration: Exploration(noise: noise, randomActions: randomActions), plan: planning)
    request.tasks = tasks.flatMap { TaskChoice($0) } ?? .none
    let comparison = try Comparison.run(policies, environment: environment, request)
    if json {
      Console.print(try comparison.json())
    } else {
      Console.print(
        try comparison.text(
          table.flatMap { ComparisonTable(rawValue: $0) } ?? (form == .text ? .all : .methods),
          form, of: measure),
        terminator: "")
    }
    if let video {
      try comparison.film(to: URL(fileURLWithPath: video), episodes: videoEpisodes)
      if !json { Console.print("video: \(video)") }
    }
    if let plot {
      try comparison.paths(episodes: videoEpisodes).write(to: URL(fileURLWithPath: plot))
      if !json { Console.print("figure: \(plot)") }
    }
    for line in try bands?.check(comparison) ?? [] { Console.note(line) }
  }

  private func holdAgainst(_ bands: Bands?, _ threads: Int, _ format: TableFormat) throws {
    var request = DatasetEvaluation.Request(against, workers: threads)
    request.readEpisodes = datasetEpisodes
    request.seed = seed
    request.fittedUpdates = fittedQ ?? 0
    request.offsets = steps ?? []
    request.episodes = episodes
    let found = try DatasetEvaluation.run(policies, request)
    if json {
      Console.print(try found.json())
    } else {
      Console.print(found.text(format), terminator: "")
    }
    if let video {
      try DatasetFilm.write(
        policies[0], request, episodes: videoEpisodes, to: URL(fileURLWithPath: video))
      if !json { Console.print("video: \(video)") }
    }
    if let plot {
      try DatasetFilm.paths(policies[0], request, episodes: videoEpisodes)
        .write(to: URL(fileURLWithPath: plot))
      if !json { Console.print("figure: \(plot)") }
    }
    for line in try bands?.check(found) ?? [] { Console.note(line) }
  }
}

import ArgumentParser
import Experiments
import Reporting

/// The subcommand `goalpost environments [<id>]`.
struct ListEnvironments: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environments",
    abstract: "List the worlds, or show one: sizes, threshold, units.",
    discussion: """
      goalpost environments
      goalpost environments fetch-push
      """)

  @Argument(
    help: help("The id of a world.", of: "ID"), completion: .list(Listings.environmentNames))
  var identifier: String?

  func run() throws {
    Console.print(try Listings.environments(identifier), terminator: "")
  }
}

/// The subcommand `goalpost learners [<id>]`.
struct ListLearners: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learners",
    abstract: "List the learners, or show one: settings with defaults, meaning and source.",
    discussion: """
      goalpost learners
      goalpost learners wgcsl --environment fetch-push
      """)

  @Argument(help: help("The id of a learner.", of: "ID"), completion: .list(Listings.learnerNames))
  var identifier: String?

  @Option(
    help: help("A world's id: the settings that a run on it begins with.", of: "ID"),
    completion: .list(Listings.environmentNames))
  var environment: String?

  func validate() throws {
    if environment != nil, identifier == nil {
      throw ValidationError("--environment goes with a learner's id, as in `learners wgcsl`")
    }
  }

  func run() throws {
    Console.print(try Listings.learners(identifier, environment: environment), terminator: "")
  }
}

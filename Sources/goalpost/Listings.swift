import ArgumentParser
import Experiments

/// The subcommand `goalpost environments [<id>]`.
struct ListEnvironments: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environments", abstract: "List the worlds, or show one: sizes, threshold, units.")

  @Argument(help: "The id of a world.")
  var identifier: String?

  func run() throws {
    Console.print(try Listings.environments(identifier), terminator: "")
  }
}

/// The subcommand `goalpost learners [<id>]`.
struct ListLearners: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learners",
    abstract: "List the learners, or show one: settings with defaults, meaning and source.")

  @Argument(help: "The id of a learner.")
  var identifier: String?

  func run() throws {
    Console.print(try Listings.learners(identifier), terminator: "")
  }
}

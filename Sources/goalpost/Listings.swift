import ArgumentParser
import Experiments
import Reporting

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

  @Option(help: "A world's id: the settings that a run on it begins with.")
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

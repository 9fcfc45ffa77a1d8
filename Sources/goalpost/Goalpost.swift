import ArgumentParser
import Experiments

/// The command line: arguments only; what is done stands in `Experiments`.
@main
struct Goalpost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "goalpost",
    abstract: "Goal-conditioned reinforcement learning: collect, verify, train, evaluate.",
    version: "0.1.0",
    subcommands: [
      ListEnvironments.self, ListLearners.self, Collect.self, Verify.self, Inspect.self, Mix.self,
      Convert.self, Sample.self, Train.self, Evaluate.self, Export.self, OverSeeds.self,
    ])
}

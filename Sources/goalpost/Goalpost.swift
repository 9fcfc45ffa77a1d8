import ArgumentParser
import Experiments
import Foundation
import Reporting

/// The command line: arguments only; what is done stands in `Experiments`.
@main
struct Goalpost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "goalpost",
    abstract: "Goal-conditioned reinforcement learning: collect, verify, train, evaluate.",
    version: "0.1.0",
    subcommands: [
      ListEnvironments.self, ListLearners.self, List.self, Collect.self, Verify.self, Inspect.self,
      Mix.self, Convert.self, Sample.self, Train.self, Evaluate.self, Export.self,
    ])

  /// Runs a command line to its end: its error in a sentence, and its status, which is not 0 if a
  /// result could not be written.
  static func main() {
    Console.open()
    Interruption.prepare()
    var status = ExitCode.success
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      status = exitCode(for: error)
      let text = fullMessage(for: Complaint(error) ?? error)
      if status.isSuccess {
        // Only now, as the commit is found by another process.
        Console.print(text == configuration.version ? ProgramVersion.text(text) : text)
      } else if !text.isEmpty {
        Console.note(text)
      }
    }
    do { try Console.finish() } catch {
      Console.note(fullMessage(for: error))
      if status.isSuccess { status = .failure }
    }
    Foundation.exit(status.rawValue)
  }
}

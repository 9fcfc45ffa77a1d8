import Foundation
import Learners
import TestSupport
import Testing

/// What help and listings print, to the letter.
///
/// After a wanted change: `GOALPOST_RENEW_GOLDEN=1 swift test --filter HelpTests`, and read the
/// diff.
struct HelpTests {
  static let subcommands = [
    "environments", "learners", "list", "collect", "verify", "inspect", "mix", "convert", "sample",
    "train",
    "evaluate", "export",
  ]

  func compare(_ arguments: [String], with name: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(arguments, in: folder.url, environment: ["COLUMNS": "80"])
    #expect(result.status == 0)
    let file = PythonReference.checkout.appendingPathComponent("Tests/Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["GOALPOST_RENEW_GOLDEN"] == "1" {
      try Data(result.output.utf8).write(to: file)
    }
    #expect(result.output == (try String(contentsOf: file, encoding: .utf8)), "\(name)")
  }

  @Test func theHelpIsAsAgreed() throws { try compare(["help"], with: "help") }

  @Test(arguments: subcommands)
  func aSubcommandsHelpIsAsAgreed(name: String) throws {
    try compare(["help", name], with: "help-\(name)")
  }

  @Test(arguments: LearnerRegistry.all.map(\.identifier))
  func aLearnersSettingsAreAsAgreed(name: String) throws {
    try compare(["learners", name], with: "learners-\(name)")
  }
}

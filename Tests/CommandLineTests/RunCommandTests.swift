import Foundation
import TestSupport
import Testing

/// The commands that a run says made it, run again.
struct RunCommandTests {
  /// A run made in two calls: what `inspect` and `export` print of it makes its bytes again.
  @Test func theCommandsOfARunOfTwoCallsMakeItAgain() throws {
    let folder = try TemporaryFolder()
    let (here, again) = (
      folder.url.appendingPathComponent("here"), folder.url.appendingPathComponent("again")
    )
    for place in [here, again] {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    }
    func shell(_ line: String, in place: URL) throws -> String {
      let result = try Program.shell("set -eu\ngoalpost() { $G \"$@\"; }\n" + line, in: place)
      #expect(result.status == 0, "\(line): \(result.error)")
      return result.output
    }
    let data =
      "goalpost collect --environment point-reach --policy random --episodes 6 --seed 1 --output data\n"
    _ = try shell(
      data + """
        goalpost train --learner gcsl --dataset data --seed 3 --updates 10 --output run
        goalpost train --resume run --updates 20
        goalpost export run --output study --episodes 2 --no-pictures --no-execute
        """, in: here)
    let inspected = try shell("goalpost inspect run", in: here)
    let commands = inspected.split(separator: "\n")
      .compactMap { $0.firstMatch(of: /^ *command +(goalpost .*)$/).map { String($0.1) } }
    #expect(commands.count == 2)
    let page = try String(
      contentsOf: here.appendingPathComponent("study/README.md"), encoding: .utf8)
    let block = page.split(separator: "\n").map(String.init).filter {
      $0.hasPrefix("goalpost train")
    }
    #expect(block == commands)

    _ = try shell(data + commands.joined(separator: "\n"), in: again)
    for update in ["000000010", "000000020"] {
      let path = "run/checkpoints/\(update)/policy.safetensors"
      #expect(
        try Data(contentsOf: here.appendingPathComponent(path))
          == Data(contentsOf: again.appendingPathComponent(path)), "\(update)")
    }
  }
}

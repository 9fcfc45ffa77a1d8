import Foundation
import TestSupport
import Testing

/// The quick ones of the scripts of hostile input that may lie beside the checkout: none ends the
/// tool by a signal, or keeps it running.
struct AttackTests {
  @Test(
    .enabled(if: PythonReference.shared("attack") != nil, "the checkout has no ../shared/attack"),
    arguments: [
      "02_stderr_closed_crash.sh", "03_stdout_full_exit0.sh", "10_yaml_alias_bomb.sh",
      "23_traversal_and_escapes.sh",
    ])
  func noScriptEndsTheTool(name: String) throws {
    let script = try #require(PythonReference.shared("attack/\(name)"))
    let folder = try TemporaryFolder()
    let python = PythonReference.dependencies.appendingPathComponent("venv/bin/python").path
    let result = try Program.shell(
      "GOALPOST=$G PYTHON='\(python)' bash '\(script.path)'", in: folder.url)
    let fault = try Regex(
      "exit (13[2-9]|124)\\b|PWNED|ESC in inspect: [1-9]|/dev/full: exit 0|>&-: exit 0")
    let lines = result.output.split(separator: "\n").filter { $0.contains(fault) }
    // Work goes on where only standard error is gone.
    #expect(lines.allSatisfy { $0.contains("2>") }, "\(lines)")
    #expect(!result.output.isEmpty)
  }
}

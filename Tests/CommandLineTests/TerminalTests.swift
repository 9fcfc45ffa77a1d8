import Foundation
import TestSupport
import Testing

/// What a call of the program leaves on a terminal.
struct Screen: Decodable {
  /// Progress bars that were drawn over each other.
  let bars: Int
  /// Columns of the widest bar.
  let widest: Int
  /// The lines that stay.
  let lines: [String]

  /// Runs the program on a terminal of so many columns.
  init(
    _ columns: Int, in folder: URL, _ arguments: [String], environment: [String: String] = [:]
  ) throws {
    let settings = environment.map { "\($0)=\($1)" }
    let said = try PythonReference.run(
      "terminal.py",
      arguments: ["\(columns)", folder.path, "/usr/bin/env", "-u", "NO_COLOR"] + settings
        + [Program.executable.path] + arguments)
    self = try JSONDecoder().decode(Screen.self, from: said)
  }
}

/// A terminal of 80 columns: tables fit, words have colours unless they are unwanted, help names
/// values, and shells and `man` know the program.
struct TerminalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func program(_ arguments: [String]) throws -> Program.Result {
    try Program.run(arguments, in: folder.url, environment: ["COLUMNS": "80"])
  }

  @Test func tablesFitTheTerminal() throws {
    let verbs =
      [
        ("environment", ["environments"]), ("learner", ["learners"]),
        ("path", ["list", PythonReference.checkout.appendingPathComponent("datasets").path]),
        ("setting", ["learners", "wgcsl", "--environment", "fetch-reach"]),
      ] + ["wgcsl", "goal-transformer", "lavl"].map { ("setting", ["learners", $0]) }
    for (head, verb) in verbs {
      for columns in [60, 80] {
        let screen = try Screen(columns, in: folder.url, verb)
        // Sentences before and after the table are left to the terminal to break.
        let table = screen.lines.drop { !$0.hasPrefix(head) }.prefix { !$0.isEmpty }
        #expect(table.count > 5, "\(verb)")
        for line in table where !line.contains(" are not ") {
          #expect(line.count <= columns, "\(verb): \(line)")
        }
      }
      // Where there is no terminal, a row is a line.
      let plain = try program(verb).output.split(separator: "\n")
      #expect(plain.contains { $0.count > 80 } || verb[0] == "list", "\(verb)")
    }
    // One policy's measures stand below each other.
    let screen = try Screen(
      80, in: folder.url,
      [
        "evaluate", "random", "--environment", "point-reach", "--episodes", "3", "--table", "runs",
      ])
    #expect(screen.lines.contains { $0.hasPrefix("success            0.") }, "\(screen)")
    #expect(screen.lines.contains { $0.hasPrefix("final_distance     ") }, "\(screen)")
  }

  @Test func wordsHaveColoursUnlessTheyAreUnwanted() throws {
    let error = "\u{1b}[31mError:\u{1b}[0m nowhere: is missing"
    #expect(try Screen(80, in: folder.url, ["list", "nowhere"]).lines == [error])
    for setting in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
      let screen = try Screen(80, in: folder.url, ["list", "nowhere"], environment: setting)
      #expect(screen.lines == ["Error: nowhere: is missing"])
    }
    #expect(
      try Screen(80, in: folder.url, ["list", "nowhere"], environment: ["NO_COLOR": ""]).lines
        == [error])
    #expect(try program(["list", "nowhere"]).error == "Error: nowhere: is missing\n")
  }

  @Test func theVersionNamesTheLibraries() throws {
    let result = try program(["--version"])
    let lines = result.output.split(separator: "\n")
    let forms = [
      "goalpost [0-9.]+", "commit ([0-9a-f]{40}|not known)", "MuJoCo [0-9.]+", "Box2D [0-9.]+",
      "libtorch [0-9.]+", "HDF5 [0-9.]+",
    ]
    #expect(lines.count == forms.count && result.status == 0, "\(result)")
    for (line, form) in zip(lines, forms) {
      #expect(try Regex(form).wholeMatch(in: line) != nil, "\(line)")
    }
    #expect(try program(["mix", "--version"]).output == result.output)
  }

  /// Every value has a name that is not the option's own, every verb an example.
  @Test(arguments: HelpTests.subcommands)
  func helpHasExamplesAndNamesOfValues(verb: String) throws {
    let help = try program(["help", verb]).output
    #expect(help.contains("\ngoalpost \(verb)"), "\(help)")
    for found in help.matches(of: #/--([a-z-]+) <([^>]+)>/#) {
      #expect(found.2 == found.2.uppercased(), "\(found.0)")
    }
    for line in help.split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test func theShellCompletesWorldsLearnersAndVerbs() throws {
    func completions(_ line: String) throws -> [String] {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      let script = """
        $G --generate-completion-script bash > script
        cat > complete <<'END'
        source ./script
        COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}
        COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
        _goalpost goalpost '\(words.last ?? "")' '\(words.dropLast().last ?? "")'
        printf '%s\\n' "${COMPREPLY[@]}"
        END
        bash complete
        """
      let result = try Program.shell(script, in: folder.url)
      #expect(result.status == 0, "\(result)")
      return result.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(
      try completions("goalpost collect --environment fetch-p") == [
        "fetch-push", "fetch-pick-and-place",
      ])
    #expect(try completions("goalpost train --learner wg") == ["wgcsl"])
    #expect(try completions("goalpost mi") == ["mix"])
    #expect(try completions("goalpost evaluate run --format l") == ["latex"])
  }

  @Test func everyVerbHasAPageOfTheManual() throws {
    let script = PythonReference.checkout.appendingPathComponent("scripts/manual")
    let result = try Program.shell(
      "$G --experimental-dump-help | '\(script.path)' man && ls man", in: folder.url)
    #expect(
      result.output.split(separator: "\n").map(String.init)
        == (HelpTests.subcommands.map { "goalpost-\($0).1" } + ["goalpost.1"]).sorted(),
      "\(result)")
    for verb in HelpTests.subcommands {
      let page = try String(
        contentsOf: folder.url.appendingPathComponent("man/goalpost-\(verb).1"), encoding: .utf8)
      for found in try program(["help", verb]).output.matches(of: #/\n  --([a-z-]+)/#) {
        let name = found.1.replacing("-", with: "\\-")
        #expect(page.contains("\\fB\\-\\-\(name)\\fR"), "\(verb): \(found.1)")
      }
      #expect(page.contains(".nf\ngoalpost \(verb)"), "\(verb)")
    }
  }
}

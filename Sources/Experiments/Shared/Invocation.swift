import Foundation
import Learners
import Reporting
import Storage
import Synchronization

private let drawnWords = Mutex<[String]>([])

/// The call of this program: its command line, with what was drawn for it, so that it can be
/// repeated.
public enum Invocation {
  /// Adds words that the command line would have needed to come to the same, such as a seed that
  /// was drawn.
  public static func add(_ words: [String]) { drawnWords.withLock { $0 += words } }

  /// The command line with those words.
  static var command: [String] { CommandLine.arguments + drawnWords.withLock { $0 } }

  /// This call as a part of what it makes, which began at `started`; `libraries` are those beside
  /// libtorch, which is named if it was loaded.
  static func part(started: Date, libraries: [String: String]) -> Provenance.Part {
    Provenance.Part(
      started: started, command: command, commit: SourceCommit.built,
      instructionSet: LearnerEngine.instructions,
      libraries: LearnerEngine.version.map {
        libraries.merging(["libtorch": $0]) { mine, _ in mine }
      }
        ?? libraries)
  }

  /// Writes down, beside what earlier calls made of a dataset, that this one made episodes of it.
  static func record(
    _ episodes: Int, in folder: URL, started: Date, libraries: [String: String]
  ) throws {
    var made = part(started: started, libraries: libraries)
    made.episodes = episodes
    made.finish()
    try Provenance.append(made, in: folder)
  }
}

extension Provenance {
  /// It for people, call by call.
  var lines: [(String, String)] { parts.flatMap(\.lines) }

  /// The commits that it was made by, oldest first, each once.
  var commits: [String] { parts.compactMap(\.commit).uniqued }
}

extension Provenance.Part {
  /// The things that decide the last bits of training, by name.
  var numerics: [String: String] {
    (libraries ?? [:]).merging(instructionSet.map { ["instructions": $0] } ?? [:]) { mine, _ in mine
    }
  }

  var lines: [(String, String)] {
    let extent: String?
    if let fromUpdate {
      let end = toUpdate.map { "to \(ReportText.count($0))" } ?? "on, without an end"
      extent = "updates from \(ReportText.count(fromUpdate)) \(end)"
    } else {
      extent = episodes.map { "\(ReportText.count($0)) episodes" }
    }
    let machine = "on \(host), \(processors) processors" + (instructionSet.map { " (\($0))" } ?? "")
    let versions = (libraries ?? [:]).sorted { $0.key < $1.key }.map { "\($0) \($1)" }
    let times = "\(started) to \(finished ?? "an end not written down")"
    var lines = [
      ("made", [extent, times].compactMap { $0 }.joined(separator: ", ") + " \(machine)")
    ]
    lines.append(("command", commandLine))
    if let directory { lines.append(("in", directory)) }
    if !versions.isEmpty { lines.append(("libraries", versions.joined(separator: ", "))) }
    lines.append(("commit", commit ?? "not known"))
    return lines
  }

  /// The command line as one would type it.
  var commandLine: String { Self.line(command) }

  /// Words as one would type them for `goalpost`, the first being the program.
  static func line(_ words: [String]) -> String {
    let rest = words.dropFirst().map { word in
      word.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,+".contains($0) } && !word.isEmpty
        ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
    return (["goalpost"] + rest).joined(separator: " ")
  }
}

import Foundation
import Synchronization

/// How far long work is: a bar on a terminal, a plain line now and then elsewhere.
///
/// It writes to standard error, so that standard output holds results only. Safe to call from
/// several threads.
public final class ProgressReport: Sendable {
  private struct State {
    var done = 0
    var base = 0
    var note = ""
    var lastWritten = -Double.infinity
    var finished = false
  }

  private let title: String
  private let unit: String
  private let total: Int
  private let rateScale: Double
  private let rateUnit: String
  private let started = ProcessInfo.processInfo.systemUptime
  private let isTerminal = Console.columns != nil
  private let silent: Bool
  private let state = Mutex(State())

  /// Starts a report of `total` pieces of work, of which `alreadyDone` were done before.
  ///
  /// The rate is in `rateUnit`, of which each piece has `rateScale`: episodes may be counted and
  /// steps a second shown.
  public init(
    _ title: String, total: Int, unit: String, alreadyDone: Int = 0, rateUnit: String? = nil,
    rateScale: Double = 1, silent: Bool = false
  ) {
    self.title = title
    self.total = total
    self.unit = unit
    self.rateUnit = rateUnit ?? unit
    self.rateScale = rateScale
    self.silent = silent
    begin(at: alreadyDone)
  }

  /// Counts `count` pieces as done before; they say nothing of the rate.
  public func begin(at count: Int) {
    state.withLock {
      $0.base += count
      $0.done += count
    }
  }

  /// Counts `count` more pieces as done.
  public func advance(by count: Int = 1) {
    state.withLock {
      $0.done += count
      write(&$0, last: false)
    }
  }

  /// Says `note` beside the count from the next line on.
  public func tell(_ note: String) { state.withLock { $0.note = note } }

  /// Ends the report with a line that stays.
  public func finish() {
    state.withLock {
      guard !$0.finished else { return }
      $0.finished = true
      write(&$0, last: true)
    }
  }

  private func write(_ state: inout State, last: Bool) {
    guard !silent else { return }
    let now = ProcessInfo.processInfo.systemUptime
    let elapsed = max(now - started, 1e-9)
    guard last || now - state.lastWritten >= (isTerminal ? 0.1 : 15) else { return }
    if !isTerminal, !last, state.lastWritten < 0 {
      // The first plain line comes after a while: short work needs none.
      state.lastWritten = now
      return
    }
    state.lastWritten = now
    let rate = Double(state.done - state.base) / elapsed
    var line = "\(title): \(state.done)/\(total) \(unit)"
    line += String(format: ", %.0f %@/s", rate * rateScale, rateUnit)
    if last {
      line += ", " + Self.duration(elapsed)
    } else if rate > 0 {
      line += ", " + Self.duration(Double(total - state.done) / rate) + " left"
    }
    if !state.note.isEmpty { line += ", " + state.note }
    guard isTerminal, !last else { return Console.note(line) }
    Console.showBar(
      Self.bar(
        line, share: Double(state.done) / Double(max(1, total)), columns: Console.columns ?? 80))
  }

  /// A bar that is filled to `share`, and a line beside it, in less than a terminal's columns.
  ///
  /// On a narrow terminal the bar is shorter or left out, and the line is cut.
  static func bar(_ line: String, share: Double, columns: Int) -> String {
    let width = columns >= 110 ? 24 : columns >= 60 ? 10 : 0
    let filled = Int((Double(width) * min(1, max(0, share))).rounded(.down))
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let all = width > 0 ? bar + " " + line : line
    let room = max(1, columns - 1)
    return all.count <= room ? all : all.prefix(room - 1) + "…"
  }

  /// Seconds as `42 s`, `3 min 20 s` or `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds < 1e9 else { return "years" }
    let whole = Int(seconds.rounded())
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(whole % 60) s"
    default: return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
  }
}

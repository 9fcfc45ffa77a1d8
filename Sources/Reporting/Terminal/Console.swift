import Glibc
import Synchronization

/// Messages: results on standard output, all that is for people on standard error.
///
/// Control characters in texts are written out, since names and texts of other people's files are
/// among them and a terminal would obey them.
public enum Console {
  /// Whether a progress bar stands on the terminal's last line.
  private static let barIsShown = Mutex(false)
  /// The system's error number of the first result that could not be written; 0 if all could.
  private static let lost = Atomic<Int32>(0)
  /// Whether this process speaks to people by the console: a program does, its tests do not.
  private static let isOpen = Atomic(false)

  /// Opens `/dev/null` in the place of each standard stream that is closed.
  ///
  /// Without it, the next file that is opened would be that stream, and texts would end up in a
  /// shard. It is opened for reading, so that a result that goes there is an error.
  public static func open() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = Glibc.open("/dev/null", O_RDONLY)
    }
    isOpen.store(true, ordering: .relaxed)
  }

  /// Writes a result to standard output; `finish` says whether all could be written.
  public static func print(_ text: String, terminator: String = "\n") {
    let code = write(coloured(shown(text), for: 1) + terminator, to: 1)
    if code != 0 { _ = lost.compareExchange(expected: 0, desired: code, ordering: .relaxed) }
  }

  /// Throws `ResultsLost` if a result could not be written.
  ///
  /// A reader that closed its pipe has what it wanted: the process then ends by SIGPIPE, as is
  /// usual.
  public static func finish() throws {
    let code = lost.load(ordering: .relaxed)
    if code == EPIPE {
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    if code != 0 { throw ResultsLost(reason: String(cString: strerror(code))) }
  }

  /// Writes a line to standard error; that it cannot be written is no error, as work must not end
  /// by it.
  public static func note(_ text: String) {
    barIsShown.withLock { isShown in
      let line = coloured(shown(text), for: 2)
      _ = write((isShown ? "\r\u{1b}[K" : "") + line + "\n", to: 2)
      isShown = false
    }
  }

  private static let waiting = Mutex<[String]>([])

  /// Says a line as soon as work begins, and never if what was asked for is refused before.
  public static func noteAtStart(_ text: String) { waiting.withLock { $0.append(text) } }

  /// Says the lines that waited for work to begin.
  package static func begin() {
    let lines = waiting.withLock { lines in
      defer { lines = [] }
      return lines
    }
    for line in lines { note(line) }
  }

  /// Shows a line in the place of the last bar, until the next bar or note.
  package static func showBar(_ text: String) {
    barIsShown.withLock { isShown in
      _ = write("\r" + shown(text) + "\u{1b}[K", to: 2)
      isShown = true
    }
  }

  /// Columns of the terminal that standard error is; nil if it is none, or one without cursor
  /// movement.
  package static var columns: Int? { isPlain ? nil : columns(of: 2) }

  /// Columns for tables: those of the terminal that standard output is; nil if it is none.
  static var tableColumns: Int? { isOpen.load(ordering: .relaxed) ? columns(of: 1) : nil }

  private static func columns(of descriptor: Int32) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Whether the terminal says that it can do no more than print.
  private static var isPlain: Bool { variable("TERM") == "dumb" }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// The first words of lines that are coloured, and the terminal's number for the colour.
  private static let colours = [
    ("Error:", 31), ("warning", 33), ("broken", 31), ("suspect", 33), ("sound:", 32),
  ]

  /// A text of ours with such words in colour, if it goes to a terminal and the variable `NO_COLOR`
  /// is not set (no-color.org).
  private static func coloured(_ text: String, for descriptor: Int32) -> String {
    guard isatty(descriptor) == 1, !isPlain, (variable("NO_COLOR") ?? "").isEmpty else {
      return text
    }
    return coloured(text)
  }

  /// A text with the first words of its lines in colour.
  static func coloured(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let found = colours.first { line.hasPrefix($0.0) }
      guard let (word, number) = found, line.dropFirst(word.count).first?.isLetter != true else {
        return String(line)
      }
      return "\u{1b}[\(number)m\(word)\u{1b}[0m" + line.dropFirst(word.count)
    }.joined(separator: "\n")
  }

  /// A text with its control characters and changes of direction written as `\u001b`, but for ends
  /// of lines and tabs.
  package static func shown(_ text: String) -> String { escaped(text, where: isObeyed) }

  /// A text that is part of a line, such as a name from a file.
  ///
  /// Its line ends are written out too, so that it stays on one line.
  package static func onOneLine(_ text: String) -> String {
    escaped(text) { isObeyed($0) || $0 == "\n" }
  }

  private static func escaped(_ text: String, where isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard text.unicodeScalars.contains(where: isEscaped) else { return text }
    var all = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard isEscaped(scalar) else {
        all.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      all.append(contentsOf: escape.unicodeScalars)
    }
    return String(all)
  }

  /// Whether a terminal would do something at a character, rather than show it.
  private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    case ..<0x20, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  /// Writes all of a text; gives the system's error number if it cannot.
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count >= 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        } else if errno == EAGAIN {
          // Another process may have made the terminal or pipe one that does not wait.
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&waiting, 1, -1)
        } else if errno != EINTR {
          return errno
        }
      }
      return 0
    }
  }
}

/// Results could not be written to standard output.
public struct ResultsLost: Error, Equatable, CustomStringConvertible {
  let reason: String

  /// One sentence.
  public var description: String { "standard output: the results cannot be written: \(reason)" }
}

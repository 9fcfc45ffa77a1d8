import Glibc
import Storage
import Support
import Synchronization

private let stopIsAsked = Atomic(false)
private let heeding = Atomic(0)
private let lastSignal = Atomic<Int32>(0)
private let lastSecond = Atomic(0)
/// The advice on how to continue, as a C string that a signal handler can read.
nonisolated(unsafe) private let advice = Atomic<UnsafeMutablePointer<CChar>?>(nil)

/// Ctrl-C and its kin: work looks here between its units, keeps what is done and says how to go on.
public enum Interruption {
  /// Prepares this process for the signals of its surroundings, whatever it does.
  ///
  /// A reader that goes (SIGPIPE) and a limit on the size of files (SIGXFSZ) become errors of the
  /// write. A mapped file that is cut short or whose file system fails (SIGBUS) ends the process
  /// with a sentence and status 1. Signals that ask for an end are unblocked: a process started
  /// from a thread that blocks them, as Dispatch's do, is born with them blocked.
  public static func prepare() {
    surviveBrokenPipes()
    signal(SIGXFSZ) { _ in }
    var asking = sigset_t()
    sigemptyset(&asking)
    for number in asked { sigaddset(&asking, number) }
    pthread_sigmask(SIG_UNBLOCK, &asking, nil)
    _ = advice.load(ordering: .relaxed)
    MappedFile.prepareTable()
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    action.__sigaction_handler.sa_sigaction = { number, info, _ in
      // 2 is BUS_ADRERR: the address has no memory behind it any more.
      guard let info, info.pointee.si_code == 2 else {
        signal(number, SIG_DFL)
        return
      }
      say("\nError: ")
      if let path = MappedFile.path(at: info.pointee._sifields._sigfault.si_addr) {
        say(path)
      } else {
        say("a file")
      }
      say(" was cut short while it was read, or its file system failed")
      if let text = advice.load(ordering: .acquiring) {
        say(": mend it, then ")
        say(text)
      }
      say("\n")
      _exit(1)
    }
    sigaction(SIGBUS, &action, nil)
  }

  /// Makes writing to a pipe that nobody reads an error, and no signal; work that heeds stops is
  /// asked to stop.
  private static func surviveBrokenPipes() {
    signal(SIGPIPE) { _ in stopIsAsked.store(true, ordering: .relaxed) }
  }

  private static let asked = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]

  /// Lets SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and a closed pipe ask for a stop.
  ///
  /// While no work heeds them, all but the last end the process at once, with status 130 and
  /// `advice` on how to go on. So does a second SIGINT, and another signal of the same kind a
  /// second or more after the first. SIGHUP stays ignored if it is, as under `nohup`.
  public static func listen(toGoOn advice: String) {
    Interruption.advise(advice)
    _ = (stopIsAsked.load(ordering: .relaxed), heeding.load(ordering: .relaxed))
    _ = (lastSignal.load(ordering: .relaxed), lastSecond.load(ordering: .relaxed))
    for number in asked {
      var old = sigaction()
      sigaction(number, nil, &old)
      let isIgnored =
        unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      if number == SIGHUP, isIgnored { continue }
      signal(number, heed)
    }
  }

  /// Says from now on, in a stop or a loss of memory, that one goes on in this way.
  static func advise(_ text: String) {
    // A handler may be reading the old text, which is therefore left in memory.
    advice.store(strdup(text), ordering: .releasing)
  }

  /// Runs work that looks at `isAsked` between its units and saves what it has.
  static func heeded<Result>(_ work: () throws -> Result) rethrows -> Result {
    heeding.add(1, ordering: .relaxed)
    defer { heeding.subtract(1, ordering: .relaxed) }
    return try work()
  }

  /// Whether a stop was asked for.
  public static var isAsked: Bool { stopIsAsked.load(ordering: .relaxed) }

  /// The work at a signal: only what a handler may do.
  private static let heed: @convention(c) (Int32) -> Void = { number in
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let last = lastSignal.exchange(number, ordering: .relaxed)
    let second = lastSecond.exchange(now.tv_sec, ordering: .relaxed)
    let isInsisted = last == number && (number == SIGINT || now.tv_sec > second)
    stopIsAsked.store(true, ordering: .relaxed)
    if heeding.load(ordering: .relaxed) > 0, !isInsisted { return }
    say("\nstopped")
    if let text = advice.load(ordering: .acquiring) {
      say(": ")
      say(text)
    }
    say("\n")
    _exit(130)
  }
}

/// Writes C's text to standard error, as a signal's handler may.
private func say(_ text: UnsafePointer<CChar>) { _ = write(2, text, strlen(text)) }
/// Writes a text of the program to standard error, as a signal's handler may.
private func say(_ text: StaticString) { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }

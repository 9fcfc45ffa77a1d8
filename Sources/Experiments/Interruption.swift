import Foundation
import Synchronization

private let stopIsAsked = Atomic(false)

/// Ctrl-C and its kin: work looks here between its units, keeps what is done and says how to go on.
public enum Interruption {
  /// Lets SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 ask for a stop; a second SIGINT ends at once.
  ///
  /// They are unblocked, too: a process started from a thread that blocks them, as Dispatch's do, is
  /// born with them blocked.
  public static func listen() {
    var asking = sigset_t()
    sigemptyset(&asking)
    for number in [SIGINT, SIGTERM, SIGUSR1, SIGUSR2] { sigaddset(&asking, number) }
    pthread_sigmask(SIG_UNBLOCK, &asking, nil)
    for number in [SIGINT, SIGTERM, SIGUSR1, SIGUSR2] {
      signal(number) { received in
        stopIsAsked.store(true, ordering: .relaxed)
        if received == SIGINT { signal(SIGINT, SIG_DFL) }
      }
    }
  }

  /// Whether a stop was asked for.
  public static var isAsked: Bool { stopIsAsked.load(ordering: .relaxed) }
}

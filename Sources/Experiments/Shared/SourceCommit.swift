import Foundation

/// The commit of the sources that this program was built from.
enum SourceCommit {
  /// Where the checkout's HEAD was when this program was built; nil if the checkout is gone or does
  /// not say.
  ///
  /// HEAD may have moved since then: a long run's checkout is worked in. Changes that were not
  /// committed do not show.
  static let built: String? = {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let attributes = try? FileManager.default.attributesOfItem(atPath: program.path)
    guard let date = attributes?[.modificationDate] as? Date else { return nil }
    return head(of: URL(fileURLWithPath: #filePath).deletingLastPathComponent(), at: date)
  }()

  /// Where HEAD was at a moment, by the checkout's log of it: the oldest entry before that log
  /// begins; without a log where HEAD is now.
  static func head(of checkout: URL, at date: Date) -> String? {
    revision("HEAD@{\(date.ISO8601Format())}", in: checkout) ?? revision("HEAD", in: checkout)
  }

  private static func revision(_ name: String, in checkout: URL) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", checkout.path, "rev-parse", "--quiet", "--verify", name]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Experiments

/// Which commit a run says that it was made with.
struct SourceCommitTests {
  private func git(_ words: String..., at date: String, in folder: URL) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", folder.path] + words
    process.environment = ProcessInfo.processInfo.environment.merging([
      "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_AUTHOR_DATE": date,
      "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a", "GIT_COMMITTER_DATE": date,
    ]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "git \(words)")
  }

  @Test func itIsWhereHEADWasWhenTheProgramWasBuilt() throws {
    let folder = try TemporaryFolder()
    try git("init", "--quiet", at: "", in: folder.url)
    func head(_ date: String) throws -> String? {
      SourceCommit.head(of: folder.url, at: try Date(date, strategy: .iso8601))
    }
    let dates = ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"]
    #expect(try head(dates[0]) == nil)
    var commits: [String] = []
    for date in dates {
      try git("commit", "--quiet", "--allow-empty", "--message", date, at: date, in: folder.url)
      commits.append(try #require(try head("2026-02-01T10:00:00Z")))
    }
    #expect(commits[0] != commits[1])
    #expect(try head("2026-01-01T12:00:00Z") == commits[0])
    #expect(try head("2025-12-31T12:00:00Z") == commits[0])
    #expect(try head("2026-01-02T10:00:01Z") == commits[1])

    // Without a log of HEAD it is where HEAD is.
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent(".git/logs"))
    #expect(try head("2026-01-01T12:00:00Z") == commits[1])
  }
}

package import Foundation
import Glibc
package import GoalCore
import Support

/// Films: pictures one after the other in a file.
package enum Film {
  /// Puts the films beside and below each other; short ones rest on their last picture.
  package static func grid(_ films: [[Picture]], columns wanted: Int? = nil) -> [Picture] {
    guard let first = films.first?.first else { return [] }
    let columns = wanted ?? Int(Double(films.count).squareRoot().rounded(.up))
    let rows = (films.count + columns - 1) / columns
    let length = films.map(\.count).max() ?? 0
    let width = first.width * columns
    return (0..<length).map { moment in
      var bytes = [UInt8](repeating: 0, count: width * first.height * rows * 3)
      for (number, film) in films.enumerated() {
        let picture = film[min(moment, film.count - 1)]
        let x = number % columns * first.width * 3
        for y in 0..<first.height {
          let target = (number / columns * first.height + y) * width * 3 + x
          let source = y * first.width * 3
          bytes.replaceSubrange(
            target..<target + first.width * 3,
            with: picture.bytes[source..<source + first.width * 3])
        }
      }
      return Picture(width: width, height: first.height * rows, bytes: bytes)
    }
  }

  /// Writes pictures to a film, `.mp4` or `.gif`, or the first to a `.png`, whole or not at all.
  package static func write(_ pictures: [Picture], rate: Double, to file: URL) throws {
    guard let first = pictures.first else { return }
    let kind = file.pathExtension.lowercased()
    let kinds = [
      "mp4": ["-pix_fmt", "yuv420p", "-movflags", "+faststart"],
      "gif": ["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"],
      "png": ["-frames:v", "1", "-update", "1"],
    ]
    guard kinds.keys.contains(kind) else {
      throw FileError.cannotWrite(
        file.path, reason: "a video's name ends in .mp4 or .gif")
    }
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw FileError.cannotWrite(file.path, reason: "its folder can't be made")
    }
    let part = file.deletingLastPathComponent()
      .appendingPathComponent(".\(file.lastPathComponent).part.\(kind)")
    defer { try? FileManager.default.removeItem(at: part) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb24",
        "-video_size", "\(first.width)x\(first.height)", "-framerate", "\(rate)", "-i", "-",
      ]
      + (kinds[kind] ?? []) + [part.path]
    let input = Pipe()
    let complaints = Pipe()
    process.standardInput = input
    process.standardError = complaints
    // A dead ffmpeg must be an error of ours, not a signal.
    var broken = sigaction()
    sigaction(SIGPIPE, nil, &broken)
    if broken.__sigaction_handler.sa_handler == nil { signal(SIGPIPE, SIG_IGN) }
    do { try process.run() } catch {
      throw ProgramError(name: "ffmpeg", reason: "could not be started: \(error)")
    }
    for picture in pictures {
      do { try input.fileHandleForWriting.write(contentsOf: Data(picture.bytes)) } catch { break }
    }
    try? input.fileHandleForWriting.close()
    let said = complaints.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let text = String(decoding: said, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      throw ProgramError(
        name: "ffmpeg",
        reason: process.terminationStatus == 127 ? "is not installed: run `make setup`" : text)
    }
    try PartFile.move(part.path, to: file)
  }
}

/// A program that is needed is not installed, or failed.
package struct ProgramError: Error, Equatable, CustomStringConvertible {
  private let name: String
  private let reason: String

  /// Says of a program what is the matter.
  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }

  /// One sentence.
  package var description: String { "\(name): \(reason)" }
}

import Environments
import Foundation
import GoalCore

/// Films episodes of a policy into one file, a grid of them side by side.
enum Video {
  /// Frames a second: the speed of the simulated time.
  static func rate(_ spec: GoalSpec) -> Double { 1 / spec.controlPeriod }

  /// Rolls the first `episodes` of an evaluation out, of named tasks in turn, and writes them to `file`, `.mp4` or `.gif`.
  ///
  /// Each picture has its episode's number and step, and at the end SUCCESS or FAILURE, which is what the
  /// evaluation counts: whether the goal is reached at the last step. Its frame is green while the goal is
  /// reached, grey otherwise. Throws where the world has no pictures, there is no renderer, or ffmpeg is
  /// missing or fails.
  static func write(
    _ policy: NamedPolicy, in world: World, starts: EvaluationStarts, episodes: Int,
    size: Int = 320, to file: URL, progress: ProgressReport? = nil
  ) throws {
    let films = try films(
      policy, in: world, starts: starts, episodes: episodes, size: size, progress: progress)
    try encode(
      grid(films.map { rested($0, world.task.spec) }), rate: rate(world.task.spec), to: file)
  }

  /// The pictures of each episode.
  private static func films(
    _ policy: NamedPolicy, in world: World, starts: EvaluationStarts, episodes: Int, size: Int,
    progress: ProgressReport? = nil
  ) throws -> [[Picture]] {
    let loaded = try world.load()
    let environment = try loaded.makeEnvironment()
    guard let visible = environment as? any VisibleEnvironment else {
      throw ExperimentError.invisible(world: world.task.identifier)
    }
    let rollout = Rollout(environment: environment, policy: policy, isEvaluation: true)
    var films: [[Picture]] = []
    for episode in 0..<episodes {
      var film: [Picture] = []
      let (seed, kind) = starts.turn(episode)
      let trajectory = try rollout.episode(index: Int64(episode), seed: seed, as: kind) {
        trajectory in
        let isEnd = rollout.isOver(trajectory)
        film.append(
          try shot(
            of: visible, reached: trajectory.successes.last ?? false, size: size,
            label: isEnd ? nil : "\(episode) STEP \(trajectory.length)"))
      }
      end(&film, success: trajectory.successes.last ?? false, "\(episode)")
      films.append(film)
      progress?.advance()
    }
    progress?.finish()
    return films
  }

  /// Labels a film's last picture with how the episode ended.
  static func end(_ film: inout [Picture], success: Bool, _ name: String) {
    guard !film.isEmpty else { return }
    film[film.count - 1].label(
      "\(name) \(success ? "SUCCESS" : "FAILURE")", success ? (30, 140, 55) : (190, 40, 35))
  }

  /// The world as it stands, in its frame, with a label in the corner.
  static func shot(
    of visible: any VisibleEnvironment, reached: Bool, size: Int, label: String? = nil
  ) throws -> Picture {
    var picture = try visible.picture(width: size, height: size)
    if let label { picture.label(label, (70, 70, 76)) }
    picture.frame(reached ? (40, 190, 70) : (110, 110, 110), thickness: max(2, size / 64))
    return picture
  }

  /// A film with half a second's rest on its end.
  static func rested(_ film: [Picture], _ spec: GoalSpec) -> [Picture] {
    guard let end = film.last else { return film }
    return film + [Picture](repeating: end, count: Int(rate(spec) / 2))
  }

  /// Puts the films beside and below each other; short ones rest on their last picture.
  static func grid(_ films: [[Picture]], columns wanted: Int? = nil) -> [Picture] {
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

  /// The first pictures of episodes in a row, and their last ones below.
  static func ends(
    _ policy: NamedPolicy, in world: World, seed: UInt64, episodes: Int, size: Int = 320
  ) throws -> Picture {
    let films = try films(
      policy, in: world, starts: EvaluationStarts(seed: seed, episodes: episodes),
      episodes: episodes, size: size)
    let pictures = films.compactMap(\.first) + films.compactMap(\.last)
    return grid(pictures.map { [$0] }, columns: episodes)[0]
  }

  /// Writes pictures to a film, `.mp4` or `.gif`, or the first to a `.png`, whole or not at all.
  static func encode(_ pictures: [Picture], rate: Double, to file: URL) throws {
    guard let first = pictures.first else { return }
    let kind = file.pathExtension.lowercased()
    let kinds = [
      "mp4": ["-pix_fmt", "yuv420p", "-movflags", "+faststart"],
      "gif": ["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"],
      "png": ["-frames:v", "1", "-update", "1"],
    ]
    guard kinds.keys.contains(kind) else {
      throw ExperimentError.cannotWrite(
        path: file.path, reason: "a video's name ends in .mp4 or .gif")
    }
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw ExperimentError.cannotWrite(path: file.path, reason: "its folder can't be made")
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
    Interruption.surviveBrokenPipes()
    do { try process.run() } catch {
      throw ExperimentError.program(name: "ffmpeg", reason: "could not be started: \(error)")
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
      throw ExperimentError.program(
        name: "ffmpeg",
        reason: process.terminationStatus == 127 ? "is not installed: run `make setup`" : text)
    }
    guard rename(part.path, file.path) == 0 else {
      throw ExperimentError.cannotWrite(
        path: file.path, reason: String(cString: strerror(errno)))
    }
  }
}

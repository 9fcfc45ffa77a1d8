public import Foundation
import GoalCore
public import Reporting
import Support

/// The results about a dataset, a checkpoint or a run.
public protocol Inspected: Encodable, Sendable {
  /// It for people, with a newline at its end.
  var text: String { get }
  /// It as a figure; throws `ExperimentError.nothingToDraw`.
  func figure() throws -> SVGFigure
  /// The name that JSON has for a property.
  func name(ofKey key: String) -> String
}

extension Inspected {
  /// The property's own name.
  public func name(ofKey key: String) -> String { key }

  /// All of it as JSON; numbers that are not finite are the texts `inf`, `-inf` and `nan`.
  public func json() throws -> String {
    String(decoding: try JSON.pretty(self, naming: name(ofKey:)), as: UTF8.self)
  }
}

/// Looks into what the other verbs make.
public enum Inspection {
  /// The kinds of subjects that a path can name.
  public enum Subject: Sendable, Equatable {
    /// A finished dataset's folder.
    case dataset(URL)
    /// A checkpoint's folder, or a policy's file.
    case checkpoint(URL)
    /// A training run's folder.
    case run(URL)
  }

  /// Tells what a path is; throws `ExperimentError.notInspectable`.
  public static func subject(_ path: String) throws -> Subject {
    let url = URL(fileURLWithPath: path)
    func holds(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
    }
    func refusal(_ reason: String) -> ExperimentError {
      .notInspectable(path: path, reason: reason)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw refusal("the path does not exist")
    }
    guard isFolder.boolValue else {
      guard url.pathExtension == "safetensors" else {
        throw refusal("found a file that is no policy.safetensors")
      }
      return .checkpoint(url)
    }
    if holds("manifest.json") { return .dataset(url) }
    if holds("config.json") { return .run(url) }
    if holds("policy.safetensors") { return .checkpoint(url) }
    if holds("shards/collection.json") {
      throw refusal("the dataset has no manifest.json yet: finish it with `goalpost collect`")
    }
    throw refusal("found neither manifest.json, config.json nor policy.safetensors in the folder")
  }

  /// Looks into whatever a path is, on `workers` threads.
  public static func run(
    _ path: String, workers: Int, silent: Bool = false
  ) throws -> any Inspected {
    switch try subject(path) {
    case .dataset(let folder):
      try DatasetInspection.run(folder, workers: workers, silent: silent)
    case .checkpoint: try CheckpointInspection.run(path)
    case .run(let folder): try RunInspection.run(folder)
    }
  }
}

import GoalCore
public import Support
public import Torch

/// The contents of a policy's file: the tensors that acting needs, and a text at its head.
public struct SavedPolicy: Sendable {
  /// Weights and normaliser.
  public let tensors: [NamedTensor]
  /// The text; nil if Goalpost did not write the file.
  public let header: String?

  /// Numbers in all tensors.
  public var numberCount: Int { tensors.numberCount }

  /// Reads a file; throws a `TorchError` that names it and the first thing wrong.
  public init(contentsOf path: String) throws {
    let file = try Safetensors(contentsOf: path)
    tensors = file.tensors
    header = file.metadata[SavedLearner.headerKey]
  }

  /// The text at a file's head, without its tensors; nil if Goalpost did not write the file.
  public static func header(of path: String) throws -> String? {
    try Safetensors.metadata(of: path)[SavedLearner.headerKey]
  }
}

extension SavedLearner {
  /// Where in a file's metadata the text stands.
  static let headerKey = "goalpost"

  /// Writes what acting needs, under a text, to one file, and the rest to another; each is whole or
  /// absent.
  public func write(policy: String, header: String, training: String) throws {
    try Safetensors(self.policy, metadata: [SavedLearner.headerKey: header]).write(to: policy)
    try Safetensors(self.training).write(to: training)
  }

  /// Reads both files back.
  public init(policy: String, training: String, counters: [String: JSONValue]) throws {
    self.init(
      policy: try SavedPolicy(contentsOf: policy).tensors,
      training: try Safetensors(contentsOf: training).tensors, counters: counters)
  }
}

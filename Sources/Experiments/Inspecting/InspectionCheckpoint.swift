import Foundation
import Learners
import GoalCore
public import Reporting
import Storage
import Support

/// A description of a checkpoint.
public struct CheckpointInspection: Encodable, Sendable, Inspected {
  /// The path that was given.
  public let checkpoint: String
  /// Learner, task, settings, updates, seed and the datasets' digests.
  public let header: PolicyHeader
  /// Settings that differ from the paper's; nil if the learner is not known here.
  public let differences: [SettingDifference]?
  /// The SHA-256 of the policy's file, by which datasets name the policy.
  public let digest: String
  /// Bytes of the policy's file.
  public let bytes: Int

  /// Reads a checkpoint's folder or a policy's file.
  public static func run(_ path: String) throws -> CheckpointInspection {
    let file = try Checkpoint.policyFile(path)
    let header = try Checkpoint.read(policy: file).header
    return CheckpointInspection(
      checkpoint: path, header: header,
      differences: SettingDifference.all(
        learner: header.learner, task: header.task, settings: header.settings),
      digest: try Digest.sha256(ofFile: file), bytes: try WholeFile.byteCount(of: file))
  }

  /// The head, and the settings that are not the paper's.
  public var text: String {
    "\(checkpoint): \(header.learner) on \(header.task.identifier), "
      + "\(ReportText.count(header.updates)) updates, seed \(header.seed)\n"
      + SettingDifference.text(differences)
      + ReportText.section(
        "lineage",
        [("policy", "sha256 \(digest), \(ReportText.count(bytes)) bytes")]
          + header.datasets.map { ("dataset", "sha256 \($0)") })
  }

  /// A checkpoint has no curves.
  public func figure() throws -> SVGFigure {
    throw ExperimentError.nothingToDraw(
      path: checkpoint, reason: "a checkpoint has no curves, its run has")
  }
}

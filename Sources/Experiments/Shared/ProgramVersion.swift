import Environments
import Learners
import Storage

/// What this program is made of.
public enum ProgramVersion {
  /// The version, the commit and the libraries that decide numbers, a line each.
  ///
  /// Of libtorch it is the version built for: the library is not loaded.
  public static func text(_ number: String) -> String {
    let parts =
      ["goalpost \(number)", "commit \(SourceCommit.built ?? "not known")"]
      + EnvironmentRegistry.libraries
      + ["libtorch \(LearnerEngine.builtVersion)", "HDF5 \(ShardReader.libraryVersion)"]
    return parts.joined(separator: "\n")
  }
}

import Foundation
import Storage
import Testing

@testable import Experiments

extension Recipe {
  /// Collects the recipe's dataset without a progress report; fails for one that is left
  /// unfinished.
  @discardableResult
  func collect(in folder: URL, workers: Int = 2) throws -> Manifest {
    let made = try TrajectoryCollection.run(self, in: folder, workers: workers, silent: true)
    return try #require(made.manifest)
  }
}

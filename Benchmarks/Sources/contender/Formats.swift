import Experiments
import Foundation

/// Converts WGCSL's pickle to a dataset again and again, or, with `out`, such a dataset to a pickle.
///
/// The work is all that `goalpost convert` does: digests of the source and of every shard, fsync, rename,
/// statistics, rewards and successes. The pickle is `contenders/formats_numpy.py make`'s.
func convertPickle(_ file: String, out: Bool) throws {
  let pickle = URL(fileURLWithPath: file)
  let folder = pickle.deletingLastPathComponent()
  let data = folder.appendingPathComponent("data-\(getpid())")
  let back = folder.appendingPathComponent("back-\(getpid()).pkl")
  defer {
    try? FileManager.default.removeItem(at: data)
    try? FileManager.default.removeItem(at: back)
  }
  func convert(_ input: URL, to output: URL) throws -> Double {
    try? FileManager.default.removeItem(at: output)
    var request = DatasetConversion.Request(input, to: output)
    request.environment = out && input == data ? nil : "fetch-push"
    request.isSilent = true
    return Double(try DatasetConversion.run(request)[0].steps)
  }
  if out { _ = try convert(pickle, to: data) }
  try serve { try out ? convert(data, to: back) : convert(pickle, to: data) }
}

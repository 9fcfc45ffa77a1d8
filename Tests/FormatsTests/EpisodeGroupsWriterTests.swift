import Foundation
import HDF5
import TestSupport
import Testing

@testable import Formats
@testable import Storage

struct EpisodeGroupsWriterTests {
  /// HDF5 keeps some megabytes of metadata in memory, writes the rest, and reads it again when it
  /// is needed.
  @Test func aFileOfThousandsOfEpisodesIsWritten() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("many.hdf5")
    let writer = try EpisodeGroupsWriter(file, compress: false)
    let column = TableColumn(.float32, axis: .steps, [Float](repeating: 1, count: 8))
    for episode in 0..<5_000 {
      try writer.group("episode_\(episode)")
      for place in 0..<10 { try writer.write("episode_\(episode)/column_\(place)", column) }
      try writer.attributes([("id", .integer(Int64(episode)))], of: "episode_\(episode)")
    }
    try writer.commit()
    #expect(try HDF5File(reading: file).listing().count == 5_000)
  }
}

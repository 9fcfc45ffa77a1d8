import GoalCore
import HDF5
import Support

extension ShardReader {
  /// Holds the shard to what its dataset's manifest says of it: the columns, their types and
  /// lengths, and the episodes' numbers.
  ///
  /// - Throws: The first thing that is not as listed, with file, column, rule and what was found.
  func checkListed(_ shard: ShardEntry, in manifest: Manifest) throws(FileError) {
    var found = try sourceColumns().mapValues { $0.type.rawValue }
    found[ShardColumn.episodeLengths.rawValue] = HDF5Type.int32.rawValue
    found[ShardColumn.episodeIndices.rawValue] = HDF5Type.int64.rawValue
    let listed = manifest.columns.compactMapValues(\.type)
    for column in Set(found.keys).union(listed.keys).sorted() where found[column] != listed[column]
    {
      guard let expected = listed[column] else {
        throw .malformed(
          path, rule: "'\(column)' must not be there, as the manifest does not list it",
          found: found[column] ?? "")
      }
      guard let type = found[column] else { throw .missingDataset(file: path, dataset: column) }
      throw .wrongType(file: path, dataset: column, expected: "\(expected), as listed", found: type)
    }
    // Manifests of mixtures and of what was converted say nothing of the shape of images.
    for (column, expected, there) in [
      (ShardColumn.states, [manifest.stateLength], [stateLength]),
      (.images, manifest.identity.imageShape, imageShape),
    ] where has(column) && !expected.isEmpty && expected != there {
      throw .wrongShape(
        file: path, dataset: column.rawValue, expected: [steps + episodes] + expected,
        found: [steps + episodes] + there)
    }
    if let recipe = manifest.recipe, recipe.goals == nil, goalsMove {
      throw .wrongShape(
        file: path, dataset: ShardColumn.desiredGoals.rawValue,
        expected: [episodes, manifest.task.spec.goal],
        found: [steps + episodes, manifest.task.spec.goal])
    }
    let numbers = try column(.episodeIndices, as: Int64.self)
    let expected = shard.episodes.numbers
    if let row = expected.indices.first(where: { numbers[$0] != expected[$0] }) {
      throw .wrongValue(
        file: path, dataset: ShardColumn.episodeIndices.rawValue,
        rule: "must be the listed ones, \(expected[row]) here", row: row, found: "\(numbers[row])")
    }
  }
}

import Foundation
import GoalCore
import Replay
import Storage

/// Reads a dataset's episodes one by one, and then transitions with goals in batches.
func readADataset(at folder: URL) throws -> (successes: Int, batch: GoalBatch) {
  let dataset = try Dataset(at: folder)
  let task = dataset.manifest.task

  // Whole episodes, a shard at a time; `open` checks the shard's digest.
  var successes = 0
  for shard in dataset.manifest.shards {
    for episode in try dataset.open(shard).trajectories() where episode.successes.last == true {
      successes += 1
    }
  }

  // Transitions: four of five goals are achieved later in the episode, the others were asked for.
  let replay = EpisodeReplay(task: task, columns: try dataset.columns())
  let scheme = SamplingScheme(
    batchSize: 256, policyGoals: .future(fraction: 0.8), originalValueGoals: 0)
  var batch = GoalBatch(scheme, spec: task.spec)
  replay.draw(scheme, seed: 0, number: 0, into: &batch)
  return (successes, batch)
}

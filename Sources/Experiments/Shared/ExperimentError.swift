/// Errors of requests, in addition to those of the layers below.
public enum ExperimentError: Error, Equatable, CustomStringConvertible {
  /// There is neither a run, a checkpoint nor a policy's file there.
  case notACheckpoint(path: String, reason: String)
  /// There is neither a dataset, a checkpoint nor a run there.
  case notInspectable(path: String, reason: String)
  /// A dataset has no episode of that number.
  case noEpisode(path: String, episode: Int64, there: String)
  /// A dataset has several episodes of that number, in these shards.
  case severalEpisodes(path: String, episode: Int64, shards: [Int])
  /// An episode holds nothing that it could be filmed from.
  case notFilmable(path: String, episode: Int64, reason: String)
  /// Episodes can't start at a dataset's states.
  case cannotStart(path: String, reason: String)
  /// A figure has no curves to draw.
  case nothingToDraw(path: String, reason: String)
  /// A checkpoint belongs to another world.
  case otherWorld(path: String, trainedFor: String, asked: String)
  /// A run's folder holds a run already.
  case runExists(path: String)
  /// Another process trains in a run's folder.
  case runBusy(path: String)
  /// A file of a run cannot be read, or is not what was written.
  case damaged(path: String, reason: String)
  /// A run's folder was removed, or made anew, while the run was trained.
  case runGone(path: String)
  /// A run cannot go on as it was asked to.
  case cannotResume(path: String, reason: String)
  /// A file of settings is not what it must be.
  case badSettings(path: String, reason: String)
  /// A setting of the command line is not `key=value`.
  case badAssignment(String)
  /// A dataset is of another world than the first.
  case otherDataset(path: String, world: String, expected: String)
  /// A compressed dataset would not fit into memory.
  case tooLargeToDecode(path: String, bytes: Int, limit: Int)
  /// Datasets cannot be mixed as was asked.
  case cannotMix(path: String, reason: String)
  /// The learner samples desired goals, but the dataset has none.
  case noDesiredGoals(path: String, learner: String, settings: [String])
  /// Files cannot be converted as was asked.
  case cannotConvert(path: String, reason: String)
  /// Noise was asked for on actions that are choices.
  case noiseOnChoices(world: String)
  /// The world has no renderer.
  case invisible(world: String)
  /// The world has no images to learn from.
  case noImages(world: String)
  /// A measured value lies outside the band that was expected.
  case outsideBand(String)
  /// A policy's action has a number that is not finite.
  case actionNotFinite(policy: String, found: Float)
  /// A loss or a weight was not a number; the run's state was saved, and this is its last
  /// checkpoint.
  case notFinite(metric: String, update: Int, saved: String, last: String?)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .notACheckpoint(let path, let reason):
      "\(path): must be a run, a checkpoint or a policy.safetensors: \(reason)"
    case .notInspectable(let path, let reason):
      "\(path): must be a dataset, a checkpoint or a run: \(reason)"
    case .noiseOnChoices(let world):
      "noise is added to numbers, and an action of \(world) is a choice: use random actions"
    case .noEpisode(let path, let episode, let there):
      "\(path): has no episode \(episode), only \(there)"
    case .severalEpisodes(let path, let episode, let shards):
      "\(path): has several episodes \(episode): choose a shard with --shard, one of "
        + shards.map(String.init).joined(separator: ", ")
    case .notFilmable(let path, let episode, let reason):
      "\(path): episode \(episode) can't be filmed: \(reason)"
    case .cannotStart(let path, let reason):
      "\(path): episodes can't start at its states: \(reason)"
    case .nothingToDraw(let path, let reason): "\(path): has nothing to draw: \(reason)"
    case .otherWorld(let path, let trainedFor, let asked):
      "\(path): this checkpoint was trained for \(trainedFor), not for \(asked)"
    case .runExists(let path):
      "\(path): holds a run already: go on with --resume \(path), or choose another --output"
    case .runBusy(let path):
      "\(path): is being trained in by another process: wait for its end, or choose another --output"
    case .damaged(let path, let reason): "\(path): is damaged: \(reason)"
    case .runGone(let path):
      "\(path): the run's folder must stay in place while the run is trained, and was removed or replaced"
    case .cannotResume(let path, let reason): "\(path): the run can't be resumed: \(reason)"
    case .badSettings(let path, let reason): "\(path): \(reason)"
    case .badAssignment(let text): "--set takes key=value, found '\(text)'"
    case .otherDataset(let path, let world, let expected):
      "\(path): all datasets of a run must be of one world: this is of \(world), the first of \(expected)"
    case .tooLargeToDecode(let path, let bytes, let limit):
      "\(path): is compressed and takes \(Self.gigabytes(bytes)) of memory, more than half of the "
        + "\(Self.gigabytes(limit)) there are: write it uncompressed, to be read where it lies, with "
        + "`goalpost mix \(path) --decompress --output DIR`"
    case .cannotMix(let path, let reason): "\(path): \(reason)"
    case .noDesiredGoals(let path, let learner, let settings):
      "\(path): the episodes have no desired goals, of which \(learner) draws a share: "
        + (settings.isEmpty
          ? "use a learner that takes its goals from the states, such as gcsl with --set originalGoals=0"
          : "draw none with \(settings.map { "--set \($0)=0" }.joined(separator: " "))")
    case .cannotConvert(let path, let reason): "\(path): \(reason)"
    case .invisible(let world): "\(world) has no pictures"
    case .noImages(let world):
      "\(world) has no images to learn from: collect it without images"
    case .outsideBand(let text): text
    case .actionNotFinite(let policy, let found):
      "\(policy): its actions must be finite numbers, found \(found)"
    case .notFinite(let metric, let update, let saved, let last):
      "not-finite: \(metric) must be a finite number, and is not at update \(update): the run stopped, "
        + "its state is in \(saved), "
        + (last.map { "its last checkpoint is \($0)" } ?? "it has no checkpoint")
    }
  }

  private static func gigabytes(_ bytes: Int) -> String {
    let tenths = (Double(bytes) / 1e8).rounded(.up) / 10
    return "\(tenths) GB"
  }
}

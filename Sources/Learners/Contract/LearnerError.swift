import GoalCore
import Support

/// Why a learner cannot be made or restored.
public enum LearnerError: Error, Equatable, CustomStringConvertible {
  /// No learner has this id, and these are the ids.
  case unknown(identifier: String, known: [String])
  /// A device's name is unknown.
  case unknownDevice(String)
  /// The learner is for continuous actions, and the world has discrete ones.
  case discreteActions(learner: String, task: String)
  /// The learner makes states of goals, and what the world achieves in a state is not known.
  case unknownGoals(learner: String, task: String)
  /// A checkpoint has no tensor of this name.
  case missingTensor(name: String)
  /// A checkpoint has a tensor of another shape, so it is of another task or configuration.
  case wrongShape(name: String, expected: [Int], found: [Int])
  /// A checkpoint has no counter of this name.
  case missingCounter(name: String)
  /// A checkpoint has a counter that cannot be.
  case wrongCounter(name: String, limit: Int, found: Int)
  /// A checkpoint has a tensor with a number that is infinite or none.
  case notFinite(name: String)
  /// Settings ask for networks or batches of more numbers than there may be.
  case tooLarge(what: String, numbers: Double, limit: Int)

  /// Rule, found, where.
  public var description: String {
    switch self {
    case .unknown(let identifier, let known):
      NearNames.complaint("learner", identifier, among: known)
    case .unknownDevice(let name): "a device is cpu, cuda or cuda:1, found '\(name)'"
    case .discreteActions(let learner, let task):
      "\(learner) is for continuous actions, and those of \(task) are discrete"
    case .unknownGoals(let learner, let task):
      "\(learner) with these settings needs to know what is achieved in a state, and of \(task) that is not known"
    case .missingTensor(let name): "the checkpoint has no tensor '\(name)'"
    case .wrongShape(let name, let expected, let found):
      "the tensor '\(name)' of the checkpoint must be \(expected), found \(found)"
    case .missingCounter(let name): "the checkpoint has no counter '\(name)'"
    case .wrongCounter(let name, let limit, let found):
      "the counter '\(name)' of the checkpoint must be from 0 to \(limit), found \(found)"
    case .notFinite(let name):
      "the tensor '\(name)' of the checkpoint must be finite, found a number that is infinite or none"
    case .tooLarge(let what, let numbers, let limit):
      "the settings must give \(what) of at most \(limit) numbers, found some \(Float(numbers))"
    }
  }
}

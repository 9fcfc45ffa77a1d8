internal import Glibc
internal import GoalCore
internal import Torch

/// When the teacher acts in place of the student.
public enum TeacherRole: String, SettingChoice {
  /// Never.
  case none
  /// While it collects.
  case acting
  /// In evaluations, and from a checkpoint.
  case evaluating
  /// Always.
  case both
}

/// A teacher whose weights follow the student's.
public struct TeacherSettings: SettingGroup {
  /// When the teacher acts in place of the student.
  @Setting(
    "when the moving average of the weights acts: none, acting (collecting), "
      + "evaluating, both",
    "the log, gcsl.py, ssl")
  public var role = TeacherRole.none
  /// m, the share of the teacher's weights that stays in an update.
  @Setting(
    "share of the average that stays in an update; DINO's is 0.996",
    .share, "the log, gcsl_example.py, polyak_momentum")
  public var momentum = 0.99
  /// The final m, after `momentumUpdates`.
  @Setting("what it ends with", .share, "DINO, main_dino.py") public var lastMomentum = 1.0
  /// Updates over which m changes along a cosine; 0 keeps it.
  @Setting("updates over which it changes along a cosine; 0: none", .countOrNone, "the log")
  public var momentumUpdates = 0
  /// Whether dropout stays on if the teacher acts, as in the log's code.
  @Setting("whether dropout stays on when the average acts, as in the log's code", "ours")
  public var dropsOut = false

  /// The log's momentum, and a teacher that does not act.
  public init() {}

  /// Whether the teacher collects.
  var collects: Bool { role == .acting || role == .both }
  /// Whether the teacher is evaluated.
  var isEvaluated: Bool { role == .evaluating || role == .both }

  /// m in an update, counted from 0.
  ///
  ///     m(k) = m₁ − (m₁ − m₀) (1 + cos(π k / n)) / 2 for k < n, then m₁
  func momentum(update: Int) -> Double {
    guard momentumUpdates > 0 else { return momentum }
    let share = min(1, Double(update) / Double(momentumUpdates))
    return lastMomentum - (lastMomentum - momentum) * (1 + cos(.pi * share)) / 2
  }
}

/// Weights that are a moving average of a student's.
///
///     θ_t ← m θ_t + (1 − m) θ_s   after each optimiser step
///
/// Tarvainen and Valpola, "Mean teachers are better role models", NIPS 2017, arXiv:1703.01780; with
/// the schedule of DINO (github.com/facebookresearch/dino at 7c446df, `main_dino.py` and
/// `utils.py`, `cosine_scheduler`). The log's is constant (github.com/miladsamim/GCRL at 63b1e7e,
/// `gcsl/algo/dino_loss.py`, `polyak`).
///
/// It differs from the log in: 1. the teacher never drops out if it acts, unless `dropsOut` asks
/// for that; there it is never set to evaluate.
struct MomentumTeacher: Sendable {
  private let settings: TeacherSettings
  private let teacher: [Tensor]
  private let student: [Tensor]

  /// Makes the teacher's weights, which are overwritten, equal to the student's.
  init(_ teacher: [Tensor], of student: [Tensor], settings: TeacherSettings) {
    precondition(
      teacher.count == student.count,
      "a teacher has the student's \(student.count) tensors, found \(teacher.count)")
    self.settings = settings
    (self.teacher, self.student) = (teacher.map { $0.detached() }, student)
    for (target, source) in zip(self.teacher, student) { target.assign(source) }
  }

  /// Moves towards the student, after the optimiser's step number `update`, counted from 0.
  func follow(update: Int) {
    Tensor.average(teacher, towards: student, keep: settings.momentum(update: update))
  }
}

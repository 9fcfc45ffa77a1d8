/// Faults of the log's code that rows of it depended on, by name; all are off unless set.
///
/// Others are settings of their objectives: `nextState.axis`, `teacher.dropsOut`; of `pairs` and of
/// `indices`.
public struct QuirkSettings: SettingGroup {
  /// Acting reads the last token, the goal's, in place of the state's: BUG1 of the log.
  @Setting("acting reads the goal's token in place of the state's", "the log, BUG1")
  public var readsLast = false
  /// The goal's position, in acting, is the window's last in place of the next one.
  @Setting("in acting the goal has the window's last position", "the log, line 38")
  public var goalAtEnd = false
  /// The first numbers of a token are taken for the outputs, as in `idm.py`.
  @Setting("a token's first numbers are the outputs", "idm.py") public var omitsOutput = false
  /// States are tokens as they are, cut or filled up with zeros to a token's width, as in
  /// `traj_idm.py`.
  @Setting("states are tokens as they are", "traj_idm.py") public var omitsEmbedding = false
  /// The action token is not trained, as in `dec_idm.py`.
  @Setting("the action token is not trained (trajectory-decoder)", "dec_idm.py")
  public var freezesToken = false
  /// Masks over action tokens begin behind the start, which they hide, as in `traj_idm.py`.
  @Setting("masks over action tokens begin behind the start", "traj_idm.py")
  public var hidesStart = false
  /// The action at the goal is asked for as well, as in `traj_idm.py`.
  @Setting("the action at the goal is asked for as well", "traj_idm.py")
  public var asksAtGoal = false
  /// Acting always has one action token, where training has one for each step to the goal.
  @Setting("acting always has one action token", "traj_idm.py") public var oneActingToken = false
  /// The model is trained with states before the present one and acts without them.
  @Setting("acting has the present state alone", "the log, line 271")
  public var actsWithoutHistory = false
  /// Gradients that are gathered are followed at each update, and never set to 0.
  @Setting("a step at each of the accumulated gradients", "gcsl.py") public var stepsOnSums = false

  /// None.
  public init() {}
}

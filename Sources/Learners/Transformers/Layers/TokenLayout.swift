/// The role of a token in a sequence.
enum TokenRole: Hashable, Sendable {
  /// The goal, or the goal-post.
  case goal
  /// The state in a place of the window; without a window 0 is the only one.
  case state(Int)
  /// The action taken in that state.
  case action(Int)
  /// A place where an action is to be said: the first, the second, ... towards the goal.
  case actionToken(Int)
  /// A place where the state is to be said that will have been reached.
  case reached
}

/// Which token of a sequence stands where; nothing is read at a number.
struct TokenLayout: Equatable, Sendable {
  /// The roles in their order.
  let roles: [TokenRole]

  init(_ roles: [TokenRole]) {
    precondition(Set(roles).count == roles.count, "two tokens of one role")
    self.roles = roles
  }

  /// Tokens.
  var count: Int { roles.count }

  /// Where the token of a role stands.
  func place(of role: TokenRole) -> Int {
    guard let place = roles.firstIndex(of: role) else {
      preconditionFailure("no token of the sequence is \(role)")
    }
    return place
  }
}

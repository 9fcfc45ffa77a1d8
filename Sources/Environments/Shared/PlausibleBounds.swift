/// Bounds that a world's numbers cannot exceed unless something is wrong with them: for verifying
/// data, not for simulating or learning.
public struct PlausibleBounds: Sendable {
  /// A thing whose position stands in the observation.
  public struct Thing: Sendable {
    /// Its name, such as "gripper".
    public let name: String
    /// Where in an observation its position stands.
    public let indices: [Int]
    /// How far it can move in one step, in the unit of its position.
    public let largestStep: Double
  }

  /// The things that a teleport would show in.
  public let things: [Thing]
  /// The largest magnitude of any number in an observation.
  public let largestObservation: Float
  /// Steps of the longest episode of its data; nil for the horizon.
  public var longestEpisode: Int?
}

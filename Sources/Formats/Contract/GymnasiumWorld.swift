import Foundation
import Storage

/// How Gymnasium names a world of ours, for formats that say how an environment is made again.
///
/// Ours are the same to 10⁻¹² as those of gymnasium-robotics 1.4.2 on MuJoCo 3.3.0.
struct GymnasiumWorld {
  /// Our id.
  let identifier: String
  /// Gymnasium's.
  let name: String
  private let entryPoint: String
  let horizon: Int

  private static let all = [
    GymnasiumWorld(
      identifier: "fetch-reach", name: "FetchReach-v4",
      entryPoint: "gymnasium_robotics.envs.fetch.reach:MujocoFetchReachEnv", horizon: 50),
    GymnasiumWorld(
      identifier: "fetch-push", name: "FetchPush-v4",
      entryPoint: "gymnasium_robotics.envs.fetch.push:MujocoFetchPushEnv", horizon: 50),
  ]

  /// The world of an id of ours.
  static func ours(_ identifier: String) -> GymnasiumWorld? {
    all.first { $0.identifier == identifier }
  }

  /// Our id for Gymnasium's, which stays if we have none.
  static func identifier(for name: String) -> String {
    all.first { $0.name == name }?.identifier ?? name
  }

  /// Gymnasium's id for ours, or ours if Gymnasium has none.
  static func name(for identifier: String) -> String { ours(identifier)?.name ?? identifier }

  /// What `gymnasium.envs.registration.EnvSpec.from_json` takes; nil for a name that is none of
  /// Gymnasium's.
  static func specification(of identifier: String) -> String? {
    if let world = ours(identifier) {
      return "{\"id\": \"\(world.name)\", \"entry_point\": \"\(world.entryPoint)\", "
        + "\"reward_threshold\": null, \"nondeterministic\": false, "
        + "\"max_episode_steps\": \(world.horizon), \"order_enforce\": true, "
        + "\"disable_env_checker\": false, \"kwargs\": {\"reward_type\": \"sparse\"}, "
        + "\"additional_wrappers\": [], \"vector_entry_point\": null}"
    }
    guard identifier.wholeMatch(of: #/[\w./:-]+-v\d+/#) != nil else { return nil }
    return "{\"id\": \"\(identifier)\", \"additional_wrappers\": []}"
  }
}

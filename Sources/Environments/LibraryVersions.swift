import Box2D
import MuJoCo

extension EnvironmentRegistry {
  /// The libraries that simulate worlds, such as `MuJoCo 3.3.0`.
  public static var libraries: [String] {
    ["MuJoCo \(MuJoCoModel.version)", "Box2D \(Box2DWorld.version)"]
  }
}

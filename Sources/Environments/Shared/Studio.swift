import GoalCore
import MuJoCo

/// Takes pictures of a simulation, with one renderer for as long as their size stays the same.
final class Studio {
  private var renderer: (width: Int, height: Int, renderer: MuJoCoRenderer)?
  private let leftOut: [String]

  /// Makes a studio of pictures without the shapes of these bodies.
  init(without bodies: [String] = []) { leftOut = bodies }

  /// A picture of the simulation as it stands; throws if no off-screen renderer is to be had.
  func picture(
    of simulation: MuJoCoSimulation, from camera: Camera, with markers: [Marker], width: Int,
    height: Int
  ) throws -> Picture {
    let used: MuJoCoRenderer
    if let renderer, renderer.width == width, renderer.height == height {
      used = renderer.renderer
    } else {
      used = try MuJoCoRenderer(
        model: simulation.model, width: width, height: height,
        without: leftOut.map { try simulation.model.body($0) })
      renderer = (width, height, used)
    }
    let bytes = used.draw(simulation, camera: camera, markers: markers)
    return Picture(width: width, height: height, bytes: bytes)
  }
}

import CEGL
import CMuJoCo

/// A ball that is drawn into a picture without being in the model.
public struct Marker: Sendable {
  /// Its centre, m.
  public var position: SIMD3<Double>
  /// Its radius, m.
  public var radius: Double
  /// Red, green, blue and opacity, 0 to 1.
  public var colour: SIMD4<Float>

  /// Makes a ball.
  public init(position: SIMD3<Double>, radius: Double, colour: SIMD4<Float>) {
    self.position = position
    self.radius = radius
    self.colour = colour
  }
}

/// A camera that looks at a point from a distance; angles in degrees.
public struct Camera: Sendable {
  /// The point that it looks at, m.
  public var target: SIMD3<Double>
  /// Metres from the target.
  public var distance: Double
  /// Degrees about the vertical.
  public var azimuth: Double
  /// Degrees above the horizon; negative looks down.
  public var elevation: Double

  /// Makes a camera.
  public init(target: SIMD3<Double>, distance: Double, azimuth: Double, elevation: Double) {
    self.target = target
    self.distance = distance
    self.azimuth = azimuth
    self.elevation = elevation
  }
}

/// Draws simulations of one model off-screen; it belongs to the thread that made it.
public final class MuJoCoRenderer {
  /// The background colour: a light grey-blue.
  private static let background: (UInt8, UInt8, UInt8) = (198, 209, 222)

  private let model: MuJoCoModel
  private let width: Int
  private let height: Int
  private let leftOut: Set<Int32>
  private let window: OpaquePointer
  private var scene = mjvScene()
  private var context = mjrContext()
  private var option = mjvOption()
  /// The drawn pixels: rows from the bottom, red, green, blue and opacity of each pixel.
  private var drawn: [UInt8]

  /// Makes a renderer of pictures of one size, without the shapes of these bodies; throws if
  /// neither EGL nor OSMesa works.
  public init(model: MuJoCoModel, width: Int, height: Int, without bodies: [Int] = []) throws {
    var message = [CChar](repeating: 0, count: 256)
    guard let window = offscreen_make(&message, Int32(message.count)) else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw MuJoCoError.noRenderer(String(decoding: text, as: UTF8.self))
    }
    self.model = model
    self.width = width
    self.height = height
    self.window = window
    leftOut = Set(bodies.map(Int32.init))
    drawn = [UInt8](repeating: 0, count: width * height * 4)
    // The size of the off-screen buffer is read from the model, by this call only.
    model.pointer.pointee.vis.global.offwidth = Int32(width)
    model.pointer.pointee.vis.global.offheight = Int32(height)
    model.pointer.pointee.vis.quality.offsamples = 0
    // The default, 4096 by 4096, costs a software renderer more than what it sharpens in pictures
    // of our size.
    model.pointer.pointee.vis.quality.shadowsize = 1024
    mjv_defaultScene(&scene)
    mjv_makeScene(model.pointer, &scene, 2000)
    // A sky's texture costs a software renderer much of a picture's time.
    scene.flags.4 = 0  // mjRND_SKYBOX
    mjv_defaultOption(&option)
    // Sites are aids of the model, drawn nowhere: goals are markers.
    option.sitegroup = (0, 0, 0, 0, 0, 0)
    mjr_defaultContext(&context)
    mjr_makeContext(model.pointer, &context, Int32(mjFONTSCALE_100.rawValue))
    mjr_setBuffer(Int32(mjFB_OFFSCREEN.rawValue), &context)
  }

  deinit {
    _ = offscreen_make_current(window)
    mjr_freeContext(&context)
    mjv_freeScene(&scene)
    offscreen_free(window)
  }

  /// The simulation as it stands: rows from the top, three bytes a pixel.
  public func draw(_ simulation: MuJoCoSimulation, camera: Camera, markers: [Marker]) -> [UInt8] {
    _ = offscreen_make_current(window)
    var view = mjvCamera()
    mjv_defaultCamera(&view)
    view.type = Int32(mjCAMERA_FREE.rawValue)
    view.lookat = (camera.target.x, camera.target.y, camera.target.z)
    view.distance = camera.distance
    view.azimuth = camera.azimuth
    view.elevation = camera.elevation
    mjv_updateScene(
      model.pointer, simulation.data, &option, nil, &view, Int32(mjCAT_ALL.rawValue), &scene)
    if !leftOut.isEmpty { leaveOut() }
    for marker in markers where scene.ngeom < scene.maxgeom {
      let size = [marker.radius, marker.radius, marker.radius]
      let position = [marker.position.x, marker.position.y, marker.position.z]
      let colour = [marker.colour.x, marker.colour.y, marker.colour.z, marker.colour.w]
      mjv_initGeom(
        scene.geoms + Int(scene.ngeom), Int32(mjGEOM_SPHERE.rawValue), size, position, nil, colour)
      scene.geoms[Int(scene.ngeom)].emission = 0.6  // seen in a scene without lamps, too
      scene.ngeom += 1
    }
    let area = mjrRect(left: 0, bottom: 0, width: Int32(width), height: Int32(height))
    mjr_render(area, &scene, &context)
    offscreen_read(window, Int32(width), Int32(height), &drawn)
    return turned()
  }

  /// Takes the shapes of what is left out from the scene.
  private func leaveOut() {
    let shapes = UnsafeMutableBufferPointer(start: scene.geoms, count: Int(scene.ngeom))
    var kept = 0
    for shape in shapes {
      if shape.objtype == Int32(mjOBJ_GEOM.rawValue),
        leftOut.contains(model.pointer.pointee.geom_bodyid[Int(shape.objid)])
      {
        continue
      }
      shapes[kept] = shape
      kept += 1
    }
    scene.ngeom = Int32(kept)
  }

  /// The picture with its rows from the top, over the background.
  private func turned() -> [UInt8] {
    let (count, row) = (width * height * 3, width * 3)
    return drawn.withUnsafeBufferPointer { drawn in
      [UInt8](unsafeUninitializedCapacity: count) { bytes, used in
        for y in 0..<height {
          var (from, to) = (y * width * 4, (height - 1 - y) * row)
          for _ in 0..<width {
            let isDrawn = drawn[from + 3] > 0
            bytes[to] = isDrawn ? drawn[from] : Self.background.0
            bytes[to + 1] = isDrawn ? drawn[from + 1] : Self.background.1
            bytes[to + 2] = isDrawn ? drawn[from + 2] : Self.background.2
            (from, to) = (from + 4, to + 3)
          }
        }
        used = count
      }
    }
  }
}

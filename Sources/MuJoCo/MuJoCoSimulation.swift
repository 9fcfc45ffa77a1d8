import CMuJoCo

/// One simulation of a model; it belongs to one thread at a time.
///
/// Units are SI and radians; vectors are in the world's frame.
public final class MuJoCoSimulation {
  /// The model that is simulated.
  public let model: MuJoCoModel
  let data: UnsafeMutablePointer<mjData>
  private let jacobian: UnsafeMutablePointer<Double>
  private let velocities: Int

  /// Starts a simulation in the model's reference pose.
  public init(_ model: MuJoCoModel) {
    guard let data = mj_makeData(model.pointer) else {
      preconditionFailure("MuJoCo could not take memory for a simulation")
    }
    self.model = model
    self.data = data
    velocities = Int(model.pointer.pointee.nv)
    jacobian = .allocate(capacity: 3 * velocities)
  }

  deinit {
    mj_deleteData(data)
    jacobian.deallocate()
  }

  /// Puts everything back to the model's reference pose.
  public func reset() { mj_resetData(model.pointer, data) }

  /// Recomputes all that follows from positions, velocities and controls, without moving on.
  public func forward() { mj_forward(model.pointer, data) }

  /// Moves on by `count` steps of the integrator.
  public func step(_ count: Int) {
    for _ in 0..<count { mj_step(model.pointer, data) }
  }

  /// Simulated seconds.
  public var time: Double {
    get { data.pointee.time }
    set { data.pointee.time = newValue }
  }

  /// Generalised positions, `[nq]`.
  public var positions: UnsafeMutableBufferPointer<Double> {
    UnsafeMutableBufferPointer(
      start: data.pointee.qpos, count: Int(model.pointer.pointee.nq))
  }

  /// Generalised velocities, `[nv]`.
  public var speeds: UnsafeMutableBufferPointer<Double> {
    UnsafeMutableBufferPointer(start: data.pointee.qvel, count: velocities)
  }

  /// The actuators' controls, `[nu]`.
  public var controls: UnsafeMutableBufferPointer<Double> {
    UnsafeMutableBufferPointer(
      start: data.pointee.ctrl, count: Int(model.pointer.pointee.nu))
  }

  /// A site's position, m.
  public func sitePosition(_ site: Int) -> SIMD3<Double> { vector(data.pointee.site_xpos, site) }

  /// A site's rotation matrix, nine numbers, row by row.
  public func siteRotation(_ site: Int) -> UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(start: data.pointee.site_xmat + 9 * site, count: 9)
  }

  /// A body's position, m.
  public func bodyPosition(_ body: Int) -> SIMD3<Double> { vector(data.pointee.xpos, body) }

  /// A body's rotation as a quaternion (w, x, y, z).
  public func bodyRotation(_ body: Int) -> SIMD4<Double> {
    let q = data.pointee.xquat + 4 * body
    return SIMD4(q[0], q[1], q[2], q[3])
  }

  /// A site's linear velocity J·q̇ from its Jacobian, m/s.
  public func siteVelocity(_ site: Int) -> SIMD3<Double> {
    mj_jacSite(model.pointer, data, jacobian, nil, Int32(site))
    return timesSpeeds()
  }

  /// A site's angular velocity from its Jacobian, rad/s.
  public func siteAngularVelocity(_ site: Int) -> SIMD3<Double> {
    mj_jacSite(model.pointer, data, nil, jacobian, Int32(site))
    return timesSpeeds()
  }

  /// Where a motion-capture body is, m.
  public func mocapPosition(_ mocap: Int) -> SIMD3<Double> { vector(data.pointee.mocap_pos, mocap) }

  /// Moves a motion-capture body; the quaternion need not have length 1.
  public func setMocap(_ mocap: Int, position: SIMD3<Double>, rotation: SIMD4<Double>) {
    for k in 0..<3 { data.pointee.mocap_pos[3 * mocap + k] = position[k] }
    for k in 0..<4 { data.pointee.mocap_quat[4 * mocap + k] = rotation[k] }
  }

  /// All that the next step depends on (`mjSTATE_INTEGRATION`).
  ///
  /// Setting it also runs `forward()`: without, the next step differs in its last bits. That moves
  /// the solver's warm start, which is a part of the state, so it is put back: setting what was got
  /// is then no change at all.
  public var integrationState: [Double] {
    get {
      let length = model.integrationStateLength
      return [Double](unsafeUninitializedCapacity: length) { buffer, count in
        mj_getState(
          model.pointer, data, buffer.baseAddress, UInt32(mjSTATE_INTEGRATION.rawValue))
        count = length
      }
    }
    set {
      put(newValue)
      forward()
      put(newValue)
    }
  }

  /// Puts a state back and moves on by one step of the integrator.
  ///
  /// What `forward()` computes is left as that step leaves it: as it was at the step's start.
  public func step(from state: [Double]) {
    put(state)
    step(1)
  }

  private func put(_ state: [Double]) {
    precondition(
      state.count == model.integrationStateLength,
      "a state has \(model.integrationStateLength) numbers, found \(state.count)")
    mj_setState(model.pointer, data, state, UInt32(mjSTATE_INTEGRATION.rawValue))
  }

  private func vector(_ base: UnsafeMutablePointer<Double>, _ index: Int) -> SIMD3<Double> {
    SIMD3(base[3 * index], base[3 * index + 1], base[3 * index + 2])
  }

  private func timesSpeeds() -> SIMD3<Double> {
    var result = SIMD3<Double>()
    for row in 0..<3 {
      var sum = 0.0
      for k in 0..<velocities { sum += jacobian[row * velocities + k] * data.pointee.qvel[k] }
      result[row] = sum
    }
    return result
  }
}

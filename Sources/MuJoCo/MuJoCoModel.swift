import CMuJoCo
import Glibc

/// A compiled model, shared by the simulations that run it and never changed while they do.
public final class MuJoCoModel: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<mjModel>

  /// The version of the library that was loaded, such as "3.3.0".
  public static var version: String { String(cString: mj_versionString()) }

  /// Reads and compiles an XML file; throws `MuJoCoError` with the compiler's own message.
  public init(path: String) throws {
    pointer = try MuJoCoModel.compiled(path) { mj_loadXML(path, nil, $0, $1) }
  }

  /// Compiles a model's XML; the name stands in the message of a `MuJoCoError` for a path, and
  /// `folder` is where the files lie that the XML names.
  public init(text: String, name: String, files: [String] = [], in folder: String = "") throws {
    pointer = try MuJoCoModel.compiled(name) { message, length in
      guard let specification = mj_parseXMLString(text, nil, message, length) else { return nil }
      defer { mj_deleteSpec(specification) }
      // Files are known by their names alone, so that the compiled bytes do not depend on the
      // folder.
      var known = mjVFS()
      mj_defaultVFS(&known)
      defer { mj_deleteVFS(&known) }
      for file in files { mj_addFileVFS(&known, folder, file) }
      if let model = mj_compile(specification, &known) { return model }
      strncpy(message, mjs_getError(specification), Int(length) - 1)
      return nil
    }
  }

  private static func compiled(
    _ name: String,
    by load: (UnsafeMutablePointer<CChar>, Int32) -> UnsafeMutablePointer<mjModel>?
  ) throws -> UnsafeMutablePointer<mjModel> {
    guard mj_version() == mjVERSION_HEADER else {
      throw MuJoCoError.otherVersion(built: Int(mjVERSION_HEADER), loaded: Int(mj_version()))
    }
    var message = [CChar](repeating: 0, count: 1024)
    guard
      let model = message.withUnsafeMutableBufferPointer({ buffer in
        buffer.baseAddress.flatMap { load($0, Int32(buffer.count)) }
      })
    else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw MuJoCoError.model(path: name, message: String(decoding: text, as: UTF8.self))
    }
    return model
  }

  deinit { mj_deleteModel(pointer) }

  /// Seconds of one step of the integrator.
  public var timestep: Double { pointer.pointee.opt.timestep }

  /// Numbers in `MuJoCoSimulation.integrationState`.
  public var integrationStateLength: Int {
    Int(mj_stateSize(pointer, UInt32(mjSTATE_INTEGRATION.rawValue)))
  }

  /// The compiled model as MuJoCo saves it: equal bytes mean equal physics on one version.
  public var bytes: [UInt8] {
    let size = Int(mj_sizeModel(pointer))
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      buffer.initialize(repeating: 0)
      mj_saveModel(pointer, nil, buffer.baseAddress, Int32(size))
      count = size
    }
  }

  /// The number of a body, by name.
  public func body(_ name: String) throws -> Int { try identifier("body", mjOBJ_BODY, name) }

  /// The number of a site, by name.
  public func site(_ name: String) throws -> Int { try identifier("site", mjOBJ_SITE, name) }

  /// Which of the motion-capture bodies a body is, by name.
  public func mocap(_ name: String) throws -> Int {
    let number = Int(pointer.pointee.body_mocapid[try body(name)])
    guard number >= 0 else { throw MuJoCoError.noSuchName(kind: "mocap body", name: name) }
    return number
  }

  /// Where a joint's position and velocity begin in `qpos` and `qvel`, by name.
  public func joint(_ name: String) throws -> (position: Int, velocity: Int) {
    let number = try identifier("joint", mjOBJ_JOINT, name)
    return (Int(pointer.pointee.jnt_qposadr[number]), Int(pointer.pointee.jnt_dofadr[number]))
  }

  /// The range of what each actuator is told, `[nu]`.
  public var controlRanges: [(low: Double, high: Double)] {
    let ranges: UnsafeMutablePointer<Double> = pointer.pointee.actuator_ctrlrange
    return (0..<Int(pointer.pointee.nu)).map { (ranges[2 * $0], ranges[2 * $0 + 1]) }
  }

  /// Makes every weld hold its two bodies at no offset and no rotation.
  ///
  /// Writes (0, 0, 0, 0, 0, 0, 1) to the first seven of a weld's eleven numbers, as
  /// gymnasium-robotics 1.4.2 does, and leaves the rest; call it once, before any simulation.
  public func resetWelds() {
    for i in 0..<Int(pointer.pointee.neq)
    where pointer.pointee.eq_type[i] == Int32(mjEQ_WELD.rawValue) {
      let data = pointer.pointee.eq_data + i * Int(mjNEQDATA)
      for k in 0..<7 { data[k] = k == 6 ? 1 : 0 }
    }
  }

  /// Takes back what MuJoCo has changed in 3.0 and 3.1 of how constraints are weighed and of where
  /// shapes touch; call it once, before any simulation.
  ///
  /// 1. MuJoCo softens each row of a constraint by the inverse inertia of what it holds. For a
  ///    weld's three rotations it took the bodies' inverse masses. Now it takes their inverse
  ///    rotational inertias, some thirty times as much for a hand at the end of an arm. So the hand
  ///    tilts, and is millimetres away from where it is held.
  /// 2. For a body on slides alone it counted its joints' armature, and now does not: contacts of a
  ///    block of 10⁻⁶ kg with an armature of 0.1 kg became 150,000 times as soft.
  /// 3. It now drops contacts of two boxes that are outside one box, by a hundredth, and not inside
  ///    the other. A hook that is pressed into a handle and tilts by a degree loses two of four,
  ///    and slips through.
  /// 4. Where convex shapes touch is found by other code (`nativeccd`), which is turned off.
  ///
  /// Writes `body_invweight0` of welded bodies and of bodies on slides, `dof_invweight0` of the
  /// latter, and the option.
  ///
  /// Source: what MuJoCo 2.3.7 compiles, and `efc_R` and contacts there, beside 3.0.0, 3.1.0 and
  /// 3.3.0; google-deepmind/mujoco issue 1483 and Farama-Foundation/Metaworld pull request 493 are
  /// about the first.
  public func actAsBefore3() {
    MuJoCoModel.boxesAreReplaced
    pointer.pointee.opt.disableflags |= Int32(mjDSBL_NATIVECCD.rawValue)
    let model = pointer.pointee
    for body in 0..<Int(model.nbody) where model.body_simple[body] == 2 {
      let first = Int(model.body_dofadr[body])
      var sum = 0.0
      for k in first..<first + Int(model.body_dofnum[body]) {
        model.dof_invweight0[k] = 1 / model.dof_M0[k]
        sum += model.dof_invweight0[k]
      }
      model.body_invweight0[2 * body] = sum / 3  // over x, y and z
    }
    for i in 0..<Int(model.neq) where model.eq_type[i] == Int32(mjEQ_WELD.rawValue) {
      for body in [model.eq_obj1id[i], model.eq_obj2id[i]] {
        let weights: UnsafeMutablePointer<Double> = model.body_invweight0 + 2 * Int(body)
        weights[1] = weights[0]
      }
    }
  }

  /// Replaces, once, the library's function for two boxes.
  ///
  /// The new one also knows the contacts of before 3.1, for models that ask for them. For other
  /// models it gives what MuJoCo gives.
  private static let boxesAreReplaced: Void = goalpost_replaceBoxes()

  private func identifier(_ kind: String, _ type: mjtObj, _ name: String) throws -> Int {
    let number = mj_name2id(pointer, Int32(type.rawValue), name)
    guard number >= 0 else { throw MuJoCoError.noSuchName(kind: kind, name: name) }
    return Int(number)
  }
}

import Glibc

/// What the arm's last links are, which differs from world to world.
extension SawyerModel {
  /// The file of the gripper's base, which collides by its convex hull.
  static let gripperFile = "eGripperBase.stl"

  /// The shapes that are polytopes.
  var mesh: String {
    switch hand {
    case .hook: #"<mesh name="wrist" vertex="\#(SawyerModel.wristVertices)"/>"#
    case .gripper: #"<mesh name="gripper" file="\#(SawyerModel.gripperFile)"/>"#
    case .claws, .stick: ""
    }
  }

  /// The last link: drawn as a capsule where nothing can reach it, else a polytope that collides.
  var wrist: String {
    hand == .hook
      ? #"<geom class="steel" type="mesh" mesh="wrist"/>"#
      : #"<geom class="skin" size="0.03" fromto="0 0 -0.005 0 0.035 -0.005"/>"#
  }

  /// What the hand is fixed to.
  var flange: String {
    hand == .gripper
      ? """
      <geom type="mesh" mesh="gripper" pos="0 0 0.03" rgba="0.3 0.1 0.1 1"/>
      <geom type="cylinder" size="0.035 0.014" pos="0 0 0.015" rgba="0 0 0 1"/>
      """ : #"<geom class="shell" type="cylinder" size="0.035 0.015" pos="0 0 0.02"/>"#
  }

  /// The hand.
  var held: String {
    switch hand {
    case .gripper:
      """
      <body name="hand" pos="0 0 0.12" quat="-1 0 1 0">
        <geom type="box" pos="-0.05 0 0" density="7850" size="0.005 0.055 0.005" friction="2 0.1 0.002"
          rgba="0.5 0.5 0.5 1"/>
        <body name="right_finger" pos="0 -0.05 0">
          <joint name="right" type="slide" axis="0 1 0" range="0 0.04" armature="100" damping="1000"/>
          <geom class="jaw" rgba="1 1 1 1"/>
          <body pos="0 0.003 0">
            <geom class="pad" rgba="1 1 1 1"/>
          </body>
        </body>
        <body name="left_finger" pos="0 0.05 0">
          <joint name="left" type="slide" axis="0 1 0" range="-0.03 0" armature="100" damping="1000"/>
          <geom class="jaw" rgba="0 1 1 1"/>
          <body pos="0 -0.003 0">
            <geom class="pad" rgba="0 1 1 1"/>
          </body>
        </body>
      </body>
      """
    case .claws:
      """
      <body name="hand" quat="-1 0 1 0">
        <geom type="box" size="0.01 0.04 0.01" contype="2" conaffinity="2" rgba="0.7 0.6 0.55 1"/>
        <body name="right_claw" pos="0.03 -0.03 0">
          <inertial pos="-0.01 0 0" mass="4" diaginertia="0.1 0.1 0.1"/>
          <joint name="claw" type="slide" axis="0 1 0" range="0 0.04" damping="1"/>
          <geom class="claw" size="0.025 0.005 0.02" euler="0 0 0.2"/>
        </body>
        <body name="left_claw" pos="0.03 0.03 0">
          <inertial pos="-0.01 0 0" mass="4" diaginertia="0.1 0.1 0.1"/>
          <geom class="claw" size="0.025 0.005 0.02" euler="0 0 -0.2"/>
        </body>
      </body>
      """
    case .stick:
      """
      <body name="palm" quat="-1 0 1 0">
        <geom type="box" size="0.01 0.04 0.01" contype="4" conaffinity="2" friction="1 0.005 0.001"
          rgba="0.7 0.6 0.55 1"/>
        <body name="right_finger" pos="0.01 0.015 0">
          <geom class="finger"/>
        </body>
        <body name="hand" pos="0.01 0.02 0">
          <geom class="finger"/>
        </body>
      </body>
      """
    case .hook:
      """
      <body name="hand" quat="-1 0 1 0">
        <geom class="steel" size="0.01 0.03 0.01" pos="0 0.03 0"/>
        <geom class="steel" size="0.03 0.01 0.01" pos="0.01 0.05 0"/>
      </body>
      """
    }
  }

  /// The wrist's corners: circles about its axis and arcs of 90° of its bulge, by height, which follow
  /// the convex hull of the reference's mesh to 0.3 mm in 95 % of all directions, and to 2 mm.
  private static let wristVertices: String = {
    let circles = [
      (-0.0317, 0.0399), (-0.0246, 0.0416), (-0.0213, 0.0407), (0.0242, 0.0399), (0.0306, 0.0247),
    ]
    let arcs = [(-0.0238, 0.0425), (-0.0228, 0.0428), (0.018, 0.0417), (0.0243, 0.0409)]
    var corners: [(x: Double, y: Double, z: Double)] = []
    for (height, radius) in circles {
      for k in 0..<24 {
        let angle = Double(k) * .pi / 12
        corners.append((radius * cos(angle), radius * sin(angle), height))
      }
    }
    for (height, radius) in arcs {
      for k in 0...8 {
        let angle = .pi / 4 + Double(k) * .pi / 16
        corners.append((radius * cos(angle), 0.0251 + radius * sin(angle), height))
      }
    }
    // Whole units of 10 µm, so that the text does not depend on a mathematical library's last bits.
    return corners.flatMap { [$0.x, $0.y, $0.z] }
      .map { "\((($0 * 1e5).rounded() / 1e5))" }.joined(separator: " ")
  }()
}

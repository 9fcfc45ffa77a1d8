/// The arm's last links, which differ from world to world.
extension SawyerModel {
  /// The file of the mesh that collides by its convex hull, if the hand has one that can touch
  /// something.
  var meshFile: String? {
    switch hand {
    case .hook: "l6.stl"
    case .gripper: "eGripperBase.stl"
    case .claws, .stick: nil
    }
  }

  /// That mesh.
  var mesh: String { meshFile.map { #"<mesh name="hull" file="\#($0)"/>"# } ?? "" }

  /// The last link: drawn as a capsule if nothing can reach it, else by the mesh that collides.
  var wrist: String {
    hand == .hook
      ? #"<geom class="steel" type="mesh" mesh="hull"/>"#
      : #"<geom class="skin" size="0.03" fromto="0 0 -0.005 0 0.035 -0.005"/>"#
  }

  /// The body that the hand is fixed to.
  var flange: String {
    hand == .gripper
      ? """
      <geom type="mesh" mesh="hull" pos="0 0 0.03" rgba="0.3 0.1 0.1 1"/>
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
}

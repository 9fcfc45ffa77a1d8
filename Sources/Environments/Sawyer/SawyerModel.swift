import MuJoCo

/// The Sawyer arm as a model of our own.
///
/// Its kinematics, masses, inertias, joint limits and colliding shapes have the numbers of
/// multiworld's models. Its visible shapes are capsules.
///
/// A mocap body is welded to the hand, which follows it. Colliding shapes are spheres, cylinders
/// and boxes. Only the wrist and the gripper's base collide by their meshes, if they can touch
/// something. The meshes are the references' files, which PyPI metaworld 3.1.1 carries. What stands
/// still has its mass too, as MuJoCo counts from the whole robot's middle: with that the physics is
/// the references' to the last bit.
///
/// The references ran on MuJoCo 1.5 to 2.1, by mujoco-py. `MuJoCoModel.actAsBefore3` undoes what
/// MuJoCo 3 changed in the weights of constraints and the places of contacts. Without it the hand
/// was held elsewhere, a hook slipped through the handle that it pulls, and blocks touched more
/// softly. `scripts/compare-sawyer` shows how far all this is from MuJoCo 2.3.7, the oldest that it
/// can be run on.
///
/// Source: github.com/vitchyr/multiworld at 12a05bf, `envs/assets/sawyer_xyz` (the same files are
/// in github.com/YangRui2015/AWGCSL at d8f1c56 and github.com/dibyaghosh/gcsl at cfae560); the
/// gripper's are those of github.com/suraj-nair-1/goal_aware_prediction at 2eb5bc2.
struct SawyerModel {
  /// The tool at an arm's flange.
  enum Hand {
    case claws, hook, stick, gripper
  }

  /// Seconds of one step of the integrator.
  let timestep: Double
  /// More attributes of the simulator's options.
  let options: String
  /// How shapes touch: `solref`, `solimp` and `margin` of those that do not say otherwise.
  let contacts: String
  /// Time constant of the weld that holds the hand, s.
  let weldTime: Double
  /// Ranges of the arm's joints 0, 1 and 6, rad.
  let ranges: (String, String, String)
  let hand: Hand
  /// The table and what stands on it.
  let things: String
  /// Motors, if there are some.
  var motors = ""

  /// How the shapes of multiworld's models touch, with a margin in m.
  static func contacts(margin: Double) -> String {
    #"solref="0.008 1" solimp="0.95 0.95 0.01" margin="\#(margin)""#
  }

  /// The model, compiled, as the references' MuJoCo runs it.
  func load(name: String) throws -> MuJoCoModel {
    let folder = meshFile == nil ? "" : try ModelFiles.path("metaworld")
    let files = meshFile.map { [$0] } ?? []
    let model = try MuJoCoModel(text: text, name: name, files: files, in: folder)
    model.actAsBefore3()
    return model
  }

  /// The model, as MJCF.
  private var text: String {
    """
    <mujoco model="sawyer">
      <compiler angle="radian" autolimits="false"/>
      <option timestep="\(timestep)" iterations="50" \(options)/>
      <visual>
        <headlight ambient="0.5 0.5 0.5"/>
      </visual>
      <asset>
        <texture type="skybox" builtin="gradient" rgb1="0.8 1 1" rgb2="0.6 1 1" width="32" height="32"/>
        \(mesh)
      </asset>
      <default>
        <joint limited="true" damping="10" armature="0.1"/>
        <geom \(contacts)/>
        <default class="shell">
          <geom rgba="0.6 0.1 0.1 1"/>
        </default>
        <default class="hidden">
          <geom group="3"/>
        </default>
        <default class="skin">
          <geom type="capsule" contype="0" conaffinity="0" rgba="0.6 0.1 0.1 1"/>
        </default>
        <default class="steel">
          <geom type="box" contype="2" conaffinity="2" rgba="0.2 0.2 0.2 1"/>
        </default>
        <default class="claw">
          <geom type="box" contype="2" conaffinity="2" condim="4" friction="1 0.05 0.01" rgba="0 0.7 0 1"/>
        </default>
        <default class="finger">
          <geom type="box" size="0.05 0.005 0.005" contype="4" conaffinity="2"
            friction="0.001 0.005 0.0001" rgba="0 0.7 0 1"/>
        </default>
        <default class="jaw">
          <geom type="box" condim="4" margin="0.001" size="0.045 0.003 0.015"/>
          <default class="pad">
            <geom solimp="0.9 0.9 0.01" solref="0.01 1" friction="2 0.1 0.002"/>
          </default>
        </default>
        <default class="block">
          <geom type="box" size="0.06 0.06 0.06" solimp="0.99 0.99 0.01" solref="0.01 1" condim="4"/>
          <joint type="slide" range="-0.3 0.3" damping="0.00001"/>
        </default>
        <default class="slope">
          <geom type="box" contype="2" conaffinity="2" friction="0.1 0.005 0.0001" group="3"/>
        </default>
        <default class="frame">
          <geom type="box" contype="0" conaffinity="0" rgba="0.35 0.22 0.12 1"/>
        </default>
      </default>
      <equality>
        <weld body1="mocap" body2="hand" solref="\(weldTime) 1" anchor="0 0 0" relpose="0 0 0 1 0 0 0"/>
      </equality>
      <worldbody>
        <body name="base">
          <body name="controller_box">
            <inertial pos="-0.325 0 -0.38" mass="46.64" diaginertia="1.71363 1.27988 0.809981"/>
            <geom class="hidden" type="box" size="0.11 0.2 0.265" pos="-0.325 0 -0.38"/>
          </body>
          <body name="feet">
            <inertial pos="-0.1225 0 -0.758" mass="167.09" diaginertia="8.16095 9.59375 15.0785"/>
          </body>
          <body name="torso">
            <inertial pos="0 0 0" mass="0.0001" diaginertia="1e-08 1e-08 1e-08"/>
          </body>
          <body name="pedestal">
            <inertial pos="0 0 0" quat="0.659267 -0.259505 -0.260945 0.655692" mass="60.864"
              diaginertia="6.0869 5.81635 4.20915"/>
            <geom class="shell" type="cylinder" size="0.18 0.31" pos="-0.02 0 -0.29"/>
          </body>
          \(arm)
        </body>
        <body name="mocap" mocap="true"/>
        \(things)
      </worldbody>
      <actuator>
        \(motors)
      </actuator>
    </mujoco>
    """
  }

  /// The links, each turning about its own z.
  private var arm: String {
    """
    <body name="arm_base">
      <inertial pos="-0.0006241 -2.8025e-05 0.065404" quat="-0.209285 0.674441 0.227335 0.670558"
        mass="2.0687" diaginertia="0.00740351 0.00681776 0.00672942"/>
      <geom class="shell" type="cylinder" size="0.08 0.12" pos="0 0 0.12"/>
      <body name="link0" pos="0 0 0.08">
        <inertial pos="0.024366 0.010969 0.14363" quat="0.894823 0.00899958 -0.170275 0.412573"
          mass="5.3213" diaginertia="0.0651588 0.0510944 0.0186218"/>
        <joint name="joint0" axis="0 0 1" range="\(ranges.0)"/>
        <geom class="shell" size="0.07" pos="0.08 0 0.23"/>
        <geom class="skin" size="0.065" fromto="0 0 0.05 0.06 0 0.22"/>
        <body name="head" pos="0 0 0.2965">
          <inertial pos="0.0053207 -2.6549e-05 0.1021" quat="0.999993 7.08405e-05 -0.00359857 -0.000626247"
            mass="1.5795" diaginertia="0.0118334 0.00827089 0.00496574"/>
          <geom class="hidden" size="0.18" pos="0 0 0.08"/>
          <geom class="skin" type="ellipsoid" size="0.05 0.12 0.09" pos="0.03 0 0.1"/>
          <body name="screen" pos="0.03 0 0.105" quat="0.5 0.5 0.5 0.5">
            <inertial pos="0 0 0" mass="0.0001" diaginertia="1e-08 1e-08 1e-08"/>
            <geom class="hidden" size="0.001"/>
          </body>
        </body>
        <body name="torso_frame" pos="-0.055 0 0.22" quat="0.707107 0 -0.707107 0">
          <inertial pos="0 0 0" mass="0.0001" diaginertia="1e-08 1e-08 1e-08"/>
        </body>
        <body name="link1" pos="0.081 0.05 0.237" quat="0.5 -0.5 0.5 0.5">
          <inertial pos="-0.0030849 -0.026811 0.092521" quat="0.424888 0.891987 0.132364 -0.0794296"
            mass="4.505" diaginertia="0.0224339 0.0221624 0.0097097"/>
          <joint name="joint1" axis="0 0 1" range="\(ranges.1)"/>
          <geom class="shell" size="0.07" pos="0 0 0.1225"/>
          <geom class="skin" size="0.06" fromto="0 0 0.1225 0 -0.14 0.1225"/>
          <body name="link2" pos="0 -0.14 0.1425" quat="0.707107 0.707107 0 0">
            <inertial pos="-0.00016044 -0.014967 0.13582" quat="0.707831 -0.0524761 0.0516007 0.702537"
              mass="1.745" diaginertia="0.0257928 0.025506 0.00292515"/>
            <joint name="joint2" axis="0 0 1" range="-3.0426 3.0426"/>
            <geom class="shell" type="cylinder" size="0.06 0.17" pos="0 0 0.08"/>
            <body name="link3" pos="0 -0.042 0.26" quat="0.707107 -0.707107 0 0">
              <inertial pos="-0.0048135 -0.0281 -0.084154" quat="0.902999 0.385391 -0.0880901 0.168247"
                mass="2.5097" diaginertia="0.0102404 0.0096997 0.00369622"/>
              <joint name="joint3" axis="0 0 1" range="-3.0439 3.0439"/>
              <geom class="shell" size="0.06" pos="0 -0.01 -0.12"/>
              <geom class="skin" size="0.05" fromto="0 0 0 0 -0.02 -0.12"/>
              <geom class="skin" size="0.05" fromto="0 -0.02 -0.1265 0 -0.11 -0.1265"/>
              <body name="link4" pos="0 -0.125 -0.1265" quat="0.707107 0.707107 0 0">
                <inertial pos="-0.0018844 0.0069001 0.1341" quat="0.803612 0.031257 -0.0298334 0.593582"
                  mass="1.1136" diaginertia="0.0136549 0.0135493 0.00127353"/>
                <joint name="joint4" axis="0 0 1" range="-2.9761 2.9761"/>
                <geom class="shell" type="cylinder" size="0.045 0.15" pos="0 0 0.11"/>
                <body name="arm_frame" pos="-0.055 0 0.075" quat="0.707107 0 -0.707107 0">
                  <inertial pos="0 0 0" mass="0.0001" diaginertia="1e-08 1e-08 1e-08"/>
                </body>
                <body name="link5" pos="0 0.031 0.275" quat="0.707107 -0.707107 0 0">
                  <inertial pos="0.0061133 -0.023697 0.076416" quat="0.404076 0.9135 0.0473125 0.00158335"
                    mass="1.5625" diaginertia="0.00474131 0.00422857 0.00190672"/>
                  <joint name="joint5" axis="0 0 1" range="-2.9761 2.9761"/>
                  <geom class="shell" size="0.06" pos="0 0 0.1"/>
                  <geom class="skin" size="0.045" fromto="0 0 0 0 0 0.1"/>
                  <geom class="skin" size="0.04" fromto="0 0 0.1053 0 -0.09 0.1053"/>
                  <body name="link6" pos="0 -0.11 0.1053" quat="0.0616248 0.06163 -0.704416 0.704416">
                    <inertial pos="-8.0726e-06 0.0085838 -0.0049566" quat="0.479044 0.515636 -0.513069 0.491322"
                      mass="0.3292" diaginertia="0.000360258 0.000311068 0.000214974"/>
                    <joint name="joint6" axis="0 0 1" range="\(ranges.2)"/>
                    \(wrist)
                    <geom class="shell" type="cylinder" size="0.055 0.025" pos="0 0.015 -0.01"/>
                    <body name="flange" pos="0 0 0.0245" quat="0.707107 0 0 0.707107">
                      <inertial pos="1e-08 1e-08 1e-08" quat="0.820473 0.339851 -0.17592 0.424708"
                        mass="1e-08" diaginertia="1e-08 1e-08 1e-08"/>
                      \(flange)
                      \(held)
                    </body>
                  </body>
                </body>
                <body name="link4_end">
                  <inertial pos="1e-08 1e-08 1e-08" quat="0.820473 0.339851 -0.17592 0.424708"
                    mass="1e-08" diaginertia="1e-08 1e-08 1e-08"/>
                </body>
              </body>
            </body>
            <body name="link2_end">
              <inertial pos="1e-08 1e-08 1e-08" quat="0.820473 0.339851 -0.17592 0.424708"
                mass="1e-08" diaginertia="1e-08 1e-08 1e-08"/>
            </body>
          </body>
          <body name="link1_end">
            <inertial pos="1e-08 1e-08 1e-08" quat="0.820473 0.339851 -0.17592 0.424708"
              mass="1e-08" diaginertia="1e-08 1e-08 1e-08"/>
            <geom class="shell" type="cylinder" size="0.07 0.07" pos="0 0 0.035"/>
          </body>
        </body>
      </body>
    </body>
    """
  }
}

import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Files as people have them: several keys, short episodes, other layouts; what is bad is one
/// sentence.
struct ForeignInputTests {
  private let tools: ConversionTests

  init() throws {
    tools = try ConversionTests()
    try tools.makeFolder("in")
  }

  private func path(_ name: String) -> String { tools.url(name).path }

  private func members(_ format: String, _ name: String) throws {
    try FileManager.default.createDirectory(
      at: tools.url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    _ = try PythonReference.run(
      "members_reference.py", arguments: ["write", format, path(name)])
  }

  private func formats(_ arguments: String...) throws {
    _ = try PythonReference.run("formats_reference.py", arguments: arguments)
  }

  private func hdf5(_ arguments: String...) throws {
    _ = try PythonReference.run("hdf5_reference.py", arguments: arguments)
  }

  /// The message of a conversion that is refused.
  private func refusal(
    _ input: String, _ change: (inout DatasetConversion.Request) -> Void = { _ in }
  ) -> String {
    do {
      try tools.convert(input, to: "refused", change)
      return "it was converted"
    } catch {
      return "\(error)"
    }
  }

  private func train(_ data: String, _ learner: String, _ settings: [String: JSONValue] = [:])
    throws
    -> Int
  {
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [path(data)]
    configuration.updates = 2
    configuration.settings = settings
    return try OfflineTraining.run(configuration, in: tools.url("run-\(data)-\(learner)")).updates
  }

  // MARK: - Several keys

  @Test func observationsAreJoinedInTheOrderThatIsSaid() throws {
    try members("robomimic", "in/a.hdf5")
    let message = refusal("in/a.hdf5")
    #expect(message.contains("agentview_image, alone, object, robot0_eef_pos"))
    #expect(message.contains("--observation-keys alone,object,robot0_eef_pos"))
    let report = try tools.convert("in/a.hdf5", to: "ours") {
      $0.observationKeys = ["robot0_eef_pos", "object"]
      $0.goalKeys = ["object"]
    }[0]
    #expect(report.notes.assumed.contains { $0.hasPrefix("observations: robot0_eef_pos, object") })
    let manifest = try Dataset(at: tools.url("ours")).manifest
    #expect(
      manifest.conversion?.options == [
        "observation-keys": "robot0_eef_pos,object", "goal-keys": "object",
      ])
    #expect(manifest.task.spec.observation == 5 && manifest.task.spec.goal == 3)
    #expect(manifest.task.goalIndices == [2, 3, 4])
    // The goal is the object, which stands last.
    let states = try tools.rows("ours", "observations").doubles(0..<1)
    #expect(Array(states[2...]) == (try tools.rows("ours", "achieved_goals").doubles(0..<1)))
    #expect(
      refusal("in/a.hdf5") { $0.observationKeys = ["none"] }.contains("'obs/none' is missing"))
    #expect(
      refusal("in/a.hdf5") { $0.observationKeys = ["agentview_image"] }.contains("are pictures"))
    #expect(try train("ours", "gcsl", ["originalGoals": 0]) == 2)
    let goalless = #expect(throws: ExperimentError.self) { try train("ours", "wgcsl") }
    #expect("\(goalless.map { "\($0)" } ?? "")".contains("--set originalValueGoals=0"))
    #expect(try train("ours", "wgcsl", ["originalValueGoals": 0]) == 2)
  }

  @Test func nestedGoalsAreNamedAndJoined() throws {
    try members("minari", "in/test/a-v0")
    let plain = try tools.convert("in/test/a-v0", to: "plain")[0]
    #expect(
      plain.notes.assumed.contains {
        $0.contains("have several parts (kettle, microwave)")
          && $0.contains("--goal-keys kettle,microwave")
      })
    try tools.convert("in/test/a-v0", to: "ours") { $0.goalKeys = ["microwave", "kettle"] }
    let manifest = try Dataset(at: tools.url("ours")).manifest
    #expect(manifest.task.spec.goal == 3)
    #expect(try tools.rows("ours", "desired_goals").rows == 3)
    #expect(manifest.columns["successes"]?.origin == .native)
    #expect(try tools.rows("ours", "extra/time").axis == .steps)
    #expect(manifest.task.spec.action == .continuous(low: [-9, -9], high: [9, 1e6]))
    // Groups of several extras go out and come back.
    try tools.convert("plain", to: "out/test/a-v0") {
      $0.to = "minari"
    }
    try tools.convert("out/test/a-v0", to: "back")
    for name in ["extra/deep/qpos", "extra/deep/qvel", "extra/achieved_goal/kettle"] {
      let (found, given) = (try tools.rows("back", name), try tools.rows("plain", name))
      withExtendedLifetime((found, given)) { #expect(found.bytes.elementsEqual(given.bytes)) }
    }
  }

  // MARK: - Ends of episodes

  @Test func episodesOfOneRowAreLeftOut() throws {
    try members("d4rl-v0", "in/d.hdf5")
    let report = try tools.convert("in/d.hdf5", to: "d") { $0.goalIndices = [0, 1] }[0]
    #expect(report.episodes == 2 && report.steps == 5)
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("1 of 3 episodes, which have one row") && $0.contains("first row 4")
      })
    #expect(try tools.rows("d", "extra/qpos").rows == 7)
    // At row 4 a terminal ends the episode of one row; the timeouts end it too.
    let other = try tools.convert("in/d.hdf5", to: "terminals") {
      $0.ends = "terminals"
      $0.goalIndices = [0, 1]
    }[0]
    #expect(other.episodes == 2 && other.steps == 4 + 2)
    #expect(other.notes.lost.contains { $0.hasPrefix("timeouts of 2 rows inside of episodes") })
    #expect(refusal("in/d.hdf5") { $0.ends = "never" }.contains("--ends takes timeouts"))
    try formats("write_sb2", path("in/s.npz"))
    #expect(
      refusal("in/s.npz") { $0.ends = "both" }.contains("--ends is for d4rl, and this is sb2-npz"))
  }

  @Test func badEpisodesAreLeftOutByName() throws {
    try hdf5("write_minari", path("in/test/a-v0"), "chunked")
    let file = path("in/test/a-v0/data/main_data.hdf5")
    try hdf5("shorten", file, "episode_1/observations/observation")
    try hdf5("put", file, "episode_2/observations/observation", "0", "nan")
    #expect(refusal("in/test/a-v0").contains("must be [2, 5], found [1, 5]"))
    let report = try tools.convert("in/test/a-v0", to: "ours") { $0.skipsBad = true }[0]
    #expect(report.episodes == 1 && report.steps == 4)
    #expect(
      report.notes.lost.contains {
        $0.contains("episode_1 ('episode_1/observations/observation' must be [2, 5], found [1, 5])")
      })
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("1 of 2 episodes with numbers that are not finite")
      })
  }

  @Test func whatIsNotFiniteOrOutsideIsCounted() throws {
    try hdf5("write_walk", path("in/w.hdf5"))
    try hdf5("put", path("in/w.hdf5"), "observations", "70", "nan")
    try hdf5("put", path("in/w.hdf5"), "actions", "31", "inf")
    let report = try tools.convert("in/w.hdf5", to: "w")[0]
    #expect(
      report.notes.found.contains {
        $0.hasPrefix(
          "3 of the numbers of observations are not finite, first in episode 2, state 10")
      })
    #expect(
      report.notes.found.contains {
        $0.hasPrefix("2 of the numbers of actions are not finite, first in episode 1, step 1")
      })
    #expect(
      report.notes.assumed.contains(
        "actions lie between -1 and 1, as all of these do but the 2 numbers that are not finite"))
    // In a world of ours.
    try formats("write_arrays", path("in/a"), "1")
    try formats("set_action", path("in/a/action.npy"), "5", "-2.5")
    let known = try tools.convert("in/a", to: "a") { $0.environment = "fetch-reach" }[0]
    #expect(
      known.notes.found == [
        "1 of 9 actions lie outside of the world's action space, -1 to 1, first in episode 1, step 1: -2.5; "
          + "kept as they are, and `goalpost verify` calls them broken: --clip-actions clips them"
      ])
  }

  @Test func actionsAreClippedIfAskedFor() throws {
    try formats("write_arrays", path("in/a"), "1")
    for (row, value) in [("5", "-2.5"), ("6", "1e9"), ("7", "nan")] {
      try formats("set_action", path("in/a/action.npy"), row, value)
    }
    let words = { (whose: String) in
      "2 of 9 actions, which lay outside of \(whose), are clipped to it, as --clip-actions says, first in "
        + "episode 1, step 1: -2.5"
    }
    try tools.convert("in/a", to: "kept") { $0.goalLength = 3 }
    let kept = try tools.rows("kept", "actions").doubles()
    #expect(kept[20] == -2.5 && kept[24] == 1e9)
    let expected = kept.map { $0.isNaN ? $0 : min(max($0, -1), 1) }
    for (name, environment, whose) in [
      ("known", "fetch-reach" as String?, "the world's action space"), ("unknown", nil, "-1 to 1"),
    ] {
      let report = try tools.convert("in/a", to: name) {
        $0.goalLength = 3
        $0.environment = environment
        $0.clipsActions = true
      }[0]
      #expect(report.notes.computed.contains(words(whose)), "\(report.notes.lines)")
      let found = try tools.rows(name, "actions").doubles()
      #expect(
        zip(found, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
          && found.count == expected.count)
      #expect(report.notes.found.allSatisfy { $0.contains("not finite") })
      #expect(
        try Dataset(at: tools.url(name)).manifest.conversion?.options["clip-actions"] == "true")
    }
    try formats("write_gcsl", path("in/g.npz"), "discrete")
    #expect(
      refusal("in/g.npz") { $0.clipsActions = true }.contains(
        "--clip-actions is for actions of numbers, and these are choices"))
  }

  /// Floats of two bytes and numbers of the other byte order are the numbers that they are.
  @Test func numpysOtherFloatsComeIn() throws {
    try formats("write_forms", path("in"))
    func columns(_ name: String) throws -> [String: TableColumn] {
      let source = try Dataset(at: tools.url(name)).source()
      return try source.table(of: 0..<source.lengths.count).columns
    }
    for ending in ["-2.pkl", "-4.pkl", "", ".npz"] {
      var plain: [String: TableColumn] = [:]
      for form in ["plain", "half", "big", "bighalf"] {
        let name = "forms-\(form)\(ending.replacing(".", with: "-"))"
        let report = try tools.convert("in/" + form + ending, to: name) { $0.goalLength = 3 }[0]
        let found = try columns(name)
        if form == "plain" { plain = found }
        #expect(found.count == plain.count && found.count >= 6)
        for (path, column) in found {
          let same = try #require(plain[path])
          #expect(
            column.type == same.type && column.bytes.elementsEqual(same.bytes), "\(name) \(path)")
        }
        let words = ["half": "f32, which were f16", "big": "f32, which were big-endian f32"][form]
        if let words {
          #expect(report.notes.computed.contains { $0.hasSuffix(words) }, "\(report.notes.lines)")
        }
      }
    }
  }

  // MARK: - Layouts

  @Test(arguments: ["ogbench-compact", "ogbench-next"])
  func ogbenchsOwnFormsHaveEveryStep(layout: String) throws {
    try members(layout, "in/o.npz")
    let report = try tools.convert("in/o.npz", to: "o")[0]
    let compact = layout == "ogbench-compact"
    #expect(report.from == "ogbench" && report.steps == (compact ? 9 : 8))
    #expect(try tools.rows("o", "rewards").rows == report.steps)
    #expect(try tools.rows("o", "extra/masks").axis == (compact ? .states : .steps))
    #expect(report.notes.assumed.contains { $0.hasPrefix("rewards are of the state before") })
    if compact { return }
    #expect(!report.notes.assumed.contains { $0.contains("dummy") })
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("next_observations inside") && $0.hasSuffix("in 1 rows")
      })
  }

  @Test func listsOfTrajectoriesComeIn() throws {
    try formats("write_trajectories", path("in/next.pkl"), "next")
    let report = try tools.convert("in/next.pkl", to: "next")[0]
    #expect(report.from == "trajectory-pickle" && report.episodes == 3 && report.steps == 8)
    let totals = try Dataset(at: tools.url("next")).manifest.totals
    #expect(totals.terminated == 1 && totals.truncated == 2)
    #expect(try train("next", "gcsl", ["originalGoals": 0]) == 2)
    try formats("write_trajectories", path("in/demos.pkl"), "none")
    let demos = try tools.convert("in/demos.pkl", to: "demos")[0]
    #expect(demos.episodes == 2 && demos.steps == 5)
    #expect(demos.notes.lost.contains("'env_infos' of 3 episodes, a dictionary"))
    #expect(demos.notes.lost.contains { $0.hasPrefix("all rows of 1 of 3 episodes") })
    #expect(
      refusal("next") {
        $0.to = "trajectory-pickle"
      }.contains("is read and not written"))
  }

  @Test(arguments: ["continuous", "discrete"])
  func stableBaselinesExpertsComeIn(kind: String) throws {
    try formats("write_sb2", path("in/expert.npz"), kind)
    let report = try tools.convert("in/expert.npz", to: "expert")[0]
    #expect(report.from == "sb2-npz" && report.episodes == 2 && report.steps == 3 + 2)
    #expect(report.notes.lost.contains { $0.contains("'episode_returns'") })
    #expect(report.notes.lost.contains { $0.contains("1 of 3 episodes, which have one row") })
    let action = try Dataset(at: tools.url("expert")).manifest.task.spec.action
    #expect(action.length == (kind == "discrete" ? 1 : 2))
  }

  @Test(arguments: ["_", "/"])
  func aHindsightBufferComesIn(separator: String) throws {
    try formats("write_her", path("in/her.npz"), separator)
    let report = try tools.convert("in/her.npz", to: "her")[0]
    #expect(report.from == "sb3-her-npz" && report.episodes == 3 && report.steps == 11)
    #expect(report.notes.lost.contains { $0.hasPrefix("1 of 12 rows of all arrays") })
    let manifest = try Dataset(at: tools.url("her")).manifest
    #expect(manifest.totals.truncated == 3 && manifest.totals.terminated == 0)
    #expect(manifest.task.goalIndices == [0, 1])
    #expect(try tools.rows("her", "desired_goals").rows == 3)
    // The episode that goes round the end is whole: its goals stay, and states follow each other.
    #expect(try Dataset(at: tools.url("her")).source().lengths == [4, 3, 4])
    #expect(report.notes.lost.count == 1, "\(report.notes.lost)")
    #expect(try train("her", "wgcsl") == 2)
  }

  // MARK: - What is not read

  @Test func picturesAreRefused() throws {
    try hdf5("write_pixels", path("in/test/p-v0"))
    #expect(refusal("in/test/p-v0").contains("are pictures of shape [4, 4, 3]"))
  }

  @Test func formatsThatAreNotReadAreNamed() throws {
    let made: [(name: String, words: String)] = [
      ("lerobot/meta/info.json", "codebase_version must be v3.0"),
      ("x.zarr/.zgroup", "is a zarr store"),
      ("rlds/dataset_info.json", "is an RLDS or TFDS dataset"),
      ("act/episode_0.hdf5", "as of ACT and ALOHA"),
      ("tables/a.parquet", "has Parquet or Arrow files"),
    ]
    for (name, words) in made {
      let url = tools.url("in/" + name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: url)
      let folder = "in/" + (name.split(separator: "/").first.map(String.init) ?? "")
      let message = refusal(folder)
      #expect(message.contains(words) && !message.contains("--from"), "\(message)")
    }
    for (name, bytes, words) in [
      ("a.gz", [0x1f, 0x8b, 8, 0] as [UInt8], "is packed with gzip"),
      ("a.parquet", Array("PAR1".utf8), "is a Parquet file, which is not read alone"),
      ("a.pkl", Array("(dp0\n.".utf8), "protocol 0 or 1"),
    ] {
      try Data(bytes).write(to: tools.url("in/" + name))
      #expect(refusal("in/" + name).contains(words))
    }
    try hdf5("write_others", path("in"))
    for (name, words) in [
      ("wm.h5", "is a file of stable-worldmodel"), ("d3.h5", "is a buffer of d3rlpy 2"),
      ("aloha.hdf5", "is an episode of ACT or ALOHA"),
      ("vd4rl.npz", "its observations are pictures"),
      ("odd.npz", "is an .npz of a, b"), ("odd.h5", "is an HDF5 file of a, b"),
    ] {
      let message = refusal("in/" + name)
      #expect(message.contains(words), "\(name): \(message)")
    }
  }

  @Test func aNameThatMayMeanSeveralFormatsSaysWhich() throws {
    try formats("write_sb2", path("in/expert.npz"))
    try tools.convert("in/expert.npz", to: "ours")
    #expect(refusalOf("ours", to: "x.npz").contains("its name may mean gcsl-npz or ogbench"))
    #expect(refusalOf("ours", to: "x.hdf5").contains("its name may mean robomimic or d4rl"))
  }

  private func refusalOf(_ input: String, to output: String) -> String {
    do {
      try tools.convert(input, to: output)
      return "it was converted"
    } catch {
      return "\(error)"
    }
  }
}

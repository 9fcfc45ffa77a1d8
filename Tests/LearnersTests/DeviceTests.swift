import GoalCore
import Replay
import Support
import Testing
import Torch

@testable import Learners

/// Learners on a CUDA device, where there is one.
struct DeviceTests {
  /// Whether a CUDA device can be had in this process.
  static let hasCUDA: Bool = (try? TorchRuntime.loadCUDA()) != nil

  @Test func devicesHaveNames() {
    #expect(Device("cpu") == .cpu && Device("cuda") == .cuda(0) && Device("cuda:1") == .cuda(1))
    #expect(Device("cuda:x") == nil && Device("gpu") == nil && Device("cpu:0") == nil)
    #expect("\(Device.cuda(1))" == "cuda:1")
  }

  @Test func anUnknownDeviceIsRefused() throws {
    let task = PointWorld.task(low: [-1, -1], high: [1, 1])
    #expect(throws: LearnerError.unknownDevice("gpu")) {
      try LearnerRegistry.entry("gcsl").make(task: task, seed: 0, device: "gpu")
    }
    if !Self.hasCUDA {
      #expect(throws: TorchError.self) {
        try LearnerRegistry.entry("gcsl").make(task: task, seed: 0, device: "cuda")
      }
    }
  }

  @Test(
    .enabled(if: hasCUDA, "there is no CUDA device here"),
    arguments: LearnerRegistry.all.map(\.identifier))
  func trainingOnADeviceIsTrainingOnTheProcessor(learner: String) throws {
    let task = PointWorld.task(low: [-1, -1], high: [1, 1])
    let replay = PointWorld.replay(task: task, episodes: 20, seed: 3)
    defer { TorchRuntime.device = .cpu }
    let weights = try ["cpu", "cuda"].map { device in
      let made = try LearnerRegistry.entry(learner).make(
        task: task, overrides: ["batchSize": 64, "hiddenWidths": [32, 32]], seed: 1, device: device)
      var batch = GoalBatch(made.scheme, spec: task.spec)
      for number in 0..<20 as Range<UInt64> {
        replay.draw(made.scheme, seed: 1, number: number, into: &batch)
        made.update(on: batch)
      }
      return made.saved().policy.flatMap(\.tensor.floats)
    }
    for (a, b) in zip(weights[0], weights[1]) { #expect(abs(a - b) < 1e-3) }
  }
}

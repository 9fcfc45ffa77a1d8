import GoalCore
import Support
import Testing

@testable import Learners

struct SettingsTests {
  private func complaint(_ overrides: [String: JSONValue]) -> String? {
    do {
      _ = try Settings.applying(overrides, to: WGCSL.Configuration())
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func givenValuesReplaceDefaultsAndOthersStay() throws {
    let changed = try Settings.applying(
      [
        "polyak": 0.95, "hiddenWidths": [64], "discount": 0.9, "rewards": "-1/0",
        "exponentialWeight": false, "normalizer": ["inputClip": 100], "bestAdvantageLimit": 50,
      ], to: WGCSL.Configuration())
    var expected = WGCSL.Configuration()
    expected.polyak = 0.95
    expected.hiddenWidths = [64]
    expected.discount = .value(0.9)
    expected.rewards = .minusOneOrZero
    expected.exponentialWeight = false
    expected.normalizer.inputClip = 100
    expected.bestAdvantageLimit = 50
    #expect(changed == expected)
    #expect(
      try Settings.applying([:], to: WGCSL.Configuration()) == WGCSL.Configuration())
  }

  @Test func errorsSayRuleAndFinding() {
    #expect(
      complaint(["normalizer": ["clip": 1]])
        == "no setting is called 'normalizer.clip'; there are: normalizer.epsilon, "
        + "normalizer.inputClip, normalizer.isOn, normalizer.outputClip")
    #expect(
      complaint(["batchSize": "big"])
        == "the setting 'batchSize' must be a whole number, found \"big\"")
    #expect(
      complaint(["batchSize": 1.5]) == "the setting 'batchSize' must be a whole number, found 1.5")
    #expect(
      complaint(["polyak": 0.5, "hiddenWidths": [64, 0.5]])
        == "the setting 'hiddenWidths' must be whole numbers, found [64, 0.5]")
    #expect(
      complaint(["polyak": true]) == "the setting 'polyak' must be a number, found true")
    #expect(
      complaint(["clipsReturn": 1]) == "the setting 'clipsReturn' must be true or false, found 1")
    #expect(
      complaint(["polyak": .number(.nan)])
        == "the setting 'polyak' must be finite, found nan")
    #expect(
      complaint(["hiddenWidths": [64, .number(.infinity)]])
        == "the setting 'hiddenWidths' must be finite, found [64, inf]")
    #expect(
      complaint(["hiddenWidths": 64]) == "the setting 'hiddenWidths' must be a list, found 64")
    #expect(
      complaint(["hiddenWidths": [64, "x"]])
        == "the setting 'hiddenWidths.1' must be a whole number, found \"x\"")
    #expect(
      complaint(["rewards": "1/2"])
        == "the setting 'rewards' must be one of 0/1, -1/0, found \"1/2\"")
    #expect(
      complaint(["discount": 1.5])
        == "the setting 'discount' must be one of \"horizon\" and a number from 0 up to below 1, "
        + "found 1.5")
    #expect(
      complaint(["normalizer": 3])
        == "the setting 'normalizer' must be a group of epsilon, inputClip, isOn, outputClip, "
        + "found 3")
    #expect(
      complaint(["learningRate": 1e-3])
        == "no setting is called 'learningRate': did you mean criticLearningRate or "
        + "policyLearningRate?")
  }

  @Test func thePapersSchedulesAreTheReferences() {
    func schedule(_ identifier: String) -> [Double] {
      let point = PointWorld.task()
      let schedule = WGCSLPreset(
        task: .init(identifier: identifier, spec: point.spec, goalIndices: [0, 1]))
      return [
        Double(schedule.batchSize), schedule.bestAdvantageStep, Double(schedule.batchesPerCycle),
        Double(schedule.updates),
      ]
    }
    #expect(schedule("fetch-reach") == [128, 0.15, 5, 2_500])
    #expect(schedule("fetch-push") == [512, 0.01, 20, 40_000])
    #expect(schedule("point-reach") == [128, 0.15, 1, 250])
    #expect(schedule("sawyer-door") == [128, 0.15, 10, 20_000])
    #expect(schedule("another") == [128, 0.1, 4, 2_000])
  }
}

// swift-tools-version: 6.2
import PackageDescription

let dependencies =
  Context.environment["GOALPOST_DEPS"] ?? Context.packageDirectory + "/../.deps"

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "goalpost", path: "..")],
  targets: [
    .systemLibrary(name: "CLines"),
    .executableTarget(
      name: "contender",
      dependencies: [
        "Experiments", "Environments", "Learners", "Torch", "Storage", "HDF5", "GoalCore",
        "Replay", "Statistics", "CTorchLibrary",
      ]
      .map { .product(name: $0, package: "goalpost") } + ["CLines"],
      swiftSettings: [.unsafeFlags(["-Xcc", "-I" + dependencies + "/mujoco/include"])]),
  ],
  swiftLanguageModes: [.v6])

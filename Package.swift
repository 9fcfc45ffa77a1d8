// swift-tools-version: 6.2
import PackageDescription

// Where `make setup` puts MuJoCo, Box2D, libtorch and the models. Only paths are named here:
// SwiftPM caches this file's result, so a look at the disk would go stale.
let dependencies = Context.environment["GOALPOST_DEPS"] ?? Context.packageDirectory + "/.deps"
let torch = Context.environment["TORCH_HOME"] ?? dependencies + "/torch"
let mujoco = dependencies + "/mujoco"
let box2d = dependencies + "/box2d"
let arrow = dependencies + "/arrow"

/// What every target of ours is compiled with.
let features: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]
let isStrict = Context.environment["GOALPOST_WARNINGS_AS_ERRORS"] == "1"
let strict = features + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// The same, for those from which the headers of MuJoCo can be reached.
let withMuJoCo = strict + [.unsafeFlags(["-Xcc", "-I" + mujoco + "/include"])]

let package = Package(
  name: "goalpost",
  products: [
    .executable(name: "goalpost", targets: ["goalpost"]),
    .library(name: "Support", targets: ["Support"]),
    .library(name: "GoalCore", targets: ["GoalCore"]),
    .library(name: "Replay", targets: ["Replay"]),
    .library(name: "Statistics", targets: ["Statistics"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Formats", targets: ["Formats"]),
    .library(name: "HDF5", targets: ["HDF5"]),
    .library(name: "Torch", targets: ["Torch"]),
    .library(name: "Learners", targets: ["Learners"]),
    .library(name: "Reporting", targets: ["Reporting"]),
    .library(name: "Environments", targets: ["Environments"]),
    .library(name: "Experiments", targets: ["Experiments"]),
    // Loaded when first needed, as libtorch takes half a second: whoever builds a product with
    // `Torch` in it builds this one too.
    .library(name: "CTorchLibrary", type: .dynamic, targets: ["CTorchLibrary"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C faces: what Swift reads of each library.
    .systemLibrary(name: "CMuJoCo"),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CEGL", linkerSettings: [.linkedLibrary("dl")]),
    .systemLibrary(name: "CPrefetch"),
    .systemLibrary(name: "CWriteback"),
    .systemLibrary(name: "CTorch"),
    .target(
      name: "CTorchLibrary",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", torch + "/include",
          "-isystem", torch + "/include/torch/csrc/api/include",
          "-O3",  // in debug builds as well: its loops are most of what tests of training wait for
        ])
      ],
      linkerSettings: [
        .unsafeFlags(["-L" + torch + "/lib", "-Xlinker", "-rpath", "-Xlinker", torch + "/lib"]),
        .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
      ]),
    .target(
      name: "CTorchVersion",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", torch + "/include",
          "-isystem", torch + "/include/torch/csrc/api/include",
        ])
      ]),
    .target(
      name: "CParquet",
      cxxSettings: [.unsafeFlags(["-isystem", arrow + "/include"])],
      linkerSettings: [
        .unsafeFlags(["-L" + arrow, "-Xlinker", "-rpath", "-Xlinker", arrow]),
        .linkedLibrary("parquet"), .linkedLibrary("arrow"),
      ]),
    .target(
      name: "CBox2D",
      cxxSettings: [.headerSearchPath("."), .unsafeFlags(["-isystem", box2d + "/include"])],
      linkerSettings: [.unsafeFlags(["-L" + box2d + "/lib"]), .linkedLibrary("box2d")]),

    // Files that appear whole, JSON, work on several threads.
    .target(
      name: "Support", dependencies: ["CCrypto", "CDeflate", "CWriteback"], swiftSettings: strict),

    // Wrappers in Swift: each the only module that sees its C face.
    .target(
      name: "MuJoCo", dependencies: ["CMuJoCo", "CEGL"], swiftSettings: withMuJoCo,
      linkerSettings: [
        .unsafeFlags(["-L" + mujoco + "/lib", "-Xlinker", "-rpath", "-Xlinker", mujoco + "/lib"])
      ]),
    .target(name: "Box2D", dependencies: ["CBox2D"], swiftSettings: strict),
    .target(name: "HDF5", dependencies: ["Support", "CHDF5"], swiftSettings: strict),
    .target(
      name: "Torch", dependencies: ["Support", "CTorch", "CTorchVersion"], swiftSettings: strict),
    .target(name: "Parquet", dependencies: ["CParquet"], swiftSettings: strict),

    // The vocabulary, and what is usable without MuJoCo and libtorch.
    .target(name: "GoalCore", dependencies: ["Support"], swiftSettings: strict),
    .target(name: "Statistics", dependencies: ["GoalCore"], swiftSettings: strict),
    .target(
      name: "Replay", dependencies: ["Support", "GoalCore", "CPrefetch"], swiftSettings: strict),
    // HDF5 files of others, which may be damaged or hostile, read without the library.
    .target(name: "SafeHDF5", dependencies: ["Support", "HDF5"], swiftSettings: strict),
    .target(
      name: "Storage", dependencies: ["Support", "GoalCore", "HDF5"], swiftSettings: strict),
    .target(
      name: "Formats",
      dependencies: ["Support", "GoalCore", "HDF5", "SafeHDF5", "Parquet", "Storage"],
      swiftSettings: strict),

    // Tables, figures, films and what is said on a terminal.
    .target(
      name: "Reporting", dependencies: ["Support", "GoalCore", "Statistics"],
      swiftSettings: strict),

    // Worlds, learners, and what is done with them.
    .target(
      name: "Environments", dependencies: ["Support", "GoalCore", "MuJoCo", "Box2D"],
      swiftSettings: withMuJoCo),
    .target(
      name: "Learners", dependencies: ["Support", "GoalCore", "Replay", "Torch"],
      swiftSettings: strict),
    .target(
      name: "Experiments",
      dependencies: [
        "Support", "GoalCore", "Statistics", "Reporting", "Replay", "Storage", "Formats",
        "Environments", "Learners",
        .product(name: "Yams", package: "Yams"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: withMuJoCo),
    .executableTarget(
      name: "goalpost",
      dependencies: [
        "Experiments", "Reporting", "Support",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: withMuJoCo),

    // Tests mirror Sources.
    .target(
      name: "TestSupport", dependencies: ["GoalCore", "Support"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "SupportTests", dependencies: ["Support", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "GoalCoreTests", dependencies: ["GoalCore", "Support", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics", "GoalCore", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ReplayTests", dependencies: ["Replay", "GoalCore", "Support"], swiftSettings: strict),
    .testTarget(
      name: "StorageTests",
      dependencies: ["Storage", "HDF5", "GoalCore", "Support", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "HDF5Tests", dependencies: ["HDF5", "Support", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MuJoCoTests", dependencies: ["MuJoCo", "TestSupport"], swiftSettings: withMuJoCo),
    .testTarget(name: "Box2DTests", dependencies: ["Box2D"], swiftSettings: strict),
    .testTarget(
      name: "SafeHDF5Tests",
      dependencies: ["SafeHDF5", "HDF5", "Formats", "Storage", "Support", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FormatsTests",
      dependencies: [
        "Formats", "SafeHDF5", "Storage", "HDF5", "GoalCore", "Support", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TorchTests", dependencies: ["Torch", "Support", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LearnersTests",
      dependencies: ["Learners", "Torch", "Replay", "GoalCore", "Support", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "EnvironmentsTests",
      dependencies: ["Environments", "MuJoCo", "GoalCore", "Support", "TestSupport"],
      swiftSettings: withMuJoCo),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Experiments", "Environments", "Learners", "Reporting", "Formats", "Storage", "HDF5",
        "Replay", "Statistics", "GoalCore", "Torch", "Support", "TestSupport",
      ],
      swiftSettings: withMuJoCo),
    // The code that Documentation/Package.md and Documentation/Adding.md show.
    .testTarget(
      name: "Samples",
      dependencies: [
        "Experiments", "Environments", "Learners", "Formats", "Storage", "HDF5", "Replay",
        "Statistics", "GoalCore", "Torch", "Support", "TestSupport",
      ],
      path: "Tests/Samples", swiftSettings: withMuJoCo),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "goalpost", "Reporting", "Formats", "GoalCore", "Learners", "Support", "TestSupport",
      ],
      swiftSettings: withMuJoCo
    ),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20)

import GoalCore
import Testing

@testable import Environments

/// Of what Fetch's pictures leave out, the cross at its hand alone would be seen.
struct FetchPictureTests {
  @Test(arguments: ["fetch-reach", "fetch-push", "fetch-pick-and-place", "fetch-slide"])
  func hiddenPartsAreHidden(identifier: String) throws {
    let made = try EnvironmentRegistry.world(identifier).load().makeEnvironment()
    let environment = try #require(made as? Fetch)
    let (usual, whole) = (environment.studio, Studio(without: ["robot0:mocap"]))
    // Into each corner of the space and on at random.
    for corner in 0..<8 {
      _ = environment.reset(seed: UInt64(corner))
      var generator = Philox(seed: 1, purpose: 1, index: UInt64(corner))
      for step in 0..<30 {
        let action: [Float] = (0..<4).map { part in
          step < 20 && part < 3
            ? (corner >> part & 1 == 0 ? -1 : 1) : Float(generator.uniform(-1, 1))
        }
        _ = environment.step(.continuous(action))
        guard step % 10 == 9 else { continue }
        let pictures = try [usual, whole].map { studio in
          environment.studio = studio
          return try environment.picture(width: 480, height: 480)
        }
        #expect(pictures[0].bytes == pictures[1].bytes, "corner \(corner), step \(step)")
      }
    }
  }

  @Test func aPartThatIsSeenIsMissed() throws {
    let made = try EnvironmentRegistry.world("fetch-push").load().makeEnvironment()
    let environment = try #require(made as? Fetch)
    _ = environment.reset(seed: 1)
    let picture = try environment.picture(width: 240, height: 240)
    environment.studio = Studio(without: ["object0"])
    #expect(try environment.picture(width: 240, height: 240).bytes != picture.bytes)
  }
}

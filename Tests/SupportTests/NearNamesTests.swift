import Testing

@testable import Support

struct NearNamesTests {
  @Test func nearNamesAreSuggested() {
    let known = ["fetch-reach", "fetch-push", "hand-reach"]
    #expect(NearNames.of("fetch-pusch", among: known).first == "fetch-push")
    #expect(NearNames.of("push", among: known) == ["fetch-push"])
    #expect(NearNames.of("zzzzzz", among: known).isEmpty)
    #expect(NearNames.distance(Array("kitten"), Array("sitting")) == 3)
  }
}

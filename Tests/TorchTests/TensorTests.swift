import Testing

@testable import Torch

struct TensorTests {
  @Test func valuesComeBackAsTheyWent() {
    #expect(Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]).floats == [1, 2, 3, 4, 5, 6])
    #expect(Tensor([1, -2] as [Int64], shape: [2]).values(as: Int64.self) == [1, -2])
    #expect(Tensor([7] as [Int32], shape: [1]).elementType == .int32)
    #expect(Tensor(2.5).values(as: Double.self) == [2.5])
    #expect(Tensor([] as [Float], shape: [0, 3]).shape == [0, 3])
    #expect(Tensor([] as [Float], shape: [0, 3]).floats == [])
    #expect(Tensor.zeros([2]).floats == [0, 0])
  }

  @Test func memoryIsFilledInPlace() {
    let tensor = Tensor(shape: [2, 2]) { memory in
      for k in memory.indices { memory[k] = Float(k) }
    }
    #expect(tensor.floats == [0, 1, 2, 3])
  }

  @Test func operatorsDoWhatTheirNamesSay() {
    let a = Tensor([1, -2, 3] as [Float], shape: [3])
    let b = Tensor([2, 2, 2] as [Float], shape: [3])
    #expect((a + b).floats == [3, 0, 5])
    #expect((a - b).floats == [-1, -4, 1])
    #expect((a * b).floats == [2, -4, 6])
    #expect((a / b).floats == [0.5, -1, 1.5])
    #expect((a + 1).floats == [2, -1, 4])
    #expect((a * 3).floats == [3, -6, 9])
    #expect(a.rectified().floats == [1, 0, 3])
    #expect(a.clamped(to: -1...2).floats == [1, -1, 2])
    #expect(a.squared().sum().float == 14)
    #expect(a.mean().float == 2 / Float(3))
    #expect(Tensor.concatenated([a, b], along: 0).rows(2..<4).floats == [3, 2])
    #expect(a.reshaped([3, 1]).matrixProduct(b.reshaped([1, 3])).shape == [3, 3])
  }

  @Test func copiesAreApartAndAssignmentsAreSeen() {
    let a = Tensor([1, 2] as [Float], shape: [2])
    let same = a
    let copy = a.copied()
    a.assign(Tensor([5, 6] as [Float], shape: [2]))
    #expect(same.floats == [5, 6])
    #expect(copy.floats == [1, 2])
  }

  @Test func averagesMoveTowardsTheirSources() {
    let target = Tensor([0, 10] as [Float], shape: [2])
    Tensor.average([target], towards: [Tensor([10, 0] as [Float], shape: [2])], keep: 0.9)
    #expect(abs(target.floats[0] - 1) < 1e-6)
    #expect(abs(target.floats[1] - 9) < 1e-6)
  }

  @Test func anyOperatorCanBeCalled() throws {
    let full = Op("full")
    #expect(full(.integers([2, 2]), 1.5).floats == [1.5, 1.5, 1.5, 1.5])
    let x = Tensor([3, 1, 2] as [Float], shape: [3])
    let sorted = try Op("sort").results(of: [.tensor(x)])
    #expect(sorted[0].floats == [1, 2, 3])
    #expect(sorted[1].values(as: Int64.self) == [1, 2, 0])
    #expect(Op("zeros")(.integers([1]), 6, nil, .device(.cpu)).floats == [0])
  }

  @Test func errorsCarryLibtorchsText() throws {
    let a = Tensor([1, 2] as [Float], shape: [1, 2])
    let error = #expect(throws: TorchError.self) {
      try Op("matmul").results(of: [.tensor(a), .tensor(a)])
    }
    #expect(error?.description == "mat1 and mat2 shapes cannot be multiplied (1x2 and 1x2)")
    #expect(throws: TorchError.self) { try Op("matmul").results(of: [.tensor(a)]) }
  }

  @Test func theLoadedLibraryIsTheOneBuiltFor() throws {
    try TorchRuntime.start()
    #expect(TorchRuntime.version.split(separator: ".").count >= 3)
  }
}

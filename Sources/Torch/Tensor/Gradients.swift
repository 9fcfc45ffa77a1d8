internal import CTorch

/// The gradients of a scalar with respect to tracked tensors; zeros if it does not depend on one.
///
/// It keeps no state: nothing accumulates, and the recorded operators are freed. Traps with
/// libtorch's text if `loss` is no scalar or was not recorded.
public func gradients(of loss: Tensor, _ inputs: [Tensor]) -> [Tensor] {
  withExtendedLifetime(inputs) {
    let handles = inputs.map(\.handle)
    return withUnsafeTemporaryAllocation(of: CTorchTensor?.self, capacity: max(1, inputs.count)) {
      found in
      guard let start = found.baseAddress,
        torch.gradients(loss.handle, handles, Int32(inputs.count), start)
      else { fatalError("\(TorchError.last)") }
      return inputs.indices.map { k in
        found[k].map(Tensor.init(owning:)) ?? Operators.zerosLike(.tensor(inputs[k]))
      }
    }
  }
}

/// Runs `body` without recording operators for gradients.
///
/// Recording is a property of the thread, so `body` must not suspend; it cannot, not being `async`.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = torch.record(false)
  defer { _ = torch.record(before) }
  return try body()
}

internal import Torch

/// The terms of one update's loss: loss = Σ weight · term.
///
/// A term of weight 0 is not computed.
struct LossTerms {
  private var terms: [(name: String, weight: Double, value: Tensor)] = []

  /// Appends a term, `[]`, unless its weight is 0.
  mutating func add(_ name: String, weight: Double, _ value: () -> Tensor) {
    guard weight != 0 else { return }
    terms.append((name, weight, value()))
  }

  /// The loss, `[]`; traps if every weight is 0.
  var total: Tensor {
    guard let first = terms.first else {
      preconditionFailure("a loss has at least one term whose weight is not 0")
    }
    return terms.dropFirst().reduce(LossTerms.weighted(first)) { $0 + LossTerms.weighted($1) }
  }

  private static func weighted(_ term: (name: String, weight: Double, value: Tensor)) -> Tensor {
    term.weight == 1 ? term.value : term.value * term.weight
  }

  /// The terms before they are weighted, by name.
  var metrics: Metrics {
    var metrics = Metrics()
    for term in terms { metrics.append(term.name, Float(term.value.float)) }
    return metrics
  }
}

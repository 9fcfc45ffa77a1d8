import Foundation
import GoalCore
import Torch

/// The matrix products of an update and nothing else: what no update can be faster than.
///
/// Each dense layer's products are there: forward, and where it is trained that for the weights
/// and, but for a first layer's, that for the inputs. An attention's products are not counted,
/// being small.
struct Products {
  private static let product = Op("mm.out")
  private static let transpose = Op("t")
  private var operands: [(Tensor, Tensor, Tensor)] = []

  /// Adds the products of a dense layer.
  private mutating func add(
    rows: Int, _ inputs: Int, _ outputs: Int, isTrained: Bool, isFirst: Bool = false
  ) {
    var generator = Philox(seed: 1, purpose: 2, index: 3)
    func drawn(_ shape: Int...) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) }, shape: shape)
    }
    let (x, weight) = (drawn(rows, inputs), drawn(outputs, inputs))
    let y = Tensor.zeros([rows, outputs])
    operands.append((x, Products.transpose(.tensor(weight)), y))
    guard isTrained else { return }
    operands.append((Products.transpose(.tensor(y)), x, .zeros([outputs, inputs])))
    if !isFirst { operands.append((y, weight, .zeros([rows, inputs]))) }
  }

  private mutating func add(rows: Int, widths: [Int], isTrained: Bool) {
    for (k, layer) in zip(widths, widths.dropFirst()).enumerated() {
      add(rows: rows, layer.0, layer.1, isTrained: isTrained, isFirst: k == 0)
    }
  }

  private mutating func addBlock(rows: Int, _ width: Int) {
    for (inputs, outputs) in [(1, 3), (1, 1), (1, 4), (4, 1)] {
      add(rows: rows, inputs * width, outputs * width, isTrained: true)
    }
  }

  /// Those of `gcsl`, `wgcsl`, or the transformer `3` or `50`; nil for others.
  init?(_ update: String) {
    let (actor, critic) = ([28, 256, 256, 256, 4], [32, 256, 256, 256, 1])
    let batch = TransformerWork.batch
    switch update {
    case "gcsl": add(rows: 512, widths: actor, isTrained: true)
    case "wgcsl":
      add(rows: 512, widths: actor, isTrained: true)
      add(rows: 512, widths: actor, isTrained: false)  // the next actions
      add(rows: 1024, widths: critic, isTrained: false)  // both values of the advantage
      add(rows: 512, widths: actor, isTrained: false)  // the target's
      add(rows: 512, widths: critic, isTrained: false)
      add(rows: 512, widths: critic, isTrained: true)
    case "3":
      add(rows: batch, 25, 256, isTrained: true, isFirst: true)
      add(rows: batch, 3, 256, isTrained: true, isFirst: true)
      for _ in 0..<TransformerWork.blocks { addBlock(rows: 3 * batch, 256) }
      add(rows: batch, 256, 4, isTrained: true)
    case "50":
      add(rows: 50 * batch, 28, 128, isTrained: true, isFirst: true)
      for _ in 0..<TransformerWork.blocks { addBlock(rows: 50 * batch, 128) }
      add(rows: 50 * batch, 128, 4, isTrained: true)
    default: return nil
    }
  }

  /// Computes each once.
  func callAsFunction() {
    for (a, b, result) in operands { Products.product.run(.tensor(a), .tensor(b), .tensor(result)) }
  }
}

/// The amount is updates' worth of products.
func products(_ update: String) throws {
  TorchRuntime.threads = 1
  guard let work = Products(update) else { exit(64) }
  try serve {
    work()
    return 1
  }
}

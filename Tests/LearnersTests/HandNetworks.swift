import Foundation
import Torch

@testable import Learners

/// A learner's networks, computed by hand in `Double` from what it saves.
struct HandNetworks {
  private var values: [String: [Double]] = [:]
  private var shapes: [String: [Int]] = [:]

  init(_ learner: any Learner) {
    let saved = learner.saved()
    for entry in saved.policy + saved.training where entry.tensor.elementType == .float32 {
      values[entry.name] = entry.tensor.floats.map(Double.init)
      shapes[entry.name] = entry.tensor.shape
    }
  }

  /// One number of a tensor.
  subscript(name: String, index: Int) -> Double {
    get { values[name]?[index] ?? .nan }
    set { values[name]?[index] = newValue }
  }

  func count(_ name: String) -> Int { values[name]?.count ?? 0 }

  /// These weights, with the statistics of another moment.
  func normalized(as other: HandNetworks) -> HandNetworks {
    var copy = self
    for name in ["normalizer.mean", "normalizer.deviation"] {
      copy.values[name] = other.values[name]
    }
    return copy
  }

  /// What networks read at one row.
  func input(_ observation: ArraySlice<Float>, _ goal: ArraySlice<Float>) -> [Double] {
    let mean = values["normalizer.mean"] ?? []
    let deviation = values["normalizer.deviation"] ?? []
    return (observation + goal).enumerated().map { d, x in
      max(-5, min(5, (Double(x) - mean[d]) / deviation[d]))
    }
  }

  func output(_ name: String, _ x: [Double]) -> [Double] {
    var x = x
    var layer = 0
    while let weight = values["\(name).\(layer).weight"], let bias = values["\(name).\(layer).bias"]
    {
      if layer > 0 { x = x.map { max(0, $0) } }
      let width = x.count
      x = bias.indices.map { k in
        (0..<width).reduce(bias[k]) { $0 + weight[k * width + $1] * x[$1] }
      }
      layer += 2
    }
    return x
  }

  /// A network with GELU by tanh between its layers, and normalisations where it has them.
  func gelu(_ name: String, _ x: [Double]) -> [Double] {
    var x = x
    let step = shapes["\(name).2.weight"]?.count == 1 ? 3 : 2
    var layer = 0
    while let weight = values["\(name).\(layer).weight"], let bias = values["\(name).\(layer).bias"]
    {
      let width = x.count
      x = bias.indices.map { k in
        (0..<width).reduce(bias[k]) { $0 + weight[k * width + $1] * x[$1] }
      }
      guard values["\(name).\(layer + step).weight"] != nil else { return x }
      x = x.map {
        0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * pow($0, 3))))
      }
      if step == 3, let gain = values["\(name).\(layer + 2).weight"],
        let shift = values["\(name).\(layer + 2).bias"]
      {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        x = x.indices.map { (x[$0] - mean) / (variance + 1e-6).squareRoot() * gain[$0] + shift[$0] }
      }
      layer += step
    }
    return x
  }

  func actions(_ input: [Double], of name: String = "actor") -> [Double] {
    output(name, input).map { tanh($0) }
  }

  func value(_ name: String, _ input: [Double], _ actions: [Double]) -> Double {
    output(name, input + actions)[0]
  }
}

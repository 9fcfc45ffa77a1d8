internal import GoalCore
import Support
internal import Torch

/// The input of an objective of embeddings.
public enum ObjectiveEmbedding: String, SettingChoice {
  /// The policy's own outputs.
  case logits
  /// An expander's outputs.
  case expander
}

/// An expander's input.
public enum ExpanderInput: String, SettingChoice {
  /// The token that the policy reads its outputs from.
  case token
  /// The policy's outputs.
  case logits
}

/// The network that makes embeddings for objectives.
public struct ExpanderSettings: SettingGroup {
  /// Its input.
  @Setting("token: what the policy reads its outputs from; logits: the outputs", "the log")
  public var reads = ExpanderInput.token
  /// Units of its layers, the last of which is the embedding.
  @Setting(
    "units of the layers, the last of which is the embedding; VICReg's are 8192, "
      + "8192, 8192",
    .widths, "the log")
  public var widths = [128, 128, 64]
  /// Whether its hidden layers are normalised over the batch, as VICReg's are.
  @Setting("whether hidden layers are normalised over the batch; VICReg's are", "the log")
  public var normalizes = false

  /// The log's last one.
  public init() {}

  /// Throws `SettingsError` for an expander without layers.
  public func validateTogether(under path: [String]) throws {
    try Settings.require(
      !widths.isEmpty, (path + ["widths"]).joined(separator: "."), "one layer at least",
      found: .list([]))
  }
}

/// The network that makes embeddings for VICReg, or outputs for DINO, of a policy's token; it is
/// trained and thrown away, and no action depends on it.
///
///     h ← max(0, norm(x Wᵀ + b)) for each layer but the last,   z = h Wᵀ + b
///
/// where norm is that of the batch, or nothing. Bardes, Ponce and LeCun, "VICReg", ICLR 2022,
/// arXiv:2105.04906, section 4.2; the log's (github.com/miladsamim/GCRL at 63b1e7e,
/// `gcsl/algo/traj_idm_dec.py`) has no norm. It differs from the paper in: 1. the last layer has a
/// bias.
struct Expander: Sendable {
  private let network: MLP
  private let norms: [(weight: Tensor, bias: Tensor)]  // one a hidden layer, or none

  /// Makes an expander of layers that fit each other.
  init(_ network: MLP, normalizes: Bool) {
    self.network = network
    norms =
      normalizes
      ? network.layers.dropLast().map { layer in
        let width = layer.bias.count
        return (
          Tensor([Float](repeating: 1, count: width), shape: [width]).tracked(),
          Tensor([Float](repeating: 0, count: width), shape: [width]).tracked()
        )
      } : []
  }

  /// Embeddings `[n, d]` of tokens `[n, D]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    guard !norms.isEmpty else { return network(x) }
    var x = x
    for (layer, norm) in zip(network.layers, norms) {
      x = layer(x).batchNormalized(weight: norm.weight, bias: norm.bias).rectified()
    }
    return network.layers[norms.count](x)
  }

  /// The trained parameters.
  var parameters: [Tensor] { named.map(\.tensor) }

  /// The parameters: `<2k>.weight` and `.bias` of layer `k`, and `norm.<k>.weight` and `.bias`.
  var named: [NamedTensor] {
    network.named
      + norms.enumerated().flatMap {
        [
          NamedTensor("norm.\($0).weight", $1.weight), NamedTensor("norm.\($0).bias", $1.bias),
        ]
      }
  }
}

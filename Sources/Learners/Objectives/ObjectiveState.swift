internal import Torch

/// The state that objectives keep between updates, without a teacher's weights.
///
/// That is an expander, and the centres of the teacher's outputs; all of it is saved and restored
/// to the bit.
///
/// Shapes: `N` rows, `K` outputs.
struct ObjectiveState: Sendable {
  /// The network of embeddings, if an objective reads them.
  let expander: Expander?
  /// The centre of the teacher's outputs, for DINO.
  let centre: Centre?
  /// The centre of the teacher's outputs at all tokens, for masked ones.
  let maskedCentre: Centre?

  private let reads: ExpanderInput

  /// Makes what the settings ask for; `expander` makes the dense layers of the settings' widths,
  /// and `logits` is the number of the policy's outputs.
  init(_ settings: ObjectiveSettings, logits: Int, expander makeLayers: ([Int]) -> MLP) {
    reads = settings.expander.reads
    expander =
      settings.hasExpander
      ? Expander(
        makeLayers(settings.expander.widths), normalizes: settings.expander.normalizes) : nil
    let distillation = settings.distillation
    let outputs =
      distillation.outputs == .logits ? logits : settings.expander.widths.last ?? logits
    func centre(_ weight: Double) -> Centre? {
      weight == 0 ? nil : Centre(outputs: outputs, momentum: distillation.centreMomentum)
    }
    self.centre = centre(distillation.weight)
    maskedCentre = centre(distillation.maskedWeight)
  }

  /// An objective's input from a policy's token `[N, D]` and logits `[N, K]`; another expander may
  /// stand in for its own, the teacher's.
  func embedding(
    _ kind: ObjectiveEmbedding, token: Tensor, logits: Tensor, by other: Expander? = nil
  ) -> Tensor {
    switch kind {
    case .logits: return logits
    case .expander:
      guard let expander = other ?? expander else {
        preconditionFailure("an embedding needs an expander, and no objective asked for one")
      }
      return expander(reads == .token ? token : logits)
    }
  }

  /// The trained parameters.
  var parameters: [Tensor] { expander?.parameters ?? [] }

  /// Everything that training needs: `expander.<2k>.weight`, ..., `centre` and `masked_centre`.
  var named: [NamedTensor] {
    (expander?.named ?? []).map { $0.within("expander") }
      + (centre.map { [NamedTensor("centre", $0.tensor)] } ?? [])
      + (maskedCentre.map { [NamedTensor("masked_centre", $0.tensor)] } ?? [])
  }
}
